// What only looks opens no socket, where a server is configured, too:
//   online_sockets PLACE TIMES URL [call]
#define _GNU_SOURCE
#include "online.h"

int main(int argc, char **argv) {
  CHECK(argc == 4 || argc == 5);
  customer it = customer_open(argv[1]);
  customer_set(&it, "server", argv[3]);
  for (int times = atoi(argv[2]); times > 0; times--) {
    licentia_license *license = NULL;
    char *json = NULL;
    EXPECT(LICENTIA_OK, licentia_product_verify(it.product, it.license.text, it.license.size,
                                                &license, NULL));
    CHECK(licentia_license_allows(license, "reports"));
    licentia_license_free(license);
    CHECK(licentia_installation_allows(it.held, "reports"));
    EXPECT(LICENTIA_OK, licentia_installation_record_later(it.held, "hits", 1, NULL));
    EXPECT(LICENTIA_OK, licentia_installation_status(it.held, LICENTIA_NOW, &json, NULL));
    licentia_string_free(json);
    if (times % 100) continue;
    EXPECT(LICENTIA_OK, licentia_installation_record(it.held, "hits", 1, NULL));
    EXPECT(LICENTIA_OK, licentia_installation_request(it.held, "sync", NULL, &json, NULL));
    licentia_string_free(json);
  }
  if (argc == 5) {
    const char *variables[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
    for (int i = 0; i < 3; i++) unsetenv(variables[i]);
    customer_set(&it, "proxy", "");
    // The environment was read then: what another thread does to it since is nothing to a call.
    for (int i = 0; i < 3; i++) setenv(variables[i], "http://127.0.0.1:1", 1);
    EXPECT(LICENTIA_OK, customer_sync(&it, LICENTIA_OK));
  }
  customer_close(&it);
  return 0;
}
