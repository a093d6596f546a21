// The "About" page of a desktop program: shows the license and what will become of it, prints the
// code with which one is asked for, and applies the license that comes back.
//   desktop KEYS PRODUCT FOLDER [LICENSE] [NAME=VALUE]...

#include <ctime>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <licentia.hpp>
#include <regex>
#include <sstream>

static std::string read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw licentia::Error(LICENTIA_IO, (path + " cannot be read").c_str());
  return {std::istreambuf_iterator<char>(file), {}};
}

// The first member of that name in a JSON object. A program of your own has a JSON library.
static std::string member(const std::string &json, const std::string &name) {
  std::smatch found;
  const std::regex text("\"" + name + "\": ?(?:\"((?:[^\"\\\\]|\\\\.)*)\"|([^,}]*))");
  std::regex_search(json, found, text);
  return found.empty() ? "" : found.str(1) + found.str(2);
}

static std::string day(const std::string &seconds) {
  const std::time_t time = std::stoll(seconds);
  std::ostringstream text;
  text << std::put_time(std::gmtime(&time), "%Y-%m-%d %H:%M UTC");
  return text.str();
}

// What will happen when, if nobody does anything.
static void print_timeline(const std::string &status) {
  const std::size_t start = status.find("\"timeline\"");
  const std::string rest = start == std::string::npos ? "" : status.substr(start);
  const std::string list = rest.substr(0, rest.find(']'));
  const std::regex entry("\\{[^{}]*\\}");
  for (std::sregex_iterator at(list.begin(), list.end(), entry), end; at != end; ++at) {
    const std::string one = at->str();
    std::cout << "  " << day(member(one, "at")) << "  " << member(one, "access") << ": "
              << member(one, "message") << '\n';
  }
}

static void print(const licentia::Installation &installation) {
  const std::string status = installation.status();
  std::cout << "state: " << member(status, "access") << " (" << member(status, "reason") << ")\n"
            << "  " << member(status, "message") << "\nfrom now on:\n";
  print_timeline(status);
  const char *no_yes[] = {"no", "yes"};
  std::cout << "reports: " << no_yes[installation.allows("reports")] << '\n';
  if (installation.access("reports") < licentia::Access::allow) {
    std::cout << "to ask for a license, send this:\n" << installation.request("license") << '\n';
  }
}

int main(int argc, char **argv) try {
  if (argc < 4) {
    std::cerr << "usage: desktop KEYS PRODUCT FOLDER [LICENSE] [NAME=VALUE]...\n";
    return 2;
  }
  licentia::Product product(argv[2], read_file(argv[1]));
  std::string license;
  for (int i = 4; i < argc; i++) {
    const std::string argument = argv[i];
    const std::size_t equals = argument.find('=');
    if (equals == std::string::npos) {
      license = argument;
    } else {
      product.set(argument.substr(0, equals), argument.substr(equals + 1));
    }
  }

  // Held for as long as the program runs: it follows what others do to the folder.
  const licentia::Installation installation = product.open(argv[3]);
  bool refused = false;
  if (!license.empty()) try {
    installation.apply(read_file(license));
  } catch (const licentia::Error &error) {
    // The license before it stays.
    std::cerr << error.code() << ": " << error.what() << '\n';
    refused = true;
  }
  print(installation);
  return refused ? 1 : 0;
} catch (const licentia::Error &error) {
  std::cerr << error.code() << ": " << error.what() << '\n';
  return 1;
}
