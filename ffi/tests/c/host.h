// What every host here needs: a check that says where it failed, and the fixtures.
#ifndef HOST_H
#define HOST_H

#include <licentia.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                          \
  do {                                                                            \
    if (!(condition)) {                                                           \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);     \
      abort();                                                                    \
    }                                                                             \
  } while (0)

// The status that a call came to, or the program ends and says which it was.
#define EXPECT(wanted, call)                                                      \
  do {                                                                            \
    licentia_status found_ = (call);                                              \
    if (found_ != (wanted)) {                                                     \
      fprintf(stderr, "%s:%d: %s, not %s: %s\n", __FILE__, __LINE__,              \
              licentia_status_name(found_), licentia_status_name(wanted), #call); \
      abort();                                                                    \
    }                                                                             \
  } while (0)

#define PRODUCT "myapp"
#define IN_FORCE "1767312000" /* a day after the fixtures begin */

typedef struct {
  char *text;
  size_t size;
} fixture;

// Reads one of the files that ffi/tests/host/fixtures.rs wrote.
static inline fixture fixture_read(const char *folder, const char *name) {
  char path[512];
  fixture made = {(char *)malloc(1 << 20), 0};
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  CHECK(file && made.text);
  made.size = fread(made.text, 1, (1 << 20) - 1, file);
  made.text[made.size] = '\0';
  fclose(file);
  return made;
}

#endif
