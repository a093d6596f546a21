// What one writes without licentia: a row that is updated, durable when the update returns.

#include "record.h"

#include <sqlite3.h>
#include <string.h>

static char path[4096];
static sqlite3 *database;
static sqlite3_stmt *update;

static void check(bool good) {
  if (!good) fail("SQLite", sqlite3_errmsg(database));
}

static void run(const char *sql) {
  check(sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static void prepare(const char *sql, sqlite3_stmt **statement) {
  check(sqlite3_prepare_v2(database, sql, -1, statement, NULL) == SQLITE_OK);
}

// Keeps the log as long as it has become, as a program that runs for days would: while it grows,
// a commit costs twice as much.
static void open_database(void) {
  int keep = 1;
  check(sqlite3_open(path, &database) == SQLITE_OK);
  check(sqlite3_file_control(database, NULL, SQLITE_FCNTL_PERSIST_WAL, &keep) == SQLITE_OK);
  check(sqlite3_busy_timeout(database, 60000) == SQLITE_OK);
  run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
}

static void open_it(void) {
  open_database();
  prepare("UPDATE used SET count = count + 1 WHERE id = 1", &update);
}

static void close_it(void) {
  check(sqlite3_finalize(update) == SQLITE_OK);
  check(sqlite3_close(database) == SQLITE_OK);
}

static void update_row(void) {
  check(sqlite3_step(update) == SQLITE_DONE);
  check(sqlite3_reset(update) == SQLITE_OK);
}

static uint64_t count(void) {
  open_database();
  prepare("SELECT count FROM used WHERE id = 1", &update);
  check(sqlite3_step(update) == SQLITE_ROW);
  uint64_t found = (uint64_t)sqlite3_column_int64(update, 0);
  close_it();
  return found;
}

size_t sqlite_recorders(const record_case *given, recorder *out) {
  path_in(given, "used.db", path);
  open_database();
  run("CREATE TABLE used (id INTEGER PRIMARY KEY, count INTEGER NOT NULL)");
  run("INSERT INTO used VALUES (1, 0)");
  check(sqlite3_close(database) == SQLITE_OK);
  const recorder all[] = {
      {"SQLite, one row, WAL, FULL", open_it, update_row, close_it, count},
  };
  memcpy(out, all, sizeof all);
  return sizeof all / sizeof *all;
}
