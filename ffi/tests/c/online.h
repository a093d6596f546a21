// A customer that asks a license server. PLACE is a folder with the files keys, license and ca.pem.
#ifndef ONLINE_H
#define ONLINE_H

#include "folder.h"

typedef struct {
  licentia_product *product;
  licentia_installation *held;
  fixture license;
  char folder[512];
} customer;

static inline void customer_set(const customer *it, const char *name, const char *value) {
  EXPECT(LICENTIA_OK, licentia_installation_set(it->held, name, value, NULL));
}

static inline customer customer_open(const char *place) {
  customer it;
  fixture keys = fixture_read(place, "keys");
  char authorities[512];
  snprintf(authorities, sizeof authorities, "%s/ca.pem", place);
  it.license = fixture_read(place, "license");
  folder_make(it.folder, place);
  EXPECT(LICENTIA_OK, licentia_product_new(PRODUCT, keys.text, &it.product, NULL));
  EXPECT(LICENTIA_OK, licentia_product_set(it.product, "machine", "test", NULL));
  EXPECT(LICENTIA_OK, licentia_product_open(it.product, it.folder, &it.held, NULL));
  EXPECT(LICENTIA_OK,
         licentia_installation_apply(it.held, it.license.text, it.license.size, NULL));
  customer_set(&it, "proxy", "none");
  customer_set(&it, "server_ca", authorities);
  free(keys.text);
  return it;
}

// Asks a server. Says why not, if that was to succeed.
static inline licentia_status customer_sync(const customer *it, licentia_status wanted) {
  licentia_error error;
  licentia_status found = licentia_installation_call(it->held, "sync", NULL, &error);
  if (found != wanted && found != LICENTIA_OK) fprintf(stderr, "%s\n", error.message);
  return found;
}

static inline void customer_close(customer *it) {
  licentia_installation_free(it->held);
  licentia_product_free(it->product);
  folder_remove(it->folder);
  free(it->license.text);
}

#endif
