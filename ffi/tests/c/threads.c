// Sixteen threads share a product and a license, and one turns the clock: threads FIXTURES TIMES
#define _GNU_SOURCE
#include "walk.h"

#include <pthread.h>

enum { THREADS = 16, WALKS = 4 };

static fixtures all;
static licentia_product *shared;
static licentia_license *license;
static int times;

static void *run(void *nothing) {
  for (int i = 0; i < WALKS; i++) walk_licenses(shared, &all);
  for (int i = 0; i < times; i++) {
    bool on = licentia_license_allows(license, "exports");
    uint64_t limit = licentia_license_limit(license, "exports");
    CHECK(limit == 500 && on);
    CHECK(!licentia_license_allows(license, "import"));
  }
  walk(&all);
  return nothing;
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  all = fixtures_read(argv[1]);
  times = atoi(argv[2]);
  shared = walk_product(&all);
  EXPECT(LICENTIA_OK, licentia_product_verify(shared, all.ok.text, all.ok.size, &license, NULL));
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) CHECK(!pthread_create(&threads[i], NULL, run, NULL));
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  licentia_license_free(license);
  licentia_product_free(shared);
  fixtures_free(&all);
  return 0;
}
