// licentia - software licensing for C and C++.
//
// Generated from ffi/src by `make bless`. Do not edit.
//
// SIX NOUNS
//
//   licentia_product       what you ship: its code, the keys that may sign its licenses, its
//                          settings
//   licentia_license       a license that one of those keys signed; knows its own dates only
//   licentia_installation  what holds here and now: its licenses, its use, its sense of time, kept
//                          in a folder
//   licentia_exchange      one HTTP request to the license API of your product, and its answer
//   licentia_seat          a seat of a floating license, held by somebody here until its lease ends
//   licentia_error         why a call failed
//
// A tool that runs for a minute may verify a license and ask that. What runs for longer opens an
// installation and asks that: it follows a renewal, a license does not.
//
// EIGHT RULES
//
//   Names     A function is named after its first argument: licentia_product_verify is what you
//             do with a licentia_product.
//   Errors    A function that can fail returns a licentia_status, and LICENTIA_OK is zero. Its
//             last argument is a licentia_error to fill in, or NULL. There is no hidden "last
//             error". NULL where something is needed, text that is not UTF-8 and a length that
//             cannot be are LICENTIA_INVALID_ARGUMENT. When a call fails, the pointer it would
//             have written is set to NULL, and everything else is as it was.
//   Answers   A function that cannot fail grants nothing when in doubt: false, 0 or "", and of a
//             gate the refusal 500.
//   Memory    Text that a function returns is borrowed from its handle, for as long as that
//             lives, and is never NULL; what it writes through a `const char **` is borrowed,
//             too. What it writes through any other pointer to a pointer is yours, to release
//             once with the matching _free. Every _free takes NULL.
//   Strings   Text is UTF-8 and ends in NUL. Bytes come with a length, and may be NULL if it is
//             zero. Nothing you pass in is kept: copy, change or release it after the call.
//   Threads   Any thread may use a const handle at any time, however many others do. While a
//             function takes one that is not const, no other thread may use it: set a product
//             or an installation up, then share it; an exchange belongs to one request. licentia
//             starts no threads, makes no callbacks, raises no signals, keeps nothing between
//             calls but your handles and the folder of an installation, no file open either, and
//             may be called in a child after fork.
//   Network   Only these ask the vendor's license server, and wait for it: _call and _sync of an
//             installation, its _seat, _renew and _release of a seat, and an exchange in which an
//             administrator renews a license or enters a license key. They need a stack of 128
//             KiB. No other call opens a socket, and none leaves one open.
//   Change    Within one LICENTIA_ABI, functions and status codes are added, never changed or
//             taken away. licentia_error is the only struct you can see into, and it is frozen.
//
// THE LICENSE API IN YOUR WEB SERVER
//
// An installation answers the requests with which an administrator looks at the license, asks for
// one and applies it, and the page that makes them. Your server does the rest: the sockets, the
// login, and everything that is not about the license. In whatever handles a request:
//
//   if (licentia_installation_serves(installation, target)) {  // the path and query, as sent
//     bad = licentia_exchange_new(method, target, &exchange, &error);
//     for (each header)
//       bad = bad || licentia_exchange_set_header(exchange, name, value, &error);
//     bad = bad || licentia_exchange_set_body(exchange, body, body_len, &error);
//     if (signed_in)  // by your login
//       bad = bad || licentia_exchange_set_caller(exchange, user, rights, &error);
//     bad = bad || licentia_installation_handle(installation, exchange, &error);
//     if (!bad) {
//       for (i = 0; *(name = licentia_exchange_header(exchange, i, &value)); i++)
//         your_answer_header(name, value);
//       data = licentia_exchange_body(exchange, &data_len);
//       your_answer(licentia_exchange_status(exchange), data, data_len);
//     }
//     licentia_exchange_free(exchange);
//   }
//
// examples/c/webserver.c is a whole server of this kind; docs/http.md lists the requests.
//
// THE VENDOR'S LICENSE SERVER
//
// With the setting "server" of an installation, or of the product, a program activates itself,
// reports what was used and learns what became of its license; without it, whatever needs the
// server is LICENTIA_NO_TRANSPORT, and everything else works: licentia_installation_request gives
// the same texts for a file, and licentia_installation_apply takes the answers.
//
//   licentia_installation_set(installation, "server", "https://licenses.example.com", &error);
//   licentia_installation_call(installation, "activation", key, &error);  // once, by the user
//
//   licentia_installation_sync(installation, &error);  // in a thread of yours, when it is due
//   licentia_installation_status(installation, LICENTIA_NOW, &json, &error);
//   // Sync again at "next_contact" of "issuer" in the JSON, and in a day if there is none there:
//   // it is the time that the server asks for, and after a failure a minute later, then two, up
//   // to an hour. LICENTIA_UNREACHABLE takes nothing away; show it to nobody but a log.
//
// examples/c/online.c does this; docs/installation.md says more.
//
// A bug in licentia is LICENTIA_INTERNAL, not the end of your program. It also prints a line on
// standard error. Settings are listed in docs/settings.md, the format of a license in
// docs/format.md, the JSON of an installation's status in docs/verdict.md, and every code with its
// remedy in docs/errors.md.

