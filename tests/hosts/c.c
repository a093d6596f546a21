// The host of C: what examples/c/webserver.c mounts, for many installations. README.md has the
// lines of its file.

#define main example_main
#include "../../examples/c/webserver.c"
#undef main

enum { PLACES_MAX = 256, USERS_MAX = 64, SETTINGS_MAX = 32 };

// One installation below a path. It is opened when the lines about it have been read.
struct place {
  char *path, *folder, *code, *keys, *settings[SETTINGS_MAX][2], *site[SETTINGS_MAX][2];
  int settings_count, site_count;
  licentia_installation *installation;
};

struct known {
  char *token;
  struct user user;
};

static struct place places[PLACES_MAX];
static struct known users[USERS_MAX];
static int places_count, users_count;

static void check(bool good, const char *what, const char *text) {
  if (good) return;
  fprintf(stderr, "%s: %s\n", what, text);
  exit(1);
}

// Cuts the next field off a line; the last one goes to its end.
static char *field(char **line) {
  char *start = *line, *space = strchr(start, ' ');
  if (space) *space = '\0';
  *line = space ? space + 1 : start + strlen(start);
  return start;
}

// Puts a setting into a list.
static void keep(char *list[SETTINGS_MAX][2], int *count, char *line) {
  check(*count < SETTINGS_MAX, "too many settings", line);
  list[*count][0] = field(&line);
  list[(*count)++][1] = line;
}

// Adds a line to a text.
static char *with_line(char *text, const char *line) {
  size_t len = text ? strlen(text) : 0, more = strlen(line);
  text = realloc(text, len + more + 2);
  check(text != NULL, "memory", line);
  memcpy(text + len, line, more);
  memcpy(text + len + more, "\n", 2);
  return text;
}

static void read_line(char *line) {
  const char *word = field(&line);
  struct place *place = &places[places_count ? places_count - 1 : 0];
  if (!strcmp(word, "user")) {
    check(users_count < USERS_MAX, "too many users", line);
    struct known *known = &users[users_count++];
    known->token = field(&line);
    known->user.name = field(&line);
    known->user.rights = (uint32_t)strtoul(line, NULL, 10);
  } else if (!strcmp(word, "installation")) {
    check(places_count < PLACES_MAX, "too many installations", line);
    place = &places[places_count++];
    place->path = field(&line);
    place->folder = field(&line);
    place->code = line;
  } else if (!strcmp(word, "keys")) {
    place->keys = with_line(place->keys, line);
  } else if (!strcmp(word, "set")) {
    keep(place->settings, &place->settings_count, line);
  } else if (!strcmp(word, "site")) {
    keep(place->site, &place->site_count, line);
  } else {
    check(!*word, "no line begins with", word);
  }
}

static void open_place(struct place *place) {
  licentia_product *product = NULL;
  licentia_error error;
  int failed = licentia_product_new(place->code, place->keys, &product, &error);
  for (int i = 0; i < place->settings_count && !failed; i++) {
    failed = licentia_product_set(product, place->settings[i][0], place->settings[i][1], &error);
  }
  failed = failed || licentia_product_open(product, place->folder, &place->installation, &error);
  for (int i = 0; i < place->site_count && !failed; i++) {
    char **setting = place->site[i];
    failed = licentia_installation_set(place->installation, setting[0], setting[1], &error);
  }
  check(!failed, place->path, failed ? error.message : "");
  licentia_product_free(product);
}

// Who has the token; NULL for a stranger.
static const struct user *user_of(struct MHD_Connection *connection) {
  const char *given =
      MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
  if (!given || strncmp(given, "Bearer ", 7)) return NULL;
  for (int i = 0; i < users_count; i++) {
    if (is_same(given + 7, users[i].token)) return &users[i].user;
  }
  return NULL;
}

static bool is_below(const char *path, const char *target) {
  size_t len = strlen(path);
  return !strncmp(path, target, len) && strchr("/?", target[len]);  // or at its end
}

// The same as in the example, but for the installation, which is the one whose path it is.
static enum MHD_Result on_host_request(void *nothing, struct MHD_Connection *connection,
                                       const char *url, const char *method, const char *version,
                                       const char *data, size_t *len, void **kept) {
  (void)nothing, (void)url, (void)version;
  struct request *request = *kept;
  if (!request) return MHD_NO;
  if (!request->begun) return request->begun = true, MHD_YES;
  if (*len) {
    enum MHD_Result taken = take(request, data, *len);
    *len = 0;
    return taken;
  }
  for (int i = 0; i < places_count; i++) {
    if (!is_below(places[i].path, request->target)) continue;
    return license_api(places[i].installation, connection, method, request, user_of(connection));
  }
  return send_text(connection, 404, "text/plain", "There is nothing here.\n");
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  char *file = read_file(argv[1]), *rest = NULL;
  for (char *line = strtok_r(file, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    read_line(line);
  }
  for (int i = 0; i < places_count; i++) open_place(&places[i]);

  const sigset_t ends = hold_signals();
  struct MHD_Daemon *daemon = start(0, on_host_request, NULL);
  check(daemon != NULL, "io", "cannot listen");
  printf("listening %d\n", port_of(daemon));
  fflush(stdout);
  int number;
  sigwait(&ends, &number);
  stop(daemon);

  for (int i = 0; i < places_count; i++) {
    licentia_installation_free(places[i].installation);
    free(places[i].keys);
  }
  free(file);
  return 0;
}
