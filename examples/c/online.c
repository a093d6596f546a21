// Activates a product, counts, and reports what was used to the vendor's license server.
//   online URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]...
// Opens the installation in FOLDER, activates it with a license key if one is given (once is
// enough), counts AMOUNT more of its feature, and syncs. Prints one line of JSON. It ends with 0 if
// the server has the report, with 3 if it was not reached, and with 1 if something was refused. A
// program that goes on running syncs again at "next_contact" of "issuer" in its status.

#include <licentia.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define FEATURE "exports"
enum { REFUSED = 1, USAGE = 2, UNREACHABLE = 3, TEXT_MAX = 1024 * 1024 };

// Says what went wrong; what to end with. That a server was not reached says nothing of the
// license, and what was counted is on disk, for the next report.
static int said(licentia_status status, const licentia_error *error) {
  if (!status) return 0;
  fprintf(stderr, "%s: %s\n", licentia_status_name(status), error->message);
  return status == LICENTIA_UNREACHABLE ? UNREACHABLE : REFUSED;
}

static int report(const licentia_installation *it, uint64_t amount, const char *key) {
  licentia_error error;
  int ended[3] = {0};
  if (key) ended[0] = said(licentia_installation_call(it, "activation", key, &error), &error);
  if (amount) ended[1] = said(licentia_installation_record(it, FEATURE, amount, &error), &error);
  // Where counting is refused it still syncs: so it learns of a renewal.
  ended[2] = said(licentia_installation_sync(it, &error), &error);
  return ended[0] ? ended[0] : ended[1] ? ended[1] : ended[2];
}

// Prints a member of JSON as it stands, or null. A program of your own has a JSON library.
static void print(const char *title, const char *json, const char *name) {
  const char *at = json ? strstr(json, name) : NULL;
  at = at ? at + strlen(name) + strspn(at + strlen(name), " ") : "null";
  printf("%s%.*s", title, (int)strcspn(at, ",}\n"), at);
}

static int show(const licentia_installation *it) {
  char *json = NULL;
  licentia_error error;
  licentia_status failed = licentia_installation_status(it, LICENTIA_NOW, &json, &error);
  if (failed) return said(failed, &error);
  char *features = strstr(json, "\"features\":"), *end = strchr(features, ']');
  char *listed = strstr(features, "\"" FEATURE "\"");
  print("{\"status\": ", json, "\"reason\":");
  print(", \"used\": ", listed && listed < end ? listed : NULL, "\"used\":");
  print(", \"last_contact\": ", json, "\"last_contact\":");
  puts("}");
  licentia_string_free(json);
  return 0;
}

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = file ? calloc(1, TEXT_MAX + 1) : NULL;
  if (!text) {
    fprintf(stderr, "io: %s cannot be read\n", path);
    exit(REFUSED);
  }
  text[fread(text, 1, TEXT_MAX, file)] = '\0';
  fclose(file);
  return text;
}

int main(int argc, char **argv) {
  if (argc < 6 || strspn(argv[5], "0123456789") != strlen(argv[5])) {
    fprintf(stderr, "usage: online URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]...\n");
    return USAGE;
  }
  char *keys = read_file(argv[2]), *key = NULL;
  licentia_product *product = NULL;
  licentia_installation *it = NULL;
  licentia_error error;
  licentia_status failed = licentia_product_new(argv[3], keys, &product, &error);
  for (int i = 6; i < argc && !failed; i++) {
    char *value = strchr(argv[i], '=');
    if (!value) key = argv[i];
    else *value++ = '\0', failed = licentia_product_set(product, argv[i], value, &error);
  }
  failed = failed ? failed : licentia_product_open(product, argv[4], &it, &error);
  failed = failed ? failed : licentia_installation_set(it, "server", argv[1], &error);
  int ended = failed ? said(failed, &error) : report(it, strtoull(argv[5], NULL, 10), key);
  int shown = failed ? 0 : show(it);
  licentia_installation_free(it);
  licentia_product_free(product);
  free(keys);
  return ended ? ended : shown;
}
