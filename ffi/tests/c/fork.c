// Children verify, ask and record while threads of the parent were busy when it forked:
//   fork FIXTURES FORKS
#define _GNU_SOURCE
#include "walk_installation.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { THREADS = 8, SECONDS = 60, CHILD_RECORDS = 5 };

static fixtures all;
static licentia_product *product;
static licentia_installation *held;
static atomic_bool stop;
static atomic_ulong recorded;

static void *busy(void *nothing) {
  while (!atomic_load(&stop)) walk_licenses(product, &all);
  return nothing;
}

static void record(void) {
  CHECK(licentia_installation_allows(held, "reports"));
  EXPECT(LICENTIA_OK, licentia_installation_record(held, "hits", 1, NULL));
  EXPECT(LICENTIA_OK, licentia_installation_record_later(held, "hits", 1, NULL));
  CHECK(walk_says(held, LICENTIA_NOW, "\"allow\""));
}

static void *recording(void *nothing) {
  while (!atomic_load(&stop)) {
    record();
    atomic_fetch_add(&recorded, 2);
  }
  return nothing;
}

static void child(void) {
  alarm(SECONDS);  // a child that hangs is killed, and seen by its parent
  walk_licenses(product, &all);
  EXPECT(LICENTIA_OK, licentia_product_set(product, "clock", "system", NULL));
  EXPECT(LICENTIA_OK, licentia_product_set(product, "clock", IN_FORCE, NULL));
  for (int i = 0; i < CHILD_RECORDS; i++) record();
  licentia_installation_free(held);
  licentia_product_free(product);
  _exit(0);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  all = fixtures_read(argv[1]);
  int forks = atoi(argv[2]);
  char folder[512];
  folder_make(folder, all.folder);
  product = walk_product(&all);
  EXPECT(LICENTIA_OK, licentia_product_open(product, folder, &held, NULL));
  EXPECT(LICENTIA_OK,
         licentia_installation_apply(held, all.metered.text, all.metered.size, NULL));
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) {
    CHECK(!pthread_create(&threads[i], NULL, i % 2 ? busy : recording, NULL));
  }
  for (int i = 0; i < forks; i++) {
    pid_t forked = fork();
    CHECK(forked >= 0);
    if (forked == 0) child();
    int status = 0;
    CHECK(waitpid(forked, &status, 0) == forked);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  atomic_store(&stop, true);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);

  // Nothing was lost, and nothing counted twice.
  uint64_t used = 0;
  EXPECT(LICENTIA_OK, licentia_installation_usage(held, "hits", &used, NULL, NULL, NULL));
  CHECK(used == atomic_load(&recorded) + (uint64_t)forks * CHILD_RECORDS * 2);
  licentia_installation_free(held);
  licentia_product_free(product);
  folder_remove(folder);
  fixtures_free(&all);
  return 0;
}
