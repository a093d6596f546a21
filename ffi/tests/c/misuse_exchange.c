// One kind of misuse of an exchange per run: misuse_exchange FIXTURES CASE
#define _GNU_SOURCE
#include "guarded.h"
#include "walk_exchange.h"

static licentia_product *product;
static licentia_installation *held;
static licentia_error error;
static char folder[512];

#define TARGET "/api/license/assign"

// Every input, and every variable that is written, with forbidden memory on either side.
static void guard(void) {
  static const char BODY[] = {'{', '}'};
  for (int front = 0; front < 2; front++) {
    licentia_error *far = (licentia_error *)(void *)guarded(sizeof error, front);
    licentia_exchange **made = (licentia_exchange **)(void *)guarded(sizeof *made, front);
    const char **value = (const char **)(void *)guarded(sizeof *value, front);
    size_t *size = (size_t *)(void *)guarded(sizeof *size, front);
    const char *method = guarded_copy("POST", 5, front);
    const char *target = guarded_copy(TARGET, sizeof TARGET, front);
    const char *name = guarded_copy("Content-Type", 13, front);
    const char *type = guarded_copy("application/json", 17, front);
    const char *user = guarded_copy("ada", 4, front), *body = guarded_copy(BODY, 2, front);

    EXPECT(LICENTIA_OK, licentia_exchange_new(method, target, made, far));
    EXPECT(LICENTIA_OK, licentia_exchange_set_header(*made, name, type, far));
    EXPECT(LICENTIA_OK, licentia_exchange_set_body(*made, body, sizeof BODY, far));
    EXPECT(LICENTIA_OK, licentia_exchange_set_caller(*made, user, ADMINISTRATOR, far));
    CHECK(licentia_installation_serves(held, target));
    EXPECT(LICENTIA_OK, licentia_installation_handle(held, *made, far));
    CHECK(licentia_exchange_status(*made) == 400);
    CHECK(licentia_exchange_body(*made, size) && *size > 2);
    for (size_t i = 0; *licentia_exchange_header(*made, i, value); i++) CHECK(**value);
    CHECK(!**value && !*licentia_exchange_header(*made, SIZE_MAX, value));
    licentia_exchange_free(*made);
  }
}

static void length(void) {
  const size_t impossible[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 1, SIZE_MAX - 4096};
  licentia_exchange *exchange = exchange_new("POST", TARGET);
  // Memory that ends where nobody may read: of a body that is too long, the rest is not touched.
  const char *edge = guarded(LICENTIA_BODY_MAX + 1, 0);
  for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
    EXPECT(LICENTIA_INVALID_ARGUMENT,
           licentia_exchange_set_body(exchange, edge, impossible[i], &error));
    EXPECT(LICENTIA_INVALID_ARGUMENT,
           licentia_exchange_set_body(exchange, NULL, impossible[i], &error));
  }
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_exchange_set_body(exchange, NULL, 1, &error));
  EXPECT(LICENTIA_OK, licentia_exchange_set_body(exchange, NULL, 0, &error));
  EXPECT(LICENTIA_OK, licentia_exchange_set_body(exchange, edge, (size_t)1 << 40, &error));
  EXPECT(LICENTIA_OK, licentia_exchange_set_caller(exchange, "ada", ADMINISTRATOR, &error));
  EXPECT(LICENTIA_OK, licentia_installation_handle(held, exchange, &error));
  CHECK(exchange_answered(exchange) == 413);
  licentia_exchange_free(exchange);
}

// A call that fails leaves NULL in its pointer, and everything else as it was.
static void out(void) {
  licentia_exchange *made = (licentia_exchange *)(void *)&error;
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_exchange_new("", "/", &made, &error));
  CHECK(made == NULL);
  // What was said of the caller before stays: nobody is given rights by a mistake.
  made = exchange_new("GET", "/api/licensing/check");
  EXPECT(LICENTIA_OK, licentia_exchange_set_caller(made, "ada", LICENTIA_IS_SERVICE, &error));
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_exchange_set_caller(made, "ada", 8 | 1, &error));
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_exchange_set_caller(made, "a\nb", 1, &error));
  EXPECT(LICENTIA_OK, licentia_installation_handle(held, made, &error));
  CHECK(exchange_answered(made) == 403);
  licentia_exchange_free(made);
}

