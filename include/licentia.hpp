// licentia - software licensing for C++17.
//
// A thin face on licentia.h, header-only: handles release themselves, failures are thrown, and
// nothing else is different. The rules in licentia.h hold here too. What is moved from may only
// be assigned to or destroyed; a license or an installation that was moved from allows nothing.

#ifndef LICENTIA_HPP
#define LICENTIA_HPP

#include "licentia.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace licentia {

// The limit of a feature that has none.
inline constexpr std::uint64_t unlimited = LICENTIA_UNLIMITED;

// What every call that fails throws.
class Error : public std::runtime_error {
 public:
  Error(licentia_status status, const char *message)
      : std::runtime_error(message), status_(status) {}

  // One of the constants in licentia.h, such as LICENTIA_EXPIRED.
  licentia_status status() const noexcept { return status_; }

  // The word for it, the same in every language, such as "expired".
  const char *code() const noexcept { return licentia_status_name(status_); }

 private:
  licentia_status status_;
};

namespace detail {

// Calls a C function with a fresh error as its last argument, and throws what it reports.
template <typename Function, typename... Arguments>
void check(Function function, Arguments... arguments) {
  licentia_error error;
  if (function(arguments..., &error) != LICENTIA_OK) throw Error(error.status, error.message);
}

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T *pointer) const noexcept {
    Free(pointer);
  }
};

template <typename T, auto Free>
using Handle = std::unique_ptr<T, Deleter<Free>>;

// Calls a C function that makes something, and returns what it made, owned.
template <typename Owner, typename Function, typename... Arguments>
Owner make(Function function, Arguments... arguments) {
  typename Owner::pointer made = nullptr;
  check(function, arguments..., &made);
  return Owner(made);
}

// C reads text up to its NUL: a string with one inside would be taken for a shorter one.
inline bool has_nul(const std::string &text) noexcept {
  return text.find('\0') != std::string::npos;
}

inline const char *c_text(const std::string &text) {
  if (has_nul(text)) throw Error(LICENTIA_INVALID_ARGUMENT, "a text has a NUL in it");
  return text.c_str();
}

using Text = Handle<char, licentia_string_free>;
using Exchange = Handle<licentia_exchange, licentia_exchange_free>;

}  // namespace detail

// A license that a key of the product signed. It knows its own dates and nothing else.
class License {
 public:
  // Whether the license is in force at this moment and grants the feature.
  bool allows(const char *feature) const noexcept {
    return licentia_license_allows(handle_.get(), feature);
  }
  bool allows(const std::string &feature) const noexcept {
    return !detail::has_nul(feature) && allows(feature.c_str());
  }

  // How much of the feature may be used: `unlimited`, or zero wherever `allows` says false.
  std::uint64_t limit(const char *feature) const noexcept {
    return licentia_license_limit(handle_.get(), feature);
  }
  std::uint64_t limit(const std::string &feature) const noexcept {
    return detail::has_nul(feature) ? 0 : limit(feature.c_str());
  }

  // When it ends, in seconds since 1970; nothing if it has no end.
  std::optional<std::int64_t> expires() const noexcept {
    const std::int64_t end = licentia_license_expires(handle_.get());
    return end == LICENTIA_NEVER ? std::nullopt : std::optional<std::int64_t>(end);
  }

  // The views live as long as the license does, and end in NUL.
  std::string_view serial() const noexcept { return licentia_license_serial(handle_.get()); }
  std::string_view customer() const noexcept { return licentia_license_customer(handle_.get()); }
  std::string_view json() const noexcept { return licentia_license_json(handle_.get()); }

 private:
  friend class Product;
  using Handle = detail::Handle<licentia_license, licentia_license_free>;
  explicit License(Handle handle) noexcept : handle_(std::move(handle)) {}

  Handle handle_;
};

// What may be done with a feature, in rising order: compare with >=.
enum class Access : int {
  deny = LICENTIA_DENY,
  read_only = LICENTIA_READ_ONLY,
  warn = LICENTIA_WARN,
  allow = LICENTIA_ALLOW,
};

// How much of a metered feature was used, and how much there is.
struct Usage {
  std::uint64_t used;                      // in this period or window; of a gauge, its level
  std::optional<std::uint64_t> limit;      // nothing: there is none. `used` may be more than it
  std::optional<std::int64_t> resets_at;   // in seconds since 1970; nothing: never
};

