// Nothing is left of a call, and nothing of the process changes: online_state PLACE TIMES URL...
#define _GNU_SOURCE
#include "online.h"
#include "process.h"

int main(int argc, char **argv) {
  CHECK(argc > 3);
  setlocale(LC_ALL, "C.UTF-8");
  umask(027);
  customer it = customer_open(argv[1]);
  customer_set(&it, "server_timeout", "1");
  char *before = process_state();
  int answered = 0, failed = 0;
  for (int url = 3; url < argc; url++) {
    customer_set(&it, "server", argv[url]);
    for (int times = atoi(argv[2]); times > 0; times--) {
      if (customer_sync(&it, LICENTIA_UNREACHABLE) == LICENTIA_OK) {
        answered++;
      } else {
        failed++;
      }
    }
    char *after = process_state();
    CHECK(!strcmp(before, after));
    free(after);
  }
  CHECK(answered > 0 && failed > 0);
  customer_close(&it);
  free(before);
  return 0;
}
