// The runner for C++: tests/runners/README.md.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
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
    const bool named = field.find('=') != std::string_view::npos;
    const std::string name = named ? unescape(cut(field, '=')) : "";
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
    } else if (verb == "open") {
      folder_ = value;
      installation_.emplace(product_->open(folder_));
    } else {
      return tell(verb, name, value);
    }
    return "";
  }

  // One field about an installation.
  std::string tell(std::string_view verb, const std::string &name, const std::string &value) {
    std::optional<std::int64_t> at;
    if (!value.empty() && value != "now") at = std::strtoll(value.c_str(), nullptr, 10);
    const std::uint64_t number = std::strtoull(value.c_str(), nullptr, 10);
    licentia::Installation &it = *installation_;
    if (verb == "reopen") {
      installation_.reset();
      installation_.emplace(product_->open(folder_));
    } else if (verb == "site") {
      it.set(name, value);
    } else if (verb == "apply") {
      it.apply(value);
    } else if (verb == "apply_older") {
      it.apply_older(value);
    } else if (verb == "remove") {
      return std::string("\tremoved=") + (it.remove() ? "yes" : "no");
    } else if (verb == "first_use") {
      it.first_use(at);
    } else if (verb == "record") {
      it.record(name, number);
    } else if (verb == "record_later") {
      it.record_later(name, number);
    } else if (verb == "record_level") {
      it.record_level(name, number);
    } else if (verb == "record_key") {
      it.record_key(name, value);
    } else if (verb == "call") {
      value.empty() ? it.call(name) : it.call(name, value);
    } else if (verb == "sync") {
      it.sync();
    } else if (verb.substr(0, 4) == "seat") {
      return sit(verb, name, static_cast<std::uint32_t>(number));
    } else if (verb == "access") {
      static constexpr const char *words[] = {"deny", "read_only", "warn", "allow"};
      return "\taccess=" + escape(value) + "=" + words[static_cast<int>(it.access(value))];
    } else if (verb == "gate") {
      const auto refusal = it.gate(value);
      return "\tgate=" + escape(value) + "=" +
             (refusal ? std::to_string(refusal->status) + "=" + escape(refusal->body) : "go");
    } else if (verb == "usage") {
      return usage(value);
    } else if (verb == "status") {
      return "\tstatus=" + escape(it.status(at));
    } else if (verb == "explain") {
      return "\texplain=" + escape(it.explain(at));
    } else if (verb == "request") {
      return "\trequest=" + name + "=" +
             escape(value.empty() ? it.request(name) : it.request(name, value));
    } else {
      throw NotARequest();
    }
    return "";
  }

  // One field about a seat, and until when it is held then.
  std::string sit(std::string_view verb, const std::string &holder, std::uint32_t days) {
    if (verb == "seat_renew") {
      seat_->renew();
    } else if (verb == "seat_release") {
      seat_->release();
    } else {
      seat_.emplace(installation_->seat(holder, days));
    }
    const auto expires = seat_->expires();
    return "\tseat=" + (expires ? std::to_string(*expires) : "none");
  }

  std::string usage(const std::string &feature) const {
    const licentia::Usage usage = installation_->usage(feature);
    return "\tusage=" + escape(feature) + "=" + std::to_string(usage.used) + "=" +
           (usage.limit ? std::to_string(*usage.limit) : "unlimited") + "=" +
           (usage.resets_at ? std::to_string(*usage.resets_at) : "never");
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
  std::string folder_;
  std::optional<licentia::Installation> installation_;
  std::optional<licentia::Seat> seat_;
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
