// Children verify while threads of the parent were busy when it forked: fork FIXTURES FORKS
#define _GNU_SOURCE
#include "walk.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, SECONDS = 60 };

static fixtures all;
static licentia_product *product;
static atomic_bool stop;

static void *busy(void *nothing) {
  while (!atomic_load(&stop)) walk_licenses(product, &all);
  return nothing;
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  all = fixtures_read(argv[1]);
  product = walk_product(&all);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) CHECK(!pthread_create(&threads[i], NULL, busy, NULL));
  for (int forks = atoi(argv[2]); forks > 0; forks--) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      alarm(SECONDS);  // a child that hangs is killed, and seen below
      walk_licenses(product, &all);
      EXPECT(LICENTIA_OK, licentia_product_set(product, "clock", "system", NULL));
      licentia_product_free(product);
      _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  atomic_store(&stop, true);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  licentia_product_free(product);
  fixtures_free(&all);
  return 0;
}
