// licentia, and what `allows` is measured against.

#include "bench.h"

#include <licentia.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const bench_case *with;
static licentia_product *product;
static licentia_license *license;
static licentia_installation *installation;

static bool verify(void) {
  licentia_license *made = NULL;
  licentia_status failed =
      licentia_product_verify(product, with->token, with->token_len, &made, NULL);
  licentia_license_free(made);
  return failed == LICENTIA_OK;
}

// Read anew each time, as a program's own argument would be: no compiler may know the answer.
static const char *const volatile feature = "exports";

static bool allows(void) { return licentia_license_allows(license, feature); }

static bool installation_allows(void) {
  return licentia_installation_allows(installation, feature);
}

// The cheapest call there is into the library.
static bool no_op(void) { return licentia_abi() == LICENTIA_ABI; }

// The cheapest thing that sixteen threads can have in common and change.
static atomic_ullong counter;

static bool count(void) { return atomic_fetch_add(&counter, 1) + 1 != 0; }

static const char *const granted[] = {"analytics", "api", "audit_logs", "exports", "reports"};

static bool scan(void) {
  const char *wanted = feature;
  for (size_t i = 0; i < sizeof granted / sizeof *granted; i++) {
    if (strcmp(granted[i], wanted) == 0) return true;
  }
  return false;
}

size_t licentia_contenders(const bench_case *given, contender *out) {
  with = given;
  licentia_error error = {0};
  if (licentia_product_new(given->product, given->keys, &product, &error) ||
      licentia_product_verify(product, given->token, given->token_len, &license, &error) ||
      licentia_product_open(product, given->folder, &installation, &error) ||
      licentia_installation_apply(installation, given->token, given->token_len, &error)) {
    fprintf(stderr, "licentia: %s\n", error.message);
    exit(1);
  }
  const contender all[] = {
      {"verify", "licentia", verify, 20, 1},
      {"allows", "licentia", allows, 20000, 1},
      {"allows", "licentia, of an installation", installation_allows, 20000, 1},
      {"allows", "a call that does nothing", no_op, 20000, 1},
      {"allows", "strcmp over five names", scan, 20000, 1},
      {"allows", "an atomic counter", count, 20000, 1},
      {"allows, 16 threads", "licentia, of an installation", installation_allows, 20000, 16},
      {"allows, 16 threads", "licentia_license_allows", allows, 20000, 16},
      {"allows, 16 threads", "a call that does nothing", no_op, 20000, 16},
      {"allows, 16 threads", "an atomic counter", count, 20000, 16},
  };
  memcpy(out, all, sizeof all);
  return sizeof all / sizeof *all;
}
