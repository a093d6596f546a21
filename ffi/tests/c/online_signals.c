// No signal ends the program, and none makes a call last: peers that close, or never answer, while
// a timer interrupts every millisecond: online_signals PLACE TIMES GOOD BAD... SILENT
#define _GNU_SOURCE
#include "online.h"

#include <signal.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t ticks;

static void tick(int number) {
  (void)number;
  ticks = ticks + 1;
}

// Every millisecond, or never. What was interrupted is begun anew by the system, or is not.
static void timer(bool on, int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = tick;
  action.sa_flags = flags;
  CHECK(!sigaction(SIGALRM, &action, NULL));
  struct itimerval every = {{0, on ? 1000 : 0}, {0, on ? 1000 : 0}};
  CHECK(!setitimer(ITIMER_REAL, &every, NULL));
}

static time_t seconds(void) {
  struct timespec now;
  CHECK(!clock_gettime(CLOCK_MONOTONIC, &now));
  return now.tv_sec;
}

int main(int argc, char **argv) {
  CHECK(argc > 5);
  customer it = customer_open(argv[1]);
  int times = atoi(argv[2]);
  const char *good = argv[3], *silent = argv[argc - 1];
  struct sigaction pipe;
  signal(SIGPIPE, SIG_DFL);
  for (int bad = 4; bad < argc - 1; bad++) {
    customer_set(&it, "server", argv[bad]);
    for (int run = 0; run < times; run++) {
      timer(run % 2, run % 4 == 1 ? SA_RESTART : 0);
      EXPECT(LICENTIA_UNREACHABLE, customer_sync(&it, LICENTIA_UNREACHABLE));
    }
    timer(true, 0);
    customer_set(&it, "server", good);
    EXPECT(LICENTIA_OK, customer_sync(&it, LICENTIA_OK));
  }
  customer_set(&it, "server", silent);
  customer_set(&it, "server_timeout", "1");
  for (int flags = 0; flags < 2; flags++) {
    timer(true, flags ? SA_RESTART : 0);
    time_t before = seconds();
    EXPECT(LICENTIA_UNREACHABLE, customer_sync(&it, LICENTIA_UNREACHABLE));
    CHECK(seconds() - before < 30);
  }
  timer(false, 0);
  CHECK(ticks > 100);
  CHECK(!sigaction(SIGPIPE, NULL, &pipe) && pipe.sa_handler == SIG_DFL);
  customer_close(&it);
  return 0;
}