#ifndef LICENTIA_H
#define LICENTIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LICENTIA_VERSION "0.1.0"
#define LICENTIA_ABI 1

// On Windows, define LICENTIA_STATIC to link the static library.
#if defined(_WIN32) && !defined(LICENTIA_STATIC)
#define LICENTIA_API __declspec(dllimport)
#else
#define LICENTIA_API
#endif

#if defined(__GNUC__)
#define LICENTIA_MUST_USE __attribute__((warn_unused_result))
#elif defined(_MSC_VER)
#define LICENTIA_MUST_USE _Check_return_
#else
#define LICENTIA_MUST_USE
#endif

/// What a call came to: one of the constants below. It is no enum, so that its size is the same
/// in every program. More constants will come: keep a `default` in every switch.
typedef int32_t licentia_status;

enum {
  /// It worked.
  LICENTIA_OK = 0,

  /// An argument was NULL, out of range, of an unknown name, or not UTF-8.
  LICENTIA_INVALID_ARGUMENT = 1,
  /// A file could not be read or written.
  LICENTIA_IO = 2,
  /// A bug in licentia. The handle is still safe to free.
  LICENTIA_INTERNAL = 3,

  /// The bytes are not a license.
  LICENTIA_MALFORMED = 10,
  /// The license was signed by a key this product does not trust.
  LICENTIA_UNKNOWN_KEY = 11,
  /// The license was altered after it was signed.
  LICENTIA_BAD_SIGNATURE = 12,
  /// The license is for another product.
  LICENTIA_WRONG_PRODUCT = 13,
  /// The license is bound to another machine.
  LICENTIA_WRONG_MACHINE = 14,
  /// It is signed, but it is another kind of document.
  LICENTIA_WRONG_KIND = 15,
  /// Another issuer than the expected one signed it.
  LICENTIA_WRONG_ISSUER = 16,
  /// It needs something that this version of the product does not know.
  LICENTIA_TOO_NEW = 17,
  /// It is larger than any real one.
  LICENTIA_TOO_LARGE = 18,
  /// The license is bound to another installation or instance.
  LICENTIA_WRONG_INSTALLATION = 19,

  /// The license has not begun.
  LICENTIA_NOT_YET_VALID = 20,
  /// The license has ended, its grace period with it.
  LICENTIA_EXPIRED = 21,
  /// The vendor withdrew the license.
  LICENTIA_REVOKED = 22,
  /// The vendor put the license on hold.
  LICENTIA_SUSPENDED = 23,
  /// The clock is behind a time that has already been seen.
  LICENTIA_CLOCK_ROLLBACK = 24,
  /// The token was to be renewed and was not, and the time allowed for that is over.
  LICENTIA_TOKEN_EXPIRED = 25,
  /// The vendor's server has not been reached for longer than the license allows.
  LICENTIA_SYNC_OVERDUE = 26,

  /// There is no license.
  LICENTIA_NOT_LICENSED = 30,
  /// The license does not grant the feature.
  LICENTIA_NOT_GRANTED = 31,
  /// The use would go past the feature's limit.
  LICENTIA_LIMIT_EXCEEDED = 32,
  /// Every seat is taken.
  LICENTIA_NO_SEAT = 33,
  /// A newer license is installed.
  LICENTIA_OLDER_THAN_INSTALLED = 34,
  /// It was for one use, and was used.
  LICENTIA_ALREADY_USED = 35,
  /// The time at which a message was sent is too far from the clock of this machine.
  LICENTIA_BAD_TIMESTAMP = 36,

