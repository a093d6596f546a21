// Threads that run a batch at once. They are started when they are first needed, and wait for
// each other in between, so that no round pays for a start.

#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_barrier_t begun, done;
static const contender *wanted;
static atomic_bool all_good;
static int started;

static void *work(void *nothing) {
  for (;;) {
    pthread_barrier_wait(&begun);
    bool good = true;
    for (int i = 0; i < wanted->batch; i++) good &= wanted->run();
    if (!good) atomic_store(&all_good, false);
    pthread_barrier_wait(&done);
  }
  return nothing;
}

static void start(int threads) {
  bool good = pthread_barrier_init(&begun, NULL, (unsigned)threads + 1) == 0 &&
              pthread_barrier_init(&done, NULL, (unsigned)threads + 1) == 0;
  for (; good && started < threads; started++) {
    pthread_t thread;
    good = pthread_create(&thread, NULL, work, NULL) == 0;
  }
  if (!good) {
    fprintf(stderr, "%d threads cannot be started\n", threads);
    exit(1);
  }
}

double crowd(const contender *which, bool *good) {
  if (started == 0) start(which->threads);
  if (started != which->threads) exit(2);
  wanted = which;
  atomic_store(&all_good, true);
  double begin = nanoseconds();
  pthread_barrier_wait(&begun);
  pthread_barrier_wait(&done);
  double end = nanoseconds();
  *good = atomic_load(&all_good);
  return end - begin;
}
