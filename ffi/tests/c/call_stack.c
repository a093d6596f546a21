// Asks a server that gives no answer worth anything, in a thread with a stack of so many KiB:
//   call_stack FIXTURES URL KIB [CA]
#define _GNU_SOURCE
#include "walk_installation.h"

#include <pthread.h>

static fixtures all;
static const char *url, *authorities;

static void *asks(void *nothing) {
  char folder[512];
  licentia_error error;
  licentia_seat *seat = NULL;
  folder_make(folder, all.folder);
  licentia_installation *held = walk_open(&all, folder);
  const fixture *metered = &all.metered, *lease = &all.lease;
  EXPECT(LICENTIA_OK, licentia_installation_apply(held, metered->text, metered->size, NULL));
  EXPECT(LICENTIA_OK, licentia_installation_apply(held, lease->text, lease->size, NULL));
  EXPECT(LICENTIA_OK, licentia_installation_set(held, "server", url, &error));
  EXPECT(LICENTIA_OK, licentia_installation_set(held, "proxy", "none", &error));
  if (authorities) {
    EXPECT(LICENTIA_OK, licentia_installation_set(held, "server_ca", authorities, &error));
  }
  EXPECT(LICENTIA_UNREACHABLE, licentia_installation_sync(held, &error));
  CHECK(strstr(error.message, "404"));  // it was reached, and what it said was read
  EXPECT(LICENTIA_UNREACHABLE, licentia_installation_call(held, "activation", "ABCD", &error));
  EXPECT(LICENTIA_OK, licentia_installation_seat(held, "ann", 0, &seat, &error));
  EXPECT(LICENTIA_UNREACHABLE, licentia_seat_renew(seat, &error));
  CHECK(licentia_seat_expires(seat) > 0 && licentia_installation_allows(held, "reports"));
  licentia_seat_free(seat);
  licentia_installation_free(held);
  folder_remove(folder);
  return nothing;
}

int main(int argc, char **argv) {
  CHECK(argc == 4 || argc == 5);
  all = fixtures_read(argv[1]);
  url = argv[2];
  authorities = argv[4];
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  CHECK(!pthread_attr_setstacksize(&attributes, (size_t)atoi(argv[3]) * 1024));
  CHECK(!pthread_create(&thread, &attributes, asks, NULL));
  CHECK(!pthread_join(thread, NULL));
  pthread_attr_destroy(&attributes);
  fixtures_free(&all);
  return 0;
}