  /// No answer came from the server.
  LICENTIA_UNREACHABLE = 40,
  /// The server said no.
  LICENTIA_REFUSED = 41,
  /// There is no way to send it from here.
  LICENTIA_NO_TRANSPORT = 42,

  /// The text is not a usable key or key set.
  LICENTIA_INVALID_KEY = 50,
  /// The key is one of the few that anyone can sign for.
  LICENTIA_WEAK_KEY = 51,
  /// The key was retired before the license was signed.
  LICENTIA_KEY_RETIRED = 52,
  /// The key was stolen: nothing it signed is believed.
  LICENTIA_KEY_COMPROMISED = 53,
  /// The license was signed before its key's time.
  LICENTIA_KEY_NOT_YET_VALID = 54,
  /// Others may read the private key.
  LICENTIA_KEY_PERMISSIONS = 55,
  /// The license was asked to bind to too little to tell machines apart.
  LICENTIA_WEAK_BINDING = 56,

  /// What was kept on this machine is damaged.
  LICENTIA_STATE_CORRUPT = 60,
  /// What is kept on this machine cannot be reached.
  LICENTIA_STATE_UNAVAILABLE = 61,
  /// Another process holds the state.
  LICENTIA_BUSY = 62,
  /// The disk is full.
  LICENTIA_DISK_FULL = 63,
};

/// What may be done with a feature, in rising order: compare with >=. Zero denies.
enum {
  /// Nothing.
  LICENTIA_DENY = 0,
  /// What is there can be read and taken along; nothing new is made.
  LICENTIA_READ_ONLY = 1,
  /// Everything. Tell someone who can act on it: something ends soon, or has ended.
  LICENTIA_WARN = 2,
  /// Everything.
  LICENTIA_ALLOW = 3,
};

/// What somebody may do who is signed in: any of these, added with |. An administrator has the
/// first three.
enum {
  /// May look at the license.
  LICENTIA_MAY_READ = 1,
  /// May apply and renew licenses.
  LICENTIA_MAY_WRITE = 2,
  /// May remove them.
  LICENTIA_MAY_DELETE = 4,
  /// Is no person but a program with a token of its own. Some of the API is for persons only.
  LICENTIA_IS_SERVICE = 256,
};

/// Bytes in the message of a licentia_error, its NUL among them.
#define LICENTIA_MESSAGE_SIZE 252

/// The limit of a feature that has none.
#define LICENTIA_UNLIMITED UINT64_MAX

/// The time of what never comes: the end of a license that has none.
#define LICENTIA_NEVER INT64_MAX

/// The time at which a call is made, where one is asked for.
#define LICENTIA_NOW INT64_MIN

/// The longest body of a request to the license API, in bytes. Read no more than one byte past
/// it: what is longer is answered with 413, and the rest of it is of no interest.
#define LICENTIA_BODY_MAX 131072

/// One HTTP request to the license API, and its answer. Make one for each request, and use it in
/// one thread at a time.
typedef struct licentia_exchange licentia_exchange;

/// What holds here and now: one copy of the product in one place, with its licenses, its use and
/// its sense of time, kept in a folder. It follows the clock, renewals, removals and limits, also
/// those that another process brings about. This is what a program asks for as long as it runs.
typedef struct licentia_installation licentia_installation;

/// A license that a key of the product signed. There is no other kind. It knows its own dates and
/// nothing else: a renewal is another license.
typedef struct licentia_license licentia_license;

/// A product code, the keys that may sign its licenses, and its settings.
typedef struct licentia_product licentia_product;

/// A seat of a floating license, held by somebody here until its lease ends, or until its license
/// is gone or withdrawn. A program that dies gives it back by the end of the lease; the next one
/// asks for it again in the name of the same holder.
typedef struct licentia_seat licentia_seat;

/// Why a call failed. Declare it on the stack; there is nothing to free. It is written to only
/// when a call fails.
typedef struct {
  /// The status that the call returned.
  licentia_status status;
  /// What was found and what to do about it: one line of UTF-8, cut to fit.
  char message[LICENTIA_MESSAGE_SIZE];
} licentia_error;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/// The version of the library that is loaded. LICENTIA_VERSION is that of this header.
LICENTIA_API const char *licentia_version(void);

/// The LICENTIA_ABI of the library that is loaded.
LICENTIA_API int licentia_abi(void);

