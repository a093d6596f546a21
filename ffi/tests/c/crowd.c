// Threads that share an installation ask and record at once: crowd FIXTURES THREADS TIMES
#define _GNU_SOURCE
#include "walk_exchange.h"

#include <pthread.h>

enum { THREADS_MAX = 64 };

static licentia_installation *held;
static int times;

static void *run(void *nothing) {
  uint64_t used = 0, before = 0;
  for (int i = 0; i < times; i++) {
    CHECK(licentia_installation_allows(held, "reports"));
    CHECK(licentia_installation_access(held, "hits") == LICENTIA_ALLOW);
    EXPECT(LICENTIA_OK, licentia_installation_record(held, "hits", 2, NULL));
    EXPECT(LICENTIA_OK, licentia_installation_record_later(held, "hits", 1, NULL));
    EXPECT(LICENTIA_OK, licentia_installation_usage(held, "hits", &used, NULL, NULL, NULL));
    CHECK(used >= before + 3);  // at least what this thread recorded
    before = used;
    CHECK(exchange_ask(held, "GET", "/api/license", NULL, 0, NULL) == 200);
    CHECK(exchange_ask(held, "GET", "/api/v1/license", "ada", ADMINISTRATOR, NULL) == 200);
    CHECK(exchange_ask(held, "GET", "/api/v1/license", NULL, 0, NULL) == 403);
  }
  return nothing;
}

int main(int argc, char **argv) {
  CHECK(argc == 4);
  fixtures all = fixtures_read(argv[1]);
  int count = atoi(argv[2]);
  times = atoi(argv[3]);
  CHECK(count > 0 && count <= THREADS_MAX);
  char folder[512];
  folder_make(folder, all.folder);
  held = walk_open(&all, folder);
  EXPECT(LICENTIA_OK,
         licentia_installation_apply(held, all.metered.text, all.metered.size, NULL));
  pthread_t threads[THREADS_MAX];
  for (int i = 0; i < count; i++) CHECK(!pthread_create(&threads[i], NULL, run, NULL));
  for (int i = 0; i < count; i++) CHECK(!pthread_join(threads[i], NULL));
  walk_usage(held, "hits", (uint64_t)count * (uint64_t)times * 3, LICENTIA_UNLIMITED,
             LICENTIA_NEVER);
  licentia_installation_free(held);
  held = walk_open(&all, folder);
  walk_usage(held, "hits", (uint64_t)count * (uint64_t)times * 3, LICENTIA_UNLIMITED,
             LICENTIA_NEVER);
  licentia_installation_free(held);
  folder_remove(folder);
  fixtures_free(&all);
  return 0;
}
