// Every function runs in a thread with a stack of 64 KiB: small_stack FIXTURES
#define _GNU_SOURCE
#include "walk.h"

#include <pthread.h>

static fixtures all;

static void *run(void *nothing) {
  walk(&all);
  return nothing;
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  all = fixtures_read(argv[1]);
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  CHECK(!pthread_attr_setstacksize(&attributes, 64 * 1024));
  CHECK(!pthread_create(&thread, &attributes, run, NULL));
  CHECK(!pthread_join(thread, NULL));
  pthread_attr_destroy(&attributes);
  fixtures_free(&all);
  return 0;
}
