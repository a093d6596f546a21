// What one writes without licentia: split the token, check the signature over its exact bytes,
// read the JSON, compare product and dates.

#include "bench.h"

#include <cjson/cJSON.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

typedef struct {
  const char *payload, *signature;
  size_t signed_len, payload_len, signature_len;
} token_parts;

static bool split(const bench_case *given, token_parts *parts) {
  const char *end = given->token + given->token_len;
  const char *first = memchr(given->token, '.', given->token_len);
  if (!first) return false;
  parts->payload = first + 1;
  const char *second = memchr(parts->payload, '.', (size_t)(end - parts->payload));
  if (!second) return false;
  parts->signature = second + 1;
  parts->signed_len = (size_t)(second - given->token);
  parts->payload_len = (size_t)(second - parts->payload);
  parts->signature_len = (size_t)(end - parts->signature);
  return true;
}

static bool claims_hold(const char *json, size_t len, const char *product) {
  cJSON *claims = cJSON_ParseWithLength(json, len);
  const cJSON *audience = cJSON_GetObjectItemCaseSensitive(claims, "aud");
  const cJSON *expires = cJSON_GetObjectItemCaseSensitive(claims, "exp");
  const cJSON *license = cJSON_GetObjectItemCaseSensitive(claims, "license");
  const cJSON *from = cJSON_GetObjectItemCaseSensitive(license, "valid_from");
  const cJSON *until = cJSON_GetObjectItemCaseSensitive(license, "valid_until");
  double now = (double)time(NULL);
  bool holds = cJSON_IsString(audience) && strcmp(audience->valuestring, product) == 0 &&
               cJSON_IsNumber(expires) && now < expires->valuedouble && cJSON_IsNumber(from) &&
               from->valuedouble <= now && cJSON_IsNumber(until) && now < until->valuedouble;
  cJSON_Delete(claims);
  return holds;
}

static const bench_case *with;

// libsodium's base64 serves both: OpenSSL's own has no URL alphabet.
static bool decode(const char *text, size_t len, void *out, size_t max, size_t *out_len) {
  return sodium_base642bin(out, max, text, len, NULL, out_len, NULL,
                           sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0;
}

static bool check(bool (*verify)(const unsigned char signature[64], size_t signed_len)) {
  token_parts parts;
  unsigned char signature[64];
  char payload[4096];
  size_t signature_len, payload_len;
  return split(with, &parts) &&
         decode(parts.signature, parts.signature_len, signature, sizeof signature,
                &signature_len) &&
         signature_len == sizeof signature && verify(signature, parts.signed_len) &&
         decode(parts.payload, parts.payload_len, payload, sizeof payload, &payload_len) &&
         claims_hold(payload, payload_len, with->product);
}

static bool sodium_signature(const unsigned char signature[64], size_t signed_len) {
  return crypto_sign_verify_detached(signature, (const unsigned char *)with->token, signed_len,
                                     with->key) == 0;
}

static bool sodium(void) { return check(sodium_signature); }

size_t sodium_contenders(const bench_case *given, contender *out) {
  with = given;
  if (sodium_init() < 0) return 0;
  *out = (contender){"verify", "libsodium + cJSON", sodium, 20, 1};
  return 1;
}

#ifdef HAVE_OPENSSL

#include <openssl/evp.h>

static EVP_PKEY *key;

static bool openssl_signature(const unsigned char signature[64], size_t signed_len) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool good = context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestVerify(context, signature, 64, (const unsigned char *)with->token,
                               signed_len) == 1;
  EVP_MD_CTX_free(context);
  return good;
}

static bool openssl(void) { return check(openssl_signature); }

size_t openssl_contenders(const bench_case *given, contender *out) {
  with = given;
  key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, given->key, sizeof given->key);
  if (!key) return 0;
  *out = (contender){"verify", "OpenSSL + cJSON", openssl, 20, 1};
  return 1;
}

#endif
