// Times all contenders in turn: one batch of each per round, so that what else the machine does
// meets them alike. Prints a JSON object for each, with nanoseconds per run of every round.
//   bench TOKEN KEYS RAW_KEY PRODUCT FOLDER ROUNDS
// Or has one contender verify a number of times, for a counter of instructions:
//   bench TOKEN KEYS RAW_KEY PRODUCT FOLDER COUNT NAME

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CONTENDERS_MAX = 24, FILE_MAX = 65536, ROUNDS_MAX = 10000 };

static char *read_file(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  char *text = file ? malloc(FILE_MAX + 1) : NULL;
  if (!text) {
    fprintf(stderr, "%s cannot be read\n", path);
    exit(2);
  }
  *len = fread(text, 1, FILE_MAX, file);
  text[*len] = '\0';
  fclose(file);
  return text;
}

double nanoseconds(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static double alone(const contender *which, bool *good) {
  double begin = nanoseconds();
  for (int i = 0; i < which->batch; i++) *good &= which->run();
  return nanoseconds() - begin;
}

// Nanoseconds per run: of sixteen threads, those in which one of them is done somewhere.
static double batch(const contender *which) {
  bool good = true;
  int threads = which->threads > 1 ? which->threads : 1;
  double taken = threads > 1 ? crowd(which, &good) : alone(which, &good);
  if (!good) {
    fprintf(stderr, "%s, %s: the good license was refused\n", which->topic, which->name);
    exit(1);
  }
  return taken / which->batch / threads;
}

static void print(const contender *which, const double *rounds, int count) {
  printf("{\"language\": \"C\", \"topic\": \"%s\", \"name\": \"%s\", \"rounds\": [",
         which->topic, which->name);
  for (int i = 0; i < count; i++) printf("%s%.2f", i ? ", " : "", rounds[i]);
  printf("]}\n");
}

static int repeat(contender *all, size_t count, const char *name, int times) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(all[i].topic, "verify") != 0 || strcmp(all[i].name, name) != 0) continue;
    all[i].batch = times;
    batch(&all[i]);
    return 0;
  }
  return 2;
}

int main(int argc, char **argv) {
  if (argc != 7 && argc != 8) return 2;
  bench_case given = {0};
  size_t keys_len, key_len;
  given.token = read_file(argv[1], &given.token_len);
  given.keys = read_file(argv[2], &keys_len);
  char *key = read_file(argv[3], &key_len);
  given.product = argv[4];
  given.folder = argv[5];
  int rounds = atoi(argv[6]);
  if (key_len != sizeof given.key || rounds < 1 || rounds > ROUNDS_MAX) return 2;
  memcpy(given.key, key, sizeof given.key);

  contender all[CONTENDERS_MAX];
  size_t count = licentia_contenders(&given, all);
  count += floor_contenders(&given, all + count);
#ifdef HAVE_PEERS
  count += sodium_contenders(&given, all + count);
#endif
#ifdef HAVE_OPENSSL
  count += openssl_contenders(&given, all + count);
#endif
  if (argc == 8) return repeat(all, count, argv[7], rounds);

  static double times[CONTENDERS_MAX][ROUNDS_MAX];
  for (size_t i = 0; i < count; i++) batch(&all[i]);  // warm
  for (int round = 0; round < rounds; round++) {
    // Each begins a round in its turn: nobody always runs behind the same neighbor.
    for (size_t i = 0; i < count; i++) {
      size_t who = (i + (size_t)round) % count;
      times[who][round] = batch(&all[who]);
    }
  }
  for (size_t i = 0; i < count; i++) print(&all[i], times[i], rounds);
  return 0;
}
