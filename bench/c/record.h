// What every contender that records is given, and what it does.

#ifndef RECORD_H
#define RECORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  const char *token;
  size_t token_len;
  const char *keys;
  const char *product;
  const char *folder;  // for the files of all of them: on one disk
} record_case;

typedef struct {
  const char *name;
  void (*open)(void);      // in the process that is to record
  void (*once)(void);      // adds one, and returns when that is acknowledged
  void (*close)(void);
  uint64_t (*total)(void);  // what all processes have added, when none of them runs
} recorder;

// Each set-up gives the number of contenders it wrote to `out`.
size_t licentia_recorders(const record_case *given, recorder *out);
size_t plain_recorders(const record_case *given, recorder *out);
size_t sqlite_recorders(const record_case *given, recorder *out);

// Ends this process, and with it the bench.
_Noreturn void fail(const char *who, const char *what);

// Memory of zeros that children have in common with their parent.
void *share(size_t size);

// Writes the path of a file in the folder to `out`.
void path_in(const record_case *given, const char *name, char out[4096]);

#endif
