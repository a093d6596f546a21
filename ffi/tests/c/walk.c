// Walks through the whole interface: walk FIXTURES TIMES [installation | seat | exchange]
#define _GNU_SOURCE
#include "walk_exchange.h"
#include "walk_seat.h"

int main(int argc, char **argv) {
  CHECK(argc == 3 || argc == 4);
  fixtures all = fixtures_read(argv[1]);
  for (int times = atoi(argv[2]); times > 0; times--) {
    if (argc == 3) walk(&all);
    else if (!strcmp(argv[3], "exchange")) walk_exchange(&all), walk_exchange_request(&all);
    else if (!strcmp(argv[3], "seat")) walk_seat(&all);
    else walk_installation(&all), walk_request(&all);
  }
  fixtures_free(&all);
  return 0;
}
