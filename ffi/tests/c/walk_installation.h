// Calls every function of an installation, on its good path and on its failing ones.
#ifndef WALK_INSTALLATION_H
#define WALK_INSTALLATION_H

#include "folder.h"
#include "walk.h"

static inline licentia_installation *walk_open(const fixtures *all, const char *folder) {
  licentia_product *product = walk_product(all);
  licentia_installation *installation = NULL;
  licentia_error error;
  EXPECT(LICENTIA_OK, licentia_product_open(product, folder, &installation, &error));
  licentia_product_free(product);  // the installation outlives it
  return installation;
}

// Whether the status at a time has a text in it.
static inline bool walk_says(const licentia_installation *installation, int64_t at,
                             const char *wanted) {
  char *json = NULL;
  licentia_error error;
  EXPECT(LICENTIA_OK, licentia_installation_status(installation, at, &json, &error));
  CHECK(json[0] == '{' && strchr(json, '}'));
  bool found = strstr(json, wanted) != NULL;
  licentia_string_free(json);
  return found;
}

static inline void walk_explains(const licentia_installation *installation) {
  char *json = NULL;
  licentia_error error;
  EXPECT(LICENTIA_OK, licentia_installation_explain(installation, LICENTIA_NOW, &json, &error));
  CHECK(json[0] == '{' && strstr(json, "\"checks\""));
  licentia_string_free(json);
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_explain(installation, -1, &json, &error));
  CHECK(json == NULL);
}

// The gate and the other two answers agree.
static inline void walk_gate(const licentia_installation *installation, const char *feature,
                             int access) {
  char *body = NULL;
  CHECK(licentia_installation_access(installation, feature) == access);
  CHECK(licentia_installation_allows(installation, feature) == (access >= LICENTIA_WARN));
  int refused = licentia_installation_gate(installation, feature, &body);
  if (access >= LICENTIA_WARN) {
    CHECK(refused == 0 && body == NULL);
  } else {
    CHECK(refused >= 400 && refused < 500 && body && body[0] == '{' && strstr(body, "\"detail\""));
  }
  licentia_string_free(body);
}

// Apart from the others, because it takes more stack than they do.
static inline void walk_request(const fixtures *all) {
  char folder[512], *text = NULL;
  folder_make(folder, all->folder);
  licentia_installation *held = walk_open(all, folder);
  const char *const words[] = {"license", "clock", "sync"};
  for (int i = 0; i < 3; i++) {
    EXPECT(LICENTIA_OK, licentia_installation_request(held, words[i], NULL, &text, NULL));
    CHECK(!strncmp(text, "eJ", 2));
    licentia_string_free(text);
  }
  licentia_installation_free(held);
  folder_remove(folder);
}

static inline void walk_unlicensed(const licentia_installation *installation) {
  licentia_error error;
  char *text = NULL;
  bool removed = true;
  walk_gate(installation, "reports", LICENTIA_DENY);
  CHECK(walk_says(installation, LICENTIA_NOW, "\"not_licensed\""));
  EXPECT(LICENTIA_INVALID_ARGUMENT,
         licentia_installation_request(installation, "tea", NULL, &text, &error));
  CHECK(text == NULL);
  EXPECT(LICENTIA_OK, licentia_installation_remove(installation, &removed, &error));
  CHECK(!removed);
  CHECK(licentia_installation_record(installation, "hits", 1, &error) != LICENTIA_OK);
}

static inline void walk_applying(const licentia_installation *installation, const fixtures *all) {
  licentia_error error;
  for (int i = 0; i < REFUSED; i++) {
    const fixture *one = &all->refused[i];
    if (all->status[i] == LICENTIA_EXPIRED || all->status[i] == LICENTIA_NOT_YET_VALID) continue;
    licentia_status status =
        licentia_installation_apply(installation, one->text, one->size, &error);
    CHECK(status == all->status[i] && error.status == status && strlen(error.message) > 10);
  }
  const fixture *metered = &all->metered, *older = &all->older;
  EXPECT(LICENTIA_OK,
         licentia_installation_apply(installation, metered->text, metered->size, &error));
  EXPECT(LICENTIA_OLDER_THAN_INSTALLED,
         licentia_installation_apply(installation, older->text, older->size, &error));
  EXPECT(LICENTIA_OK,
         licentia_installation_apply_older(installation, older->text, older->size, &error));
  EXPECT(LICENTIA_OK,
         licentia_installation_apply(installation, metered->text, metered->size, &error));
}

static inline void walk_usage(const licentia_installation *installation, const char *feature,
                              uint64_t used, uint64_t limit, int64_t resets_at) {
  uint64_t found_used = 0, found_limit = 0;
  int64_t found_reset = 0;
  licentia_error error;
  EXPECT(LICENTIA_OK, licentia_installation_usage(installation, feature, &found_used, &found_limit,
                                                  &found_reset, &error));
  CHECK(found_used == used && found_limit == limit && found_reset == resets_at);
}

