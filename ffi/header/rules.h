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
