// A web server of a product, which answers the license API beside its own pages.
//   APP_TOKEN=... webserver KEYS PRODUCT FOLDER PORT [NAME=VALUE]...
// Open /login in a browser, and sign in as admin with what is in APP_TOKEN. It ends with SIGTERM
// or SIGINT.
//   cc webserver.c $(pkg-config --cflags --libs licentia libmicrohttpd)
// It needs libmicrohttpd (Debian package libmicrohttpd-dev). A password is as secret as the way it
// comes: outside of this machine, put TLS in front.

#define _POSIX_C_SOURCE 200809L
#include <licentia.h>
#include <microhttpd.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// What is kept of a request while it comes in: the target as it was sent, and the body.
struct request {
  char *target, *body;
  size_t body_len, body_size, left_out;
  bool begun;
};

// Somebody who is signed in.
struct user {
  const char *name;
  uint32_t rights;
};

// libmicrohttpd calls this first, and hands `url` to on_request without its escapes and its query.
static void *on_target(void *nothing, const char *target, struct MHD_Connection *connection) {
  (void)nothing, (void)connection;
  struct request *request = calloc(1, sizeof *request);
  if (request && !(request->target = strdup(target))) {
    free(request);
    return NULL;
  }
  return request;
}

// It calls this last, however the request ended.
static void on_completed(void *nothing, struct MHD_Connection *connection, void **kept,
                         enum MHD_RequestTerminationCode how) {
  (void)nothing, (void)connection, (void)how;
  struct request *request = *kept;
  if (!request) return;
  free(request->target);
  free(request->body);
  free(request);
}

// Takes a piece of the body. No more is kept than the license API wants to see; whoever goes on
// for long after that is not listened to.
static enum MHD_Result take(struct request *request, const char *data, size_t len) {
  enum { KEPT_MAX = LICENTIA_BODY_MAX + 1, LEFT_OUT_MAX = 8 * LICENTIA_BODY_MAX };
  size_t room = KEPT_MAX - request->body_len, kept = len < room ? len : room;
  request->left_out += len - kept;
  if (request->left_out > LEFT_OUT_MAX) return MHD_NO;
  if (request->body_len + kept > request->body_size) {
    size_t size = 2 * (request->body_len + kept);
    char *body = realloc(request->body, size);
    if (!body) return MHD_NO;
    request->body = body;
    request->body_size = size;
  }
  if (kept) memcpy(request->body + request->body_len, data, kept);
  request->body_len += kept;
  return MHD_YES;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, int status,
                                   struct MHD_Response *response) {
  if (!response) return MHD_NO;
  enum MHD_Result queued = MHD_queue_response(connection, (unsigned)status, response);
  MHD_destroy_response(response);
  return queued;
}

static enum MHD_Result send_text(struct MHD_Connection *connection, int status, const char *type,
                                 const char *text) {
  struct MHD_Response *response =
      MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);
  if (response) {
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
  }
  return send_answer(connection, status, response);
}

// Headers on their way into an exchange.
struct headers {
  licentia_exchange *exchange;
  licentia_error *error;
  bool failed;
};

// libmicrohttpd calls this for each header. After one that fails it calls no more: the request must
// not be answered then, since those that are missing may say where it comes from.
static enum MHD_Result add_header(void *passed, enum MHD_ValueKind kind, const char *name,
                                  const char *value) {
  struct headers *headers = passed;
  (void)kind;
  headers->failed = licentia_exchange_set_header(headers->exchange, name, value ? value : "",
                                                 headers->error);
  return headers->failed ? MHD_NO : MHD_YES;
}

static struct MHD_Response *response_of(const licentia_exchange *exchange) {
  size_t len;
  const void *body = licentia_exchange_body(exchange, &len);
  struct MHD_Response *response =
      MHD_create_response_from_buffer(len, (void *)body, MHD_RESPMEM_MUST_COPY);
  const char *name, *value;
  for (size_t i = 0; *(name = licentia_exchange_header(exchange, i, &value)); i++) {
    if (response) MHD_add_response_header(response, name, value);
  }
  return response;
}

