// A web server of a product, which answers the license API beside its own pages.
//   APP_TOKEN=... webserver KEYS PRODUCT FOLDER PORT [NAME=VALUE]...
// Open /login in a browser, and sign in as admin with what is in APP_TOKEN. It ends with SIGTERM
// or SIGINT.
//   c++ -std=c++17 webserver.cpp $(pkg-config --cflags --libs licentia cpp-httplib)
// It needs cpp-httplib (Debian package libcpp-httplib-dev). A password is as secret as the way it
// comes: outside of this machine, put TLS in front.

#include <httplib.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <licentia.hpp>
#include <optional>
#include <string>
#include <thread>

using httplib::ContentReader;
using httplib::Request;
using httplib::Response;
using httplib::Server;
using licentia::Caller;
using licentia::Installation;

// Who is asking, by the login of the product; nothing for a stranger.
using Login = std::function<std::optional<Caller>(const Request &)>;

// A body, as far as the license API wants to see it; what is beyond that is read and left out.
// Nothing if it did not come whole.
static std::optional<std::string> read_body(const Request &request, const ContentReader &reader) {
  std::string body;
  const bool has_body =
      request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
  if (!has_body) return body;  // httplib would wait for the end of the connection
  const auto take = [&body](const char *data, std::size_t size) {
    body.append(data, std::min(size, licentia::body_max + 1 - body.size()));
    return true;
  };
  const auto any_part = [](const httplib::MultipartFormData &) { return true; };
  // Of a form it hands on the parts only; the license API takes none, and goes by its type.
  const bool whole = request.is_multipart_form_data() ? reader(any_part, take) : reader(take);
  return whole ? std::optional(body) : std::nullopt;
}

// Asks the license API: the whole request goes in, the whole answer comes out.
static void ask(const Installation &installation, const Login &login, const Request &request,
                const std::string &body, Response &response) try {
  // httplib would cut a piece out of any answer, whatever the method and the status.
  if (!request.ranges.empty()) {
    response.status = 416;
    return;
  }
  // To a HEAD, httplib sends what a GET gets but for the body, its length too.
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  licentia::Response answer = installation.handle(method, request.target, request.headers, body,
                                                  login(request));
  response.status = answer.status;
  for (const auto &[name, value] : answer.headers) response.set_header(name, value);
  response.body = std::move(answer.body);
} catch (const licentia::Error &error) {
  response.status = error.status() == LICENTIA_INVALID_ARGUMENT ? 400 : 500;
  response.set_content(error.what(), "text/plain; charset=utf-8");
}

// Answers what is for the license API, but for the methods whose bodies httplib gives to a route.
static Server::HandlerResponse without_body(const Installation &installation, const Login &login,
                                            const Request &request, Response &response) {
  using Is = Server::HandlerResponse;
  for (const char *const method : {"POST", "PUT", "PATCH", "DELETE"}) {
    if (request.method == method) return Is::Unhandled;
  }
  if (!installation.serves(request.target)) return Is::Unhandled;
  ask(installation, login, request, "", response);
  return Is::Handled;
}

// The route that answers those, with their bodies.
static Server::HandlerWithContentReader with_body(const Installation &installation,
                                                  const Login &login) {
  return [&installation, login](const Request &request, Response &response,
                                const ContentReader &reader) {
    const auto body = read_body(request, reader);  // sets the status if it fails
    if (body) ask(installation, login, request, *body, response);
  };
}

// Mounts the license API below a path, which is also the setting "mount" of the installation. What
// else there is below it is left to the routes of the product.
static void mount(Server &server, const Installation &installation, const Login &login,
                  const std::string &below = "") {
  // A server has one such handler: if yours has one already, let it begin with this.
  server.set_pre_routing_handler([&installation, login](const Request &request,
                                                        Response &response) {
    return without_body(installation, login, request, response);
  });
  // A route cannot pass on what it was given: these are the paths of the license API, and no more.
  const std::string paths = below +
                            "/(?:license|licensing/token|api/(?:v1/license|"
                            "license(?:/(?:assign|expiration|request|openapi\\.json))?|"
                            "licensing/(?:check|token(?:/renew)?)))";
  const auto handler = with_body(installation, login);
  server.Post(paths, handler).Put(paths, handler).Patch(paths, handler).Delete(paths, handler);
}

// What httplib does not do by itself.
static void set_up(Server &server) {
  // It leaves the body of a GET unread, and would take it for the next request; and a connection
  // that waits for its next request keeps one of the few threads from all others.
  server.set_keep_alive_max_count(1);
  // A body would wait until the client has confirmed the headers, which takes its time.
  server.set_tcp_nodelay(true);
}

