
#define LICENTIA_VERSION "@VERSION@"
#define LICENTIA_ABI @ABI@

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
@CODES@};

/// What may be done with a feature, in rising order: compare with >=. Zero denies.
enum {
  /// Nothing.
  LICENTIA_DENY = @DENY@,
  /// What is there can be read and taken along; nothing new is made.
  LICENTIA_READ_ONLY = @READ_ONLY@,
  /// Everything. Tell someone who can act on it: something ends soon, or has ended.
  LICENTIA_WARN = @WARN@,
  /// Everything.
  LICENTIA_ALLOW = @ALLOW@,
};

/// What somebody may do who is signed in: any of these, added with |. An administrator has the
/// first three.
enum {
  /// May look at the license.
  LICENTIA_MAY_READ = @READ@,
  /// May apply and renew licenses.
  LICENTIA_MAY_WRITE = @WRITE@,
  /// May remove them.
  LICENTIA_MAY_DELETE = @DELETE@,
  /// Is no person but a program with a token of its own. Some of the API is for persons only.
  LICENTIA_IS_SERVICE = @SERVICE@,
};
