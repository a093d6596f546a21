// The C++ wrapper of an installation: wrapper_installation FIXTURES FOLDER
#include <fstream>
#include <iterator>
#include <licentia.hpp>
#include <thread>
#include <type_traits>
#include <vector>

#include "host.h"

using licentia::Access;
using licentia::Installation;
using licentia::Product;

static_assert(!std::is_copy_constructible_v<Installation>);
static_assert(!std::is_copy_assignable_v<Installation>);
static_assert(!std::is_default_constructible_v<Installation>);
static_assert(std::is_nothrow_move_constructible_v<Installation>);
static_assert(std::is_nothrow_move_assignable_v<Installation>);
static_assert(noexcept(std::declval<const Installation &>().allows("x")));
static_assert(noexcept(std::declval<const Installation &>().access(std::string())));
static_assert(Access::deny < Access::read_only && Access::warn < Access::allow);
static_assert(Access{} == Access::deny, "what is not set grants nothing");

static std::string folder;

static std::string load(const std::string &name) {
  std::ifstream file(folder + "/" + name, std::ios::binary);
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

static bool has(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}

static void unlicensed(Installation &held) {
  CHECK(!held.allows("reports") && held.access("reports") == Access::deny);
  const auto refusal = held.gate("reports");
  CHECK(refusal && refusal->status == 400 && has(refusal->body, "\"not_licensed\""));
  CHECK(held.gate(std::string("reports\0x", 9))->status == 500);
  CHECK(held.gate(static_cast<const char *>(nullptr))->status == 500);
  CHECK(!held.allows(static_cast<const char *>(nullptr)) && !held.remove());
  CHECK(held.request("license").substr(0, 2) == "eJ");
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.request("tea"); });
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.request("license", std::string(1, '\0')); });
  expect(LICENTIA_NOT_LICENSED, [&] { held.record("hits"); });
  expect(LICENTIA_BAD_SIGNATURE, [&] { held.apply(load("bad_signature")); });
  expect(LICENTIA_MALFORMED, [&] { held.apply(std::string_view()); });
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.set("licens", ""); });
  held.set("license", load("metered"));
  CHECK(held.allows("reports"));
  held.set("license", "");
  CHECK(!held.allows("reports"));
}

static void licensed(const Installation &held) {
  CHECK(held.allows("reports") && held.allows(std::string("reports")));
  CHECK(held.access(std::string("reports")) == Access::allow && !held.gate("reports"));
  CHECK(!held.allows("nothing") && held.gate(std::string("nothing"))->status == 403);
  CHECK(!held.allows(std::string("reports\0x", 9)));
  expect(LICENTIA_OLDER_THAN_INSTALLED, [&] { held.apply(load("metered_older")); });
  held.apply_older(load("metered_older"));
  held.apply(load("metered"));
  held.first_use();
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.first_use(1799999999); });
  CHECK(has(held.status(), "\"ok\"") && has(held.status(1773273600), "\"expired\""));
  CHECK(held.explain().front() == '{');
}

static void metered(const Installation &held) {
  held.record("exports", 4);
  held.record(std::string("exports"));
  held.record_later("exports");
  held.flush();
  const licentia::Usage exports = held.usage("exports");
  CHECK(exports.used == 6 && exports.limit == 500U && exports.resets_at == 1769904000);
  held.record("hits");
  const licentia::Usage hits = held.usage("hits");
  CHECK(hits.used == 1 && !hits.limit && !hits.resets_at);
  held.record_level("users", 15);
  expect(LICENTIA_LIMIT_EXCEEDED, [&] { held.record_level("users", 16); });
  held.record_key("hosts", "a");
  held.record_key("hosts", "b");
  CHECK(held.usage("hosts").used == 2 && held.usage("users").used == 15);
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.record_key("hosts", std::string(1, '\0')); });
  expect(LICENTIA_NOT_GRANTED, [&] { held.record("nothing"); });

  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&held] {
      for (int times = 0; times < 10; times++) held.record("hits");
    });
  }
  for (std::thread &thread : threads) thread.join();
  CHECK(held.usage("hits").used == 41);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  folder = argv[1];
  Product product(PRODUCT, load("keys"));
  product.set("clock", IN_FORCE);
  expect(LICENTIA_INVALID_ARGUMENT, [&] { product.open(""); });
  expect(LICENTIA_INVALID_ARGUMENT, [&] { product.open(std::string("x\0y", 3)); });
  CHECK(has(product.open("/nowhere/at/all").status(), "\"state_unavailable\""));

  Installation held = product.open(argv[2]);
  unlicensed(held);
  held.apply(load("metered"));
  licensed(held);
  metered(held);

  // The one that was moved from grants nothing, and the installation outlives its product.
  Installation moved = std::move(held);
  CHECK(!held.allows("reports") && held.gate("reports")->status == 500);
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.record("hits"); });
  product.set("clock", "2026-06-01");
  CHECK(moved.access("reports") == Access::deny);
  product.set("clock", IN_FORCE);
  product = Product(PRODUCT, load("keys"));
  CHECK(moved.remove() && !moved.remove());
  return 0;
}