// A pointer to something else than an exchange, of which 64 bytes can be read.
static void wrong_handle(const void *wrong) {
  licentia_exchange *no = (licentia_exchange *)(uintptr_t)wrong;
  const char *value = NULL;
  size_t size = 7;
  CHECK(licentia_exchange_status(no) == 0);
  CHECK(!*licentia_exchange_header(no, 0, &value) && value && !*value);
  CHECK(!*(const char *)licentia_exchange_body(no, &size) && size == 0);
  const licentia_status statuses[] = {licentia_exchange_set_header(no, "a", "b", &error),
                                      licentia_exchange_set_body(no, "{}", 2, &error),
                                      licentia_exchange_set_caller(no, "ada", 1, &error),
                                      licentia_installation_handle(held, no, &error)};
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    EXPECT(LICENTIA_INVALID_ARGUMENT, statuses[i]);
  }
  CHECK(strstr(error.message, "licentia_exchange"));
  licentia_exchange_free(no);
}

static void type(void) {
  static uint64_t zeros[8], ones[8], text[8];
  memset(ones, 0xFF, sizeof ones);
  memcpy(text, "1gnahcxe", 8);  // looks like a tag, but is misaligned below
  wrong_handle(zeros);
  wrong_handle(ones);
  for (size_t i = 1; i < 8; i++) wrong_handle((const char *)text + i);
  licentia_exchange *exchange = exchange_new("GET", "/api/license");
  for (size_t i = 1; i < 8; i++) wrong_handle((const char *)exchange + i);
  wrong_handle(product);
  wrong_handle(held);

  // Of another type, both ways round: refused, and left as it is.
  const licentia_installation *no = (const licentia_installation *)(const void *)exchange;
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_handle(no, exchange, &error));
  CHECK(strstr(error.message, "licentia_installation"));
  CHECK(!licentia_installation_serves(no, "/api/license"));
  licentia_installation_free((licentia_installation *)(void *)exchange);
  EXPECT(LICENTIA_OK, licentia_installation_handle(held, exchange, &error));
  CHECK(exchange_answered(exchange) == 200);
  licentia_exchange_free(exchange);
}

// Best effort: as long as the memory of a freed handle has not been used again.
static void freed(void) {
  for (int i = 0; i < 100; i++) {
    licentia_exchange *exchange = exchange_new("GET", "/api/license");
    EXPECT(LICENTIA_OK, licentia_installation_handle(held, exchange, &error));
    licentia_exchange_free(exchange);
    CHECK(licentia_exchange_status(exchange) == 0);
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_handle(held, exchange, &error));
    licentia_exchange_free(exchange);
    licentia_exchange_free(exchange);
  }
}

static void utf8(void) {
  // Latin-1, UTF-16, an overlong slash, a surrogate, a cut-off character.
  const char *const wrong[] = {"/caf\xe9", "/\xff\xfe" "a", "/\xc0\xaf", "/\xed\xa0\x80",
                               "/ok\xe2\x82"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    const char *text = wrong[i];
    licentia_exchange *made = (licentia_exchange *)(void *)&error;
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_exchange_new("GET", text, &made, &error));
    CHECK(made == NULL && strstr(error.message, "target is not UTF-8 at byte"));
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_exchange_new(text, "/", &made, &error));
    CHECK(!licentia_installation_serves(held, text));
    made = exchange_new("POST", TARGET);
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_exchange_set_caller(made, text, 1, &error));
    CHECK(strstr(error.message, "name is not UTF-8 at byte"));
    // A header is handed on as it came, and one that matters has to be right.
    EXPECT(LICENTIA_OK, licentia_exchange_set_caller(made, "ada", ADMINISTRATOR, &error));
    EXPECT(LICENTIA_OK, licentia_exchange_set_header(made, "cookie", text, &error));
    EXPECT(LICENTIA_OK, licentia_exchange_set_header(made, text, "x", &error));
    EXPECT(LICENTIA_OK, licentia_exchange_set_header(made, "content-type", text, &error));
    EXPECT(LICENTIA_OK, licentia_installation_handle(held, made, &error));
    CHECK(exchange_answered(made) == 415);
    licentia_exchange_free(made);
  }
}

int main(int argc, char **argv) {
  const struct {
    const char *name;
    void (*run)(void);
  } cases[] = {{"guard", guard}, {"length", length}, {"out", out},
               {"type", type},   {"freed", freed},   {"utf8", utf8}};
  CHECK(argc == 3);
  fixture keys = fixture_read(argv[1], "keys");
  folder_make(folder, argv[1]);
  EXPECT(LICENTIA_OK, licentia_product_new(PRODUCT, keys.text, &product, NULL));
  EXPECT(LICENTIA_OK, licentia_product_set(product, "clock", IN_FORCE, NULL));
  EXPECT(LICENTIA_OK, licentia_product_open(product, folder, &held, NULL));
  int found = 0;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (strcmp(argv[2], cases[i].name)) continue;
    cases[i].run();
    found++;
  }
  CHECK(found == 1);
  licentia_installation_free(held);
  licentia_product_free(product);
  folder_remove(folder);
  free(keys.text);
  return 0;
}
