// Reports what was used to the vendor's license server, and takes its answer: plain HTTP.
//   report URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]...
// Opens the installation in FOLDER, activates it with a license key if one is given (the first time
// is enough), counts AMOUNT more of its feature, and syncs. Prints one line of JSON. It ends with 0
// if the server has the report, with 3 if it was not reached, and with 1 if something was refused.
//
// What is sent is signed by this installation, and the answer by the vendor for this request alone:
// whoever changes it on its way is refused. So plain HTTP is safe here; a program of your own has
// an HTTP library, and makes it private too.

#define _POSIX_C_SOURCE 200809L
#include <licentia.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define FEATURE "exports"
enum { REFUSED = 1, UNREACHABLE = 3, TEXT_MAX = 1024 * 1024 };

// A connection to http://HOST[:PORT]; -1 if there is none.
static int connect_to(const char *url) {
  char host[256] = "", port[6] = "80";
  struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM};
  if (sscanf(url, "http://%255[^:/]:%5[0-9]", host, port) < 1) return -1;
  if (getaddrinfo(host, port, &hints, &found)) return -1;
  const struct timeval patience = {.tv_sec = 30};
  int made = -1;
  for (struct addrinfo *at = found; at && made < 0; at = at->ai_next) {
    made = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
    if (made < 0) continue;
    setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(made, at->ai_addr, at->ai_addrlen)) close(made), made = -1;
  }
  freeaddrinfo(found);
  return made;
}

// Sends a request to the license server, and gives its whole answer, or NULL. In HTTP/1.0 the end
// of an answer is the end of the connection.
static char *post(const char *url, const char *text) {
  char *answer = malloc(TEXT_MAX + 1), *request = malloc(strlen(text) + 512);
  size_t size = 0;
  int connection = answer && request ? connect_to(url) : -1;
  if (connection >= 0) {
    int length = sprintf(request, "POST /api/v1/requests HTTP/1.0\r\nHost: license-server\r\n"
                         "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n"
                         "{\"request\":\"%s\"}", strlen(text) + 14, text);
    ssize_t moved = 0;
    for (int sent = 0; sent < length && moved >= 0; sent += (int)moved) {
      moved = send(connection, request + sent, (size_t)(length - sent), MSG_NOSIGNAL);
    }
    while (moved >= 0 && size < TEXT_MAX) {
      moved = recv(connection, answer + size, TEXT_MAX - size, 0);
      if (moved <= 0) break;
      size += (size_t)moved;
    }
    close(connection);
  }
  free(request);
  if (!size) return free(answer), NULL;
  answer[size] = '\0';
  return answer;
}

// The first member of that name in JSON, without unescaping it: text without its quotes, or as it
// stands. Empty if there is none. A program of your own has a JSON library.
static const char *member(const char *json, const char *name, size_t *size) {
  char quoted[32];
  snprintf(quoted, sizeof quoted, "\"%s\":", name);
  const char *at = json ? strstr(json, quoted) : NULL;
  if (!at) return *size = 0, "null";
  at += strlen(quoted);
  at += strspn(at, " ");
  if (*at != '"') return *size = strcspn(at, ",}\n"), at;
  const char *end = ++at;
  while (*end && *end != '"') end += *end == '\\' && end[1] ? 2 : 1;
  return *size = (size_t)(end - at), at;
}

// Says what went wrong with licentia; the status to end with.
static int said(const licentia_error *error) {
  fprintf(stderr, "%s: %s\n", licentia_status_name(error->status), error->message);
  return REFUSED;
}

