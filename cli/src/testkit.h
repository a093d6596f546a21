// Installations for the tests of a product in C and C++, one in every state that it may meet:
// docs/testing.md. Not for the product itself.
//
//   licentia_product *product;
//   licentia_installation *installation;
//   licentia_error error;
//   if (licentia_testing_open("expired", folder, &product, &installation, &error) != LICENTIA_OK)
//     ...
//
// The rules are those of licentia.h. Include one kit in a file: this one, or your own. Everything
// is static, so every file that includes it has its own copy.
//
// Written by `licentia testkit @ARGUMENTS@`. Do not edit.

#ifndef LICENTIA_TESTING_H
#define LICENTIA_TESTING_H

#include <licentia.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// The product code of the kit.
#define LICENTIA_TESTING_PRODUCT @PRODUCT@

/// Who signed everything in it. The private half of this key was not kept.
#define LICENTIA_TESTING_KEYS @KEYS@

/// A name, and what it stands for.
typedef struct {
  const char *name;
  const char *value;
} licentia_testing_setting;

/// What may be done with a feature: LICENTIA_DENY, LICENTIA_READ_ONLY and so on.
typedef struct {
  const char *feature;
  int access;
} licentia_testing_access;

/// A file: the bytes it begins with, then zeros up to its size.
typedef struct {
  const char *name;
  size_t size;
  const unsigned char *data;
  size_t data_len;
} licentia_testing_file;

/// A state, how to come by it, and what the library has to say of it: docs/verdict.md. Each list
/// ends with a name that is NULL.
typedef struct {
  const char *name;
  /// What it is, in a sentence.
  const char *about;
  /// Where the clock stands, in seconds since 1970.
  int64_t clock;
  /// Settings of the product, the clock among them.
  const licentia_testing_setting *settings;
  const licentia_testing_file *files;
  const char *reason;
  bool in_force;
  const licentia_testing_access *access;
} licentia_testing_state;

@DATA@
/// How many states there are.
#define LICENTIA_TESTING_STATES \
  (sizeof licentia_testing_states / sizeof licentia_testing_states[0])

/// The state of a name, or NULL.
static inline const licentia_testing_state *licentia_testing_find(const char *name) {
  for (size_t i = 0; name && i < LICENTIA_TESTING_STATES; i++)
    if (strcmp(licentia_testing_states[i].name, name) == 0) return &licentia_testing_states[i];
  return NULL;
}

/// How many letters have to be changed, added or taken away, of at most 63.
static inline size_t licentia_testing_distance(const char *a, const char *b) {
  size_t row[64], length = strlen(b);
  if (length > 63) return 64;
  for (size_t j = 0; j <= length; j++) row[j] = j;
  for (size_t i = 1; a[i - 1]; i++) {
    size_t corner = row[0];
    row[0] = i;
    for (size_t j = 1; j <= length; j++) {
      size_t best = corner + (a[i - 1] != b[j - 1]);
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      corner = row[j];
      row[j] = best;
    }
  }
  return row[length];
}

static inline licentia_status licentia_testing_fail(licentia_error *error, licentia_status status,
                                                    const char *format, const char *name,
                                                    const char *other) {
  if (error) {
    error->status = status;
    int cut = snprintf(error->message, sizeof error->message, format, name, other);
    if (cut < 0) error->message[0] = '\0';
  }
  return status;
}

/// Says which state is nearest to a name that is none.
static inline licentia_status licentia_testing_unknown(const char *name, licentia_error *error) {
  const char *nearest = licentia_testing_states[0].name;
  if (!name) name = "";
  for (size_t i = 1; i < LICENTIA_TESTING_STATES; i++) {
    const char *other = licentia_testing_states[i].name;
    if (licentia_testing_distance(other, name) < licentia_testing_distance(nearest, name))
      nearest = other;
  }
  return licentia_testing_fail(error, LICENTIA_INVALID_ARGUMENT,
                               "this kit has no state %.40s: the nearest is %s", name, nearest);
}

/// Makes the product of a state: with the keys, the clock and the machine of the kit.
LICENTIA_MUST_USE
static inline licentia_status licentia_testing_product(const char *state,
                                                       licentia_product **product,
                                                       licentia_error *error) {
  const licentia_testing_state *found = licentia_testing_find(state);
  if (product) *product = NULL;
  if (!found) return licentia_testing_unknown(state, error);
  licentia_status status =
      licentia_product_new(LICENTIA_TESTING_PRODUCT, LICENTIA_TESTING_KEYS, product, error);
  const licentia_testing_setting *setting = found->settings;
  for (; status == LICENTIA_OK && setting->name; setting++)
    status = licentia_product_set(*product, setting->name, setting->value, error);
  if (status != LICENTIA_OK && product) {
    licentia_product_free(*product);
    *product = NULL;
  }
  return status;
}