// What a web server answers where a feature may not be used.
struct Refusal {
  int status;        // of HTTP
  std::string body;  // JSON; empty where the installation could not tell
};

// What somebody may do who is signed in: any of these, joined with |.
enum class Rights : std::uint32_t {
  none = 0,
  may_read = LICENTIA_MAY_READ,
  may_write = LICENTIA_MAY_WRITE,
  may_delete = LICENTIA_MAY_DELETE,
  administrator = may_read | may_write | may_delete,
  is_service = LICENTIA_IS_SERVICE,  // no person: some of the license API is for persons only
};

constexpr Rights operator|(Rights one, Rights other) noexcept {
  return static_cast<Rights>(static_cast<std::uint32_t>(one) |
                             static_cast<std::uint32_t>(other));
}

// Who is asking for something of the license API, after your login made sure of it.
struct Caller {
  std::string name;  // what you call them: 1 to 256 bytes
  Rights rights = Rights::none;
};

// What the license API answers. Send all of it just as it is.
struct Response {
  int status;  // of HTTP
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// The longest body of a request to the license API. Read no more than one byte past it.
inline constexpr std::size_t body_max = LICENTIA_BODY_MAX;

// A seat of a floating license, held by somebody here until its lease ends. The destructor asks
// nobody and waits for nothing: the seat comes back by itself when its lease ends, and `release`
// gives it back at once. It may be used after its installation, and from any thread.
class Seat {
 public:
  // The first second for which it is not held any more, since 1970, by the clock of this machine;
  // nothing if it is not held now. Renew it halfway.
  std::optional<std::int64_t> expires() const noexcept {
    const std::int64_t end = licentia_seat_expires(handle_.get());
    return end == 0 ? std::nullopt : std::optional<std::int64_t>(end);
  }
  bool is_held() const noexcept { return expires().has_value(); }

  // Asks the vendor's server for a longer lease. What is held stays, whatever this throws.
  void renew() const { detail::check(licentia_seat_renew, handle_.get()); }

  // Gives it back to the vendor's server. Good, too, where it is not held any more.
  void release() const { detail::check(licentia_seat_release, handle_.get()); }

 private:
  friend class Installation;
  using Handle = detail::Handle<licentia_seat, licentia_seat_free>;
  explicit Seat(Handle handle) noexcept : handle_(std::move(handle)) {}

  Handle handle_;
};

// What holds here and now: licenses, use and a sense of time, kept in a folder. It follows the
// clock, renewals, removals and limits, also those that another process brings about. The const
// functions may be called from any thread at any time. Times are in seconds since 1970; none is
// now.
class Installation {
 public:
  using Time = std::optional<std::int64_t>;

  // Sets one of the settings of an installation in docs/settings.md.
  void set(const std::string &name, const std::string &value) {
    detail::check(licentia_installation_set, handle_.get(), detail::c_text(name),
                  detail::c_text(value));
  }

  // Whether the feature may be used at this moment: access is at least `warn`. Ask before each
  // piece of work; asking costs less than a system call.
  bool allows(const char *feature) const noexcept {
    return licentia_installation_allows(handle_.get(), feature);
  }
  bool allows(const std::string &feature) const noexcept {
    return !detail::has_nul(feature) && allows(feature.c_str());
  }

  // What may be done with the feature at this moment.
  Access access(const char *feature) const noexcept {
    return static_cast<Access>(licentia_installation_access(handle_.get(), feature));
  }
  Access access(const std::string &feature) const noexcept {
    return detail::has_nul(feature) ? Access::deny : access(feature.c_str());
  }

  // Nothing if the feature may be used; otherwise what a web server answers instead of its page.
  std::optional<Refusal> gate(const char *feature) const {
    char *text = nullptr;
    const int status = licentia_installation_gate(handle_.get(), feature, &text);
    const detail::Text owned(text);
    if (status == 0) return std::nullopt;
    return Refusal{status, text ? text : ""};
  }
  std::optional<Refusal> gate(const std::string &feature) const {
    if (detail::has_nul(feature)) return Refusal{500, ""};
    return gate(feature.c_str());
  }

  // Whether `handle` has something at a target, by any method.
  bool serves(const std::string &target) const noexcept {
    return !detail::has_nul(target) && licentia_installation_serves(handle_.get(), target.c_str());
  }

