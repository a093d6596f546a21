// licentia, recording on a counter that has a limit far away. With and without waiting for the
// disk.

#include "record.h"

#include <errno.h>
#include <licentia.h>
#include <string.h>
#include <sys/stat.h>

static const char *const feature = "exports";
static licentia_product *product;
static licentia_installation *installation;
static char folder[4096];

static void check(licentia_status failed, const licentia_error *error) {
  if (failed) fail("licentia", error->message);
}

// Each process opens it anew, as workers do that have nothing to do with each other.
static void open_it(void) {
  licentia_error error = {0};
  check(licentia_product_open(product, folder, &installation, &error), &error);
}

static void close_it(void) { licentia_installation_free(installation); }

static void record(void) {
  licentia_error error = {0};
  check(licentia_installation_record(installation, feature, 1, &error), &error);
}

static void record_later(void) {
  licentia_error error = {0};
  check(licentia_installation_record_later(installation, feature, 1, &error), &error);
}

static uint64_t total(void) {
  licentia_error error = {0};
  uint64_t used = 0;
  open_it();
  check(licentia_installation_usage(installation, feature, &used, NULL, NULL, &error), &error);
  close_it();
  return used;
}

size_t licentia_recorders(const record_case *given, recorder *out) {
  licentia_error error = {0};
  path_in(given, "state", folder);
  if (mkdir(folder, 0700) != 0) fail(folder, strerror(errno));
  check(licentia_product_new(given->product, given->keys, &product, &error), &error);
  open_it();
  check(licentia_installation_apply(installation, given->token, given->token_len, &error), &error);
  close_it();
  const recorder all[] = {
      {"licentia, record", open_it, record, close_it, total},
      {"licentia, record_later", open_it, record_later, close_it, total},
  };
  memcpy(out, all, sizeof all);
  return sizeof all / sizeof *all;
}
