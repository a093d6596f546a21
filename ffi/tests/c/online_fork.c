// Children ask a server while threads of their parent were asking it when it forked:
//   online_fork PLACE FORKS URL
#define _GNU_SOURCE
#include "online.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { THREADS = 4, SECONDS = 60 };

static customer it;
static atomic_bool stop;
static atomic_ulong answered;

static void *busy(void *nothing) {
  while (!atomic_load(&stop)) {
    EXPECT(LICENTIA_OK, customer_sync(&it, LICENTIA_OK));
    atomic_fetch_add(&answered, 1);
  }
  return nothing;
}

static void child(void) {
  alarm(SECONDS);  // a child that hangs is killed, and seen by its parent
  EXPECT(LICENTIA_OK, customer_sync(&it, LICENTIA_OK));
  CHECK(licentia_installation_allows(it.held, "reports"));
  licentia_installation_free(it.held);
  licentia_product_free(it.product);
  _exit(0);
}

int main(int argc, char **argv) {
  CHECK(argc == 4);
  it = customer_open(argv[1]);
  customer_set(&it, "server", argv[3]);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) CHECK(!pthread_create(&threads[i], NULL, busy, NULL));
  for (int forks = atoi(argv[2]); forks > 0; forks--) {
    pid_t forked = fork();
    CHECK(forked >= 0);
    if (forked == 0) child();
    int status = 0;
    CHECK(waitpid(forked, &status, 0) == forked);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  atomic_store(&stop, true);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  CHECK(atomic_load(&answered) > 0);
  customer_close(&it);
  return 0;
}