// The license API: the whole request goes in, the whole answer comes out. `user` is NULL for a
// stranger. To a HEAD, libmicrohttpd sends what a GET gets but for the body, its length too.
static enum MHD_Result license_api(const licentia_installation *installation,
                                   struct MHD_Connection *connection, const char *method,
                                   const struct request *request, const struct user *user) {
  licentia_exchange *exchange = NULL;
  licentia_error error;
  method = strcmp(method, MHD_HTTP_METHOD_HEAD) ? method : MHD_HTTP_METHOD_GET;
  bool failed = licentia_exchange_new(method, request->target, &exchange, &error);
  struct headers headers = {exchange, &error, failed};
  if (!failed) MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, &headers);
  failed = headers.failed ||
           licentia_exchange_set_body(exchange, request->body, request->body_len, &error) ||
           (user && licentia_exchange_set_caller(exchange, user->name, user->rights, &error)) ||
           licentia_installation_handle(installation, exchange, &error);
  enum MHD_Result sent;
  if (!failed) {
    sent = send_answer(connection, licentia_exchange_status(exchange), response_of(exchange));
  } else {
    int status = error.status == LICENTIA_INVALID_ARGUMENT ? 400 : 500;
    sent = send_text(connection, status, "text/plain; charset=utf-8", error.message);
  }
  licentia_exchange_free(exchange);
  return sent;
}

// What this product sells. Where the license does not allow it, the refusal is ready to send.
static enum MHD_Result reports(const licentia_installation *installation,
                               struct MHD_Connection *connection) {
  char *refusal = NULL;
  int status = licentia_installation_gate(installation, "reports", &refusal);
  enum MHD_Result sent =
      status ? send_text(connection, status, "application/json", refusal ? refusal : "{}")
             : send_text(connection, 200, "application/json", "{\"reports\": []}");
  licentia_string_free(refusal);
  return sent;
}

// Takes as long wherever the texts differ: nobody guesses a token letter by letter.
static bool is_same(const char *given, const char *wanted) {
  size_t len = strlen(wanted);
  unsigned differ = 0;
  if (strlen(given) != len) return false;
  for (size_t i = 0; i < len; i++) differ |= (unsigned char)given[i] ^ (unsigned char)wanted[i];
  return differ == 0;
}

// What the server serves.
struct site {
  licentia_product *product;
  licentia_installation *installation;
  const char *token;
};

// Your login comes here: sessions, certificates, whatever you have. This one knows a single
// administrator, by a token: as bearer token, or, for browsers, as password.
static const struct user *signed_in(const struct site *site, struct MHD_Connection *connection) {
  static const struct user ADMINISTRATOR = {
      "admin", LICENTIA_MAY_READ | LICENTIA_MAY_WRITE | LICENTIA_MAY_DELETE};
  const char *given =
      MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
  bool known = given && !strncmp(given, "Bearer ", 7) && is_same(given + 7, site->token);
  char *password = NULL;
  char *name = MHD_basic_auth_get_username_password(connection, &password);
  bool named = name && password && !strcmp(name, ADMINISTRATOR.name);
  known = known || (named && is_same(password, site->token));
  MHD_free(name);
  MHD_free(password);
  return known ? &ADMINISTRATOR : NULL;
}

// Lets a browser ask for the password, and goes to the page of the license.
static enum MHD_Result login(struct MHD_Connection *connection, const struct user *user) {
  struct MHD_Response *response =
      MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
  if (user && response) MHD_add_response_header(response, "Location", "license");
  if (user || !response) return send_answer(connection, 303, response);
  enum MHD_Result sent = MHD_queue_basic_auth_fail_response(connection, "product", response);
  MHD_destroy_response(response);
  return sent;
}

// libmicrohttpd calls this when the headers are there, for each piece of the body, and at the end.
static enum MHD_Result on_request(void *served, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **kept) {
  (void)version;
  const struct site *site = served;
  struct request *request = *kept;
  if (!request) return MHD_NO;
  if (!request->begun) return request->begun = true, MHD_YES;
  if (*len) {
    enum MHD_Result taken = take(request, data, *len);
    *len = 0;
    return taken;
  }
  const struct user *user = signed_in(site, connection);
  if (licentia_installation_serves(site->installation, request->target)) {
    return license_api(site->installation, connection, method, request, user);
  }
  if (!strcmp(url, "/login")) return login(connection, user);
  if (!strcmp(url, "/reports")) return reports(site->installation, connection);
  return send_text(connection, 404, "text/plain", "There is nothing here.\n");
}