/// The word for a status, the same in every language: "expired" for LICENTIA_EXPIRED. A number
/// that this version does not know is "unknown".
LICENTIA_API const char *licentia_status_name(int status);

/// Releases text that was written through a `char **`. Its length must be what it was.
LICENTIA_API void licentia_string_free(char *string);

/// Makes a product. `code` is the product code in your licenses. `keys` is who may sign them: a
/// key set (JWKS), a PEM public key, or the `ed25519:` line that `licentia key show` prints.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_product_new(const char *code,
                                     const char *keys,
                                     licentia_product **product,
                                     licentia_error *error);

/// Trusts more keys, so that you can change keys without breaking old licenses: keys as
/// licentia_product_new takes them, or a key set that one of your root keys signed.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_product_trust(licentia_product *product,
                                       const char *keys,
                                       licentia_error *error);

/// Sets one of the settings in docs/settings.md by name: "machine", to identify the machine your
/// own way; "clock", to stop the clock in your tests; and so on. An unknown name fails, and the
/// message says which name is nearest. Licenses that are held follow a change of the clock.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_product_set(licentia_product *product,
                                     const char *name,
                                     const char *value,
                                     licentia_error *error);

/// Writes what identifies this machine, as a JSON object: its "id" for people, and a keyed hash
/// of every part, for `licentia issue --bind`. No raw serial number is in it. Reads files.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_product_machine(const licentia_product *product,
                                         char **json,
                                         licentia_error *error);

/// Checks a license in full: signature, key, issuer, product, machine and dates. It may be text,
/// a .lic file or a base64 blob. docs/format.md lists the checks in their order; the first that
/// fails is the status. Reads files if the license is bound to a machine.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_product_verify(const licentia_product *product,
                                        const void *data,
                                        size_t data_len,
                                        licentia_license **license,
                                        licentia_error *error);

/// Checks a license's signature, key, issuer and product only, to show one that has ended or
/// belongs elsewhere. What it gives allows nothing unless the license is in force here.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_product_inspect(const licentia_product *product,
                                         const void *data,
                                         size_t data_len,
                                         licentia_license **license,
                                         licentia_error *error);

/// Releases a product. Its licenses may be held longer than it.
LICENTIA_API void licentia_product_free(licentia_product *product);

/// Whether the license is in force at this moment and grants `feature`. False for NULL, and for
/// a feature it does not name. Ask whenever it matters: the answer follows the clock for as long
/// as you hold the license, and costs less than a system call.
LICENTIA_API
LICENTIA_MUST_USE
bool licentia_license_allows(const licentia_license *license,
                             const char *feature);

/// How much of `feature` may be used: LICENTIA_UNLIMITED if it has no limit, zero wherever
/// licentia_license_allows says false.
LICENTIA_API
uint64_t licentia_license_limit(const licentia_license *license,
                                const char *feature);

/// When the license ends, in seconds since 1970 and without any grace, or LICENTIA_NEVER. Zero
/// for NULL. To decide anything, ask licentia_license_allows.
LICENTIA_API int64_t licentia_license_expires(const licentia_license *license);

/// The serial number, such as LIC-MYAPP-A1B2C3D4.
LICENTIA_API const char *licentia_license_serial(const licentia_license *license);

/// Who the license is for: the customer's name, or else the customer's id.
LICENTIA_API const char *licentia_license_customer(const licentia_license *license);

/// Everything the license says: the JSON object that was signed, byte for byte. docs/format.md
/// lists its members.
LICENTIA_API const char *licentia_license_json(const licentia_license *license);

/// Releases a license, and the text that was borrowed from it.
LICENTIA_API void licentia_license_free(licentia_license *license);

/// Opens the installation that is kept in a folder. The folder has to exist and belongs to
/// licentia alone; keep it through restarts and updates of your program. Any number of processes
/// may have it open. A folder that is damaged, full or cannot be reached does not fail here:
/// licentia_installation_status says what is wrong with it, what would be written there fails
/// with that status, and licenses from elsewhere work. Of the product, the installation keeps a
/// copy as it is now; only a clock that is set later reaches it.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_product_open(const licentia_product *product,
                                      const char *directory,
                                      licentia_installation **installation,
                                      licentia_error *error);

/// Sets one of the settings of an installation in docs/settings.md by name: "license_file", for
/// a license that comes with your configuration; "instance"; and so on. An unknown name fails,
/// and the message says which name is nearest.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_set(licentia_installation *installation,
                                          const char *name,
                                          const char *value,
                                          licentia_error *error);

