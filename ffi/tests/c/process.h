// What belongs to the process: signals, threads, open files, mask, place, locale, environment.
#ifndef PROCESS_H
#define PROCESS_H

#include "host.h"

#include <dirent.h>
#include <locale.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static inline int process_count(const char *path) {
  int entries = 0;
  DIR *folder = opendir(path);
  CHECK(folder);
  while (readdir(folder)) entries++;
  closedir(folder);
  return entries;
}

static inline void process_write_mask(FILE *out, const sigset_t *mask) {
  for (int number = 1; number < 65; number++) fputc(sigismember(mask, number) ? '1' : '0', out);
  fputc('\n', out);
}

// All of it as text.
static inline char *process_state(void) {
  char *text = NULL, folder[512];
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  CHECK(out && getcwd(folder, sizeof folder));
  for (int number = 1; number < 65; number++) {
    struct sigaction action;
    if (sigaction(number, NULL, &action)) continue;
    fprintf(out, "%d: %lx %x ", number, (unsigned long)(uintptr_t)action.sa_handler,
            (unsigned)action.sa_flags);
    process_write_mask(out, &action.sa_mask);
  }
  sigset_t mask;
  sigprocmask(SIG_SETMASK, NULL, &mask);
  process_write_mask(out, &mask);
  mode_t current = umask(0);
  umask(current);
  fprintf(out, "umask %o, cwd %s, locale %s\n", current, folder, setlocale(LC_ALL, NULL));
  for (char **one = environ; *one; one++) fprintf(out, "%s\n", *one);
  fprintf(out, "%d files, %d threads\n", process_count("/proc/self/fd"),
          process_count("/proc/self/task"));
  fclose(out);
  return text;
}

#endif
