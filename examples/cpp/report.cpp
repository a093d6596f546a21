// Reports what was used to the vendor's license server, and takes its answer: plain HTTP.
//   report URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]...
// Opens the installation in FOLDER, activates it with a license key if one is given (the first time
// is enough), counts AMOUNT more of its feature, and syncs. Prints one line of JSON. It ends with 0
// if the server has the report, with 3 if it was not reached, and with 1 if something was refused.
//   c++ -std=c++17 report.cpp $(pkg-config --cflags --libs licentia cpp-httplib)
//
// What is sent is signed by this installation, and the answer by the vendor for this request alone:
// whoever changes it on its way is refused. So plain HTTP is safe; with HTTPS it is private too.

#include <httplib.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <licentia.hpp>
#include <stdexcept>
#include <string>

static const std::string FEATURE = "exports";

// The license server said no, or ("unreachable") nothing at all.
struct ServerError : std::runtime_error {
  ServerError(std::string word, const std::string &message)
      : std::runtime_error(message), code(std::move(word)) {}
  std::string code;
};

// The first member of that name in JSON, from a place on: text without its quotes, or as it stands.
// A program of your own has a JSON library.
static std::string member(const std::string &json, const std::string &name, std::size_t from = 0) {
  std::size_t at = json.find('"' + name + "\":", from);
  at = at == std::string::npos ? at : json.find_first_not_of(' ', at + name.size() + 3);
  if (at == std::string::npos) return "";
  if (json[at] != '"') return json.substr(at, json.find_first_of(",}\n", at) - at);
  std::size_t end = ++at;
  while (end < json.size() && json[end] != '"') end += json[end] == '\\' ? 2 : 1;
  return json.substr(at, end - at);
}

// Sends a request to the license server, and gives what was signed for it.
static std::string post(const std::string &url, const std::string &text) {
  httplib::Client client(url);
  client.set_connection_timeout(30);
  client.set_read_timeout(30);
  const auto answer =
      client.Post("/api/v1/requests", "{\"request\": \"" + text + "\"}", "application/json");
  if (!answer) {
    throw ServerError("unreachable", url + ": no answer: " + httplib::to_string(answer.error()));
  }
  const int status = answer->status;
  const std::string code = member(answer->body, "code"), given = member(answer->body, "answer");
  if (status == 200 && !given.empty()) return given;
  if (status >= 400 && status < 500 && status != 429 && !code.empty()) {
    throw ServerError(code, member(answer->body, "detail"));
  }
  // A proxy that wants a login, a server that has too much to do: later, things may be better.
  throw ServerError("unreachable", url + " answered " + std::to_string(status) +
                                       ", and nothing that was signed");
}

// Does something, and says what went wrong; the status to end with.
static int attempt(const std::function<void()> &step) try {
  step();
  return 0;
} catch (const ServerError &error) {
  std::cerr << error.code << ": " << error.what() << '\n';
  // No answer says nothing of the license. What was counted is on disk, for the next report.
  return error.code == "unreachable" ? 3 : 1;
} catch (const licentia::Error &error) {
  std::cerr << error.code() << ": " << error.what() << '\n';
  return 1;
}

static void print(const licentia::Installation &installation) {
  const std::string status = installation.status();
  const std::size_t features = status.find("\"features\":"), end = status.find(']', features);
  const std::size_t listed = status.find('"' + FEATURE + '"', features);
  const bool has = listed < end;
  std::cout << "{\"status\": \"" << member(status, "reason")
            << "\", \"used\": " << (has ? member(status, "used", listed) : "null")
            << ", \"last_contact\": " << member(status, "last_contact") << "}\n";
}

static std::string read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw licentia::Error(LICENTIA_IO, (path + " cannot be read").c_str());
  return {std::istreambuf_iterator<char>(file), {}};
}

int main(int argc, char **argv) try {
  if (argc < 6 || !std::isdigit(static_cast<unsigned char>(*argv[5]))) {
    std::cerr << "usage: report URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]...\n";
    return 2;
  }
  const std::string url = argv[1];
  const std::uint64_t amount = std::strtoull(argv[5], nullptr, 10);
  licentia::Product product(argv[3], read_file(argv[2]));
  std::string key;
  for (int i = 6; i < argc; i++) {
    const std::string word = argv[i];
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) key = word;
    else product.set(word.substr(0, equals), word.substr(equals + 1));
  }
  const licentia::Installation installation = product.open(argv[4]);
  // What apply refuses changes nothing.
  const auto take = [&](const std::string &text) { installation.apply(post(url, text)); };
  const int activated =
      key.empty() ? 0 : attempt([&] { take(installation.request("activation", key)); });
  const int counted = amount ? attempt([&] { installation.record(FEATURE, amount); }) : 0;
  // Where counting is refused it still syncs: so it learns of a renewal.
  const int synced = attempt([&] { take(installation.request("sync")); });
  print(installation);
  return activated ? activated : counted ? counted : synced;
} catch (const licentia::Error &error) {
  std::cerr << error.code() << ": " << error.what() << '\n';
  return 1;
}
