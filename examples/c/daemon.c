// A daemon that goes on as far as its license lets it, and says what it does when that changes.
//   daemon KEYS PRODUCT FOLDER SECONDS [NAME=VALUE]...
// It ends after SECONDS; if they are 0, with SIGTERM or SIGINT. While it runs, apply or remove a
// license with another program: it follows within a second, and needs no restart.

#include <licentia.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The one thing that this daemon sells.
#define FEATURE "reports"

// What it does under each answer. It never ends because of a license: what does not run cannot
// tell anyone why, nor notice the renewal.
static const struct {
  const char *name, *does, *advice;
} MODES[] = {
    [LICENTIA_DENY] = {"deny", "takes no work, and waits for a license",
                       "apply a license: no restart is needed"},
    [LICENTIA_READ_ONLY] = {"read_only", "shows what it has, and takes no new work",
                            "renew the license: new work goes on at once"},
    [LICENTIA_WARN] = {"warn", "works, and tells whoever can act on it",
                       "renew the license before work has to stop"},
    [LICENTIA_ALLOW] = {"allow", "works", NULL},
};

static volatile sig_atomic_t stop;

static void on_signal(int number) {
  (void)number;
  stop = 1;
}

// Prints the member `name` of a JSON object, the first of that name, without unescaping it.
static void print_member(const char *json, const char *name) {
  char key[32];
  snprintf(key, sizeof key, "\"%s\":", name);
  const char *text = strstr(json, key);
  text = text ? strchr(text + strlen(key), '"') : NULL;
  if (!text) return;
  const char *end = ++text;
  while (*end && *end != '"') end += *end == '\\' && end[1] ? 2 : 1;
  printf("  %s: %.*s\n", name, (int)(end - text), text);
}

static void report(const licentia_installation *installation, int access) {
  printf("%s: %s\n", MODES[access].name, MODES[access].does);
  char *json = NULL;
  licentia_error error;
  if (licentia_installation_status(installation, LICENTIA_NOW, &json, &error)) {
    printf("  message: %s\n", error.message);
  } else {
    print_member(json, "reason");
    print_member(json, "message");
  }
  licentia_string_free(json);
  if (MODES[access].advice) printf("  advice: %s\n", MODES[access].advice);
  fflush(stdout);
}

static void run(const licentia_installation *installation, long seconds) {
  int before = -1;
  for (long second = 0; !stop && (seconds == 0 || second < seconds); second++) {
    // Asked anew each time: an answer that is kept is one that misses a renewal.
    int access = licentia_installation_access(installation, FEATURE);
    if (access != before) report(installation, access);
    before = access;
    if (access >= LICENTIA_WARN) {
      // New work goes here.
    } else if (access >= LICENTIA_READ_ONLY) {
      // What there is can be looked at, here.
    }
    sleep(1);
  }
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

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: daemon KEYS PRODUCT FOLDER SECONDS [NAME=VALUE]...\n");
    return 2;
  }
  signal(SIGTERM, on_signal);
  signal(SIGINT, on_signal);
  char *keys = read_file(argv[1]);
  licentia_product *product = NULL;
  licentia_installation *installation = NULL;
  licentia_error error;

  int failed = licentia_product_new(argv[2], keys, &product, &error);
  for (int i = 5; i < argc && !failed; i++) failed = set(product, argv[i], &error);
  failed = failed || licentia_product_open(product, argv[3], &installation, &error);
  if (failed) {
    fprintf(stderr, "%s: %s\n", licentia_status_name(error.status), error.message);
  } else {
    run(installation, strtol(argv[4], NULL, 10));
  }

  licentia_installation_free(installation);
  licentia_product_free(product);
  free(keys);
  return failed ? 1 : 0;
}
