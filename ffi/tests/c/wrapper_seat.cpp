// The C++ wrapper of calls and seats, where no server is configured: wrapper_seat FIXTURES FOLDER
#include <fstream>
#include <iterator>
#include <licentia.hpp>
#include <optional>
#include <type_traits>

#include "host.h"

using licentia::Installation;
using licentia::Seat;

static_assert(!std::is_copy_constructible_v<Seat> && !std::is_copy_assignable_v<Seat>);
static_assert(!std::is_default_constructible_v<Seat>);
static_assert(std::is_nothrow_move_constructible_v<Seat>);
static_assert(std::is_nothrow_move_assignable_v<Seat>);
static_assert(std::is_nothrow_destructible_v<Seat>);
static_assert(noexcept(std::declval<const Seat &>().expires()));

static const std::int64_t ENDS = 1769817600;  // 30 days after the fixtures begin

static std::string load(const std::string &folder, const std::string &name) {
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

static void calls(const Installation &held) {
  expect(LICENTIA_NO_TRANSPORT, [&] { held.sync(); });
  expect(LICENTIA_NO_TRANSPORT, [&] { held.call("renewal"); });
  expect(LICENTIA_NO_TRANSPORT, [&] { held.call("activation", "ABCD-EFGH"); });
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.call("tea"); });
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.call(std::string("sync\0x", 6)); });
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.call("seat", std::string("ann\0x", 5)); });
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.seat(std::string("ann\0x", 5)); });
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.seat(""); });
  expect(LICENTIA_INVALID_ARGUMENT, [&] { held.seat("ann", 367); });
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  licentia::Product product(PRODUCT, load(argv[1], "keys"));
  product.set("clock", IN_FORCE);
  std::optional<Installation> held(product.open(argv[2]));
  expect(LICENTIA_NOT_LICENSED, [&] { held->seat("ann"); });
  held->apply(load(argv[1], "metered"));
  calls(*held);
  expect(LICENTIA_NO_TRANSPORT, [&] { held->seat("ann"); });
  held->apply(load(argv[1], "lease"));
  expect(LICENTIA_NO_TRANSPORT, [&] { held->seat("bob"); });

  Seat seat = held->seat("ann");
  CHECK(seat.is_held() && seat.expires() == ENDS);
  expect(LICENTIA_NO_TRANSPORT, [&] { seat.renew(); });
  expect(LICENTIA_NO_TRANSPORT, [&] { seat.release(); });
  {
    const Seat again = held->seat(std::string("ann"), 30);
    CHECK(again.expires() == ENDS);
  }
  CHECK(seat.is_held());  // a handle that ends gives nothing back

  // The one that was moved from holds nothing, and a seat outlives its installation.
  Seat moved = std::move(seat);
  CHECK(!seat.is_held() && !seat.expires() && moved.is_held());
  expect(LICENTIA_INVALID_ARGUMENT, [&] { seat.renew(); });
  held.reset();
  CHECK(moved.expires() == ENDS);
  product.set("clock", "2026-01-30T23:59:59Z");
  CHECK(moved.is_held());
  product.set("clock", "2026-01-31T00:00:00Z");
  CHECK(!moved.is_held());
  moved.release();  // good, too, where it has ended
  expect(LICENTIA_NO_TRANSPORT, [&] { moved.renew(); });
  return 0;
}
