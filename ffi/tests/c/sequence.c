// Any sequence of calls, good and bad, that bytes can spell: sequence FIXTURES SEED SEQUENCES
//
// A generator makes the bytes up. Whatever the calls: an error is reported in full, out pointers
// are NULL or good, nothing altered is accepted, and no bug is met.
#define _GNU_SOURCE
#include "folder.h"

#include <stdint.h>

enum { PRODUCTS = 3, LICENSES = 5, INSTALLATIONS = 2, SEATS = 2, EXCHANGES = 2 };
enum { FIXTURES = 16, METERED = 12, LEASE = 15 };

static const char *const FILES[FIXTURES] = {
    "ok",            "ok_too",        "bound",         "bad_signature", "expired",   "keys",
    "not_yet_valid", "wrong_product", "wrong_machine", "unknown_key",   "malformed", "more_keys",
    "metered",       "metered_older", "metered_renewed", "lease"};
static const char *const WORDS[] = {
    "clock",    "machine",      "machine_file", "machine_root", "machine_exclude",
    "issuer",   "installation", "0",            IN_FORCE,       "machine-1",
    "/nowhere", "nic,disk",     "myapp",        "otherapp",     "",
    "reports",  "exports",      "\xff",         "clok",         "2026-01-02",
    "hits",     "trials",       "users",        "hosts",        "license",
    "sync",     "license_file", "license_env",  "instance",     "tea",
    "ann",    "seat",         "release",      "30 ann"};
enum { WORD_COUNT = sizeof WORDS / sizeof *WORDS };

static fixture files[FIXTURES];
static licentia_product *products[PRODUCTS];
static licentia_license *licenses[LICENSES];
static licentia_installation *installations[INSTALLATIONS];
static licentia_seat *seats[SEATS];
static licentia_exchange *exchanges[EXCHANGES];
static int is_signed_in[EXCHANGES];
static char folder[512];
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

// Whether any of the licenses grants it.
static bool is_granted(const char *feature) {
  const char *const granted[] = {"reports", "exports", "hits", "trials", "users", "hosts"};
  for (size_t i = 0; i < sizeof granted / sizeof *granted; i++) {
    if (!strcmp(feature, granted[i])) return true;
  }
  return false;
}

