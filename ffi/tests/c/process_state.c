// What belongs to the process is the same after many calls: process_state FIXTURES TIMES
#define _GNU_SOURCE
#include "process.h"
#include "walk_exchange.h"

static void handler(int number) { (void)number; }

int main(int argc, char **argv) {
  CHECK(argc == 3);
  fixtures all = fixtures_read(argv[1]);
  setlocale(LC_ALL, "C.UTF-8");
  umask(027);
  signal(SIGUSR1, handler);
  char *before = process_state();
  for (int times = atoi(argv[2]); times > 0; times--) {
    walk(&all);
    if (times % 10 == 0) walk_installation(&all), walk_request(&all), walk_exchange(&all);
  }
  char *after = process_state();
  CHECK(!strcmp(before, after));

  signal(SIGUSR2, handler);
  char *changed = process_state();
  CHECK(strcmp(before, changed));  // a change is seen
  free(before), free(after), free(changed);
  fixtures_free(&all);
  return 0;
}
