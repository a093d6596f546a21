/* The runner for C: tests/runners/README.md. */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "licentia.h"

/* The answer that is being written: it is thrown away when a later field fails. */
static char *answer;
static size_t answer_len;
static FILE *out;

static char *code;
static licentia_product *product;
static licentia_license *license;
static char *folder;
static licentia_installation *installation;
static licentia_seat *seat;

static void write_escaped(const char *text) {
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c <= 0x20 || *c >= 0x7f || *c == '%' || *c == '=') {
      fprintf(out, "%%%02X", (unsigned)*c);
    } else {
      fputc(*c, out);
    }
  }
}

static int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Undoes the escapes in place, ends the text with a NUL and returns its length. */
static size_t unescape(char *text) {
  char *to = text;
  for (char *from = text; *from; from++) {
    int high = *from == '%' ? hex(from[1]) : -1;
    int low = high >= 0 ? hex(from[2]) : -1;
    if (low >= 0) {
      *to++ = (char)(high * 16 + low);
      from += 2;
    } else {
      *to++ = *from;
    }
  }
  *to = '\0';
  return (size_t)(to - text);
}

static void write_facts(void) {
  fputs("\tserial=", out);
  write_escaped(licentia_license_serial(license));
  fputs("\tcustomer=", out);
  write_escaped(licentia_license_customer(license));
  int64_t expires = licentia_license_expires(license);
  if (expires == LICENTIA_NEVER) {
    fputs("\texpires=never", out);
  } else {
    fprintf(out, "\texpires=%" PRId64, expires);
  }
  fputs("\tjson=", out);
  write_escaped(licentia_license_json(license));
}

static void write_grant(const char *feature) {
  fputs("\tgrant=", out);
  write_escaped(feature);
  fputs(licentia_license_allows(license, feature) ? "=yes=" : "=no=", out);
  uint64_t limit = licentia_license_limit(license, feature);
  if (limit == LICENTIA_UNLIMITED) {
    fputs("unlimited", out);
  } else {
    fprintf(out, "%" PRIu64, limit);
  }
}

/* Writes a text and releases it. */
static void write_text(char *text) {
  if (text) write_escaped(text);
  licentia_string_free(text);
}

static void write_number(uint64_t number, uint64_t none, const char *word) {
  if (number == none) {
    fprintf(out, "=%s", word);
  } else {
    fprintf(out, "=%" PRIu64, number);
  }
}

static void write_access(const char *feature) {
  static const char *const words[] = {"deny", "read_only", "warn", "allow"};
  fputs("\taccess=", out);
  write_escaped(feature);
  fprintf(out, "=%s", words[licentia_installation_access(installation, feature)]);
}

static void write_gate(const char *feature) {
  char *body;
  int status = licentia_installation_gate(installation, feature, &body);
  fputs("\tgate=", out);
  write_escaped(feature);
  if (status == 0) {
    fputs("=go", out);
  } else {
    fprintf(out, "=%d=", status);
  }
  write_text(body);
}

static licentia_status write_usage(const char *feature, licentia_error *error) {
  uint64_t used, limit;
  int64_t resets_at;
  licentia_status status =
      licentia_installation_usage(installation, feature, &used, &limit, &resets_at, error);
  if (status != LICENTIA_OK) return status;
  fputs("\tusage=", out);
  write_escaped(feature);
  fprintf(out, "=%" PRIu64, used);
  write_number(limit, LICENTIA_UNLIMITED, "unlimited");
  write_number((uint64_t)resets_at, (uint64_t)LICENTIA_NEVER, "never");
  return status;
}

typedef licentia_status teller(const licentia_installation *, int64_t, char **, licentia_error *);

/* Writes the JSON of licentia_installation_status or licentia_installation_explain. */
static licentia_status write_json(const char *verb, teller *tell, int64_t at,
                                  licentia_error *error) {
  char *json;
  licentia_status status = tell(installation, at, &json, error);
  if (status != LICENTIA_OK) return status;
  fprintf(out, "\t%s=", verb);
  write_text(json);
  return status;
}

static licentia_status write_request(const char *what, const char *argument,
                                     licentia_error *error) {
  char *text;
  if (!*argument) argument = NULL;
  licentia_status status =
      licentia_installation_request(installation, what, argument, &text, error);
  if (status != LICENTIA_OK) return status;
  fprintf(out, "\trequest=%s=", what);
  write_text(text);
  return status;
}

static licentia_status remove_licenses(licentia_error *error) {
  bool removed;
  licentia_status status = licentia_installation_remove(installation, &removed, error);
  if (status == LICENTIA_OK) fprintf(out, "\tremoved=%s", removed ? "yes" : "no");
  return status;
}

static licentia_status reopen(licentia_error *error) {
  licentia_installation_free(installation);
  installation = NULL;
  return licentia_product_open(product, folder, &installation, error);
}

/* Asks the license server; an empty argument is none. */
static licentia_status ask(const char *what, const char *argument, licentia_error *error) {
  return licentia_installation_call(installation, what, *argument ? argument : NULL, error);
}

/* Carries out one field about a seat, and writes until when it is held then. */
static licentia_status sit(const char *verb, const char *holder, uint64_t days,
                           licentia_error *error) {
  licentia_status status;
  if (strcmp(verb, "seat_renew") == 0) {
    status = licentia_seat_renew(seat, error);
  } else if (strcmp(verb, "seat_release") == 0) {
    status = licentia_seat_release(seat, error);
  } else {
    licentia_seat_free(seat);
    seat = NULL;
    status = licentia_installation_seat(installation, holder, (uint32_t)days, &seat, error);
  }
  if (status != LICENTIA_OK) return status;
  fputs("\tseat", out);
  write_number((uint64_t)licentia_seat_expires(seat), 0, "none");
  return status;
}

