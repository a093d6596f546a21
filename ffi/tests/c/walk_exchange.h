// Calls every function of an exchange, on its good path and on its failing ones.
#ifndef WALK_EXCHANGE_H
#define WALK_EXCHANGE_H

#include "walk_installation.h"

enum { ADMINISTRATOR = LICENTIA_MAY_READ | LICENTIA_MAY_WRITE | LICENTIA_MAY_DELETE };

static inline licentia_exchange *exchange_new(const char *method, const char *target) {
  licentia_exchange *exchange = NULL;
  licentia_error error;
  EXPECT(LICENTIA_OK, licentia_exchange_new(method, target, &exchange, &error));
  CHECK(exchange && licentia_exchange_status(exchange) == 0);
  return exchange;
}

// The value of a header of the answer; "" if it has none.
static inline const char *exchange_find(const licentia_exchange *exchange, const char *wanted) {
  const char *value = NULL, *name;
  for (size_t i = 0; *(name = licentia_exchange_header(exchange, i, &value)); i++) {
    CHECK(i < 20 && *value);
    for (const char *letter = name; *letter; letter++) CHECK(*letter < 'A' || *letter > 'Z');
    if (!strcmp(name, wanted)) return value;
  }
  CHECK(!*value);
  return "";
}

// An answer is whole before it is sent, whatever it is.
static inline int exchange_answered(const licentia_exchange *exchange) {
  size_t size = 0;
  const char *body = (const char *)licentia_exchange_body(exchange, &size);
  CHECK(body && strlen(body) == size);
  CHECK(!strcmp(exchange_find(exchange, "cache-control"), "no-store"));
  CHECK(size == 0 || *exchange_find(exchange, "content-type"));
  int status = licentia_exchange_status(exchange);
  CHECK(status >= 200 && status < 600);
  return status;
}

// The status with which a request is answered. No rights and no name: a stranger.
static inline int exchange_ask(const licentia_installation *held, const char *method,
                               const char *target, const char *user, uint32_t rights,
                               const char *json) {
  licentia_exchange *exchange = exchange_new(method, target);
  licentia_error error;
  if (user) EXPECT(LICENTIA_OK, licentia_exchange_set_caller(exchange, user, rights, &error));
  if (json) {
    EXPECT(LICENTIA_OK,
           licentia_exchange_set_header(exchange, "Content-Type", "application/json", &error));
    EXPECT(LICENTIA_OK, licentia_exchange_set_body(exchange, json, strlen(json), &error));
  }
  EXPECT(LICENTIA_OK, licentia_installation_handle(held, exchange, &error));
  int status = exchange_answered(exchange);
  licentia_exchange_free(exchange);
  return status;
}

static inline void walk_unanswered(void) {
  licentia_error error;
  licentia_exchange *exchange = NULL;
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_exchange_new("GET", "license", &exchange, &error));
  CHECK(exchange == NULL);
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_exchange_new("G T", "/", &exchange, &error));
  exchange = exchange_new("GET", "/api/license");
  size_t size = 7;
  const char *value = NULL;
  CHECK(!*(const char *)licentia_exchange_body(exchange, &size) && size == 0);
  CHECK(!*licentia_exchange_header(exchange, 0, &value) && !*value);
  const uint32_t unknown[] = {8, 128, 512, 1U << 31, UINT32_MAX};
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
    EXPECT(LICENTIA_INVALID_ARGUMENT,
           licentia_exchange_set_caller(exchange, "ada", unknown[i], &error));
    CHECK(strstr(error.message, "bit"));
  }
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_exchange_set_caller(exchange, "", 0, &error));
  licentia_exchange_free(exchange);
}

// An answer is there until the next one: a second look is another answer, not the first.
static inline void walk_twice(const licentia_installation *held) {
  licentia_error error;
  licentia_exchange *exchange = exchange_new("GET", "/api/licensing/check");
  EXPECT(LICENTIA_OK, licentia_installation_handle(held, exchange, &error));
  CHECK(exchange_answered(exchange) == 401);
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_handle(NULL, exchange, &error));
  CHECK(exchange_answered(exchange) == 401);
  EXPECT(LICENTIA_OK, licentia_exchange_set_caller(exchange, "ada", 0, &error));
  CHECK(exchange_answered(exchange) == 401);
  EXPECT(LICENTIA_OK, licentia_installation_handle(held, exchange, &error));
  CHECK(exchange_answered(exchange) == 403);
  licentia_exchange_free(exchange);
}