/// Whether `feature` may be used at this moment: licentia_installation_access is at least
/// LICENTIA_WARN. Ask before each piece of work, and do not keep the answer: it may change within
/// a second, either way, and asking costs less than a system call.
LICENTIA_API
LICENTIA_MUST_USE
bool licentia_installation_allows(const licentia_installation *installation,
                                  const char *feature);

/// What may be done with `feature` at this moment: LICENTIA_DENY, LICENTIA_READ_ONLY,
/// LICENTIA_WARN or LICENTIA_ALLOW. Compare it with >=.
LICENTIA_API
LICENTIA_MUST_USE
int licentia_installation_access(const licentia_installation *installation,
                                 const char *feature);

/// The same for a web server, with the refusal ready to send: returns zero if `feature` may be
/// used, and then leaves `*body` NULL. Otherwise returns the HTTP status to answer with, and
/// writes the JSON to send with it, which licentia_string_free releases. Returns 500 with `*body`
/// NULL where it cannot tell. Put it before what the product does, and not before the pages on
/// which a license is installed.
LICENTIA_API
LICENTIA_MUST_USE
int licentia_installation_gate(const licentia_installation *installation,
                               const char *feature,
                               char **body);

/// Writes everything that holds at a time, as a JSON object: the license, every feature, warnings,
/// what will change when, and how the folder and the clock are. `at` is LICENTIA_NOW or seconds
/// since 1970. Changes nothing, on disk neither: root may ask, and the folder may be read-only.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_status(const licentia_installation *installation,
                                             int64_t at,
                                             char **json,
                                             licentia_error *error);

/// Writes why that holds, as a JSON object: what was looked at, what was found, and what to do.
/// Like licentia_installation_status, it changes nothing.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_explain(const licentia_installation *installation,
                                              int64_t at,
                                              char **json,
                                              licentia_error *error);

/// Takes anything the vendor signed: a license, a key set, a list of revocations, an answer, a
/// clock reset. All of it is checked first, and what is refused changes nothing. It is on disk
/// when this returns; this process follows it at once, and every other within a second. A license
/// that is older than the installed one is LICENTIA_OLDER_THAN_INSTALLED.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_apply(const licentia_installation *installation,
                                            const void *data,
                                            size_t data_len,
                                            licentia_error *error);

/// The same, and lets a license take the place of a newer one: for an administrator who means to
/// go back.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_apply_older(const licentia_installation *installation,
                                                  const void *data,
                                                  size_t data_len,
                                                  licentia_error *error);

/// Removes the licenses that were applied. `removed`, which may be NULL, says whether there were
/// any. What was used, and when the product was first used, stay.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_remove(const licentia_installation *installation,
                                             bool *removed,
                                             licentia_error *error);

/// Writes a text to send to the vendor, by whatever way there is. `what` is "license": a license
/// for this machine is wanted (the request code); "renewal": a newer token of the one in use;
/// "activation": the license that the license key in `argument` stands for, or, with NULL, this
/// machine for the license in use; "deactivation": this machine is to be free of it; "clock": a
/// clock reset, where the clock was wrong; "sync": what was used; "seat": a seat for the holder in
/// `argument` (1 to 128 bytes of what can be seen); "borrow": the same for days without the server,
/// as "30 ann"; or "release": the seat of the holder in `argument` is given back. For the other
/// words `argument` is NULL. The text is signed with a key of this installation. Nothing in it is
/// secret but a license key, and `licentia inspect` shows all of it. Packing it takes 96 KiB of
/// stack, more than any other function does.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_request(const licentia_installation *installation,
                                              const char *what,
                                              const char *argument,
                                              char **text,
                                              licentia_error *error);

/// Releases an installation, and makes durable first what licentia_installation_record_later left.
LICENTIA_API
void licentia_installation_free(licentia_installation *installation);

/// Adds `amount` to a counter, such as requests in a month: for a feature whose meter is "count".
/// It is on disk when this returns. What would go past a limit that stops is
/// LICENTIA_LIMIT_EXCEEDED, and counts nothing: call this before the work, and do the work only if
/// it returns LICENTIA_OK. Where there is nothing to count, as with a license that does not
/// measure the feature, it is LICENTIA_OK too. Processes and threads that record at the same time
/// wait for the disk together, so sixteen of them take little longer than one.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_record(const licentia_installation *installation,
                                             const char *feature,
                                             uint64_t amount,
                                             licentia_error *error);

