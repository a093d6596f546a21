// Holds an installation for a year, while other processes renew, withdraw, replace and remove its
// license:
//   year FIXTURES fixed|system                  holds
//   year FIXTURES CLOCK FOLDER apply LICENSE    is one of the others, for as long as that takes
//   year FIXTURES CLOCK FOLDER remove
#define _GNU_SOURCE
#include "folder.h"

#include <sys/wait.h>
#include <time.h>

enum { BEGIN = 1767225600, DAY = 86400, SLACK_MS = 2000 };

static const char *fixtures;
static char folder[512], program[512], current[32];
static licentia_product *product;
static licentia_installation *held;

static licentia_product *make(const char *clock) {
  fixture keys = fixture_read(fixtures, "keys");
  licentia_product *made = NULL;
  EXPECT(LICENTIA_OK, licentia_product_new(PRODUCT, keys.text, &made, NULL));
  EXPECT(LICENTIA_OK, licentia_product_set(made, "clock", clock, NULL));
  free(keys.text);
  return made;
}

// Another process does something with the folder.
static void elsewhere(const char *what, const char *license) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    execl(program, program, fixtures, current, folder, what, license, (char *)NULL);
    _exit(127);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status));
}

static int other_process(int argc, char **argv) {
  licentia_product *mine = make(argv[2]);
  licentia_installation *opened = NULL;
  licentia_error error = {0};
  EXPECT(LICENTIA_OK, licentia_product_open(mine, argv[3], &opened, &error));
  if (!strcmp(argv[4], "remove")) {
    bool removed = false;
    EXPECT(LICENTIA_OK, licentia_installation_remove(opened, &removed, &error));
    CHECK(removed);
  } else {
    CHECK(argc == 6);
    fixture data = fixture_read(fixtures, argv[5]);
    licentia_status status = licentia_installation_apply(opened, data.text, data.size, &error);
    if (status) fprintf(stderr, "%s: %s\n", argv[5], error.message);
    EXPECT(LICENTIA_OK, status);
    free(data.text);
  }
  licentia_installation_free(opened);
  licentia_product_free(mine);
  return 0;
}

static int64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Asked all the time, as a busy daemon does, the installation answers this within a second.
static void becomes(int access) {
  int64_t start = milliseconds();
  while (licentia_installation_access(held, "reports") != access) {
    CHECK(milliseconds() - start < 1000 + SLACK_MS);
  }
  CHECK(licentia_installation_allows(held, "reports") == (access >= LICENTIA_WARN));
}

static void on_day(int day) {
  snprintf(current, sizeof current, "%lld", (long long)BEGIN + (long long)day * DAY);
  EXPECT(LICENTIA_OK, licentia_product_set(product, "clock", current, NULL));
}

// Nobody does anything: it is so at once, and all day.
static void is(int day, int access) {
  on_day(day);
  CHECK(licentia_installation_access(held, "reports") == access);
}

static void year(void) {
  on_day(1);
  becomes(LICENTIA_DENY);
  elsewhere("apply", "metered");
  becomes(LICENTIA_ALLOW);
  for (int day = 1; day < 30; day++) is(day, LICENTIA_ALLOW);
  is(30, LICENTIA_WARN);
  is(39, LICENTIA_WARN);
  is(40, LICENTIA_READ_ONLY);
  is(69, LICENTIA_READ_ONLY);
  is(70, LICENTIA_DENY);
  elsewhere("apply", "metered_renewed");
  becomes(LICENTIA_ALLOW);
  for (int day = 71; day < 200; day++) is(day, LICENTIA_ALLOW);
  elsewhere("apply", "withdrawn");
  becomes(LICENTIA_DENY);
  is(200, LICENTIA_DENY);
  // A later list that leaves it out brings nothing back: what helps is another license.
  elsewhere("apply", "withdrawn_later");
  is(200, LICENTIA_DENY);
  elsewhere("apply", "replaced");
  becomes(LICENTIA_ALLOW);
  elsewhere("remove", NULL);
  becomes(LICENTIA_DENY);
  is(201, LICENTIA_DENY);
  elsewhere("apply", "replaced");
  becomes(LICENTIA_ALLOW);
  for (int day = 202; day < 400; day++) is(day, LICENTIA_ALLOW);
  is(400, LICENTIA_WARN);
  is(440, LICENTIA_DENY);
}

// Under the clock of this machine, which nobody moves.
static void hour(void) {
  snprintf(current, sizeof current, "system");
  for (int i = 0; i < 2; i++) {
    becomes(LICENTIA_DENY);
    elsewhere("apply", "metered_today");
    becomes(LICENTIA_ALLOW);
    elsewhere("remove", NULL);
  }
  becomes(LICENTIA_DENY);
}

int main(int argc, char **argv) {
  CHECK(argc == 3 || argc == 5 || argc == 6);
  fixtures = argv[1];
  if (argc > 3) return other_process(argc, argv);
  bool fixed = !strcmp(argv[2], "fixed");
  CHECK(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
  folder_make(folder, fixtures);
  product = make(fixed ? IN_FORCE : "system");
  EXPECT(LICENTIA_OK, licentia_product_open(product, folder, &held, NULL));
  fixed ? year() : hour();
  licentia_installation_free(held);
  licentia_product_free(product);
  folder_remove(folder);
  return 0;
}