// A body of any length is one that is too long, and costs no more than one that is not.
static inline void walk_bodies(const licentia_installation *held) {
  licentia_error error;
  static char large[4 * LICENTIA_BODY_MAX];
  const size_t sizes[] = {0, LICENTIA_BODY_MAX, LICENTIA_BODY_MAX + 1, sizeof large};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    licentia_exchange *exchange = exchange_new("POST", "/api/v1/license");
    EXPECT(LICENTIA_OK, licentia_exchange_set_caller(exchange, "ada", ADMINISTRATOR, &error));
    EXPECT(LICENTIA_OK, licentia_exchange_set_header(exchange, "content-type", "application/json",
                                                     &error));
    EXPECT(LICENTIA_OK, licentia_exchange_set_body(exchange, large, sizes[i], &error));
    EXPECT(LICENTIA_OK, licentia_installation_handle(held, exchange, &error));
    int status = exchange_answered(exchange);
    CHECK((status == 413) == (sizes[i] > LICENTIA_BODY_MAX));
    licentia_exchange_free(exchange);
  }
}

// Apart from the others, because it takes more stack than they do.
static inline void walk_exchange_request(const fixtures *all) {
  char folder[512];
  folder_make(folder, all->folder);
  licentia_installation *held = walk_open(all, folder);
  CHECK(exchange_ask(held, "GET", "/api/license/request", "ada", ADMINISTRATOR, NULL) == 200);
  CHECK(exchange_ask(held, "GET", "/license", "ada", ADMINISTRATOR, NULL) == 200);
  licentia_installation_free(held);
  folder_remove(folder);
}

static inline void walk_exchange(const fixtures *all) {
  char folder[512];
  folder_make(folder, all->folder);
  licentia_installation *held = walk_open(all, folder);
  const uint32_t service = ADMINISTRATOR | LICENTIA_IS_SERVICE;
  walk_unanswered();
  CHECK(licentia_installation_serves(held, "/api/license"));
  CHECK(licentia_installation_serves(held, "/api/licensing/token?x=y"));
  CHECK(!licentia_installation_serves(held, "/api/licenses"));
  CHECK(!licentia_installation_serves(held, "api/license"));
  CHECK(exchange_ask(held, "GET", "/api/license", NULL, 0, NULL) == 200);
  CHECK(exchange_ask(held, "HEAD", "/api/license?x=y", NULL, 0, NULL) == 200);
  CHECK(exchange_ask(held, "GET", "/api/nothing", NULL, 0, NULL) == 404);
  CHECK(exchange_ask(held, "PUT", "/api/license", "ada", ADMINISTRATOR, NULL) == 405);
  CHECK(exchange_ask(held, "GET", "/api/license/openapi.json", NULL, 0, NULL) == 200);
  CHECK(exchange_ask(held, "GET", "/api/license/expiration", "ada", ADMINISTRATOR, NULL) == 200);
  CHECK(exchange_ask(held, "GET", "/api/license/expiration", NULL, 0, NULL) == 401);
  CHECK(exchange_ask(held, "GET", "/api/licensing/check", "ada", 0, NULL) == 403);
  CHECK(exchange_ask(held, "GET", "/api/licensing/check", "ada", LICENTIA_MAY_READ, NULL) == 200);
  CHECK(exchange_ask(held, "GET", "/api/licensing/check", "bot", service, NULL) == 403);
  CHECK(exchange_ask(held, "POST", "/api/v1/license", "ada", ADMINISTRATOR, NULL) == 415);
  CHECK(exchange_ask(held, "POST", "/api/license/assign", "ada", ADMINISTRATOR, "{") == 400);
  walk_twice(held);
  walk_bodies(held);

  // What is applied here holds for whoever asks the installation.
  char json[16384];
  CHECK(snprintf(json, sizeof json, "{\"signed_license\":\"%s\"}", all->metered.text) < 16384);
  walk_gate(held, "reports", LICENTIA_DENY);
  CHECK(exchange_ask(held, "POST", "/api/license/assign", "ada", LICENTIA_MAY_WRITE, json) == 403);
  walk_gate(held, "reports", LICENTIA_DENY);
  CHECK(exchange_ask(held, "POST", "/api/license/assign", "ada", ADMINISTRATOR, json) == 204);
  walk_gate(held, "reports", LICENTIA_ALLOW);

  licentia_error error;
  EXPECT(LICENTIA_OK, licentia_installation_set(held, "mount", "/product", &error));
  CHECK(!licentia_installation_serves(held, "/api/license"));
  CHECK(licentia_installation_serves(held, "/product/api/license"));
  licentia_installation_free(held);
  folder_remove(folder);
}

#endif
