// One kind of misuse per run: misuse FIXTURES CASE
#define _GNU_SOURCE
#include "guarded.h"

static licentia_product *product;
static licentia_error error;
static fixture keys, ok, bad;

typedef licentia_status check(const licentia_product *, const void *, size_t, licentia_license **,
                              licentia_error *);
static check *const CHECKS[] = {licentia_product_verify, licentia_product_inspect};

// Every input, and every variable that is written, with forbidden memory on either side.
static void guard(void) {
  for (int front = 0; front < 2; front++) {
    licentia_error *far_error = (licentia_error *)(void *)guarded(sizeof error, front);
    licentia_license **license = (licentia_license **)(void *)guarded(sizeof *license, front);
    licentia_product **made = (licentia_product **)(void *)guarded(sizeof *made, front);
    char **json = (char **)(void *)guarded(sizeof *json, front);
    for (int i = 0; i < 2; i++) {
      const char *data = guarded_copy(ok.text, ok.size, front);
      EXPECT(LICENTIA_OK, CHECKS[i](product, data, ok.size, license, far_error));
      CHECK(licentia_license_allows(*license, guarded_copy("reports", 8, front)));
      CHECK(licentia_license_limit(*license, guarded_copy("exports", 8, front)) == 500);
      CHECK(!licentia_license_allows(*license, guarded_copy("", 1, front)));
      licentia_license_free(*license);
      data = guarded_copy(bad.text, bad.size, front);
      EXPECT(LICENTIA_BAD_SIGNATURE, CHECKS[i](product, data, bad.size, license, far_error));
      for (size_t size = 0; size <= 200; size++) {
        data = guarded_copy(ok.text, size, front);
        CHECK(CHECKS[i](product, data, size, license, far_error) != LICENTIA_OK && !*license);
        munmap((void *)((uintptr_t)data & ~(uintptr_t)4095), 1);
      }
    }
    const char *code = guarded_copy(PRODUCT, sizeof PRODUCT, front);
    const char *text = guarded_copy(keys.text, keys.size + 1, front);
    EXPECT(LICENTIA_OK, licentia_product_new(code, text, made, far_error));
    EXPECT(LICENTIA_OK, licentia_product_trust(*made, text, far_error));
    const char *name = guarded_copy("clock", 6, front);
    EXPECT(LICENTIA_OK, licentia_product_set(*made, name, guarded_copy("7", 2, front), far_error));
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_set(*made, name, code, far_error));
    EXPECT(LICENTIA_OK, licentia_product_machine(*made, json, far_error));
    licentia_string_free(*json);
    licentia_product_free(*made);
  }
}

static void length(void) {
  // Nothing can have more than SIZE_MAX / 2 bytes, or reach past the end of the address space.
  const size_t impossible[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 1, SIZE_MAX - 4096};
  const char *far = guarded_copy(ok.text, ok.size, 0);
  for (int i = 0; i < 2; i++) {
    licentia_license *license = NULL;
    for (size_t j = 0; j < sizeof impossible / sizeof *impossible; j++) {
      EXPECT(LICENTIA_INVALID_ARGUMENT, CHECKS[i](product, far, impossible[j], &license, &error));
      EXPECT(LICENTIA_INVALID_ARGUMENT, CHECKS[i](product, NULL, impossible[j], &license, &error));
    }
    // Possible, and more than any license: refused by its length, not by reading it.
    EXPECT(LICENTIA_TOO_LARGE, CHECKS[i](product, far, (size_t)1 << 40, &license, &error));
    EXPECT(LICENTIA_INVALID_ARGUMENT, CHECKS[i](product, NULL, 1, &license, &error));
    EXPECT(LICENTIA_MALFORMED, CHECKS[i](product, NULL, 0, &license, &error));
    EXPECT(LICENTIA_MALFORMED, CHECKS[i](product, far, 0, &license, &error));
    CHECK(license == NULL);
  }
}

