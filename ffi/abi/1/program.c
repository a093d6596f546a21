// A program of the first day. It is compiled with the first header, and never changed: it has to
// run with every library of this ABI.
#include <licentia.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEED(condition)                                    \
  do {                                                     \
    if (!(condition)) {                                    \
      fprintf(stderr, "%d: %s\n", __LINE__, #condition);   \
      return 1;                                            \
    }                                                      \
  } while (0)

static char keys[65536], license_text[65536];

static size_t load(const char *folder, const char *name, char *into) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  size_t size = file ? fread(into, 1, 65535, file) : 0;
  if (file) fclose(file);
  into[size] = '\0';
  return size;
}

int main(int argc, char **argv) {
  NEED(argc == 2);
  licentia_product *product = NULL;
  licentia_license *license = NULL;
  licentia_error error;
  char *json = NULL;

  NEED(load(argv[1], "keys", keys) > 0);
  NEED(licentia_abi() == LICENTIA_ABI && strlen(licentia_version()) >= 5);
  NEED(licentia_product_new("myapp", keys, &product, &error) == LICENTIA_OK);
  NEED(load(argv[1], "more_keys", keys) > 0);
  NEED(licentia_product_trust(product, keys, &error) == LICENTIA_OK);
  NEED(licentia_product_set(product, "clock", "1767312000", &error) == LICENTIA_OK);
  NEED(licentia_product_machine(product, &json, &error) == LICENTIA_OK);
  licentia_string_free(json);

  size_t size = load(argv[1], "ok", license_text);
  NEED(licentia_product_verify(product, license_text, size, &license, &error) == LICENTIA_OK);
  NEED(licentia_license_allows(license, "reports"));
  NEED(!licentia_license_allows(license, "nothing"));
  NEED(licentia_license_limit(license, "reports") == LICENTIA_UNLIMITED);
  NEED(licentia_license_limit(license, "exports") == 500);
  NEED(licentia_license_expires(license) < LICENTIA_NEVER);
  NEED(!strcmp(licentia_license_serial(license), "LIC-MYAPP-A1B2C3D4"));
  NEED(strlen(licentia_license_customer(license)) > 0);
  NEED(licentia_license_json(license)[0] == '{');
  licentia_license_free(license);

  size = load(argv[1], "expired", license_text);
  error.status = LICENTIA_OK;
  NEED(licentia_product_verify(product, license_text, size, &license, &error) == 21);
  NEED(license == NULL && error.status == LICENTIA_EXPIRED);
  NEED(strlen(error.message) < LICENTIA_MESSAGE_SIZE);
  NEED(!strcmp(licentia_status_name(error.status), "expired"));
  NEED(licentia_product_inspect(product, license_text, size, &license, &error) == LICENTIA_OK);
  NEED(!licentia_license_allows(license, "reports"));
  licentia_license_free(license);
  licentia_product_free(product);
  return 0;
}
