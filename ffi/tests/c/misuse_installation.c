// One kind of misuse of an installation per run: misuse_installation FIXTURES CASE
#define _GNU_SOURCE
#include "folder.h"
#include "guarded.h"

static licentia_product *product;
static licentia_installation *held;
static licentia_error error;
static fixture keys, metered, bad;
static char folder[512];

// Every input, and every variable that is written, with forbidden memory on either side.
static void guard(void) {
  for (int front = 0; front < 2; front++) {
    licentia_error *far = (licentia_error *)(void *)guarded(sizeof error, front);
    licentia_installation **made = (licentia_installation **)(void *)guarded(sizeof *made, front);
    char **text = (char **)(void *)guarded(sizeof *text, front);
    bool *removed = (bool *)(void *)guarded(sizeof *removed, front);
    uint64_t *used = (uint64_t *)(void *)guarded(sizeof *used, front);
    int64_t *resets_at = (int64_t *)(void *)guarded(sizeof *resets_at, front);
    const char *path = guarded_copy(folder, strlen(folder) + 1, front);
    const char *reports = guarded_copy("reports", 8, front), *hits = guarded_copy("hits", 5, front);
    const char *hosts = guarded_copy("hosts", 6, front), *key = guarded_copy("k", 2, front);
    const char *data = guarded_copy(metered.text, metered.size, front);

    EXPECT(LICENTIA_OK, licentia_product_open(product, path, made, far));
    EXPECT(LICENTIA_OK, licentia_installation_apply(*made, data, metered.size, far));
    EXPECT(LICENTIA_OK, licentia_installation_apply_older(*made, data, metered.size, far));
    data = guarded_copy(bad.text, bad.size, front);
    EXPECT(LICENTIA_BAD_SIGNATURE, licentia_installation_apply(*made, data, bad.size, far));
    CHECK(licentia_installation_allows(*made, reports));
    CHECK(licentia_installation_access(*made, reports) == LICENTIA_ALLOW);
    CHECK(!licentia_installation_allows(*made, guarded_copy("", 1, front)));
    CHECK(licentia_installation_gate(*made, reports, text) == 0 && !*text);
    EXPECT(LICENTIA_OK, licentia_installation_record(*made, hits, 1, far));
    EXPECT(LICENTIA_OK, licentia_installation_record_later(*made, hits, 1, far));
    EXPECT(LICENTIA_OK, licentia_installation_record_key(*made, hosts, key, far));
    EXPECT(LICENTIA_OK, licentia_installation_usage(*made, hits, used, used, resets_at, far));
    EXPECT(LICENTIA_OK, licentia_installation_status(*made, LICENTIA_NOW, text, far));
    licentia_string_free(*text);
    const char *what = guarded_copy("license", 8, front);
    EXPECT(LICENTIA_OK, licentia_installation_request(*made, what, NULL, text, far));
    licentia_string_free(*text);
    EXPECT(LICENTIA_OK, licentia_installation_set(*made, what, guarded_copy("", 1, front), far));
    EXPECT(LICENTIA_OK, licentia_installation_remove(*made, removed, far));
    CHECK(*removed && licentia_installation_gate(*made, reports, text) >= 400 && *text);
    licentia_string_free(*text);
    licentia_installation_free(*made);
  }
}

typedef licentia_status taking(const licentia_installation *, const void *, size_t,
                               licentia_error *);
static taking *const TAKES[] = {licentia_installation_apply, licentia_installation_apply_older};

static void length(void) {
  const size_t impossible[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 1, SIZE_MAX - 4096};
  const char *far = guarded_copy(metered.text, metered.size, 0);
  for (int i = 0; i < 2; i++) {
    for (size_t j = 0; j < sizeof impossible / sizeof *impossible; j++) {
      EXPECT(LICENTIA_INVALID_ARGUMENT, TAKES[i](held, far, impossible[j], &error));
      EXPECT(LICENTIA_INVALID_ARGUMENT, TAKES[i](held, NULL, impossible[j], &error));
    }
    // Possible, and more than anything signed: refused by its length, not by reading it.
    EXPECT(LICENTIA_TOO_LARGE, TAKES[i](held, far, (size_t)1 << 40, &error));
    EXPECT(LICENTIA_INVALID_ARGUMENT, TAKES[i](held, NULL, 1, &error));
    EXPECT(LICENTIA_MALFORMED, TAKES[i](held, NULL, 0, &error));
    for (size_t size = 0; size < metered.size; size += 97) {
      CHECK(TAKES[i](held, far, size, &error) != LICENTIA_OK);
    }
  }
  CHECK(!licentia_installation_allows(held, "reports"));
}

// A call that fails leaves NULL in its pointer, and everything else as it was.
static void out(void) {
  licentia_installation *made = held;
  char *text = error.message;
  bool removed = true;
  uint64_t used = 7, limit = 7;
  int64_t resets_at = 7;
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_open(product, "", &made, &error));
  CHECK(made == NULL);
  EXPECT(LICENTIA_INVALID_ARGUMENT,
         licentia_installation_request(held, "tea", NULL, &text, &error));
  CHECK(text == NULL);
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_remove(NULL, &removed, &error));
  EXPECT(LICENTIA_INVALID_ARGUMENT,
         licentia_installation_usage(NULL, "hits", &used, &limit, &resets_at, &error));
  CHECK(licentia_installation_usage(held, "tea", &used, &limit, &resets_at, &error));
  CHECK(removed && used == 7 && limit == 7 && resets_at == 7);
  text = error.message;
  CHECK(licentia_installation_gate(NULL, "hits", &text) == 500 && text == NULL);
}