/// Moves the clock of a product, and of the installations that are open, to a time in seconds
/// since 1970. An installation remembers the latest time that it has seen.
LICENTIA_MUST_USE
static inline licentia_status licentia_testing_clock(licentia_product *product, int64_t at,
                                                     licentia_error *error) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)at);
  return licentia_product_set(product, "clock", text, error);
}

/// What an installation keeps in its folder.
static const char *const licentia_testing_names[] = {
    "lock", "state.a", "state.b", "revocations.a", "revocations.b", "usage.a", "usage.b", "tmp"};

#define LICENTIA_TESTING_NAMES (sizeof licentia_testing_names / sizeof licentia_testing_names[0])

/// The path of a file in a folder, to be released with free, or NULL.
static inline char *licentia_testing_path(const char *folder, const char *name) {
  size_t size = strlen(folder) + strlen(name) + 2;
  char *path = (char *)malloc(size);
  if (path) snprintf(path, size, "%s/%s", folder, name);
  return path;
}

static inline bool licentia_testing_exists(const char *folder, const char *name) {
  char *path = licentia_testing_path(folder, name);
  FILE *file = path ? fopen(path, "rb") : NULL;
  free(path);
  return file && fclose(file) == 0;
}

static inline bool licentia_testing_write(const char *folder, const licentia_testing_file *it) {
  char *path = licentia_testing_path(folder, it->name);
  FILE *file = path ? fopen(path, "wb") : NULL;
  free(path);
  if (!file) return false;
  bool good = it->data_len == 0 || fwrite(it->data, 1, it->data_len, file) == it->data_len;
  if (it->size > it->data_len)
    good = good && fseek(file, (long)(it->size - 1), SEEK_SET) == 0 && fputc(0, file) == 0;
  return fclose(file) == 0 && good;
}

/// Removes what an installation keeps in a folder, and not the folder.
static inline void licentia_testing_remove(const char *folder) {
  for (size_t i = 0; folder && i < LICENTIA_TESTING_NAMES; i++) {
    char *path = licentia_testing_path(folder, licentia_testing_names[i]);
    if (path) remove(path);
    free(path);
  }
}

/// Writes the files of a state into a folder that is there and in which no installation is.
LICENTIA_MUST_USE
static inline licentia_status licentia_testing_prepare(const char *state, const char *folder,
                                                       licentia_error *error) {
  const licentia_testing_state *found = licentia_testing_find(state);
  if (!found) return licentia_testing_unknown(state, error);
  if (!folder)
    return licentia_testing_fail(error, LICENTIA_INVALID_ARGUMENT, "%s is %s", "the folder",
                                 "NULL");
  for (size_t i = 0; i < LICENTIA_TESTING_NAMES; i++)
    if (licentia_testing_exists(folder, licentia_testing_names[i]))
      return licentia_testing_fail(error, LICENTIA_INVALID_ARGUMENT,
                                   "there is a %s in %.80s: give an empty folder",
                                   licentia_testing_names[i], folder);
  for (const licentia_testing_file *file = found->files; file->name; file++)
    if (!licentia_testing_write(folder, file)) {
      licentia_testing_remove(folder);
      return licentia_testing_fail(error, LICENTIA_IO, "%s could not be written in %.80s",
                                   file->name, folder);
    }
  return LICENTIA_OK;
}

/// Prepares a folder and opens it. The folder has to be there and empty. Release the installation
/// and the product as always; then licentia_testing_remove empties the folder.
LICENTIA_MUST_USE
static inline licentia_status licentia_testing_open(const char *state, const char *folder,
                                                    licentia_product **product,
                                                    licentia_installation **installation,
                                                    licentia_error *error) {
  if (installation) *installation = NULL;
  licentia_status status = licentia_testing_product(state, product, error);
  if (status != LICENTIA_OK) return status;
  status = licentia_testing_prepare(state, folder, error);
  if (status == LICENTIA_OK) {
    status = licentia_product_open(*product, folder, installation, error);
    if (status != LICENTIA_OK) licentia_testing_remove(folder);
  }
  if (status != LICENTIA_OK) {
    licentia_product_free(*product);
    *product = NULL;
  }
  return status;
}

#endif
