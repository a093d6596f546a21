// Threads load, use and unload the library, and outlive it: dlopen FIXTURES LIBRARY TIMES
#define _GNU_SOURCE
#include "host.h"

#include <dlfcn.h>
#include <pthread.h>

enum { THREADS = 8 };

// The detour by a number is for ISO C, in which a function's address is no object's.
#define LOAD(name) __typeof__(&name) name##_ = (__typeof__(&name))(uintptr_t)dlsym(library, #name)

static const char *path;
static fixture keys, ok;
static int times;
static pthread_barrier_t unloaded;

static void use(void *library) {
  licentia_product *product = NULL;
  licentia_license *license = NULL;
  LOAD(licentia_product_new);
  LOAD(licentia_product_set);
  LOAD(licentia_product_verify);
  LOAD(licentia_license_allows);
  LOAD(licentia_license_free);
  LOAD(licentia_product_free);
  CHECK(licentia_product_free_ && licentia_license_free_);
  CHECK(!licentia_product_new_(PRODUCT, keys.text, &product, NULL));
  CHECK(!licentia_product_set_(product, "clock", IN_FORCE, NULL));
  CHECK(!licentia_product_verify_(product, ok.text, ok.size, &license, NULL));
  CHECK(licentia_license_allows_(license, "reports"));
  licentia_license_free_(license);
  licentia_product_free_(product);
}

static void *run(void *nothing) {
  for (int i = 0; i < times; i++) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CHECK(library);
    use(library);
    dlclose(library);
  }
  // The thread ends, and runs what it has to at its end, after the last dlclose.
  pthread_barrier_wait(&unloaded);
  return nothing;
}

int main(int argc, char **argv) {
  CHECK(argc == 4);
  keys = fixture_read(argv[1], "keys");
  ok = fixture_read(argv[1], "ok");
  path = argv[2];
  times = atoi(argv[3]) / THREADS;
  CHECK(times > 0 && !dlopen(path, RTLD_NOW | RTLD_NOLOAD));
  pthread_t threads[THREADS];
  pthread_barrier_init(&unloaded, NULL, THREADS);
  for (int i = 0; i < THREADS; i++) CHECK(!pthread_create(&threads[i], NULL, run, NULL));
  for (int i = 0; i < THREADS; i++) CHECK(!pthread_join(threads[i], NULL));
  CHECK(dlopen(path, RTLD_NOW | RTLD_NOLOAD));  // still there, for what threads left to do
  free(keys.text), free(ok.text);
  return 0;
}
