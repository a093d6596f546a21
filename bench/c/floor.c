// The floor: ed25519-dalek's `verify` on the decoded parts, built as licentia is, and nothing else.

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool floor_prepare(const unsigned char *key, const char *token, size_t token_len);
bool floor_verify(void);

size_t floor_contenders(const bench_case *given, contender *out) {
  if (!floor_prepare(given->key, given->token, given->token_len)) {
    fprintf(stderr, "the floor does not take the token\n");
    exit(1);
  }
  const contender all[] = {{"verify", "ed25519-dalek, signature only", floor_verify, 20, 1}};
  memcpy(out, all, sizeof all);
  return sizeof all / sizeof *all;
}
