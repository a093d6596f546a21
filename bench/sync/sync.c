// Counts how often one process syncs with a license server in a fixed time, beside a client that
// posts what was signed before and looks at nothing: each in its turn, over the same socket calls
// for each request. Prints a JSON object for each, with nanoseconds per sync of every round.
//   sync KEYS PRODUCT FOLDER LICENSE_KEY ROUNDS URL [URL CA]      the second over TLS

#include <licentia.h>

#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_OPENSSL
#include <openssl/ssl.h>
#endif

enum { WAYS = 2, CONTENDERS_MAX = 4, ROUNDS_MAX = 200, BEFORE = 1000, TEXT_MAX = 65536 };
static const double TURN = 0.5e9;  // nanoseconds

typedef struct {
  char host[64], port[8];
  bool secure;
  licentia_installation *installation;
  char *requests[BEFORE];  // signed before the turn
} way;

typedef struct {
  const char *name;
  bool bare;
  way *over;
  double rounds[ROUNDS_MAX];
} contender;

static _Noreturn void fail(const char *who, const char *what) {
  fprintf(stderr, "%s: %s\n", who, what);
  exit(1);
}

static void check(licentia_status status, const licentia_error *error) {
  if (status) fail(licentia_status_name(status), error->message);
}

static double nanoseconds(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static int connect_to(const way *it) {
  struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM};
  if (getaddrinfo(it->host, it->port, &hints, &found)) fail(it->host, "no such address");
  int made = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
  if (made < 0 || connect(made, found->ai_addr, found->ai_addrlen)) fail(it->port, "nobody there");
  freeaddrinfo(found);
  return made;
}

// Sends everything, and takes everything up to the end of the connection.
static size_t plain(const way *it, const char *request, char *answer) {
  int connection = connect_to(it);
  size_t length = strlen(request), size = 0;
  if (send(connection, request, length, MSG_NOSIGNAL) != (ssize_t)length) fail("send", "cut off");
  ssize_t more = 0;
  while (size < TEXT_MAX && (more = recv(connection, answer + size, TEXT_MAX - size, 0)) > 0) {
    size += (size_t)more;
  }
  close(connection);
  return size;
}

#ifdef HAVE_OPENSSL
// The same over TLS: a new session each time, as the library has it.
static SSL_CTX *context;

static size_t secret(const way *it, const char *request, char *answer) {
  int connection = connect_to(it), more = 0;
  size_t size = 0;
  SSL *ssl = SSL_new(context);
  SSL_set_fd(ssl, connection);
  if (SSL_connect(ssl) != 1 || SSL_write(ssl, request, (int)strlen(request)) <= 0) {
    fail("TLS", "cut off");
  }
  while (size < TEXT_MAX && (more = SSL_read(ssl, answer + size, (int)(TEXT_MAX - size))) > 0) {
    size += (size_t)more;
  }
  SSL_free(ssl);
  close(connection);
  return size;
}
#else
#define secret plain
#endif

static void post(const way *it, const char *text) {
  static char request[TEXT_MAX], answer[TEXT_MAX + 1];
  snprintf(request, sizeof request,
           "POST /api/v1/requests HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: application/json\r\n"
           "Connection: close\r\nContent-Length: %zu\r\n\r\n{\"request\":\"%s\"}",
           it->host, it->port, strlen(text) + 14, text);
  size_t size = it->secure ? secret(it, request, answer) : plain(it, request, answer);
  answer[size] = '\0';
  if (strncmp(answer, "HTTP/1.1 200 ", 13) || !strstr(answer, "\"answer\"")) {
    fail("the server", answer);
  }
}

static void prepare(way *it) {
  licentia_error error;
  for (int i = 0; i < BEFORE; i++) {
    licentia_string_free(it->requests[i]);
    check(licentia_installation_request(it->installation, "sync", NULL, &it->requests[i], &error),
          &error);
  }
}

// Nanoseconds for each in one turn. What was signed before may run out before the time does.
static double turn(const contender *who) {
  licentia_error error;
  if (who->bare) prepare(who->over);
  int count = 0, most = who->bare ? BEFORE : 1 << 30;
  double begun = nanoseconds(), now = begun;
  for (; count < most && now - begun < TURN; count++, now = nanoseconds()) {
    if (who->bare) {
      post(who->over, who->over->requests[count]);
    } else {
      check(licentia_installation_sync(who->over->installation, &error), &error);
    }
  }
  return (now - begun) / count;
}

static char *read_file(const char *path) {
  static char text[TEXT_MAX];
  FILE *file = fopen(path, "rb");
  size_t len = file ? fread(text, 1, TEXT_MAX - 1, file) : 0;
  if (!len) fail(path, "cannot be read");
  fclose(file);
  text[len] = '\0';
  return text;
}

static void open_way(way *it, const licentia_product *product, const char *folder,
                     const char *url, const char *ca) {
  licentia_error error;
  const char *rest = strstr(url, "://");
  it->secure = strncmp(url, "https", 5) == 0;
  if (!rest || sscanf(rest + 3, "%63[^:]:%7[0-9]", it->host, it->port) != 2) fail(url, "no port");
  check(licentia_product_open(product, folder, &it->installation, &error), &error);
  licentia_installation *made = it->installation;
  check(licentia_installation_set(made, "server", url, &error), &error);
  check(licentia_installation_set(made, "proxy", "none", &error), &error);
  if (ca) check(licentia_installation_set(made, "server_ca", ca, &error), &error);
}

static void print(const contender *who, int rounds) {
  printf("{\"language\": \"C\", \"topic\": \"sync, %s\", \"name\": \"%s\", \"rounds\": [",
         who->over->secure ? "https" : "http", who->name);
  for (int i = 0; i < rounds; i++) printf("%s%.1f", i ? ", " : "", who->rounds[i]);
  puts("]}");
}

int main(int argc, char **argv) {
  int rounds = argc == 7 || argc == 9 ? atoi(argv[5]) : 0;
  if (rounds < 1 || rounds > ROUNDS_MAX) return 2;
  static way ways[WAYS];
  static contender all[CONTENDERS_MAX];
  licentia_error error;
  licentia_product *product = NULL;
  check(licentia_product_new(argv[2], read_file(argv[1]), &product, &error), &error);
  open_way(&ways[0], product, argv[3], argv[6], NULL);
  check(licentia_installation_call(ways[0].installation, "activation", argv[4], &error), &error);
  size_t count = 0;
  all[count++] = (contender){.name = "licentia, sync", .over = &ways[0]};
  all[count++] = (contender){.name = "the same bytes, posted", .bare = true, .over = &ways[0]};
  if (argc == 9) {
    open_way(&ways[1], product, argv[3], argv[7], argv[8]);
    all[count++] = (contender){.name = "licentia, sync", .over = &ways[1]};
#ifdef HAVE_OPENSSL
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_load_verify_locations(context, argv[8], NULL);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    all[count++] = (contender){.name = "the same bytes, posted", .bare = true, .over = &ways[1]};
#endif
  }
  for (int round = 0; round < rounds; round++) {
    for (size_t i = 0; i < count; i++) {
      contender *who = &all[(i + (size_t)round) % count];
      who->rounds[round] = turn(who);
    }
  }
  for (size_t i = 0; i < count; i++) print(&all[i], rounds);
  return 0;
}
