// Asks license servers in a thread with a stack of so many KiB: call_stack PLACE KIB URL...
#define _GNU_SOURCE
#include "online.h"

#include <pthread.h>

static customer it;

static void *asks(void *url) {
  licentia_error error;
  licentia_seat *seat = NULL;
  customer_set(&it, "server", url);
  EXPECT(LICENTIA_OK, customer_sync(&it, LICENTIA_OK));
  EXPECT(LICENTIA_OK, licentia_installation_sync(it.held, &error));
  // It answers with what is no seat.
  CHECK(licentia_installation_seat(it.held, "ann", 0, &seat, &error) != LICENTIA_OK && !seat);
  CHECK(error.status != LICENTIA_UNREACHABLE);
  // The certificate is none that the system trusts.
  customer_set(&it, "server_ca", "");
  licentia_status found = licentia_installation_sync(it.held, &error);
  EXPECT(strncmp(url, "https", 5) ? LICENTIA_OK : LICENTIA_UNREACHABLE, found);
  return url;
}

int main(int argc, char **argv) {
  CHECK(argc > 3);
  for (int i = 3; i < argc; i++) {
    pthread_t thread;
    pthread_attr_t attributes;
    it = customer_open(argv[1]);
    pthread_attr_init(&attributes);
    CHECK(!pthread_attr_setstacksize(&attributes, (size_t)atoi(argv[2]) * 1024));
    CHECK(!pthread_create(&thread, &attributes, asks, argv[i]));
    CHECK(!pthread_join(thread, NULL));
    pthread_attr_destroy(&attributes);
    customer_close(&it);
  }
  return 0;
}
