// licentia_testing.h: every state is what its name promises, and what is wrong is told.
#include "folder.h"

#include <licentia_testing.h>
#include <sys/stat.h>

// The text after a member of an object, where it first comes.
static const char *member(const char *json, const char *name) {
  char quoted[64];
  snprintf(quoted, sizeof quoted, "\"%s\":", name);
  const char *found = strstr(json, quoted);
  CHECK(found);
  return found + strlen(quoted);
}

static void check_state(const licentia_testing_state *state, const char *folder) {
  licentia_product *product = NULL;
  licentia_installation *installation = NULL;
  licentia_error error;
  EXPECT(LICENTIA_OK,
         licentia_testing_open(state->name, folder, &product, &installation, &error));
  char *json = NULL, reason[64];
  EXPECT(LICENTIA_OK,
         licentia_installation_status(installation, LICENTIA_NOW, &json, &error));
  snprintf(reason, sizeof reason, "\"%s\",", state->reason);
  CHECK(strncmp(member(json, "reason"), reason, strlen(reason)) == 0);
  CHECK(strncmp(member(json, "in_force"), state->in_force ? "true" : "false", 4) == 0);
  licentia_string_free(json);
  size_t features = 0;
  for (const licentia_testing_access *it = state->access; it->feature; it++, features++)
    CHECK(licentia_installation_access(installation, it->feature) == it->access);
  CHECK(features == 4 && strlen(state->about) > 10);
  licentia_installation_free(installation);
  licentia_product_free(product);
  licentia_testing_remove(folder);
}

// What fails leaves nothing: neither handles nor files.
static void check_refusals(const char *folder) {
  licentia_product *product = NULL;
  licentia_installation *installation = NULL;
  licentia_error error;
  EXPECT(LICENTIA_INVALID_ARGUMENT,
         licentia_testing_open("expird", folder, &product, &installation, &error));
  CHECK(error.status == LICENTIA_INVALID_ARGUMENT);
  CHECK(strstr(error.message, "no state expird: the nearest is expired"));
  const char *names[] = {NULL, "", "a name that is longer than any name of a state could ever be, "
                                   "and longer than what is looked at"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    EXPECT(LICENTIA_INVALID_ARGUMENT,
           licentia_testing_open(names[i], folder, &product, &installation, &error));
  EXPECT(LICENTIA_INVALID_ARGUMENT,
         licentia_testing_open("active", NULL, &product, &installation, NULL));
  EXPECT(LICENTIA_INVALID_ARGUMENT,
         licentia_testing_open("active", folder, NULL, &installation, NULL));
  EXPECT(LICENTIA_INVALID_ARGUMENT,
         licentia_testing_open("active", folder, &product, NULL, NULL));
  EXPECT(LICENTIA_IO,
         licentia_testing_open("active", "/nowhere", &product, &installation, &error));
  CHECK(strstr(error.message, "/nowhere") && !product && !installation);
  // The third file cannot be written.
  char path[600];
  snprintf(path, sizeof path, "%s/state.b", folder);
  CHECK(symlink("/nowhere/file", path) == 0);
  EXPECT(LICENTIA_IO, licentia_testing_open("active", folder, &product, &installation, &error));
  CHECK(strstr(error.message, "state.b could not be written in ") && !product);
  CHECK(rmdir(folder) == 0 && mkdir(folder, 0700) == 0);
}

static void check_distances(void) {
  CHECK(licentia_testing_distance("kitten", "sitting") == 3);
  CHECK(licentia_testing_distance("abc", "abc") == 0);
  CHECK(licentia_testing_distance("", "abc") == 3);
  CHECK(licentia_testing_distance("abcd", "") == 4);
  CHECK(licentia_testing_distance("abc", "bc") == 1);
}

// The clock moves, and a folder that is in use is not written over.
static void check_use(const char *folder) {
  licentia_product *product = NULL, *other = NULL;
  licentia_installation *installation = NULL, *another = NULL;
  licentia_error error;
  EXPECT(LICENTIA_OK,
         licentia_testing_open("active", folder, &product, &installation, &error));
  const licentia_testing_state *late = licentia_testing_find("in_grace");
  EXPECT(LICENTIA_OK, licentia_testing_clock(product, late->clock, &error));
  CHECK(licentia_installation_access(installation, "feature") == LICENTIA_WARN);
  EXPECT(LICENTIA_OK, licentia_installation_record(installation, "counter", 3, &error));
  EXPECT(LICENTIA_INVALID_ARGUMENT,
         licentia_testing_open("expired", folder, &other, &another, &error));
  CHECK(strstr(error.message, "there is a lock in ") && !other && !another);
  uint64_t used = 0;
  EXPECT(LICENTIA_OK,
         licentia_installation_usage(installation, "counter", &used, NULL, NULL, &error));
  CHECK(used == 3);
  licentia_installation_free(installation);
  licentia_product_free(product);
  licentia_testing_remove(folder);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char folder[512];
  folder_make(folder, argv[1]);
  for (size_t i = 0; i < LICENTIA_TESTING_STATES; i++)
    check_state(&licentia_testing_states[i], folder);
  check_distances();
  check_refusals(folder);
  check_use(folder);
  CHECK(rmdir(folder) == 0);
  return 0;
}
