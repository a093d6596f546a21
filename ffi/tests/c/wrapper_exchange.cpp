// The license API in the C++ wrapper: wrapper_exchange FIXTURES FOLDER
#include <fstream>
#include <iterator>
#include <licentia.hpp>
#include <map>
#include <thread>
#include <vector>

#include "host.h"

using licentia::Caller;
using licentia::Installation;
using licentia::Response;
using licentia::Rights;

static_assert(Rights{} == Rights::none, "what is not set grants nothing");
static_assert((Rights::may_read | Rights::may_write | Rights::may_delete) ==
              Rights::administrator);
static_assert(noexcept(std::declval<const Installation &>().serves(std::string())));

static std::string load(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  CHECK(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The call throws, with this status and a message.
template <typename Call>
static void expect(licentia_status status, Call call) {
  try {
    call();
  } catch (const licentia::Error &error) {
    EXPECT(status, error.status());
    CHECK(strlen(error.what()) > 10);
    return;
  }
  CHECK(!"it throws");
}

static std::string header(const Response &response, const std::string &wanted) {
  for (const auto &[name, value] : response.headers) {
    if (name == wanted) return value;
  }
  return {};
}

static const Caller ADA{"ada", Rights::administrator};

static void strangers(const Installation &held) {
  CHECK(held.serves("/api/license") && !held.serves("/") && !held.serves(""));
  CHECK(!held.serves(std::string("/api/license\0", 13)));
  const Response open = held.handle("GET", "/api/license");
  CHECK(open.status == 200 && open.body.front() == '{' && open.body.back() == '}');
  CHECK(header(open, "content-type") == "application/json");
  CHECK(header(open, "cache-control") == "no-store");
  CHECK(held.handle("GET", "/api/licensing/check").status == 401);
  CHECK(held.handle("GET", "/nowhere").status == 404);
  CHECK(header(held.handle("PUT", "/api/license"), "allow") == "GET, HEAD");
  CHECK(held.handle("HEAD", "/api/license").body.empty());
  // Whatever is wrong with a caller, no stranger comes in by it.
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.handle("GET", "/", {}, {}, Caller{"", {}}); });
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.handle("GET", "/x y"); });
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.handle("GET", std::string("/\0x", 3)); });
  expect(LICENTIA_INVALID_ARGUMENT,
         [&] { held.handle("GET", "/", {}, {}, Caller{"ada", static_cast<Rights>(8)}); });
  const std::vector<std::pair<std::string, std::string>> odd{{"content-type", {"json\0", 5}}};
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.handle("GET", "/", odd); });
}

static void callers(const Installation &held) {
  const auto check = [&held](Rights rights) {
    return held.handle("GET", "/api/licensing/check", {}, {}, Caller{"ada", rights}).status;
  };
  CHECK(check(Rights::none) == 403 && check(Rights::may_write | Rights::may_delete) == 403);
  CHECK(check(Rights::may_read) == 200 && check(Rights::administrator) == 200);
  CHECK(check(Rights::may_read | Rights::is_service) == 403);
}

// Headers come in whatever container a server has them.
static void containers(const Installation &held) {
  const auto status = [&held](const auto &headers, std::string_view body) {
    return held.handle("POST", "/api/license/assign", headers, body, ADA).status;
  };
  using Views = std::vector<std::pair<std::string_view, std::string_view>>;
  CHECK(status(Views{}, "{}") == 415);
  CHECK(status(Views{{"content-type", "application/json"}}, "{}") == 400);
  CHECK(status(std::multimap<std::string, std::string>{{"Content-Type", "text/plain"}}, "{}") ==
        415);
  CHECK(status(std::map<std::string, std::string>{{"Content-Type", "application/json"}}, "{}") ==
        400);
  CHECK(held.handle("POST", "/api/license/assign", {{"Content-Type", "application/json"}}, "{}",
                    ADA)
            .status == 400);
  const std::string large(licentia::body_max + 1, ' ');
  CHECK(status(Views{{"content-type", "application/json"}}, large) == 413);
}

static void from_many_threads(const Installation &held) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&held] {
      for (int times = 0; times < 20; times++) {
        CHECK(held.handle("GET", "/api/license").status == 200);
        CHECK(held.handle("GET", "/api/v1/license", {}, {}, ADA).status == 200);
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  const std::string fixtures = argv[1];
  licentia::Product product(PRODUCT, load(fixtures + "/keys"));
  product.set("clock", IN_FORCE);
  Installation held = product.open(argv[2]);
  strangers(held);
  callers(held);
  containers(held);
  from_many_threads(held);

  const std::string body = "{\"signed_license\":\"" + load(fixtures + "/metered") + "\"}";
  const std::map<std::string, std::string> json{{"content-type", "application/json"}};
  CHECK(!held.allows("reports"));
  const Response applied = held.handle("POST", "/api/license/assign", json, body, ADA);
  CHECK(applied.status == 204 && applied.body.empty() && held.allows("reports"));

  const Installation moved = std::move(held);
  CHECK(!held.serves("/api/license") && moved.serves("/api/license"));
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.handle("GET", "/api/license"); });
  return 0;
}