  // Answers a request to the license API: whatever is wrong with it is an answer too. `target` is
  // the path and the query, as they were sent; `headers` are pairs of texts in any container, all
  // that there are. No caller: a stranger. It throws LICENTIA_INVALID_ARGUMENT for what no web
  // server lets through: answer 400.
  template <typename Headers = std::initializer_list<std::pair<const char *, const char *>>>
  Response handle(const std::string &method, const std::string &target,
                  const Headers &headers = {}, std::string_view body = {},
                  const std::optional<Caller> &caller = std::nullopt) const {
    const auto exchange = detail::make<detail::Exchange>(
        licentia_exchange_new, detail::c_text(method), detail::c_text(target));
    for (const auto &[name, value] : headers) {
      const std::string one(name), other(value);
      detail::check(licentia_exchange_set_header, exchange.get(), detail::c_text(one),
                    detail::c_text(other));
    }
    detail::check(licentia_exchange_set_body, exchange.get(), body.data(), body.size());
    if (caller) {
      detail::check(licentia_exchange_set_caller, exchange.get(), detail::c_text(caller->name),
                    static_cast<std::uint32_t>(caller->rights));
    }
    detail::check(licentia_installation_handle, handle_.get(), exchange.get());
    return answer(exchange.get());
  }

  // Everything that holds at a time, as JSON, and why. Neither changes anything.
  std::string status(Time at = {}) const { return tell(licentia_installation_status, at); }
  std::string explain(Time at = {}) const { return tell(licentia_installation_explain, at); }

  // Takes anything the vendor signed. It is checked first; what is refused changes nothing.
  void apply(std::string_view data) const {
    detail::check(licentia_installation_apply, handle_.get(), data.data(), data.size());
  }

  // The same, and lets a license take the place of a newer one.
  void apply_older(std::string_view data) const {
    detail::check(licentia_installation_apply_older, handle_.get(), data.data(), data.size());
  }

  // Removes the license that was applied, and says whether there was one.
  bool remove() const {
    bool removed = false;
    detail::check(licentia_installation_remove, handle_.get(), &removed);
    return removed;
  }

  // A text to send to the vendor: "license" is the request code. "activation" may take the license
  // key as its argument, "seat" and "release" take who has the seat, "borrow" takes days and who,
  // as "30 ann"; nothing else takes one.
  std::string request(const std::string &what) const { return ask(what, nullptr); }
  std::string request(const std::string &what, const std::string &argument) const {
    return ask(what, detail::c_text(argument));
  }

  // Asks the vendor's server (the setting "server") for what `request` has words for, and applies
  // what it signs in answer. This waits for the network: call it from a thread that may wait.
  // LICENTIA_UNREACHABLE says nothing of the license.
  void call(const std::string &what) const {
    detail::check(licentia_installation_call, handle_.get(), detail::c_text(what),
                  static_cast<const char *>(nullptr));
  }
  void call(const std::string &what, const std::string &argument) const {
    detail::check(licentia_installation_call, handle_.get(), detail::c_text(what),
                  detail::c_text(argument));
  }

  // Reports what was used, and applies what the vendor's server says of the license. Call it at
  // the "next_contact" of "issuer" in the status. It waits as `call` does.
  void sync() const { detail::check(licentia_installation_sync, handle_.get()); }

  // Asks the vendor's server for a seat, which somebody has from now on, or for so many days to be
  // used out of its reach. Who has one here keeps it, and is given it also where asking fails,
  // unless the server says no: ask each time the program starts. It waits as `call` does.
  Seat seat(const std::string &holder, std::uint32_t borrow_days = 0) const {
    return Seat(detail::make<Seat::Handle>(
        licentia_installation_seat, handle_.get(), detail::c_text(holder), borrow_days));
  }

  // Adds to a counter, and waits for the disk. Do the work if this does not throw.
  void record(const std::string &feature, std::uint64_t amount = 1) const {
    meter(licentia_installation_record, feature, amount);
  }

  // The same without waiting: a power failure may lose the last second.
  void record_later(const std::string &feature, std::uint64_t amount = 1) const {
    meter(licentia_installation_record_later, feature, amount);
  }

  // Sets a gauge to a value that the host knows: never +1 and -1 across workers.
  void record_level(const std::string &feature, std::uint64_t level) const {
    meter(licentia_installation_record_level, feature, level);
  }

