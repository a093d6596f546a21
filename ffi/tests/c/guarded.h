// Memory at the edge of pages that nobody may touch.
#ifndef GUARDED_H
#define GUARDED_H

#include "host.h"

#include <sys/mman.h>
#include <unistd.h>

// Memory of `size` bytes that ends (or, with `front`, begins) at a page nobody may touch.
static inline char *guarded(size_t size, int front) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t room = (size / page + 1) * page;
  char *start = mmap(NULL, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(start != MAP_FAILED);
  CHECK(mprotect(start + page, room, PROT_READ | PROT_WRITE) == 0);
  return front ? start + page : start + page + room - size;
}

static inline char *guarded_copy(const char *bytes, size_t size, int front) {
  return memcpy(guarded(size, front), bytes, size);
}

#endif
