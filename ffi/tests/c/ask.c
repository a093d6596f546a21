// Asks an installation many times, and records without waiting: ask FIXTURES TIMES
#define _GNU_SOURCE
#include "walk_installation.h"

int main(int argc, char **argv) {
  CHECK(argc == 3);
  fixtures all = fixtures_read(argv[1]);
  char folder[512];
  folder_make(folder, all.folder);
  licentia_installation *held = walk_open(&all, folder);
  EXPECT(LICENTIA_OK,
         licentia_installation_apply(held, all.metered.text, all.metered.size, NULL));
  for (int times = atoi(argv[2]); times > 0; times--) {
    CHECK(licentia_installation_allows(held, "reports"));
    CHECK(walk_says(held, LICENTIA_NOW, "\"allow\""));
    EXPECT(LICENTIA_OK, licentia_installation_record_later(held, "hits", 1, NULL));
  }
  licentia_installation_free(held);
  folder_remove(folder);
  fixtures_free(&all);
  return 0;
}