// A variable in the middle of bytes that must not change.
#define AMID(type)                \
  struct {                        \
    unsigned char before[64];     \
    type it;                      \
    unsigned char after[64];      \
  }
#define AMID_FILL(amid) memset(&(amid), 0xA5, sizeof(amid))
#define AMID_CHECK(amid) CHECK(all_a5((amid).before, 64) && all_a5((amid).after, 64))

static int all_a5(const void *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (((const unsigned char *)bytes)[i] != 0xA5) return 0;
  }
  return 1;
}

static void out(void) {
  AMID(licentia_product *) made;
  AMID(licentia_license *) license;
  AMID(licentia_error) far;
  AMID(char *) json;
  AMID_FILL(made), AMID_FILL(far);
  EXPECT(LICENTIA_INVALID_KEY, licentia_product_new(PRODUCT, "?", &made.it, &far.it));
  CHECK(made.it == NULL && far.it.status == LICENTIA_INVALID_KEY);
  AMID_CHECK(made);
  AMID_CHECK(far);
  for (int i = 0; i < 2; i++) {
    AMID_FILL(license), AMID_FILL(far);
    EXPECT(LICENTIA_BAD_SIGNATURE, CHECKS[i](product, bad.text, bad.size, &license.it, &far.it));
    CHECK(license.it == NULL);
    AMID_CHECK(license);
    AMID_CHECK(far);
    // Success writes the one pointer and nothing else, not even the error.
    AMID_FILL(license), AMID_FILL(far);
    EXPECT(LICENTIA_OK, CHECKS[i](product, ok.text, ok.size, &license.it, &far.it));
    CHECK(all_a5(&far, sizeof far));
    AMID_CHECK(license);
    licentia_license_free(license.it);
  }
  AMID_FILL(json), AMID_FILL(far);
  EXPECT(LICENTIA_OK, licentia_product_set(product, "machine_file", "/nowhere", NULL));
  EXPECT(LICENTIA_IO, licentia_product_machine(product, &json.it, &far.it));
  CHECK(json.it == NULL);
  AMID_CHECK(json);
  AMID_CHECK(far);
  EXPECT(LICENTIA_OK, licentia_product_set(product, "machine_file", "", NULL));
}

// A pointer to something else than it should be to, each with 64 bytes that can be read.
static void wrong_handle(const void *wrong) {
  licentia_license *license = NULL;
  char *json = NULL;
  licentia_product *no_product = (licentia_product *)(uintptr_t)wrong;
  licentia_license *no_license = (licentia_license *)(uintptr_t)wrong;
  for (int i = 0; i < 2; i++) {
    EXPECT(LICENTIA_INVALID_ARGUMENT, CHECKS[i](no_product, ok.text, ok.size, &license, &error));
  }
  CHECK(strstr(error.message, "licentia_product"));
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_trust(no_product, keys.text, &error));
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_set(no_product, "clock", "0", &error));
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_machine(no_product, &json, &error));
  if (wrong == (const void *)product) return;
  CHECK(!licentia_license_allows(no_license, "reports"));
  CHECK(licentia_license_limit(no_license, "exports") == 0);
  CHECK(licentia_license_expires(no_license) == 0);
  CHECK(!*licentia_license_serial(no_license) && !*licentia_license_customer(no_license));
  CHECK(!*licentia_license_json(no_license));
  licentia_license_free(no_license);
}