// Takes as long wherever the texts differ: nobody guesses a token letter by letter.
static bool is_same(const std::string &given, const std::string &wanted) {
  unsigned differ = given.size() != wanted.size();
  for (std::size_t i = 0; i < given.size() && i < wanted.size(); i++) {
    differ |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(wanted[i]);
  }
  return differ == 0;
}

// Your login comes here: sessions, certificates, whatever you have. This one knows a single
// administrator, by a token: as bearer token, or, for browsers, as password.
static Login login_with(const std::string &token) {
  const std::string bearer = "Bearer " + token;
  const std::string basic = httplib::make_basic_authentication_header("admin", token).second;
  return [bearer, basic](const Request &request) -> std::optional<Caller> {
    const std::string given = request.get_header_value("Authorization");
    if (!is_same(given, bearer) && !is_same(given, basic)) return std::nullopt;
    return Caller{"admin", licentia::Rights::administrator};
  };
}

static void add_own_routes(Server &server, const Installation &installation,
                           const Login &login) {
  // Lets a browser ask for the password, and goes to the page of the license.
  server.Get("/login", [login](const Request &request, Response &response) {
    if (login(request)) return response.set_redirect("license", 303);
    response.status = 401;
    response.set_header("WWW-Authenticate", "Basic realm=\"product\"");
  });
  // What this product sells. Where the license does not allow it, the refusal is ready to send.
  server.Get("/reports", [&installation](const Request &, Response &response) {
    const auto refusal = installation.gate("reports");
    response.status = refusal ? refusal->status : 200;
    response.set_header("Cache-Control", "no-store");
    response.set_content(refusal ? refusal->body : "{\"reports\": []}", "application/json");
  });
}

// Listens on 127.0.0.1 until a signal ends it.
static bool serve(Server &server, int port, const std::string &prefix,
                  const std::string &suffix) {
  // No thread that answers is interrupted by a signal: all hold them back.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  // httplib lets five clients wait to be let in; further ones would try again after seconds.
  socket_t listening = INVALID_SOCKET;
  server.set_socket_options([&listening](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    listening = socket;
  });
  const char *const host = "127.0.0.1";
  if (port == 0) {
    port = server.bind_to_any_port(host);
  } else if (port < 0 || port > 65535 || !server.bind_to_port(host, port)) {
    port = -1;
  }
  if (port < 0 || listen(listening, SOMAXCONN)) return false;
  std::cout << prefix << port << suffix << std::endl;
  std::thread ending([&server, ends] {
    int number = 0;
    sigwait(&ends, &number);
    while (!server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    server.stop();
  });
  const bool ended = server.listen_after_bind();
  ended ? ending.join() : ending.detach();
  return ended;
}

// The number of a port; -1 if it is none.
static int port_of(const std::string &text) {
  int port = -1;
  const char *const end = text.data() + text.size();
  return std::from_chars(text.data(), end, port).ptr == end ? port : -1;
}

static std::string read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw licentia::Error(LICENTIA_IO, (path + " cannot be read").c_str());
  return {std::istreambuf_iterator<char>(file), {}};
}

// Call it at each start. From the first one on, the days run that the product works without a
// license, if its setting "grace_days" gives any; without this call they never end. If your own
// data remembers an earlier start, give that.
static void begin(const Installation &installation) try {
  installation.first_use();
} catch (const licentia::Error &error) {
  std::cerr << error.code() << ": " << error.what() << '\n';
}

int main(int argc, char **argv) try {
  const char *const token = std::getenv("APP_TOKEN");
  if (argc < 5 || !token || !*token) {
    std::cerr << "usage: APP_TOKEN=... webserver KEYS PRODUCT FOLDER PORT [NAME=VALUE]...\n";
    return 2;
  }
  if (std::strlen(token) < 16) {
    std::cerr << "APP_TOKEN: give it 16 characters or more, or it is guessed\n";
    return 2;
  }
  licentia::Product product(argv[2], read_file(argv[1]));
  for (int i = 5; i < argc; i++) {
    const std::string setting = argv[i];
    const std::size_t equals = setting.find('=');
    product.set(setting.substr(0, equals),
                equals == std::string::npos ? "" : setting.substr(equals + 1));
  }
  const Installation installation = product.open(argv[3]);
  begin(installation);

  Server server;
  set_up(server);
  const Login login = login_with(token);
  add_own_routes(server, installation, login);
  mount(server, installation, login);
  if (serve(server, port_of(argv[4]), "listening on http://127.0.0.1:", "/login")) return 0;
  std::cerr << "io: cannot listen on port " << argv[4] << '\n';
  return 1;
} catch (const licentia::Error &error) {
  std::cerr << error.code() << ": " << error.what() << '\n';
  return 1;
}
