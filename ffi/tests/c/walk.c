// Walks through the whole interface: walk FIXTURES TIMES
#include "walk.h"

int main(int argc, char **argv) {
  CHECK(argc == 3);
  fixtures all = fixtures_read(argv[1]);
  for (int times = atoi(argv[2]); times > 0; times--) walk(&all);
  fixtures_free(&all);
  return 0;
}
