// One kind of misuse of a seat, and of asking the server, per run: misuse_seat FIXTURES CASE
#define _GNU_SOURCE
#include "folder.h"
#include "guarded.h"

static licentia_product *product;
static licentia_installation *held;
static licentia_seat *seat;
static licentia_error error;
static fixture keys, metered, lease;
static char folder[512];

// Every input, and every variable that is written, with forbidden memory on either side.
static void guard(void) {
  for (int front = 0; front < 2; front++) {
    licentia_error *far = (licentia_error *)(void *)guarded(sizeof error, front);
    licentia_seat **made = (licentia_seat **)(void *)guarded(sizeof *made, front);
    const char *ann = guarded_copy("ann", 4, front), *bob = guarded_copy("bob", 4, front);
    const char *what = guarded_copy("seat", 5, front);
    EXPECT(LICENTIA_OK, licentia_installation_seat(held, ann, 0, made, far));
    CHECK(licentia_seat_expires(*made) > 0);
    EXPECT(LICENTIA_NO_TRANSPORT, licentia_seat_renew(*made, far));
    EXPECT(LICENTIA_NO_TRANSPORT, licentia_seat_release(*made, far));
    licentia_seat_free(*made);
    EXPECT(LICENTIA_NO_TRANSPORT, licentia_installation_seat(held, bob, 0, made, far));
    CHECK(*made == NULL);
    EXPECT(LICENTIA_NO_TRANSPORT, licentia_installation_call(held, what, bob, far));
    EXPECT(LICENTIA_NO_TRANSPORT, licentia_installation_sync(held, far));
  }
}

// Days that nobody can borrow a seat for, and holders that are none.
static void length(void) {
  const uint32_t days[] = {367, 1000, INT32_MAX, UINT32_MAX};
  for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
    licentia_seat *made = seat;
    EXPECT(LICENTIA_INVALID_ARGUMENT,
           licentia_installation_seat(held, "ann", days[i], &made, &error));
    CHECK(made == NULL);
  }
  char holder[200];
  memset(holder, 'a', sizeof holder);
  for (size_t size = 0; size < sizeof holder; size++) {
    holder[size] = '\0';
    licentia_seat *made = seat;
    EXPECT(size > 0 && size <= 128 ? LICENTIA_NO_TRANSPORT : LICENTIA_INVALID_ARGUMENT,
           licentia_installation_seat(held, holder, 0, &made, &error));
    CHECK(made == NULL);
    holder[size] = 'a';
  }
}

// A call that fails leaves NULL in its pointer, and everything else as it was.
static void out(void) {
  licentia_seat *made = seat;
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_seat(NULL, "ann", 0, &made, &error));
  CHECK(made == NULL);
  made = seat;
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_seat(held, NULL, 0, &made, &error));
  CHECK(made == NULL);
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_seat(held, "ann", 0, NULL, &error));
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_call(held, NULL, "ann", &error));
  CHECK(licentia_seat_expires(seat) > 0);
}

// A pointer to something else than a seat, of which 64 bytes can be read.
static void wrong_handle(const void *wrong) {
  licentia_seat *no = (licentia_seat *)(uintptr_t)wrong;
  CHECK(licentia_seat_expires(no) == 0);
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_seat_renew(no, &error));
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_seat_release(no, &error));
  CHECK(strstr(error.message, "licentia_seat"));
  licentia_seat_free(no);
}

static void type(void) {
  static uint64_t zeros[8], ones[8], text[8];
  memset(ones, 0xFF, sizeof ones);
  memcpy(text, "1---taes", 8);  // looks like a tag, but is misaligned below
  wrong_handle(zeros);
  wrong_handle(ones);
  for (size_t i = 1; i < 8; i++) wrong_handle((const char *)text + i);
  for (size_t i = 1; i < 8; i++) wrong_handle((const char *)seat + i);
  wrong_handle(product);
  wrong_handle(held);

  const licentia_installation *no = (const licentia_installation *)(const void *)seat;
  licentia_seat *made = seat;
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_seat(no, "ann", 0, &made, &error));
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_call(no, "sync", NULL, &error));
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_sync(no, &error));
  CHECK(made == NULL && strstr(error.message, "licentia_installation"));
  licentia_product_free((licentia_product *)(void *)seat);
  licentia_installation_free((licentia_installation *)(void *)seat);
  licentia_exchange_free((licentia_exchange *)(void *)seat);
  CHECK(licentia_seat_expires(seat) > 0);
}

// Best effort: as long as the memory of a freed handle has not been used again.
static void freed(void) {
  for (int i = 0; i < 100; i++) {
    licentia_seat *other = NULL;
    EXPECT(LICENTIA_OK, licentia_installation_seat(held, "ann", 0, &other, NULL));
    licentia_seat_free(other);
    CHECK(licentia_seat_expires(other) == 0);
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_seat_renew(other, NULL));
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_seat_release(other, NULL));
    licentia_seat_free(other);
    licentia_seat_free(other);
  }
}

static void utf8(void) {
  // Latin-1, UTF-16, an overlong slash, a surrogate, a cut-off character; and what cannot be seen.
  const char *const wrong[] = {"caf\xe9", "\xff\xfe" "a", "\xc0\xaf", "\xed\xa0\x80", "ok\xe2\x82"};
  const char *const unseen[] = {"", " ", "a\nb", "a\tb", "\x7f", "a\xe2\x80\xae" "b", "a\xc2\x85x"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    licentia_seat *made = seat;
    EXPECT(LICENTIA_INVALID_ARGUMENT,
           licentia_installation_seat(held, wrong[i], 0, &made, &error));
    CHECK(made == NULL && strstr(error.message, "holder is not UTF-8 at byte"));
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_call(held, wrong[i], NULL, &error));
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_call(held, "seat", wrong[i], &error));
    CHECK(strstr(error.message, "argument is not UTF-8 at byte"));
  }
  for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++) {
    licentia_seat *made = seat;
    EXPECT(LICENTIA_INVALID_ARGUMENT,
           licentia_installation_seat(held, unseen[i], i % 2, &made, &error));
    CHECK(made == NULL);
  }
}

int main(int argc, char **argv) {
  const struct {
    const char *name;
    void (*run)(void);
  } cases[] = {{"guard", guard}, {"length", length}, {"out", out},
               {"type", type},   {"freed", freed},   {"utf8", utf8}};
  CHECK(argc == 3);
  keys = fixture_read(argv[1], "keys");
  metered = fixture_read(argv[1], "metered");
  lease = fixture_read(argv[1], "lease");
  folder_make(folder, argv[1]);
  EXPECT(LICENTIA_OK, licentia_product_new(PRODUCT, keys.text, &product, NULL));
  EXPECT(LICENTIA_OK, licentia_product_set(product, "clock", IN_FORCE, NULL));
  EXPECT(LICENTIA_OK, licentia_product_open(product, folder, &held, NULL));
  EXPECT(LICENTIA_OK, licentia_installation_apply(held, metered.text, metered.size, NULL));
  EXPECT(LICENTIA_OK, licentia_installation_apply(held, lease.text, lease.size, NULL));
  EXPECT(LICENTIA_OK, licentia_installation_seat(held, "ann", 0, &seat, NULL));
  int found = 0;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (strcmp(argv[2], cases[i].name)) continue;
    cases[i].run();
    found++;
  }
  CHECK(found == 1);
  licentia_seat_free(seat);
  licentia_installation_free(held);
  licentia_product_free(product);
  folder_remove(folder);
  free(keys.text), free(metered.text), free(lease.text);
  return 0;
}
