// Has the license API answer a stranger, without a server, and prints nanoseconds for each time.
//   alone KEYS PRODUCT FOLDER COUNT

#include <licentia.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static licentia_installation *open_folder(char **argv) {
  enum { MAX = 65536 };
  static char keys[MAX];
  FILE *file = fopen(argv[1], "rb");
  size_t len = file ? fread(keys, 1, MAX - 1, file) : 0;
  if (file) fclose(file);
  licentia_product *product = NULL;
  licentia_installation *installation = NULL;
  licentia_error error;
  if (!len || licentia_product_new(argv[2], keys, &product, &error) ||
      licentia_product_open(product, argv[3], &installation, &error)) {
    fprintf(stderr, "%s: %s\n", argv[1], len ? error.message : "cannot be read");
    exit(1);
  }
  licentia_product_free(product);
  return installation;
}

static bool ask(const licentia_installation *installation) {
  licentia_exchange *exchange = NULL;
  bool good = !licentia_exchange_new("GET", "/api/license", &exchange, NULL) &&
              !licentia_exchange_set_header(exchange, "Host", "127.0.0.1:8080", NULL) &&
              !licentia_installation_handle(installation, exchange, NULL) &&
              licentia_exchange_status(exchange) == 200;
  licentia_exchange_free(exchange);
  return good;
}

static double nanoseconds(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

int main(int argc, char **argv) {
  int count = argc == 5 ? atoi(argv[4]) : 0;
  if (count < 1) return 2;
  licentia_installation *installation = open_folder(argv);
  bool good = ask(installation);  // warm
  double begin = nanoseconds();
  for (int i = 0; i < count; i++) good &= ask(installation);
  double taken = nanoseconds() - begin;
  licentia_installation_free(installation);
  if (!good) {
    fprintf(stderr, "the license API did not answer 200\n");
    return 1;
  }
  printf("%.2f\n", taken / count);
  return 0;
}
