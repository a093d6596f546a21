// The host of C++: what examples/cpp/webserver.cpp mounts, for many installations. README.md has
// the lines of its file.

#define main example_main
#include "../../examples/cpp/webserver.cpp"
#undef main

#include <deque>
#include <map>
#include <sstream>

// One installation. Settings come before it is opened, those of its site after.
struct Place {
  std::string path, folder, code, keys;
  std::vector<std::pair<std::string, std::string>> settings, site;

  Installation open() const {
    licentia::Product product(code, keys);
    for (const auto &[name, value] : settings) product.set(name, value);
    Installation installation = product.open(folder);
    for (const auto &[name, value] : site) installation.set(name, value);
    return installation;
  }
};

struct Spec {
  std::map<std::string, Caller> users;  // by what is in their header
  std::vector<Place> places;
};

// The next field of a line; the last one goes to its end.
static std::string field(std::istream &line, bool last = false) {
  std::string text;
  std::getline(line, text, last ? '\n' : ' ');
  return text;
}

static Spec read(const std::string &file) {
  Spec spec;
  std::istringstream lines(read_file(file));
  for (std::string text; std::getline(lines, text);) {
    std::istringstream line(text);
    const std::string word = field(line);
    if (word == "user") {
      const std::string token = field(line), name = field(line), bits = field(line, true);
      spec.users["Bearer " + token] = {name, static_cast<licentia::Rights>(std::stoul(bits))};
    } else if (word == "installation") {
      const std::string path = field(line), folder = field(line);
      spec.places.push_back({path, folder, field(line, true), {}, {}, {}});
    } else if (word == "keys") {
      spec.places.back().keys += field(line, true) + "\n";
    } else if (word == "set" || word == "site") {
      const std::string name = field(line);
      Place &place = spec.places.back();
      (word == "set" ? place.settings : place.site).emplace_back(name, field(line, true));
    } else if (!word.empty()) {
      throw licentia::Error(LICENTIA_INVALID_ARGUMENT, ("no line begins with " + word).c_str());
    }
  }
  return spec;
}

int main(int argc, char **argv) try {
  if (argc != 2) return 2;
  const Spec spec = read(argv[1]);
  const Login login = [&spec](const Request &request) -> std::optional<Caller> {
    const auto found = spec.users.find(request.get_header_value("Authorization"));
    return found == spec.users.end() ? std::nullopt : std::optional(found->second);
  };
  std::deque<Installation> installations;  // which stay where they are
  httplib::Server server;
  set_up(server);
  for (const Place &place : spec.places) {
    installations.push_back(place.open());
    const Installation &installation = installations.back();
    mount(server, installation, login, place.path);
    const std::string below = place.path + "/.*";
    const auto handler = with_body(installation, login);
    server.Post(below, handler).Put(below, handler).Patch(below, handler).Delete(below, handler);
    const auto elsewhere = [&installation, &login](const Request &request, Response &response) {
      ask(installation, login, request, "", response);
    };
    server.Get(below, elsewhere).Options(below, elsewhere);
  }
  // The last mount has set it for itself only.
  server.set_pre_routing_handler([&](const Request &request, Response &response) {
    auto handled = Server::HandlerResponse::Unhandled;
    for (const Installation &installation : installations) {
      if (handled == Server::HandlerResponse::Handled) break;
      handled = without_body(installation, login, request, response);
    }
    return handled;
  });
  return serve(server, 0, "listening ", "") ? 0 : 1;
} catch (const std::exception &error) {
  std::cerr << error.what() << '\n';
  return 1;
}
