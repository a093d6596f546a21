// Routes of a product below the paths of the license API, added after the mount of the example.
//   routes KEYS PRODUCT FOLDER

#define main example_main
#include "../../../examples/cpp/webserver.cpp"
#undef main

static int failures = 0;

static void expect(const char *method, const char *path, const httplib::Result &result,
                   int status, const std::string &body = "") {
  const bool is_it = result && result->status == status && (body.empty() || result->body == body);
  if (is_it) return;
  failures++;
  std::cerr << method << ' ' << path << ": " << (result ? result->status : 0) << ' '
            << (result ? result->body : "no answer") << '\n';
}

static void ask_all(httplib::Client &client) {
  const char *const json = "application/json";
  for (const char *const path : {"/license/about", "/api/license/hook", "/api/licensing/seats"}) {
    expect("GET", path, client.Get(path), 200, "own");
    expect("POST", path, client.Post(path, "{}", json), 200, "own {}");
    expect("PUT", path, client.Put(path, "{}", json), 404);
  }
  // Those of the license API are its own, whoever added a route first.
  expect("GET", "/api/license", client.Get("/api/license"), 200);
  expect("GET", "/license", client.Get("/license"), 401);
  expect("POST", "/license", client.Post("/license", "{}", json), 405);
  expect("POST", "/licensing/token", client.Post("/licensing/token", "{}", json), 401);
}

int main(int argc, char **argv) try {
  if (argc != 4) return 2;
  const licentia::Product product(argv[2], read_file(argv[1]));
  const Installation installation = product.open(argv[3]);
  Server server;
  set_up(server);
  server.Get("/api/license", [](const Request &, Response &response) { response.body = "own"; });
  mount(server, installation, login_with("a token that nobody sends"));
  const std::string own = "/(?:api/)?licens(?:e|ing)/(?:about|hook|seats)";
  server.Get(own, [](const Request &, Response &response) { response.body = "own"; });
  server.Post(own, [](const Request &request, Response &response) {
    response.body = "own " + request.body;
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  std::thread serving([&server] { server.listen_after_bind(); });
  while (!server.is_running()) std::this_thread::yield();
  httplib::Client client("127.0.0.1", port);
  ask_all(client);
  server.stop();
  serving.join();
  return failures ? 1 : 0;
} catch (const licentia::Error &error) {
  std::cerr << error.code() << ": " << error.what() << '\n';
  return 1;
}
