// What every contender in C is given, and how it is timed.

#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  const char *token;  // header.payload.signature
  size_t token_len;
  const char *keys;  // the key set that licentia takes
  unsigned char key[32];  // the same public key, raw
  const char *product;
  const char *folder;  // of an installation
} bench_case;

typedef struct {
  const char *topic;
  const char *name;
  bool (*run)(void);  // once; false is a failure
  int batch;          // how often per round
  int threads;        // how many at once, if more than one: each as often as that
} contender;

// Each set-up gives the number of contenders it wrote to `out`. They hold their keys: what a
// program does once per license is not timed.
size_t licentia_contenders(const bench_case *given, contender *out);
size_t floor_contenders(const bench_case *given, contender *out);
size_t sodium_contenders(const bench_case *given, contender *out);
size_t openssl_contenders(const bench_case *given, contender *out);

double nanoseconds(void);

// Has all the threads run a batch at once, and gives the nanoseconds until the last has.
double crowd(const contender *which, bool *good);

#endif
