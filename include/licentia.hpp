// licentia - software licensing for C++17.
//
// A thin face on licentia.h, header-only: handles release themselves, failures are thrown, and
// nothing else is different. The rules in licentia.h hold here too. What is moved from may only
// be assigned to or destroyed; a license that was moved from allows nothing.

#ifndef LICENTIA_HPP
#define LICENTIA_HPP

#include "licentia.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

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
    using Text = detail::Handle<char, licentia_string_free>;
    return detail::make<Text>(licentia_product_machine, handle_.get()).get();
  }

  // Checks a license in full: signature, key, issuer, product, machine and dates. Throws the
  // first check that fails.
  License verify(std::string_view license) const { return read(licentia_product_verify, license); }

  // Checks a license's signature, key, issuer and product only, to show one that has ended or
  // belongs elsewhere. What it gives allows nothing unless the license is in force here.
  License inspect(std::string_view license) const {
    return read(licentia_product_inspect, license);
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