static void type(void) {
  static uint64_t zeros[8], ones[8], text[8];
  memset(ones, 0xFF, sizeof ones);
  memcpy(text, "1tcudorp", 8);  // looks like a tag, but is misaligned below
  licentia_license *license = NULL;
  EXPECT(LICENTIA_OK, licentia_product_verify(product, ok.text, ok.size, &license, NULL));

  wrong_handle(license == NULL ? NULL : zeros);
  wrong_handle(ones);
  for (size_t i = 1; i < 8; i++) wrong_handle((const char *)text + i);
  for (size_t i = 1; i < 8; i++) wrong_handle((const char *)product + i);

  // A license as a product, and a product as a license.
  licentia_product *no_product = (licentia_product *)(void *)license;
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_set(no_product, "clock", "0", &error));
  licentia_product_free(no_product);
  CHECK(licentia_license_allows(license, "reports"));
  licentia_license *no_license = (licentia_license *)(void *)product;
  CHECK(!licentia_license_allows(no_license, "reports"));
  CHECK(licentia_license_expires(no_license) == 0 && !*licentia_license_json(no_license));
  licentia_license_free(no_license);
  EXPECT(LICENTIA_OK, licentia_product_set(product, "clock", IN_FORCE, &error));
  licentia_license_free(license);
}

// Best effort: as long as the memory of a freed handle has not been used again.
static void freed(void) {
  for (int i = 0; i < 1000; i++) {
    licentia_license *license = NULL;
    EXPECT(LICENTIA_OK, licentia_product_verify(product, ok.text, ok.size, &license, NULL));
    licentia_license_free(license);
    CHECK(!licentia_license_allows(license, "reports"));
    CHECK(!*licentia_license_serial(license));
    licentia_license_free(license);
    licentia_license_free(license);
  }
  licentia_product *other = NULL;
  EXPECT(LICENTIA_OK, licentia_product_new(PRODUCT, keys.text, &other, NULL));
  licentia_product_free(other);
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_trust(other, keys.text, &error));
  licentia_product_free(other);
}

static void utf8(void) {
  // Latin-1, UTF-16, an overlong slash, a surrogate, a cut-off character.
  const char *const wrong[] = {"caf\xe9", "\xff\xfe" "a", "\xc0\xaf", "\xed\xa0\x80", "ok\xe2\x82"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    licentia_product *made = product;
    const char *text = wrong[i];
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_new(text, keys.text, &made, &error));
    CHECK(strstr(error.message, "code is not UTF-8 at byte") && made == NULL);
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_new(PRODUCT, text, &made, &error));
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_trust(product, text, &error));
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_set(product, text, "", &error));
    EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_set(product, "machine", text, &error));
    licentia_license *license = NULL;
    EXPECT(LICENTIA_MALFORMED,
           licentia_product_verify(product, text, strlen(text), &license, &error));
  }
}

static void message(void) {
  // Names of growing length, of characters of every width, end up in messages.
  const char *const letters[] = {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\n"};
  for (size_t letter = 0; letter < sizeof letters / sizeof *letters; letter++) {
    char name[2048] = "";
    for (int length = 0; length < 400; length++) {
      memset(&error, 0x7F, sizeof error);
      EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_product_set(product, name, "", &error));
      CHECK(memchr(error.message, '\0', sizeof error.message) != NULL);
      CHECK(strlen(error.message) > 10 && !strchr(error.message, '\n'));
      strcat(name, letters[letter]);
    }
  }
}

int main(int argc, char **argv) {
  const struct {
    const char *name;
    void (*run)(void);
  } cases[] = {{"guard", guard}, {"length", length}, {"out", out},        {"type", type},
               {"freed", freed}, {"utf8", utf8},     {"message", message}};
  CHECK(argc == 3);
  keys = fixture_read(argv[1], "keys");
  ok = fixture_read(argv[1], "ok");
  bad = fixture_read(argv[1], "bad_signature");
  EXPECT(LICENTIA_OK, licentia_product_new(PRODUCT, keys.text, &product, NULL));
  EXPECT(LICENTIA_OK, licentia_product_set(product, "clock", IN_FORCE, NULL));
  int found = 0;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (strcmp(argv[2], cases[i].name)) continue;
    cases[i].run();
    found++;
  }
  CHECK(found == 1);
  licentia_product_free(product);
  free(keys.text), free(ok.text), free(bad.text);
  return 0;
}
