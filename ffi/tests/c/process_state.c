// What belongs to the process is the same after many calls: process_state FIXTURES TIMES
#define _GNU_SOURCE
#include "walk_exchange.h"

#include <locale.h>
#include <signal.h>
#include <sys/stat.h>

extern char **environ;

static int count(const char *path) {
  int entries = 0;
  DIR *folder = opendir(path);
  CHECK(folder);
  while (readdir(folder)) entries++;
  closedir(folder);
  return entries;
}

static void write_mask(FILE *out, const sigset_t *mask) {
  for (int number = 1; number < 65; number++) fputc(sigismember(mask, number) ? '1' : '0', out);
  fputc('\n', out);
}

// All of it as text.
static char *state(void) {
  char *text = NULL, folder[512];
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  CHECK(out && getcwd(folder, sizeof folder));
  for (int number = 1; number < 65; number++) {
    struct sigaction action;
    if (sigaction(number, NULL, &action)) continue;
    fprintf(out, "%d: %lx %x ", number, (unsigned long)(uintptr_t)action.sa_handler,
            (unsigned)action.sa_flags);
    write_mask(out, &action.sa_mask);
  }
  sigset_t mask;
  sigprocmask(SIG_SETMASK, NULL, &mask);
  write_mask(out, &mask);
  mode_t current = umask(0);
  umask(current);
  fprintf(out, "umask %o, cwd %s, locale %s\n", current, folder, setlocale(LC_ALL, NULL));
  for (char **one = environ; *one; one++) fprintf(out, "%s\n", *one);
  fprintf(out, "%d files, %d threads\n", count("/proc/self/fd"), count("/proc/self/task"));
  fclose(out);
  return text;
}

static void handler(int number) { (void)number; }

int main(int argc, char **argv) {
  CHECK(argc == 3);
  fixtures all = fixtures_read(argv[1]);
  setlocale(LC_ALL, "C.UTF-8");
  umask(027);
  signal(SIGUSR1, handler);
  char *before = state();
  for (int times = atoi(argv[2]); times > 0; times--) {
    walk(&all);
    if (times % 10 == 0) walk_installation(&all), walk_request(&all), walk_exchange(&all);
  }
  char *after = state();
  CHECK(!strcmp(before, after));

  signal(SIGUSR2, handler);
  char *changed = state();
  CHECK(strcmp(before, changed));  // a change is seen
  free(before), free(after), free(changed);
  fixtures_free(&all);
  return 0;
}
