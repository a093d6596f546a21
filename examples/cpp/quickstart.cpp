// Verifies a license and prints what it says.
//   quickstart KEYS PRODUCT LICENSE [NAME=VALUE]...

#include <ctime>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <licentia.hpp>
#include <regex>

static std::string read_file(const char *path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw licentia::Error(LICENTIA_IO, (std::string(path) + " cannot be read").c_str());
  return {std::istreambuf_iterator<char>(file), {}};
}

static void print(const licentia::License &license, const std::string &machine) {
  const char *no_yes[] = {"no", "yes"};
  std::cout << "licensed to: " << license.customer() << "\nserial: " << license.serial()
            << "\nuntil: ";
  if (const auto expires = license.expires()) {
    const std::time_t end = *expires;
    std::cout << std::put_time(std::gmtime(&end), "%Y-%m-%dT%H:%M:%SZ");
  } else {
    std::cout << "without end";
  }
  std::cout << "\nallows reports: " << no_yes[license.allows("reports")]
            << "\nallows exports: " << no_yes[license.allows("exports")]
            << "\nlimit of exports: ";
  const std::uint64_t limit = license.limit("exports");
  limit == licentia::unlimited ? std::cout << "none" : std::cout << limit;

  std::smatch id;
  std::regex_search(machine, id, std::regex("\"id\": \"([^\"]*)\""));
  std::cout << "\nmachine: " << (id.empty() ? "unknown" : id.str(1)) << '\n';
}

int main(int argc, char **argv) try {
  if (argc < 4) {
    std::cerr << "usage: quickstart KEYS PRODUCT LICENSE [NAME=VALUE]...\n";
    return 2;
  }
  licentia::Product product(argv[2], read_file(argv[1]));
  for (int i = 4; i < argc; i++) {
    const std::string setting = argv[i];
    const std::size_t equals = setting.find('=');
    product.set(setting.substr(0, equals),
                equals == std::string::npos ? "" : setting.substr(equals + 1));
  }
  const licentia::License license = product.verify(read_file(argv[3]));
  print(license, product.machine());
} catch (const licentia::Error &error) {
  std::cerr << error.code() << ": " << error.what() << '\n';
  return 1;
}
