// A frame for the calls that ffi/tests/host/misuse.rs writes from the header.
#define _GNU_SOURCE
#include "folder.h"

static licentia_product *new_product;
static licentia_license *new_license;
static licentia_installation *new_installation;
static licentia_exchange *new_exchange;
static licentia_seat *new_seat;
static char *new_text;
static licentia_error error;

// What some calls fill in where they are not NULL.
enum { UNTOUCHED = 77 };
static bool removed;
static uint64_t used, limit;
static int64_t resets_at;
static const char *value;
static size_t body_len;

// After a good call: what it made is released, and the variables hold what no call would write.
static void clean(void) {
  if (new_product != (licentia_product *)&error) licentia_product_free(new_product);
  if (new_license != (licentia_license *)&error) licentia_license_free(new_license);
  if (new_text != error.message) licentia_string_free(new_text);
  if (new_installation != (licentia_installation *)&error) {
    licentia_installation_free(new_installation);
  }
  if (new_exchange != (licentia_exchange *)&error) licentia_exchange_free(new_exchange);
  if (new_seat != (licentia_seat *)&error) licentia_seat_free(new_seat);
  used = limit = UNTOUCHED;
  resets_at = UNTOUCHED;
  new_installation = (licentia_installation *)&error;
  new_exchange = (licentia_exchange *)&error;
  new_seat = (licentia_seat *)&error;
  new_product = (licentia_product *)&error;
  new_license = (licentia_license *)&error;
  new_text = error.message;
}

// After a refused call: a variable that was passed is NULL, and one that was not is untouched.
static void after_refusal(const char *call) {
  const struct {
    const char *name;
    void **variable;
    void *unset;
  } outs[] = {{"&new_product", (void **)&new_product, &error},
              {"&new_license", (void **)&new_license, &error},
              {"&new_installation", (void **)&new_installation, &error},
              {"&new_exchange", (void **)&new_exchange, &error},
              {"&new_seat", (void **)&new_seat, &error},
              {"&new_text", (void **)&new_text, error.message}};
  for (size_t i = 0; i < sizeof outs / sizeof *outs; i++) {
    void *wanted = strstr(call, outs[i].name) ? NULL : outs[i].unset;
    CHECK(*outs[i].variable == wanted);
    *outs[i].variable = outs[i].unset;
  }
  CHECK(used == UNTOUCHED && limit == UNTOUCHED && resets_at == UNTOUCHED);
}

#define REFUSED_SET(call)                              \
  do {                                                 \
    memset(&error, 0x55, sizeof error);                \
    EXPECT(LICENTIA_INVALID_ARGUMENT, call);           \
    CHECK(error.status == LICENTIA_INVALID_ARGUMENT);  \
    CHECK(strstr(error.message, "NULL"));              \
    after_refusal(#call);                              \
  } while (0)

#define REFUSED_UNSET(call)                            \
  do {                                                 \
    EXPECT(LICENTIA_INVALID_ARGUMENT, call);           \
    after_refusal(#call);                              \
  } while (0)

int main(int argc, char **argv) {
  CHECK(argc == 2);
  struct {
    fixture keys, ok, lease;
  } all = {fixture_read(argv[1], "keys"), fixture_read(argv[1], "metered"),
           fixture_read(argv[1], "lease")};
  char folder[512];
  folder_make(folder, argv[1]);
  licentia_product *product = NULL;
  licentia_license *license = NULL;
  licentia_installation *installation = NULL;
  licentia_exchange *exchange = NULL;
  EXPECT(LICENTIA_OK, licentia_product_new(PRODUCT, all.keys.text, &product, NULL));
  EXPECT(LICENTIA_OK, licentia_product_set(product, "clock", IN_FORCE, NULL));
  EXPECT(LICENTIA_OK, licentia_product_verify(product, all.ok.text, all.ok.size, &license, NULL));
  EXPECT(LICENTIA_OK, licentia_product_open(product, folder, &installation, NULL));
  EXPECT(LICENTIA_OK, licentia_installation_set(installation, "license", all.ok.text, NULL));
  EXPECT(LICENTIA_OK, licentia_exchange_new("GET", "/api/license", &exchange, NULL));
  EXPECT(LICENTIA_OK, licentia_installation_handle(installation, exchange, NULL));
  licentia_seat *seat = NULL;
  const fixture *lease = &all.lease;
  EXPECT(LICENTIA_OK, licentia_installation_apply(installation, lease->text, lease->size, NULL));
  EXPECT(LICENTIA_OK, licentia_installation_seat(installation, "ann", 0, &seat, NULL));
  clean();

/* CALLS */
  licentia_seat_free(seat);
  licentia_exchange_free(exchange);
  licentia_installation_free(installation);
  folder_remove(folder);
  licentia_license_free(license);
  licentia_product_free(product);
  free(all.keys.text);
  free(all.ok.text);
  free(all.lease.text);
  return 0;
}
