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

/* Carries out one field. False if it is not understood. */
static bool step(char *field, licentia_status *status, licentia_error *error) {
  char *value = strchr(field, '=');
  if (!value) return false;
  *value++ = '\0';
  char *name = NULL;
  if (strcmp(field, "set") == 0) {
    name = value;
    value = strchr(value, '=');
    if (!value) return false;
    *value++ = '\0';
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
  } else {
    return false;
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
  licentia_product_free(product);
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
