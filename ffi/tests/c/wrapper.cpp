// The C++ wrapper: what it gives, what it throws, and what it lets go: wrapper FIXTURES
#include <fstream>
#include <iterator>
#include <licentia.hpp>
#include <type_traits>

#include "host.h"

using licentia::License;
using licentia::Product;

static_assert(!std::is_copy_constructible_v<Product> && !std::is_copy_assignable_v<Product>);
static_assert(!std::is_copy_constructible_v<License> && !std::is_copy_assignable_v<License>);
static_assert(std::is_nothrow_move_constructible_v<Product>);
static_assert(std::is_nothrow_move_assignable_v<License>);
static_assert(!std::is_default_constructible_v<License>, "no license that was not verified");
static_assert(noexcept(std::declval<const License &>().allows("x")));
static_assert(noexcept(std::declval<const License &>().allows(std::string())));
static_assert(noexcept(std::declval<const License &>().limit("x")));
static_assert(std::is_base_of_v<std::runtime_error, licentia::Error>);
static_assert(std::is_nothrow_copy_constructible_v<licentia::Error>);

static std::string folder;

static std::string load(const std::string &name) {
  std::ifstream file(folder + "/" + name, std::ios::binary);
  CHECK(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The call throws, with this status, its word, and a message.
template <typename Call>
static void expect(licentia_status status, Call call) {
  try {
    call();
  } catch (const std::exception &caught) {
    const auto *error = dynamic_cast<const licentia::Error *>(&caught);
    CHECK(error && error->status() == status && strlen(error->what()) > 10);
    CHECK(!strcmp(error->code(), licentia_status_name(status)));
    return;
  }
  CHECK(!"it throws");
}

static Product make() {
  Product product(PRODUCT, load("keys"));
  product.set("clock", IN_FORCE);
  product.set("machine", "machine-1");
  return product;
}

static void answers(const License &license) {
  CHECK(license.allows("reports") && license.allows(std::string("exports")));
  CHECK(!license.allows("import") && !license.allows(static_cast<const char *>(nullptr)));
  CHECK(license.limit("exports") == 500 && license.limit("reports") == licentia::unlimited);
  CHECK(license.expires() == 1769817600 && license.serial() == "LIC-MYAPP-A1B2C3D4");
  CHECK(license.customer() == "Ex\xc3\xa4mple GmbH" && license.json().front() == '{');

  // C would read "reports" and stop.
  const std::string longer("reports\0x", 9);
  CHECK(!license.allows(longer) && license.limit(longer) == 0);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  folder = argv[1];
  CHECK(licentia::version() == LICENTIA_VERSION);

  expect(LICENTIA_INVALID_KEY, [] { Product("myapp", "none"); });
  expect(LICENTIA_INVALID_ARGUMENT, [] { Product("", load("keys")); });
  expect(LICENTIA_INVALID_ARGUMENT, [] { Product(std::string("my\0app", 6), load("keys")); });
  expect(LICENTIA_INVALID_ARGUMENT, [] { make().set("clok", "0"); });
  expect(LICENTIA_INVALID_ARGUMENT, [] { make().set("clock", std::string("0\0", 2)); });
  expect(LICENTIA_INVALID_KEY, [] { make().trust("none"); });
  expect(LICENTIA_MALFORMED, [] { make().verify(std::string_view()); });
  for (const char *name : {"bad_signature", "expired", "not_yet_valid", "wrong_product",
                           "wrong_machine", "unknown_key", "malformed"}) {
    try {
      make().verify(load(name));
      CHECK(!"it throws");
    } catch (const licentia::Error &error) {
      CHECK(!strcmp(error.code(), name));
    }
  }

  Product product = make();
  answers(product.verify(load("ok")));
  answers(product.verify(load("bound")));
  const License endless = product.inspect(load("ok_too"));
  CHECK(!endless.expires() && endless.limit("exports") == licentia::unlimited);
  CHECK(!product.inspect(load("expired")).allows("reports"));
  CHECK(product.machine().find("\"id\"") != std::string::npos);
  product.trust(load("more_keys"));
  CHECK(product.verify(load("unknown_key")).allows("reports"));

  // Moving: the one that was moved from grants nothing, and the license outlives its product.
  License first = product.verify(load("ok"));
  License second = std::move(first);
  CHECK(!first.allows("reports") && first.limit("exports") == 0 && first.serial().empty());
  first = product.verify(load("bound"));
  second = std::move(first);
  Product moved = std::move(product);
  moved.set("clock", "2026-01-31T00:00:00Z");
  CHECK(!second.allows("reports"));
  moved.set("clock", IN_FORCE);
  product = make();
  moved = std::move(product);
  answers(second);
  return 0;
}