// Takes an answer: what was signed is applied, and what is refused changes nothing.
static int take(const licentia_installation *installation, const char *url, const char *answer) {
  licentia_error error;
  int status = 0;
  size_t signed_len, code_len, detail_len;
  if (answer) sscanf(answer, "HTTP/1.%*d %d", &status);
  const char *given = member(answer, "answer", &signed_len);
  const char *code = member(answer, "code", &code_len);
  const char *detail = member(answer, "detail", &detail_len);
  if (status == 200 && signed_len) {
    return licentia_installation_apply(installation, given, signed_len, &error) ? said(&error) : 0;
  }
  if (status >= 400 && status < 500 && status != 429 && code_len) {
    fprintf(stderr, "%.*s: %.*s\n", (int)code_len, code, (int)detail_len, detail);
    return REFUSED;
  }
  // No answer, a proxy that wants a login, a server that has too much to do: that says nothing of
  // the license. What was counted is on disk, for the next report.
  if (status) {
    fprintf(stderr, "unreachable: %s answered %d, and nothing that was signed\n", url, status);
  } else {
    fprintf(stderr, "unreachable: %s: no answer\n", url);
  }
  return UNREACHABLE;
}

// Asks for something, and takes the answer.
static int exchange(const licentia_installation *installation, const char *url, const char *what,
                    const char *argument) {
  char *text = NULL;
  licentia_error error;
  if (licentia_installation_request(installation, what, argument, &text, &error)) {
    return said(&error);
  }
  char *answer = post(url, text);
  int ended = take(installation, url, answer);
  free(answer);
  licentia_string_free(text);
  return ended;
}

static int report(const licentia_installation *installation, const char *url, uint64_t amount,
                  const char *key) {
  licentia_error error;
  int ended[3] = {0};
  if (key) ended[0] = exchange(installation, url, "activation", key);
  if (amount && licentia_installation_record(installation, FEATURE, amount, &error)) {
    ended[1] = said(&error);
  }
  // Where counting is refused it still syncs: so it learns of a renewal.
  ended[2] = exchange(installation, url, "sync", NULL);
  return ended[0] ? ended[0] : ended[1] ? ended[1] : ended[2];
}

static int print(const licentia_installation *installation) {
  char *json = NULL;
  licentia_error error;
  if (licentia_installation_status(installation, LICENTIA_NOW, &json, &error)) return said(&error);
  size_t reason_len, used_len, contact_len;
  const char *features = strstr(json, "\"features\":"), *end = strchr(features, ']');
  const char *listed = strstr(features, "\"" FEATURE "\"");
  const char *reason = member(json, "reason", &reason_len);
  const char *used = member(listed && listed < end ? listed : NULL, "used", &used_len);
  const char *contact = member(json, "last_contact", &contact_len);
  printf("{\"status\": \"%.*s\", \"used\": %.*s, \"last_contact\": %.*s}\n", (int)reason_len,
         reason, used_len ? (int)used_len : 4, used, (int)contact_len, contact);
  licentia_string_free(json);
  return 0;
}

// NAME=VALUE sets a setting of the product; docs/settings.md lists them.
static int set(licentia_product *product, char *argument, licentia_error *error) {
  char *equals = strchr(argument, '=');
  *equals = '\0';
  return licentia_product_set(product, argument, equals + 1, error);
}

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = file ? calloc(1, TEXT_MAX + 1) : NULL;
  if (!text) {
    fprintf(stderr, "io: %s cannot be read\n", path);
    exit(1);
  }
  text[fread(text, 1, TEXT_MAX, file)] = '\0';
  fclose(file);
  return text;
}

int main(int argc, char **argv) {
  if (argc < 6 || strspn(argv[5], "0123456789") != strlen(argv[5])) {
    fprintf(stderr, "usage: report URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]...\n");
    return 2;
  }
  char *keys = read_file(argv[2]);
  const char *key = NULL;
  licentia_product *product = NULL;
  licentia_installation *installation = NULL;
  licentia_error error;
  int ended = 0, failed = licentia_product_new(argv[3], keys, &product, &error);
  for (int i = 6; i < argc && !failed; i++) {
    if (strchr(argv[i], '=')) failed = set(product, argv[i], &error);
    else key = argv[i];
  }
  failed = failed || licentia_product_open(product, argv[4], &installation, &error);
  if (failed) {
    ended = said(&error);
  } else {
    ended = report(installation, argv[1], strtoull(argv[5], NULL, 10), key);
    failed = print(installation);
  }
  licentia_installation_free(installation);
  licentia_product_free(product);
  free(keys);
  return ended ? ended : failed;
}