// A server on 127.0.0.1; NULL if it cannot be. Its threads wait for disks, not for slow clients.
static struct MHD_Daemon *start(uint16_t port, MHD_AccessHandlerCallback handler, void *served) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, port, NULL, NULL, handler, served,
                          MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
                          MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL,
                          MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                          MHD_OPTION_CONNECTION_TIMEOUT, 30U, MHD_OPTION_THREAD_POOL_SIZE, 4U,
                          MHD_OPTION_END);
}

static int port_of(struct MHD_Daemon *daemon) {
  return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

// NAME=VALUE sets a setting of the product; docs/settings.md lists them.
static int set(licentia_product *product, char *argument, licentia_error *error) {
  char *equals = strchr(argument, '=');
  if (!equals) return licentia_product_set(product, argument, "", error);
  *equals = '\0';
  return licentia_product_set(product, argument, equals + 1, error);
}

static char *read_file(const char *path) {
  enum { MAX = 1024 * 1024 };
  FILE *file = fopen(path, "rb");
  char *text = file ? calloc(1, MAX + 1) : NULL;
  if (!text) {
    fprintf(stderr, "io: %s cannot be read\n", path);
    exit(1);
  }
  text[fread(text, 1, MAX, file)] = '\0';
  fclose(file);
  return text;
}

// Takes no more connections, gives those there are a second to end, and stops. It is not asked
// to close one that it is just refusing: libmicrohttpd 0.9.75 may crash on that.
static void stop(struct MHD_Daemon *daemon) {
  const MHD_socket listening = MHD_quiesce_daemon(daemon);
  const struct timespec moment = {.tv_nsec = 10 * 1000 * 1000};
  for (int i = 0; i < 100; i++) {
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    if (!info || !info->num_connections) break;
    nanosleep(&moment, NULL);
  }
  MHD_stop_daemon(daemon);
  if (listening != MHD_INVALID_SOCKET) close(listening);
}

// Holds the signals that end the server back, so that no thread of it is interrupted by one.
static sigset_t hold_signals(void) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  sigprocmask(SIG_BLOCK, &ends, NULL);
  signal(SIGPIPE, SIG_IGN);  // whoever goes away before the answer ends nothing but that
  return ends;
}

// Call it at each start. From the first one on, the days run that the product works without a
// license, if its setting "grace_days" gives any; without this call they never end. If your own
// data remembers an earlier start, give that.
static void begin(const licentia_installation *installation) {
  licentia_error error;
  if (licentia_installation_first_use(installation, LICENTIA_NOW, &error)) {
    fprintf(stderr, "%s: %s\n", licentia_status_name(error.status), error.message);
  }
}

static int serve(struct site *site, const char *port) {
  int number;
  char *end;
  const long wanted = strtol(port, &end, 10);
  const sigset_t ends = hold_signals();
  struct MHD_Daemon *daemon = NULL;
  const bool is_port = *port && !*end && wanted >= 0 && wanted <= UINT16_MAX;
  if (is_port) daemon = start((uint16_t)wanted, on_request, site);
  if (!daemon) {
    fprintf(stderr, "io: cannot listen on port %s\n", port);
    return 1;
  }
  printf("listening on http://127.0.0.1:%d/login\n", port_of(daemon));
  fflush(stdout);
  sigwait(&ends, &number);
  stop(daemon);
  return 0;
}

int main(int argc, char **argv) {
  struct site site = {NULL, NULL, getenv("APP_TOKEN")};
  if (argc < 5 || !site.token || !*site.token) {
    fprintf(stderr, "usage: APP_TOKEN=... webserver KEYS PRODUCT FOLDER PORT [NAME=VALUE]...\n");
    return 2;
  }
  if (strlen(site.token) < 16) {
    fprintf(stderr, "APP_TOKEN: give it 16 characters or more, or it is guessed\n");
    return 2;
  }
  char *keys = read_file(argv[1]);
  licentia_error error;
  int failed = licentia_product_new(argv[2], keys, &site.product, &error);
  for (int i = 5; i < argc && !failed; i++) failed = set(site.product, argv[i], &error);
  failed = failed || licentia_product_open(site.product, argv[3], &site.installation, &error);
  if (failed) {
    fprintf(stderr, "%s: %s\n", licentia_status_name(error.status), error.message);
  } else {
    begin(site.installation);
    failed = serve(&site, argv[4]);
  }
  licentia_installation_free(site.installation);
  licentia_product_free(site.product);
  free(keys);
  return failed ? 1 : 0;
}