static inline void walk_meters(const licentia_installation *held) {
  licentia_error error;
  EXPECT(LICENTIA_OK, licentia_installation_record(held, "exports", 7, &error));
  EXPECT(LICENTIA_OK, licentia_installation_record_later(held, "exports", 3, &error));
  EXPECT(LICENTIA_OK, licentia_installation_record_later(held, "hits", 5, &error));
  EXPECT(LICENTIA_OK, licentia_installation_record_level(held, "users", 12, &error));
  EXPECT(LICENTIA_OK, licentia_installation_record_level(held, "users", 9, &error));
  EXPECT(LICENTIA_OK, licentia_installation_record_key(held, "hosts", "a", &error));
  EXPECT(LICENTIA_OK, licentia_installation_record_key(held, "hosts", "b", &error));
  EXPECT(LICENTIA_OK, licentia_installation_record_key(held, "hosts", "a", &error));
  walk_usage(held, "exports", 10, 500, 1769904000);  // the first of February
  walk_usage(held, "hits", 5, LICENTIA_UNLIMITED, LICENTIA_NEVER);
  walk_usage(held, "users", 9, 15, LICENTIA_NEVER);
  EXPECT(LICENTIA_OK, licentia_installation_usage(held, "hosts", NULL, NULL, NULL, NULL));

  // Up to the limit, and not past it.
  walk_gate(held, "trials", LICENTIA_ALLOW);
  EXPECT(LICENTIA_LIMIT_EXCEEDED, licentia_installation_record(held, "trials", 4, &error));
  EXPECT(LICENTIA_OK, licentia_installation_record(held, "trials", 3, &error));
  EXPECT(LICENTIA_LIMIT_EXCEEDED, licentia_installation_record(held, "trials", 1, &error));
  walk_gate(held, "trials", LICENTIA_DENY);
  walk_usage(held, "trials", 3, 3, LICENTIA_NEVER);
  EXPECT(LICENTIA_LIMIT_EXCEEDED, licentia_installation_record_level(held, "users", 16, &error));
  walk_usage(held, "users", 9, 15, LICENTIA_NEVER);
  EXPECT(LICENTIA_OK, licentia_installation_record_key(held, "hosts", "c", &error));
  EXPECT(LICENTIA_LIMIT_EXCEEDED, licentia_installation_record_key(held, "hosts", "d", &error));
  EXPECT(LICENTIA_OK, licentia_installation_record_key(held, "hosts", "b", &error));
  EXPECT(LICENTIA_OK, licentia_installation_flush(held, &error));
}

static inline void walk_installation(const fixtures *all) {
  char folder[512];
  licentia_error error;
  folder_make(folder, all->folder);
  licentia_installation *held = walk_open(all, folder);
  walk_unlicensed(held);
  EXPECT(LICENTIA_OK, licentia_installation_first_use(held, LICENTIA_NOW, &error));
  walk_applying(held, all);
  walk_gate(held, "reports", LICENTIA_ALLOW);
  walk_gate(held, "nothing", LICENTIA_DENY);
  CHECK(walk_says(held, LICENTIA_NOW, "Ex\xc3\xa4mple GmbH"));
  walk_explains(held);
  CHECK(walk_says(held, 1773273600, "\"expired\""));
  walk_meters(held);

  // What was written is there for the next one, and a license of its own is one of several.
  licentia_installation_free(held);
  held = walk_open(all, folder);
  walk_usage(held, "exports", 10, 500, 1769904000);
  EXPECT(LICENTIA_OK, licentia_installation_set(held, "license", all->metered.text, &error));
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_set(held, "licens", "", &error));
  bool removed = false;
  EXPECT(LICENTIA_OK, licentia_installation_remove(held, &removed, &error));
  CHECK(removed && licentia_installation_allows(held, "reports"));
  EXPECT(LICENTIA_OK, licentia_installation_set(held, "license", "", &error));
  walk_gate(held, "reports", LICENTIA_DENY);
  licentia_installation_free(held);
  folder_remove(folder);

  // A folder that is gone is reported, and grants nothing.
  held = walk_open(all, folder);
  CHECK(walk_says(held, LICENTIA_NOW, "\"state_unavailable\""));
  const fixture *metered = &all->metered;
  EXPECT(LICENTIA_STATE_UNAVAILABLE,
         licentia_installation_apply(held, metered->text, metered->size, &error));
  CHECK(!licentia_installation_allows(held, "reports"));
  licentia_installation_free(held);
}

#endif
