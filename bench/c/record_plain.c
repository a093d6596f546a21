// What recording costs at the least: a write that is made durable, and a number in memory.

#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RECORD = 64, PLACES = 1 << 16, BLOCK = 4096 };

static char path[4096];
static int file = -1;
static atomic_ullong *next_place, *counter;

void path_in(const record_case *given, const char *name, char out[4096]) {
  int len = snprintf(out, 4096, "%s/%s", given->folder, name);
  if (len < 0 || len >= 4096) fail(given->folder, "is too long");
}

// A file of zeros that is on disk: no write changes its size or where it is.
static void make_file(void) {
  static const char zeros[BLOCK];
  file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  for (int i = 0; i < PLACES * RECORD / BLOCK; i++) {
    if (write(file, zeros, BLOCK) != BLOCK) fail(path, strerror(errno));
  }
  if (fsync(file) != 0 || close(file) != 0) fail(path, strerror(errno));
}

static void open_file(void) {
  file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) fail(path, strerror(errno));
}

static void close_file(void) { close(file); }

// Each process takes a place of its own, round and round, and makes it durable by itself.
static void write_one(void) {
  uint64_t number = atomic_fetch_add(next_place, 1) + 1;
  uint64_t record[RECORD / 8] = {number};
  off_t at = (off_t)((number - 1) % PLACES) * RECORD;
  if (pwrite(file, record, RECORD, at) != RECORD || fdatasync(file) != 0) {
    fail(path, strerror(errno));
  }
}

// The highest number that is in the file: they are given without a gap.
static uint64_t written(void) {
  uint64_t highest = 0, block[BLOCK / 8];
  open_file();
  while (read(file, block, BLOCK) == BLOCK) {
    for (size_t i = 0; i < BLOCK / 8; i += RECORD / 8) {
      if (block[i] > highest) highest = block[i];
    }
  }
  close_file();
  return highest;
}

static void nothing(void) {}

static void add(void) { atomic_fetch_add(counter, 1); }

static uint64_t added(void) { return atomic_load(counter); }

size_t plain_recorders(const record_case *given, recorder *out) {
  path_in(given, "plain", path);
  next_place = share(sizeof *next_place);
  counter = share(sizeof *counter);
  make_file();
  const recorder all[] = {
      {"pwrite + fdatasync", open_file, write_one, close_file, written},
      {"an atomic counter in memory", nothing, add, nothing, added},
  };
  memcpy(out, all, sizeof all);
  return sizeof all / sizeof *all;
}