/* Carries out one field about an installation. False if it is not understood. */
static bool tell(const char *verb, const char *name, const char *value, size_t length,
                 licentia_status *status, licentia_error *error) {
  licentia_installation *it = installation;
  int64_t at = strcmp(value, "now") == 0 ? LICENTIA_NOW : strtoll(value, NULL, 10);
  uint64_t number = strtoull(value, NULL, 10);
  if (strcmp(verb, "reopen") == 0) {
    *status = reopen(error);
  } else if (strcmp(verb, "site") == 0) {
    *status = licentia_installation_set(it, name, value, error);
  } else if (strcmp(verb, "apply") == 0) {
    *status = licentia_installation_apply(it, value, length, error);
  } else if (strcmp(verb, "apply_older") == 0) {
    *status = licentia_installation_apply_older(it, value, length, error);
  } else if (strcmp(verb, "remove") == 0) {
    *status = remove_licenses(error);
  } else if (strcmp(verb, "first_use") == 0) {
    *status = licentia_installation_first_use(it, at, error);
  } else if (strcmp(verb, "record") == 0) {
    *status = licentia_installation_record(it, name, number, error);
  } else if (strcmp(verb, "record_later") == 0) {
    *status = licentia_installation_record_later(it, name, number, error);
  } else if (strcmp(verb, "record_level") == 0) {
    *status = licentia_installation_record_level(it, name, number, error);
  } else if (strcmp(verb, "record_key") == 0) {
    *status = licentia_installation_record_key(it, name, value, error);
  } else if (strcmp(verb, "call") == 0) {
    *status = ask(name, value, error);
  } else if (strcmp(verb, "sync") == 0) {
    *status = licentia_installation_sync(it, error);
  } else if (strncmp(verb, "seat", 4) == 0) {
    *status = sit(verb, name, number, error);
  } else if (strcmp(verb, "access") == 0) {
    write_access(value);
  } else if (strcmp(verb, "gate") == 0) {
    write_gate(value);
  } else if (strcmp(verb, "usage") == 0) {
    *status = write_usage(value, error);
  } else if (strcmp(verb, "status") == 0) {
    *status = write_json(verb, licentia_installation_status, at, error);
  } else if (strcmp(verb, "explain") == 0) {
    *status = write_json(verb, licentia_installation_explain, at, error);
  } else if (strcmp(verb, "request") == 0) {
    *status = write_request(name, value, error);
  } else {
    return false;
  }
  return true;
}

/* Carries out one field. False if it is not understood. */
static bool step(char *field, licentia_status *status, licentia_error *error) {
  char *value = strchr(field, '=');
  if (!value) return false;
  *value++ = '\0';
  char *name = value;
  char *second = strchr(value, '=');
  if (second) {
    *second = '\0';
    value = second + 1;
    unescape(name);
  }
  size_t length = unescape(value);
  if (strcmp(field, "product") == 0) {
    code = value;
  } else if (strcmp(field, "keys") == 0) {
    *status = licentia_product_new(code, value, &product, error);
  } else if (strcmp(field, "trust") == 0) {
    *status = licentia_product_trust(product, value, error);
  } else if (strcmp(field, "set") == 0) {
    *status = licentia_product_set(product, name, value, error);
  } else if (strcmp(field, "verify") == 0) {
    *status = licentia_product_verify(product, value, length, &license, error);
    if (*status == LICENTIA_OK) write_facts();
  } else if (strcmp(field, "inspect") == 0) {
    *status = licentia_product_inspect(product, value, length, &license, error);
    if (*status == LICENTIA_OK) write_facts();
  } else if (strcmp(field, "ask") == 0) {
    write_grant(value);
  } else if (strcmp(field, "open") == 0) {
    folder = value;
    *status = reopen(error);
  } else {
    return tell(field, name, value, length, status, error);
  }
  return true;
}

static void respond(char *line) {
  licentia_status status = LICENTIA_OK;
  licentia_error error;
  bool understood = true;
  char *rest = line;
  code = NULL;
  out = open_memstream(&answer, &answer_len);
  if (!out) exit(1);
  while (rest && understood && status == LICENTIA_OK) {
    char *field = rest;
    rest = strchr(field, '\t');
    if (rest) *rest++ = '\0';
    understood = step(field, &status, &error);
  }
  fclose(out);
  out = stdout;
  if (!understood) {
    fputs("!\tnot a request", out);
  } else if (status == LICENTIA_OK) {
    fputs("ok", out);
    fwrite(answer, 1, answer_len, out);
  } else {
    fprintf(out, "%s\t", licentia_status_name(error.status));
    write_escaped(error.message);
  }
  fputc('\n', out);
  fflush(out);
  free(answer);
  licentia_license_free(license);
  licentia_seat_free(seat);
  licentia_installation_free(installation);
  licentia_product_free(product);
  seat = NULL;
  installation = NULL;
  license = NULL;
  product = NULL;
}

int main(void) {
  char *line = NULL;
  size_t size = 0;
  ssize_t length;
  while ((length = getline(&line, &size, stdin)) > 0) {
    if (line[length - 1] == '\n') line[length - 1] = '\0';
    respond(line);
  }
  free(line);
  return 0;
}
