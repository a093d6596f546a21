// What the example mounts, with a constant beside the license API.
//   cpp KEYS PRODUCT FOLDER

#define main example_main
#include "../../examples/cpp/webserver.cpp"
#undef main

int main(int argc, char **argv) try {
  if (argc != 4) return 2;
  const licentia::Product product(argv[2], read_file(argv[1]));
  const Installation installation = product.open(argv[3]);
  const licentia::Response answer = installation.handle("GET", "/api/license");

  Server server;
  set_up(server);
  // The example closes each connection, for the bodies of GETs. wrk sends none.
  server.set_keep_alive_max_count(CPPHTTPLIB_KEEPALIVE_MAX_COUNT);
  // httplib tries one route after the other, and this one first.
  server.Get("/constant", [&answer](const Request &, Response &response) {
    response.status = answer.status;
    for (const auto &[name, value] : answer.headers) response.set_header(name, value);
    response.body = answer.body;
  });
  mount(server, installation, login_with("a token that nobody sends"));
  return serve(server, 0, "listening ", "") ? 0 : 1;
} catch (const std::exception &error) {
  std::cerr << error.what() << '\n';
  return 1;
}