/// The same without waiting for the disk. The end of this process loses nothing of it; when the
/// machine loses its power, what was recorded in the last second may be lost. For counts that are
/// worth less than the time of a write.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_record_later(const licentia_installation *installation,
                                                   const char *feature,
                                                   uint64_t amount,
                                                   licentia_error *error);

/// Sets a gauge, such as the accounts there are: for a feature whose meter is "level". `level` is
/// an absolute value that the host knows, as from its database; never count it up and down across
/// workers, because one that is killed leaves its +1 behind for ever. On disk when this returns.
/// Going down always works; going up past a limit that stops is LICENTIA_LIMIT_EXCEEDED, and the
/// level stays as it was.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_record_level(const licentia_installation *installation,
                                                   const char *feature,
                                                   uint64_t level,
                                                   licentia_error *error);

/// Notes that `key` was seen, such as a host or a user: for a feature whose meter is "distinct",
/// which counts the different keys of its last days. Only a keyed hash of it is kept. On disk when
/// this returns. A key that was seen in those days always works; a new one past a limit that
/// stops is LICENTIA_LIMIT_EXCEEDED, and is not noted.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_record_key(const licentia_installation *installation,
                                                 const char *feature,
                                                 const char *key,
                                                 licentia_error *error);

/// Says how much of a metered feature was used, and how much there is. `used` is that of this
/// period or window; of a gauge, its level. `limit` is LICENTIA_UNLIMITED if there is none: never
/// subtract from it, and `used` may be more than it. `resets_at` is when counting starts anew, in
/// seconds since 1970, or LICENTIA_NEVER. Each of the three may be NULL. To decide anything, ask
/// licentia_installation_allows: a license may grant more than its limit.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_usage(const licentia_installation *installation,
                                            const char *feature,
                                            uint64_t *used,
                                            uint64_t *limit,
                                            int64_t *resets_at,
                                            licentia_error *error);

/// Notes when the product was first used: LICENTIA_NOW or seconds since 1970. From then on the
/// days run that a product works without a license, if its setting "grace_days" gives any. The
/// earliest time ever given is kept for ever, so call it as often as you like, and with a date
/// that your own data remembers if there is one: it survives the loss of the folder. A time that
/// has not come is LICENTIA_INVALID_ARGUMENT.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_first_use(const licentia_installation *installation,
                                                int64_t at,
                                                licentia_error *error);

/// Makes durable what licentia_installation_record_later left, and waits for it.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_flush(const licentia_installation *installation,
                                            licentia_error *error);

/// Asks the vendor's server (the setting "server"), and applies what it signs in answer. `what` and
/// `argument` are as in licentia_installation_request: "activation" with a license key, "renewal",
/// "deactivation", and so on; the argument may be NULL. It waits for the network, no longer than
/// the setting "server_timeout" says: call it from a thread that may wait. LICENTIA_UNREACHABLE
/// says nothing of the license. LICENTIA_REFUSED has what the server said in its message. Whatever
/// it fails with, what was here stays, and holds.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_call(const licentia_installation *installation,
                                           const char *what,
                                           const char *argument,
                                           licentia_error *error);

/// Reports what was used, and applies what the vendor's server says of the license: a renewal, a
/// suspension, newer keys, withdrawn licenses. What was used is reported once, however often this
/// fails. Call it at the "next_contact" of "issuer" in the status; it is a time after a failure,
/// too. It waits as licentia_installation_call does.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_sync(const licentia_installation *installation,
                                           licentia_error *error);

/// Asks the vendor's server for a seat for `holder`, who may be a person, a device or a process: 1
/// to 128 bytes of what can be seen. `borrow_days` is 0, or for how many days, up to 366, the seat
/// is to be used out of the server's reach. Who has one here already keeps it, and it never gets
/// shorter: a program asks each time it starts. LICENTIA_NO_SEAT if all are taken. Unless the
/// server says no, a seat that is held is given also where asking fails; with `borrow_days` only
/// one that was borrowed. It waits as licentia_installation_call does.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_seat(const licentia_installation *installation,
                                           const char *holder,
                                           uint32_t borrow_days,
                                           licentia_seat **seat,
                                           licentia_error *error);

