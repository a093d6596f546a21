// Any sequence of calls, good and bad, that bytes can spell: sequence FIXTURES SEED SEQUENCES
//
// A generator makes the bytes up. Whatever the calls: an error is reported in full, out pointers
// are NULL or good, nothing altered is accepted, and no bug is met.
#include "host.h"

#include <stdint.h>

enum { PRODUCTS = 3, LICENSES = 5, FIXTURES = 12 };

static const char *const FILES[FIXTURES] = {
    "ok",            "ok_too",        "bound",         "bad_signature", "expired",   "keys",
    "not_yet_valid", "wrong_product", "wrong_machine", "unknown_key",   "malformed", "more_keys"};
static const char *const WORDS[] = {
    "clock",    "machine",      "machine_file", "machine_root", "machine_exclude",
    "issuer",   "installation", "0",            IN_FORCE,       "machine-1",
    "/nowhere", "nic,disk",     "myapp",        "otherapp",     "",
    "reports",  "exports",      "\xff",         "clok",         "2026-01-02"};
enum { WORD_COUNT = sizeof WORDS / sizeof *WORDS };

static fixture files[FIXTURES];
static licentia_product *products[PRODUCTS];
static licentia_license *licenses[LICENSES];
static licentia_error error;
static const uint8_t *input, *input_end;

static uint8_t next(void) { return input < input_end ? *input++ : 0; }

// A status has a word and, unless it is zero, a message. A bug of licentia is not a status.
static licentia_status checked(licentia_status status, bool made) {
  CHECK(strcmp(licentia_status_name(status), "unknown") && status != LICENTIA_INTERNAL);
  CHECK((status == LICENTIA_OK) == made);
  if (status != LICENTIA_OK) {
    CHECK(error.status == status && memchr(error.message, '\0', sizeof error.message));
    CHECK(strstr(error.message, ": "));
  }
  return status;
}

// A word, a file, NULL, or text from the input.
static const char *next_text(void) {
  static char text[2][64];
  static int turn;
  uint8_t choice = next();
  if (choice < 180) return WORDS[choice % WORD_COUNT];
  if (choice < 220) return files[choice % FIXTURES].text;
  if (choice < 230) return NULL;
  char *out = text[turn++ % 2];
  size_t length = choice % 60;
  for (size_t i = 0; i < length; i++) out[i] = (char)next();
  out[length] = '\0';
  return out;
}

static licentia_product *next_product(void) {
  uint8_t choice = next();
  if (choice >= 250) return (licentia_product *)(void *)licenses[choice % LICENSES];
  return products[choice % PRODUCTS];
}

static licentia_license *next_license(void) {
  uint8_t choice = next();
  if (choice >= 250) return (licentia_license *)(void *)products[choice % PRODUCTS];
  return licenses[choice % LICENSES];
}

static void new_product(void) {
  int slot = next() % PRODUCTS;
  const char *code = next_text(), *keys = next_text();
  licentia_product_free(products[slot]);
  licentia_status status = licentia_product_new(code, keys, &products[slot], &error);
  checked(status, products[slot] != NULL);
}

// Every product, set up to verify.
static void good_products(void) {
  for (int i = 0; i < PRODUCTS; i++) {
    licentia_product_free(products[i]);
    EXPECT(LICENTIA_OK, licentia_product_new(PRODUCT, files[5].text, &products[i], &error));
    EXPECT(LICENTIA_OK, licentia_product_set(products[i], "clock", IN_FORCE, &error));
    EXPECT(LICENTIA_OK, licentia_product_set(products[i], "machine", "machine-1", &error));
  }
}

// As it is, cut, with one byte changed, from nowhere, or of a length that cannot be.
static void read_license(void) {
  enum { CUT, CHANGED, NOWHERE, ENDLESS, WAYS = 8 };
  int slot = next() % LICENSES, choice = next(), way = next() % WAYS;
  const fixture *file = &files[choice < 128 ? choice % 3 : choice % FIXTURES];
  size_t at = (size_t)(next() << 8 | next()) % file->size;
  size_t size = way == CUT ? at : way == ENDLESS ? SIZE_MAX - at : file->size;
  char *data = (char *)malloc(file->size);
  CHECK(data);
  memcpy(data, file->text, file->size);
  if (way == CHANGED) data[at] = (char)(data[at] ^ (next() | 1));
  licentia_license_free(licenses[slot]);
  const licentia_product *product = next_product();
  licentia_status status = (next() & 1 ? licentia_product_verify : licentia_product_inspect)(
      product, way == NOWHERE ? NULL : data, size, &licenses[slot], &error);
  checked(status, licenses[slot] != NULL);
  CHECK(way > ENDLESS || status != LICENTIA_OK);
  free(data);
}

static void answers(void) {
  licentia_license *license = next_license();
  const char *feature = next_text();
  bool allowed = licentia_license_allows(license, feature);
  CHECK(allowed == (licentia_license_limit(license, feature) > 0));
  CHECK(!allowed || !strcmp(feature, "reports") || !strcmp(feature, "exports"));
  CHECK(licentia_license_expires(license) >= 0);
  CHECK(strlen(licentia_license_serial(license)) < 100);
  CHECK(strlen(licentia_license_customer(license)) < 100);
  CHECK(strlen(licentia_license_json(license)) < 1 << 16);
}

static void machine(void) {
  char *json = error.message;
  licentia_status status = licentia_product_machine(next_product(), &json, &error);
  checked(status, json != NULL);
  licentia_string_free(json);
}

static void one_call(void) {
  licentia_license *license;
  switch (next() % 12) {
    case 0: new_product(); break;
    case 1: good_products(); break;
    case 2: {
      licentia_product *product = next_product();
      licentia_status status = licentia_product_trust(product, next_text(), &error);
      checked(status, status == LICENTIA_OK);
      break;
    }
    case 3: {
      licentia_product *product = next_product();
      const char *name = next_text();
      licentia_status status = licentia_product_set(product, name, next_text(), &error);
      checked(status, status == LICENTIA_OK);
      break;
    }
    case 4: case 5: case 6: read_license(); break;
    case 7: case 8: answers(); break;
    case 9: machine(); break;
    case 10: {
      int slot = next() % PRODUCTS;
      licentia_product_free(products[slot]);
      products[slot] = NULL;
      break;
    }
    default:
      license = licenses[next() % LICENSES];
      licentia_product_free((licentia_product *)(void *)license);  // of another type: left alone
      CHECK(*licentia_status_name((int)next() - 100));
  }
}

static void one_sequence(const uint8_t *data, size_t size) {
  input = data, input_end = data + size;
  while (input < input_end) one_call();
  for (int i = 0; i < PRODUCTS; i++) licentia_product_free(products[i]), products[i] = NULL;
  for (int i = 0; i < LICENSES; i++) licentia_license_free(licenses[i]), licenses[i] = NULL;
}

static uint8_t bytes[2048];

// xorshift64*: the same sequences for the same seed, everywhere.
static uint64_t random_state;
static uint8_t random_byte(void) {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return (uint8_t)((random_state * 0x2545F4914F6CDD1D) >> 56);
}

int main(int argc, char **argv) {
  CHECK(argc == 4);
  for (int i = 0; i < FIXTURES; i++) files[i] = fixture_read(argv[1], FILES[i]);
  random_state = strtoull(argv[2], NULL, 10) * 2 + 1;
  for (long left = atol(argv[3]); left > 0; left--) {
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = random_byte();
    bytes[0] = 1;  // begins with good products
    one_sequence(bytes, sizeof bytes);
  }
  for (int i = 0; i < FIXTURES; i++) free(files[i].text);
  return 0;
}
