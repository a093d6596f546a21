// licentia - software licensing for C and C++.
//
// Generated from ffi/src by `make bless`. Do not edit.
//
// FOUR NOUNS
//
//   licentia_product       what you ship: its code, the keys that may sign its licenses, its
//                          settings
//   licentia_license       a license that one of those keys signed; knows its own dates only
//   licentia_installation  what holds here and now: its licenses, its use, its sense of time, kept
//                          in a folder
//   licentia_error         why a call failed
//
// A tool that runs for a minute may verify a license and ask that. What runs for longer opens an
// installation and asks that: it follows a renewal, a license does not.
//
// SEVEN RULES
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
//             lives, and is never NULL. What it writes through a pointer to a pointer is yours,
//             to release once with the matching _free. Every _free takes NULL.
//   Strings   Text is UTF-8 and ends in NUL. Bytes come with a length, and may be NULL if it is
//             zero. Nothing you pass in is kept: copy, change or release it after the call.
//   Threads   Any thread may use a const handle at any time, however many others do. While a
//             function takes one that is not const, no other thread may use it: set a product
//             or an installation up, then share it. licentia starts no threads, makes no
//             callbacks, opens no sockets, keeps nothing between calls but your handles and the
//             folder of an installation, no file open either, and may be called in a child after
//             fork.
//   Change    Within one LICENTIA_ABI, functions and status codes are added, never changed or
//             taken away. licentia_error is the only struct you can see into, and it is frozen.
//
// A bug in licentia is LICENTIA_INTERNAL, not the end of your program. It also prints a line on
// standard error. Settings are listed in docs/settings.md, the format of a license in
// docs/format.md, the JSON of an installation's status in docs/verdict.md, and every code with its
// remedy in docs/errors.md.
