// A folder for an installation, and what is left of it.
#ifndef FOLDER_H
#define FOLDER_H

#include "host.h"

#include <dirent.h>
#include <unistd.h>

// Makes an empty folder in another.
static inline void folder_make(char path[512], const char *place) {
  snprintf(path, 512, "%s/installation-XXXXXX", place);
  CHECK(mkdtemp(path));
}

static inline void folder_remove(const char *path) {
  DIR *folder = opendir(path);
  CHECK(folder);
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    char file[1024];
    snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
    unlink(file);  // fails for . and .. only
  }
  closedir(folder);
  CHECK(rmdir(path) == 0);
}

#endif