// A pointer to something else than an installation, of which 64 bytes can be read.
static void wrong_handle(const void *wrong) {
  licentia_installation *no = (licentia_installation *)(uintptr_t)wrong;
  char *text = NULL;
  CHECK(!licentia_installation_allows(no, "reports"));
  CHECK(licentia_installation_access(no, "reports") == LICENTIA_DENY);
  CHECK(licentia_installation_gate(no, "reports", &text) == 500 && !text);
  const licentia_status statuses[] = {
      licentia_installation_set(no, "license", "", &error),
      licentia_installation_status(no, LICENTIA_NOW, &text, &error),
      licentia_installation_explain(no, LICENTIA_NOW, &text, &error),
      licentia_installation_apply(no, metered.text, metered.size, &error),
      licentia_installation_apply_older(no, metered.text, metered.size, &error),
      licentia_installation_remove(no, NULL, &error),
      licentia_installation_request(no, "license", NULL, &text, &error),
      licentia_installation_record(no, "hits", 1, &error),
      licentia_installation_record_later(no, "hits", 1, &error),
      licentia_installation_record_level(no, "users", 1, &error),
      licentia_installation_record_key(no, "hosts", "a", &error),
      licentia_installation_usage(no, "hits", NULL, NULL, NULL, &error),
      licentia_installation_first_use(no, LICENTIA_NOW, &error),
      licentia_installation_flush(no, &error)};
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    EXPECT(LICENTIA_INVALID_ARGUMENT, statuses[i]);
  }
  CHECK(strstr(error.message, "licentia_installation") && !text);
  licentia_installation_free(no);
}

static void type(void) {
  static uint64_t zeros[8], ones[8], text[8];
  memset(ones, 0xFF, sizeof ones);
  memcpy(text, "1llatsni", 8);  // looks like a tag, but is misaligned below
  wrong_handle(zeros);
  wrong_handle(ones);
  for (size_t i = 1; i < 8; i++) wrong_handle((const char *)text + i);
  for (size_t i = 1; i < 8; i++) wrong_handle((const char *)held + i);
  wrong_handle(product);

  licentia_installation *opened = NULL;
  const licentia_product *no_product = (const licentia_product *)(const void *)held;
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_open(no_product, folder, &opened, &error));
  licentia_product_free((licentia_product *)(void *)held);
  licentia_license_free((licentia_license *)(void *)held);
  CHECK(!licentia_license_allows((const licentia_license *)(const void *)held, "reports"));
  EXPECT(LICENTIA_OK, licentia_installation_apply(held, metered.text, metered.size, &error));
  CHECK(licentia_installation_allows(held, "reports"));
}

// Best effort: as long as the memory of a freed handle has not been used again.
static void freed(void) {
  EXPECT(LICENTIA_OK, licentia_installation_apply(held, metered.text, metered.size, &error));
  for (int i = 0; i < 100; i++) {
    licentia_installation *other = NULL;
    EXPECT(LICENTIA_OK, licentia_product_open(product, folder, &other, NULL));
    CHECK(licentia_installation_allows(other, "reports"));
    licentia_installation_free(other);
    CHECK(!licentia_installation_allows(other, "reports"));
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_record(other, "hits", 1, NULL));
    licentia_installation_free(other);
    licentia_installation_free(other);
  }
}

static void utf8(void) {
  // Latin-1, UTF-16, an overlong slash, a surrogate, a cut-off character.
  const char *const wrong[] = {"caf\xe9", "\xff\xfe" "a", "\xc0\xaf", "\xed\xa0\x80", "ok\xe2\x82"};
  EXPECT(LICENTIA_OK, licentia_installation_apply(held, metered.text, metered.size, &error));
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    const char *text = wrong[i];
    licentia_installation *made = held;
    char *json = error.message;
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_open(product, text, &made, &error));
    CHECK(made == NULL && strstr(error.message, "directory is not UTF-8 at byte"));
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_set(held, text, "", &error));
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_set(held, "license", text, &error));
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_record(held, text, 1, &error));
    EXPECT(LICENTIA_INVALID_ARGUMENT,
           licentia_installation_record_key(held, "hosts", text, &error));
    CHECK(strstr(error.message, "key is not UTF-8 at byte"));
    EXPECT(LICENTIA_INVALID_ARGUMENT,
           licentia_installation_request(held, "license", text, &json, &error));
    CHECK(json == NULL && strstr(error.message, "argument is not UTF-8 at byte"));
    CHECK(!licentia_installation_allows(held, text));
    CHECK(licentia_installation_gate(held, text, &json) >= 400 && json);
    licentia_string_free(json);
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
  bad = fixture_read(argv[1], "bad_signature");
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
  free(keys.text), free(metered.text), free(bad.text);
  return 0;
}