/// Asks for a longer lease: halfway to licentia_seat_expires is a good time. What is held stays,
/// whatever this fails with, and what is borrowed stays borrowed. A seat that has ended is asked
/// for again. It waits as licentia_installation_call does.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_seat_renew(const licentia_seat *seat,
                                    licentia_error *error);

/// The first second for which the seat is not held any more, in seconds since 1970, by the clock of
/// this machine; 0 if it is not held now. It looks at the folder: other processes may have renewed
/// the seat, or given it back.
LICENTIA_API
LICENTIA_MUST_USE
int64_t licentia_seat_expires(const licentia_seat *seat);

/// Gives the seat back to the server, also one that is borrowed. Good, too, where it is not held
/// any more. If it fails, the seat is held until its lease ends. It waits as
/// licentia_installation_call does.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_seat_release(const licentia_seat *seat,
                                      licentia_error *error);

/// Releases the handle, asks nobody and waits for nothing: the seat is held until its lease ends,
/// unless licentia_seat_release gave it back. A seat goes by the settings that its installation had
/// when it was asked for, and may be used and freed after it.
LICENTIA_API
void licentia_seat_free(licentia_seat *seat);

/// Begins an exchange with the first line of a request. `method` and `target` are as they were
/// sent, and the target has its query and is still escaped. What no web server lets through is
/// LICENTIA_INVALID_ARGUMENT: answer 400.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_exchange_new(const char *method,
                                      const char *target,
                                      licentia_exchange **exchange,
                                      licentia_error *error);

/// Notes a header of the request. Give all there are: those that mean something here are few, and
/// the others are left out. A second one of the same name counts too. `value` may have any bytes:
/// a server hands on what it was sent.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_exchange_set_header(licentia_exchange *exchange,
                                             const char *name,
                                             const char *value,
                                             licentia_error *error);

/// Takes the body of the request, whole, in place of one that was given before. Of one that is
/// longer than LICENTIA_BODY_MAX, only the beginning is kept: it is answered with 413.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_exchange_set_body(licentia_exchange *exchange,
                                           const void *data,
                                           size_t data_len,
                                           licentia_error *error);

/// Says who is asking, after you made sure of it: your login is the only one there is. `name` is
/// what you call them, 1 to 256 bytes; `rights` are LICENTIA_MAY_READ and its like, added with |.
/// An administrator has all three. A bit that means nothing is LICENTIA_INVALID_ARGUMENT. Without
/// this call a stranger is asking, who learns the public status and nothing else.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_exchange_set_caller(licentia_exchange *exchange,
                                             const char *name,
                                             uint32_t rights,
                                             licentia_error *error);

/// Whether licentia_installation_handle has something at `target`, by any method: for a server
/// that has pages of its own. The setting "mount" says below which path the license API is.
LICENTIA_API
LICENTIA_MUST_USE
bool licentia_installation_serves(const licentia_installation *installation,
                                  const char *target);

/// Answers a request to the license API: whatever is wrong with it is an answer too. Send the
/// status, every header and the body just as they are, and add none but those that your server
/// adds to every answer. It may wait for a disk, and takes 96 KiB of stack. Call it from as many
/// threads as you like, each with an exchange of its own.
LICENTIA_API
LICENTIA_MUST_USE
licentia_status licentia_installation_handle(const licentia_installation *installation,
                                             licentia_exchange *exchange,
                                             licentia_error *error);

/// The HTTP status of the answer; 0 as long as there is none.
LICENTIA_API LICENTIA_MUST_USE int licentia_exchange_status(const licentia_exchange *exchange);

/// The name of a header of the answer, in lower case, and through `value` its value. `index`
/// counts from 0; behind the last one, both are "". They are borrowed from the exchange until it
/// is handled again or released.
LICENTIA_API
LICENTIA_MUST_USE
const char *licentia_exchange_header(const licentia_exchange *exchange,
                                     size_t index,
                                     const char **value);

/// The body of the answer, and through `body_len` its length in bytes. It is never NULL, and a
/// NUL comes after it, which is not counted. It is borrowed as the headers are.
LICENTIA_API
LICENTIA_MUST_USE
const void *licentia_exchange_body(const licentia_exchange *exchange,
                                   size_t *body_len);

/// Releases an exchange, and what was borrowed from it.
LICENTIA_API void licentia_exchange_free(licentia_exchange *exchange);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* LICENTIA_H */