  // Notes that a key was seen, of which the different ones are counted.
  void record_key(const std::string &feature, const std::string &key) const {
    meter(licentia_installation_record_key, feature, detail::c_text(key));
  }

  Usage usage(const std::string &feature) const {
    std::uint64_t used = 0, limit = 0;
    std::int64_t resets_at = 0;
    meter(licentia_installation_usage, feature, &used, &limit, &resets_at);
    Usage usage{used, {}, {}};
    if (limit != LICENTIA_UNLIMITED) usage.limit = limit;
    if (resets_at != LICENTIA_NEVER) usage.resets_at = resets_at;
    return usage;
  }

  // Notes when the product was first used. The earliest time ever given is kept for ever.
  void first_use(Time at = {}) const {
    detail::check(licentia_installation_first_use, handle_.get(), at.value_or(LICENTIA_NOW));
  }

  // Makes durable what record_later left. The destructor does too, and cannot say how it went.
  void flush() const { detail::check(licentia_installation_flush, handle_.get()); }

 private:
  friend class Product;
  using Handle = detail::Handle<licentia_installation, licentia_installation_free>;
  explicit Installation(Handle handle) noexcept : handle_(std::move(handle)) {}

  static Response answer(const licentia_exchange *exchange) {
    Response response{licentia_exchange_status(exchange), {}, {}};
    const char *value = nullptr;
    for (std::size_t i = 0;; i++) {
      const char *name = licentia_exchange_header(exchange, i, &value);
      if (!*name) break;
      response.headers.emplace_back(name, value);
    }
    std::size_t size = 0;
    const void *body = licentia_exchange_body(exchange, &size);
    response.body.assign(static_cast<const char *>(body), size);
    return response;
  }
  template <typename Function>
  std::string tell(Function function, Time at) const {
    return detail::make<detail::Text>(function, handle_.get(), at.value_or(LICENTIA_NOW)).get();
  }
  std::string ask(const std::string &what, const char *argument) const {
    return detail::make<detail::Text>(licentia_installation_request, handle_.get(),
                                      detail::c_text(what), argument)
        .get();
  }
  template <typename Function, typename... Arguments>
  void meter(Function function, const std::string &feature, Arguments... arguments) const {
    detail::check(function, handle_.get(), detail::c_text(feature), arguments...);
  }

  Handle handle_;
};

// What you ship: its code, the keys that may sign its licenses, and its settings. Set it up,
// then share it: the const functions may be called from any thread.
class Product {
 public:
  Product(const std::string &code, const std::string &keys)
      : handle_(detail::make<Handle>(licentia_product_new, detail::c_text(code),
                                     detail::c_text(keys))) {}

  void trust(const std::string &keys) {
    detail::check(licentia_product_trust, handle_.get(), detail::c_text(keys));
  }
  void set(const std::string &name, const std::string &value) {
    detail::check(licentia_product_set, handle_.get(), detail::c_text(name),
                  detail::c_text(value));
  }

  // What identifies this machine, as a JSON object.
  std::string machine() const {
    return detail::make<detail::Text>(licentia_product_machine, handle_.get()).get();
  }

  // Checks a license in full: signature, key, issuer, product, machine and dates. Throws the
  // first check that fails.
  License verify(std::string_view license) const { return read(licentia_product_verify, license); }

  // Checks a license's signature, key, issuer and product only, to show one that has ended or
  // belongs elsewhere. What it gives allows nothing unless the license is in force here.
  License inspect(std::string_view license) const {
    return read(licentia_product_inspect, license);
  }

  // Opens the installation that is kept in a folder, which has to exist. A folder that is damaged
  // or out of reach does not throw here: status says what is wrong with it.
  Installation open(const std::string &directory) const {
    return Installation(detail::make<Installation::Handle>(
        licentia_product_open, handle_.get(), detail::c_text(directory)));
  }

 private:
  using Handle = detail::Handle<licentia_product, licentia_product_free>;

  template <typename Function>
  License read(Function function, std::string_view license) const {
    return License(detail::make<License::Handle>(function, handle_.get(), license.data(),
                                                 license.size()));
  }

  Handle handle_;
};

// The version of the library that is loaded.
inline std::string_view version() noexcept { return licentia_version(); }

}  // namespace licentia

#endif  // LICENTIA_HPP
