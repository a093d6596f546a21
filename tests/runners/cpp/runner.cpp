// The runner for C++: tests/runners/README.md.

#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "licentia.hpp"

namespace {

struct NotARequest {};

std::string escape(std::string_view text) {
  std::string out;
  for (const unsigned char c : text) {
    if (c <= 0x20 || c >= 0x7f || c == '%' || c == '=') {
      char hex[4];
      std::snprintf(hex, sizeof hex, "%%%02X", static_cast<unsigned>(c));
      out += hex;
    } else {
      out += static_cast<char>(c);
    }
  }
  return out;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text[i] == '%') {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// Splits at the first separator; the second half is empty if there is none.
std::string_view cut(std::string_view &rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return head;
}

class Session {
 public:
  std::string answer(std::string_view line) {
    std::string out = "ok";
    while (!line.empty()) out += step(cut(line, '\t'));
    return out;
  }

 private:
  std::string step(std::string_view field) {
    const std::string_view verb = cut(field, '=');
    const std::string name = verb == "set" ? unescape(cut(field, '=')) : "";
    const std::string value = unescape(field);
    if (verb == "product") {
      code_ = value;
    } else if (verb == "keys") {
      product_.emplace(code_, value);
    } else if (verb == "trust") {
      product_->trust(value);
    } else if (verb == "set") {
      product_->set(name, value);
    } else if (verb == "verify") {
      license_.emplace(product_->verify(value));
      return facts();
    } else if (verb == "inspect") {
      license_.emplace(product_->inspect(value));
      return facts();
    } else if (verb == "ask") {
      return grant(value);
    } else {
      throw NotARequest();
    }
    return "";
  }

  std::string facts() const {
    const auto expires = license_->expires();
    return "\tserial=" + escape(license_->serial()) + "\tcustomer=" + escape(license_->customer()) +
           "\texpires=" + (expires ? std::to_string(*expires) : "never") +
           "\tjson=" + escape(license_->json());
  }

  std::string grant(const std::string &feature) const {
    const std::uint64_t limit = license_->limit(feature);
    return "\tgrant=" + escape(feature) + (license_->allows(feature) ? "=yes=" : "=no=") +
           (limit == licentia::unlimited ? "unlimited" : std::to_string(limit));
  }

  std::string code_;
  std::optional<licentia::Product> product_;
  std::optional<licentia::License> license_;
};

std::string respond(const std::string &line) {
  try {
    return Session().answer(line);
  } catch (const licentia::Error &error) {
    return std::string(error.code()) + "\t" + escape(error.what());
  } catch (const NotARequest &) {
    return "!\tnot a request";
  }
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << respond(line) << '\n' << std::flush;
  }
  return 0;
}
