// Every function runs in a thread with a stack of 64 KiB, and the one that says so with one of
// 96 KiB: small_stack FIXTURES
#define _GNU_SOURCE
#include "walk_exchange.h"
#include "walk_seat.h"

#include <pthread.h>

static fixtures all;

static void *everything(void *nothing) {
  walk(&all);
  walk_installation(&all);
  walk_exchange(&all);
  return nothing;
}

static void *requests(void *nothing) {
  walk_request(&all);
  walk_exchange_request(&all);
  walk_seat(&all);
  return nothing;
}

static void with_stack(size_t kib, void *(*run)(void *)) {
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  CHECK(!pthread_attr_setstacksize(&attributes, kib * 1024));
  CHECK(!pthread_create(&thread, &attributes, run, NULL));
  CHECK(!pthread_join(thread, NULL));
  pthread_attr_destroy(&attributes);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  all = fixtures_read(argv[1]);
  with_stack(64, everything);
  with_stack(96, requests);
  fixtures_free(&all);
  return 0;
}
