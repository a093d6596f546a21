// Activates a product, counts, and reports what was used to the vendor's license server.
//   online URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]...
// Opens the installation in FOLDER, activates it with a license key if one is given (once is
// enough), counts AMOUNT more of its feature, and syncs. Prints one line of JSON. It ends with 0 if
// the server has the report, with 3 if it was not reached, and with 1 if something was refused. A
// program that goes on running syncs again at "next_contact" of "issuer" in its status.

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <licentia.hpp>
#include <string>

static const std::string FEATURE = "exports";

// Says what went wrong; what to end with. That a server was not reached says nothing of the
// license, and what was counted is on disk, for the next report.
static int said(const licentia::Error &error) {
  std::cerr << error.code() << ": " << error.what() << '\n';
  return error.status() == LICENTIA_UNREACHABLE ? 3 : 1;
}

template <typename Step>
static int attempt(Step step) try {
  step();
  return 0;
} catch (const licentia::Error &error) {
  return said(error);
}

static int report(const licentia::Installation &it, std::uint64_t amount, const std::string &key) {
  const int activated = key.empty() ? 0 : attempt([&] { it.call("activation", key); });
  const int counted = amount ? attempt([&] { it.record(FEATURE, amount); }) : 0;
  // Where counting is refused it still syncs: so it learns of a renewal.
  const int synced = attempt([&] { it.sync(); });
  return activated ? activated : counted ? counted : synced;
}

// A member of JSON as it stands, from a place on. A program of your own has a JSON library.
static std::string member(const std::string &json, const std::string &name, std::size_t from = 0) {
  std::size_t at = json.find('"' + name + "\":", from);
  at = at == std::string::npos ? at : json.find_first_not_of(' ', at + name.size() + 3);
  return at == std::string::npos ? "null" : json.substr(at, json.find_first_of(",}\n", at) - at);
}

static void show(const licentia::Installation &it) {
  const std::string status = it.status();
  const std::size_t features = status.find("\"features\":"), end = status.find(']', features);
  const std::size_t listed = status.find('"' + FEATURE + '"', features);
  std::cout << "{\"status\": " << member(status, "reason")
            << ", \"used\": " << (listed < end ? member(status, "used", listed) : "null")
            << ", \"last_contact\": " << member(status, "last_contact") << "}\n";
}

static std::string read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw licentia::Error(LICENTIA_IO, (path + " cannot be read").c_str());
  return {std::istreambuf_iterator<char>(file), {}};
}

int main(int argc, char **argv) try {
  if (argc < 6 || !std::isdigit(static_cast<unsigned char>(*argv[5]))) {
    std::cerr << "usage: online URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]...\n";
    return 2;
  }
  licentia::Product product(argv[3], read_file(argv[2]));
  std::string key;
  for (int i = 6; i < argc; i++) {
    const std::string word = argv[i];
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) key = word;
    else product.set(word.substr(0, equals), word.substr(equals + 1));
  }
  licentia::Installation it = product.open(argv[4]);
  it.set("server", argv[1]);
  const int ended = report(it, std::strtoull(argv[5], nullptr, 10), key);
  show(it);
  return ended;
} catch (const licentia::Error &error) {
  return said(error);
}