static void answers(void) {
  licentia_license *license = next_license();
  const char *feature = next_text();
  bool allowed = licentia_license_allows(license, feature);
  CHECK(allowed == (licentia_license_limit(license, feature) > 0));
  CHECK(!allowed || is_granted(feature));
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

static licentia_installation *next_installation(void) {
  uint8_t choice = next();
  if (choice >= 250) return (licentia_installation *)(void *)products[choice % PRODUCTS];
  return installations[choice % INSTALLATIONS];
}

static void open_installation(void) {
  int slot = next() % INSTALLATIONS;
  const char *directory = next() < 230 ? folder : next_text();
  if (next() < 200) good_products();
  licentia_installation_free(installations[slot]);
  const licentia_product *product = next_product();
  licentia_status status =
      licentia_product_open(product, directory, &installations[slot], &error);
  checked(status, installations[slot] != NULL);
}

// What one call says of a feature, the others say too.
static void ask_installation(void) {
  const licentia_installation *held = next_installation();
  const char *feature = next_text();
  char *body = error.message, *json = error.message;
  int access = licentia_installation_access(held, feature);
  CHECK(access == LICENTIA_DENY || (access <= LICENTIA_ALLOW && is_granted(feature)));
  int refused = licentia_installation_gate(held, feature, &body);
  CHECK(refused == 0 ? body == NULL : refused == 500 ? !body : refused >= 400 && body[0] == '{');
  licentia_string_free(body);
  int64_t at = next() < 128 ? LICENTIA_NOW : 1767225600 + ((int64_t)next() - 20) * 86400;
  licentia_status status = (next() & 1 ? licentia_installation_status
                                       : licentia_installation_explain)(held, at, &json, &error);
  checked(status, json != NULL);
  licentia_string_free(json);
}

static void change_installation(void) {
  licentia_installation *held = next_installation();
  uint8_t choice = next();
  const fixture *file = &files[choice < 160 ? METERED + choice % 3 : choice % FIXTURES];
  licentia_status status;
  switch (next() % 8) {
    case 0: status = licentia_installation_apply_older(held, file->text, file->size, &error); break;
    case 1: status = licentia_installation_remove(held, NULL, &error); break;
    case 2: status = licentia_installation_first_use(held, LICENTIA_NOW, &error); break;
    case 3: {
      const char *name = next_text();
      status = licentia_installation_set(held, name, next_text(), &error);
      break;
    }
    default: status = licentia_installation_apply(held, file->text, file->size, &error);
  }
  checked(status, status == LICENTIA_OK);
}

// What was refused was not counted, and what was not was.
static void record(void) {
  const licentia_installation *held = next_installation();
  static const char *const METERS[] = {"hits", "trials", "users", "hosts"};
  const char *feature = next() < 200 ? METERS[next() % 4] : next_text();
  uint64_t before = 0, after = 0, limit = 0, amount = next() % 8;
  licentia_status metered = licentia_installation_usage(held, feature, &before, NULL, NULL, NULL);
  licentia_status status;
  switch (next() % 6) {
    case 0: case 1:
      status = licentia_installation_record_level(held, feature, amount, &error);
      break;
    case 2: case 3:
      status = licentia_installation_record_key(held, feature, next_text(), &error);
      break;
    case 4: status = licentia_installation_record_later(held, feature, amount, &error); break;
    default: status = licentia_installation_record(held, feature, amount, &error);
  }
  checked(status, status == LICENTIA_OK);
  CHECK(status != LICENTIA_OK || metered == LICENTIA_OK);
  if (licentia_installation_usage(held, feature, &after, &limit, NULL, NULL)) return;
  CHECK(status == LICENTIA_OK || after == before);
  CHECK(feature && (strcmp(feature, "trials") || after <= limit || after == before));
}

static licentia_seat *next_seat(void) {
  uint8_t choice = next();
  if (choice >= 250) return (licentia_seat *)(void *)installations[choice % INSTALLATIONS];
  return seats[choice % SEATS];
}

// Whoever has the lease has the seat, though there is no server; nobody else has one.
static void with_seat(void) {
  const licentia_installation *held = next_installation();
  licentia_status status;
  switch (next() % 6) {
    case 0: {
      const fixture *file = &files[next() < 40 ? METERED : LEASE];
      status = licentia_installation_apply(held, file->text, file->size, &error);
      break;
    }
    case 1: case 2: {
      int slot = next() % SEATS;
      const char *holder = next() < 180 ? "ann" : next_text();
      uint32_t days = next() < 180 ? 0 : (uint32_t)next() * 7;
      licentia_seat_free(seats[slot]);
      status = licentia_installation_seat(held, holder, days, &seats[slot], &error);
      checked(status, seats[slot] != NULL);
      CHECK(status != LICENTIA_OK || (!strcmp(holder, "ann") && days <= 366));
      return;
    }
    case 3: {
      const char *what = next_text();
      status = next() & 1 ? licentia_installation_sync(held, &error)
                          : licentia_installation_call(held, what, next_text(), &error);
      CHECK(status != LICENTIA_OK && status != LICENTIA_UNREACHABLE);
      break;
    }
    default: {
      const licentia_seat *seat = next_seat();
      int64_t ends = licentia_seat_expires(seat);
      CHECK(ends >= 0 && ends <= 1769817600);
      status = (next() & 1 ? licentia_seat_renew : licentia_seat_release)(seat, &error);
      // What has ended is given back; what is held cannot be, without a server.
      CHECK(status != LICENTIA_OK || ends == 0);
      CHECK(licentia_seat_expires(seat) == ends);
    }
  }
  checked(status, status == LICENTIA_OK);
}

static licentia_exchange *next_exchange(void) {
  uint8_t choice = next();
  if (choice >= 250) return (licentia_exchange *)(void *)installations[choice % INSTALLATIONS];
  return exchanges[choice % EXCHANGES];
}

static void new_exchange(void) {
  static const char *const METHODS[] = {"GET", "POST", "POST", "DELETE", "HEAD", "PUT"};
  static const char *const TARGETS[] = {
      "/api/license",         "/api/license/assign", "/api/license/expiration",
      "/api/licensing/check", "/api/v1/license",     "/api/licensing/token",
      "/api/license/request", "/license",            "/api/license?x=%20"};
  int slot = next() % EXCHANGES;
  const char *method = next() < 230 ? METHODS[next() % 6] : next_text();
  const char *target = next() < 230 ? TARGETS[next() % 9] : next_text();
  licentia_exchange_free(exchanges[slot]);
  is_signed_in[slot] = 0;
  licentia_status status = licentia_exchange_new(method, target, &exchanges[slot], &error);
  checked(status, exchanges[slot] != NULL);
}

static void set_exchange(void) {
  licentia_exchange *exchange = next_exchange();
  static char body[1 << 17];
  licentia_status status;
  switch (next() % 4) {
    case 0: {
      uint32_t rights = next() % 9 | (uint32_t)(next() < 40) << 8;
      status = licentia_exchange_set_caller(exchange, next_text(), rights, &error);
      for (int i = 0; i < EXCHANGES; i++) is_signed_in[i] |= exchange == exchanges[i];
      CHECK(status != LICENTIA_OK || rights != 8);
      break;
    }
    case 1: {
      const fixture *file = &files[next() % FIXTURES];
      int size = snprintf(body, sizeof body, "{\"%s\":\"%s\"}",
                          next() & 1 ? "signed_license" : "token", file->text);
      status = licentia_exchange_set_body(exchange, body, (size_t)size, &error);
      break;
    }
    case 2: {
      const char *data = next_text();
      size_t size = data ? strlen(data) : next() % 2;
      status = licentia_exchange_set_body(exchange, data, size, &error);
      break;
    }
    default: {
      const char *name = next() < 200 ? "content-type" : next_text();
      const char *value = next() < 200 ? "application/json" : next_text();
      status = licentia_exchange_set_header(exchange, name, value, &error);
    }
  }
  checked(status, status == LICENTIA_OK);
}

// A stranger changes nothing, and an answer is whole or there is none.
static void handle_exchange(void) {
  const licentia_installation *held = next_installation();
  licentia_exchange *exchange = next_exchange();
  const char *value = NULL;
  size_t size = 0;
  licentia_status status = licentia_installation_handle(held, exchange, &error);
  checked(status, status == LICENTIA_OK);
  int answered = licentia_exchange_status(exchange);
  const char *body = (const char *)licentia_exchange_body(exchange, &size);
  CHECK(strlen(body) == size && (answered || size == 0));
  CHECK(status != LICENTIA_OK || (answered >= 200 && answered < 600));
  for (size_t i = 0; *licentia_exchange_header(exchange, i, &value); i++) CHECK(answered);
  for (int i = 0; i < EXCHANGES; i++) {
    if (exchange != exchanges[i] || !exchange || is_signed_in[i]) continue;
    CHECK(answered != 204 && answered != 202 && !strstr(body, "GmbH"));
  }
  CHECK(!licentia_installation_serves(held, NULL));
}

static void with_exchange(void) {
  switch (next() % 6) {
    case 0: new_exchange(); break;
    case 1: case 2: case 3: set_exchange(); break;
    default: handle_exchange();
  }
}

static void with_installation(void) {
  uint8_t choice = next();
  if (choice < 40) open_installation();
  else if (choice < 100) change_installation();
  else if (choice < 180) record();
  else if (choice < 240) ask_installation();
  else {
    char *text = error.message;
    const licentia_installation *held = next_installation();
    const char *what = next_text();
    licentia_status status =
        licentia_installation_request(held, what, next_text(), &text, &error);
    checked(status, text != NULL);
    licentia_string_free(text);
  }
}

static void one_call(void) {
  licentia_license *license;
  switch (next() % 17) {
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
    case 11: case 12: with_installation(); break;
    case 13: case 14: with_exchange(); break;
    case 15: with_seat(); break;
    default:
      license = licenses[next() % LICENSES];
      licentia_product_free((licentia_product *)(void *)license);  // of another type: left alone
      licentia_installation_free((licentia_installation *)(void *)license);
      CHECK(*licentia_status_name((int)next() - 100));
  }
}

static void one_sequence(const uint8_t *data, size_t size) {
  input = data, input_end = data + size;
  while (input < input_end) one_call();
  for (int i = 0; i < PRODUCTS; i++) licentia_product_free(products[i]), products[i] = NULL;
  for (int i = 0; i < LICENSES; i++) licentia_license_free(licenses[i]), licenses[i] = NULL;
  for (int i = 0; i < INSTALLATIONS; i++) {
    licentia_installation_free(installations[i]);
    installations[i] = NULL;
  }
  for (int i = 0; i < EXCHANGES; i++) licentia_exchange_free(exchanges[i]), exchanges[i] = NULL;
  for (int i = 0; i < SEATS; i++) licentia_seat_free(seats[i]), seats[i] = NULL;
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
  // In memory, where there is such a folder: what counts here is not that it is durable.
  folder_make(folder, access("/dev/shm", W_OK) ? argv[1] : "/dev/shm");
  random_state = strtoull(argv[2], NULL, 10) * 2 + 1;
  for (long left = atol(argv[3]); left > 0; left--) {
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = random_byte();
    bytes[0] = 1;  // begins with good products
    one_sequence(bytes, sizeof bytes);
  }
  folder_remove(folder);
  for (int i = 0; i < FIXTURES; i++) free(files[i].text);
  return 0;
}
