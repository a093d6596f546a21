// Counts how often one process, and sixteen at once, record in a fixed time: each contender in its
// turn, and all of their files in one folder. What was acknowledged must be what was counted.
// Prints a JSON object for each, with nanoseconds per record of every round.
//   record TOKEN KEYS PRODUCT FOLDER ROUNDS

#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONTENDERS_MAX = 8, CROWDS = 2, CROWD_MAX = 16, ROUNDS_MAX = 1000, FILE_MAX = 65536 };
static const int crowds[CROWDS] = {1, CROWD_MAX};
static const double TURN = 0.1e9;  // nanoseconds

// What a parent and its children share.
static struct {
  atomic_int ready;
  atomic_bool begun, over;
  uint64_t counted[CROWD_MAX];
  double ended[CROWD_MAX];
} *shared;

void fail(const char *who, const char *what) {
  fprintf(stderr, "%s: %s\n", who, what);
  exit(1);
}

void *share(size_t size) {
  void *it = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (it == MAP_FAILED) fail("mmap", strerror(errno));
  return it;
}

static double nanoseconds(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static void nap(double how_long) {
  struct timespec rest = {0, (long)how_long};
  while (nanosleep(&rest, &rest) != 0) {
  }
}

// One process: it opens what it needs first, and closes it when the time is over.
static void work(const recorder *which, int number) {
  uint64_t count = 0;
  which->open();
  atomic_fetch_add(&shared->ready, 1);
  while (!atomic_load(&shared->begun)) nap(1e5);
  while (!atomic_load_explicit(&shared->over, memory_order_relaxed)) {
    which->once();
    count++;
  }
  shared->ended[number] = nanoseconds();
  shared->counted[number] = count;
  which->close();
  _exit(0);
}

static void gather(const recorder *which, int crowd) {
  bool good = true;
  for (int i = 0; i < crowd; i++) {
    int status;
    good &= wait(&status) > 0 && status == 0;
  }
  if (!good) fail(which->name, "a process failed");
}

static double turn(const recorder *which, int crowd) {
  uint64_t before = which->total(), acknowledged = 0;
  atomic_store(&shared->ready, 0);
  atomic_store(&shared->begun, false);
  atomic_store(&shared->over, false);
  for (int i = 0; i < crowd; i++) {
    pid_t child = fork();
    if (child < 0) fail("fork", strerror(errno));
    if (child == 0) work(which, i);
  }
  while (atomic_load(&shared->ready) < crowd) {
    int status;
    if (waitpid(-1, &status, WNOHANG) > 0) fail(which->name, "a process failed");
    nap(1e5);
  }
  double begin = nanoseconds(), end = begin;
  atomic_store(&shared->begun, true);
  nap(TURN);
  atomic_store(&shared->over, true);
  gather(which, crowd);
  for (int i = 0; i < crowd; i++) {
    acknowledged += shared->counted[i];
    if (shared->ended[i] > end) end = shared->ended[i];
  }
  uint64_t counted = which->total() - before;
  if (counted != acknowledged) {
    fprintf(stderr, "%s: counted %llu of %llu\n", which->name, (unsigned long long)counted,
            (unsigned long long)acknowledged);
    exit(1);
  }
  return (end - begin) / (double)acknowledged;
}

static void print(const recorder *which, int crowd, const double *rounds, int count) {
  printf("{\"language\": \"C\", \"topic\": \"record, %d process%s\", \"name\": \"%s\", "
         "\"rounds\": [", crowd, crowd == 1 ? "" : "es", which->name);
  for (int i = 0; i < count; i++) printf("%s%.1f", i ? ", " : "", rounds[i]);
  printf("]}\n");
}

static char *read_file(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  char *text = file ? malloc(FILE_MAX + 1) : NULL;
  if (!text) fail(path, "cannot be read");
  *len = fread(text, 1, FILE_MAX, file);
  text[*len] = '\0';
  fclose(file);
  return text;
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  size_t keys_len;
  record_case given = {.product = argv[3], .folder = argv[4]};
  given.token = read_file(argv[1], &given.token_len);
  given.keys = read_file(argv[2], &keys_len);
  int rounds = atoi(argv[5]);
  if (rounds < 1 || rounds > ROUNDS_MAX) return 2;
  shared = share(sizeof *shared);

  recorder all[CONTENDERS_MAX];
  size_t count = licentia_recorders(&given, all);
  count += plain_recorders(&given, all + count);
#ifdef HAVE_SQLITE
  count += sqlite_recorders(&given, all + count);
#endif
  static double times[CONTENDERS_MAX][CROWDS][ROUNDS_MAX];
  for (int round = 0; round < rounds; round++) {
    for (int j = 0; j < CROWDS; j++) {
      for (size_t i = 0; i < count; i++) {
        size_t who = (i + (size_t)round) % count;
        times[who][j][round] = turn(&all[who], crowds[j]);
      }
    }
  }
  for (int j = 0; j < CROWDS; j++) {
    for (size_t i = 0; i < count; i++) print(&all[i], crowds[j], times[i][j], rounds);
  }
  return 0;
}
