// Verifies a license and prints what it says.
//   quickstart KEYS PRODUCT LICENSE [NAME=VALUE]...

#include <licentia.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Reads a whole file. A NUL is put after it, which `size` does not count.
static char *read_file(const char *path, size_t *size) {
  enum { MAX = 1024 * 1024 };
  FILE *file = fopen(path, "rb");
  char *text = file ? malloc(MAX + 1) : NULL;
  if (!text) {
    fprintf(stderr, "io: %s cannot be read\n", path);
    exit(1);
  }
  *size = fread(text, 1, MAX, file);
  text[*size] = '\0';
  fclose(file);
  return text;
}

// NAME=VALUE sets a setting of the product; docs/settings.md lists them.
static int set(licentia_product *product, char *argument, licentia_error *error) {
  char *equals = strchr(argument, '=');
  if (!equals) return licentia_product_set(product, argument, "", error);
  *equals = '\0';
  return licentia_product_set(product, argument, equals + 1, error);
}

static void print(const licentia_license *license, const char *machine) {
  char until[32] = "without end";
  int64_t expires = licentia_license_expires(license);
  if (expires != LICENTIA_NEVER) {
    time_t end = (time_t)expires;
    strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", gmtime(&end));
  }
  printf("licensed to: %s\n", licentia_license_customer(license));
  printf("serial: %s\n", licentia_license_serial(license));
  printf("until: %s\n", until);
  printf("allows reports: %s\n", licentia_license_allows(license, "reports") ? "yes" : "no");
  printf("allows exports: %s\n", licentia_license_allows(license, "exports") ? "yes" : "no");
  uint64_t limit = licentia_license_limit(license, "exports");
  if (limit == LICENTIA_UNLIMITED) {
    printf("limit of exports: none\n");
  } else {
    printf("limit of exports: %llu\n", (unsigned long long)limit);
  }
  char id[32] = "unknown";  // the first member of the machine's JSON with that name
  const char *found = strstr(machine, "\"id\": \"");
  if (found) sscanf(found, "\"id\": \"%31[^\"]", id);
  printf("machine: %s\n", id);
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: quickstart KEYS PRODUCT LICENSE [NAME=VALUE]...\n");
    return 2;
  }
  size_t keys_size, size;
  char *keys = read_file(argv[1], &keys_size);
  char *text = read_file(argv[3], &size);

  licentia_product *product = NULL;
  licentia_license *license = NULL;
  char *machine = NULL;
  licentia_error error;

  int failed = licentia_product_new(argv[2], keys, &product, &error);
  for (int i = 4; i < argc && !failed; i++) failed = set(product, argv[i], &error);
  failed = failed || licentia_product_verify(product, text, size, &license, &error) ||
           licentia_product_machine(product, &machine, &error);
  if (failed) {
    fprintf(stderr, "%s: %s\n", licentia_status_name(error.status), error.message);
  } else {
    print(license, machine);
  }

  licentia_string_free(machine);
  licentia_license_free(license);
  licentia_product_free(product);
  free(text);
  free(keys);
  return failed ? 1 : 0;
}
