// Calls every function of licentia.h, on its good path and on its failing ones.
#ifndef WALK_H
#define WALK_H

#include "host.h"

enum { REFUSED = 7 };

typedef struct {
  const char *folder;
  fixture keys, more_keys, ok, ok_too, bound, metered, older, renewed, lease;
  fixture refused[REFUSED];
  licentia_status status[REFUSED];
} fixtures;

static inline fixtures fixtures_read(const char *folder) {
  const licentia_status status[REFUSED] = {
      LICENTIA_BAD_SIGNATURE, LICENTIA_EXPIRED,     LICENTIA_NOT_YET_VALID, LICENTIA_WRONG_PRODUCT,
      LICENTIA_WRONG_MACHINE, LICENTIA_UNKNOWN_KEY, LICENTIA_MALFORMED};
  fixtures all;
  all.folder = folder;
  all.keys = fixture_read(folder, "keys");
  all.more_keys = fixture_read(folder, "more_keys");
  all.ok = fixture_read(folder, "ok");
  all.ok_too = fixture_read(folder, "ok_too");
  all.bound = fixture_read(folder, "bound");
  all.metered = fixture_read(folder, "metered");
  all.older = fixture_read(folder, "metered_older");
  all.renewed = fixture_read(folder, "metered_renewed");
  all.lease = fixture_read(folder, "lease");
  for (int i = 0; i < REFUSED; i++) {
    all.status[i] = status[i];
    all.refused[i] = fixture_read(folder, licentia_status_name(status[i]));
  }
  return all;
}

static inline void fixtures_free(fixtures *all) {
  free(all->keys.text);
  free(all->more_keys.text);
  free(all->ok.text);
  free(all->ok_too.text);
  free(all->bound.text);
  free(all->metered.text);
  free(all->older.text);
  free(all->renewed.text);
  free(all->lease.text);
  for (int i = 0; i < REFUSED; i++) free(all->refused[i].text);
}

static inline void walk_answers(const licentia_license *license) {
  CHECK(licentia_license_allows(license, "reports"));
  CHECK(licentia_license_allows(license, "exports"));
  CHECK(!licentia_license_allows(license, "export"));
  CHECK(!licentia_license_allows(license, ""));
  CHECK(!licentia_license_allows(license, "\xff\xfe"));
  CHECK(licentia_license_limit(license, "reports") == LICENTIA_UNLIMITED);
  CHECK(licentia_license_limit(license, "exports") == 500);
  CHECK(licentia_license_limit(license, "export") == 0);
  CHECK(licentia_license_expires(license) == 1769817600);
  CHECK(!strcmp(licentia_license_serial(license), "LIC-MYAPP-A1B2C3D4"));
  CHECK(!strcmp(licentia_license_customer(license), "Ex\xc3\xa4mple GmbH"));
  CHECK(licentia_license_json(license)[0] == '{');
  CHECK(licentia_license_json(license)[strlen(licentia_license_json(license)) - 1] == '}');
}

// With the const functions of a product that other threads may be using too.
static inline void walk_licenses(const licentia_product *product, const fixtures *all) {
  licentia_license *license = NULL;
  licentia_error error;
  char *json = NULL;
  EXPECT(LICENTIA_OK,
         licentia_product_verify(product, all->ok.text, all->ok.size, &license, &error));
  walk_answers(license);
  licentia_license_free(license);
  EXPECT(LICENTIA_OK,
         licentia_product_verify(product, all->bound.text, all->bound.size, &license, NULL));
  walk_answers(license);
  licentia_license_free(license);
  EXPECT(LICENTIA_OK,
         licentia_product_inspect(product, all->ok_too.text, all->ok_too.size, &license, &error));
  CHECK(licentia_license_expires(license) == LICENTIA_NEVER);
  CHECK(licentia_license_limit(license, "exports") == LICENTIA_UNLIMITED);
  CHECK(!strcmp(licentia_license_customer(license), "customer-7"));
  licentia_license_free(license);
  for (int i = 0; i < REFUSED; i++) {
    const fixture *one = &all->refused[i];
    licentia_status wanted = all->status[i];
    EXPECT(wanted, licentia_product_verify(product, one->text, one->size, &license, &error));
    CHECK(license == NULL && error.status == wanted && strlen(error.message) > 10);
  }
  EXPECT(LICENTIA_OK, licentia_product_machine(product, &json, &error));
  CHECK(strstr(json, "\"id\""));
  licentia_string_free(json);
}

static inline licentia_product *walk_product(const fixtures *all) {
  licentia_product *product = NULL;
  licentia_error error;
  char *json = NULL;
  EXPECT(LICENTIA_INVALID_KEY, licentia_product_new(PRODUCT, "none", &product, &error));
  CHECK(product == NULL);
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_new("", all->keys.text, &product, &error));
  EXPECT(LICENTIA_OK, licentia_product_new(PRODUCT, all->keys.text, &product, &error));
  EXPECT(LICENTIA_OK, licentia_product_machine(product, &json, &error));
  licentia_string_free(json);
  EXPECT(LICENTIA_OK, licentia_product_set(product, "clock", IN_FORCE, &error));
  EXPECT(LICENTIA_OK, licentia_product_set(product, "machine", "machine-1", &error));
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_set(product, "clok", IN_FORCE, &error));
  CHECK(strstr(error.message, "clock"));
  EXPECT(LICENTIA_INVALID_KEY, licentia_product_trust(product, "none", &error));
  return product;
}

static inline void walk(const fixtures *all) {
  CHECK(!strcmp(licentia_version(), LICENTIA_VERSION) && licentia_abi() == LICENTIA_ABI);
  CHECK(!strcmp(licentia_status_name(LICENTIA_EXPIRED), "expired"));
  licentia_product *product = walk_product(all);
  walk_licenses(product, all);

  // A license outlives its product and follows its clock until then.
  licentia_license *license = NULL;
  EXPECT(LICENTIA_OK, licentia_product_trust(product, all->more_keys.text, NULL));
  EXPECT(LICENTIA_OK,
         licentia_product_verify(product, all->ok.text, all->ok.size, &license, NULL));
  EXPECT(LICENTIA_OK, licentia_product_set(product, "clock", "2026-01-31T00:00:00Z", NULL));
  CHECK(!licentia_license_allows(license, "reports"));
  CHECK(licentia_license_limit(license, "exports") == 0);
  EXPECT(LICENTIA_OK, licentia_product_set(product, "clock", IN_FORCE, NULL));
  licentia_product_free(product);
  walk_answers(license);
  licentia_license_free(license);
}

#endif
