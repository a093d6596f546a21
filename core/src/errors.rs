//! The one table of errors: a number, a word and a remedy for each.
//!
//! The word ("slug") is the same in C, C++, Python, Node, the command line, HTTP and the
//! vectors. Numbers and words are never renumbered, renamed or used again.

use std::fmt;

macro_rules! codes {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident = $number:literal, $slug:literal, $remedy:literal;
    )+) => {
        /// What a call came to, for programs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(i32)]
        pub enum Code {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl Code {
            /// Every code, in the order of their numbers.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// The word for it, the same in every language.
            pub const fn slug(self) -> &'static str {
                match self { $(Code::$name => $slug),+ }
            }

            /// What to do about it: the second half of every message with this code.
            pub const fn remedy(self) -> &'static str {
                match self { $(Code::$name => $remedy),+ }
            }

            /// What it means, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Code::$name => concat!($($doc),+)),+ }
            }
        }
    };
}

codes! {
    /// An argument was NULL, out of range, of an unknown name, or not UTF-8.
    InvalidArgument = 1, "invalid_argument", "correct the call";
    /// A file could not be read or written.
    Io = 2, "io", "check the path, and that it may be accessed";
    /// A bug in licentia. The handle is still safe to free.
    Internal = 3, "internal", "please report this as a bug in licentia";

    /// The bytes are not a license.
    Malformed = 10, "malformed",
        "use it exactly as the vendor sent it, alone in its file, or ask for it again";
    /// The license was signed by a key this product does not trust.
    UnknownKey = 11, "unknown_key",
        "check that the license is for this product, or update the product's keys";
    /// The license was altered after it was signed.
    BadSignature = 12, "bad_signature",
        "use it exactly as the vendor sent it, alone in its file, or ask for it again";
    /// The license is for another product.
    WrongProduct = 13, "wrong_product", "use the license that was issued for this product";
    /// The license is bound to another machine.
    WrongMachine = 14, "wrong_machine",
        "set this machine's identity if it has one, or have the license bound to it again";
    /// It is signed, but it is another kind of document.
    WrongKind = 15, "wrong_kind", "use it where that kind of document is expected";
    /// Another issuer than the expected one signed it.
    WrongIssuer = 16, "wrong_issuer", "use the license that this product's vendor issued";
    /// It needs something that this version of the product does not know.
    TooNew = 17, "too_new", "update the product";
    /// It is larger than any real one.
    TooLarge = 18, "too_large", "use the file that the vendor sent";
    /// The license is bound to another installation or instance.
    WrongInstallation = 19, "wrong_installation",
        "use it where it was issued for, or ask the vendor to move it";

    /// The license has not begun.
    NotYetValid = 20, "not_yet_valid", "wait until it begins, and check the clock of this machine";
    /// The license has ended, its grace period with it.
    Expired = 21, "expired", "ask the vendor for a renewal";
    /// The vendor withdrew the license.
    Revoked = 22, "revoked", "ask the vendor why, or for another license";
    /// The vendor put the license on hold.
    Suspended = 23, "suspended", "ask the vendor to reinstate it";
    /// The clock is behind a time that has already been seen.
    ClockRollback = 24, "clock_rollback",
        "set the clock right; if it is, ask the vendor for a clock reset (request `clock`)";
    /// The token was to be renewed and was not, and the time allowed for that is over.
    TokenExpired = 25, "token_expired",
        "connect to the vendor's server, or apply a newer license file";
    /// The vendor's server has not been reached for longer than the license allows.
    SyncOverdue = 26, "sync_overdue",
        "connect to the vendor's server, or apply its answer from a file";

    /// There is no license.
    NotLicensed = 30, "not_licensed", "apply a license";
    /// The license does not grant the feature.
    NotGranted = 31, "not_granted", "ask the vendor for a license that grants it";
    /// The use would go past the feature's limit.
    LimitExceeded = 32, "limit_exceeded",
        "use less, wait until the limit starts again, or ask the vendor for a higher one";
    /// Every seat is taken.
    NoSeat = 33, "no_seat", "wait until a seat is free, or ask the vendor for more";
    /// A newer license is installed.
    OlderThanInstalled = 34, "older_than_installed", "keep the newer one, or force the older one";
    /// It was for one use, and was used.
    AlreadyUsed = 35, "already_used", "ask for a new one";
    /// The time at which a message was sent is too far from the clock of this machine.
    BadTimestamp = 36, "bad_timestamp",
        "set the clock of this machine right, and have it sent again";

    /// No answer came from the server.
    Unreachable = 40, "unreachable", "check the network and try again";
    /// The server said no.
    Refused = 41, "refused", "ask the vendor";
    /// There is no way to send it from here.
    NoTransport = 42, "no_transport", "configure a server, or exchange request and answer as files";

    /// The text is not a usable key or key set.
    InvalidKey = 50, "invalid_key",
        "use a key from `licentia key new`: .jwks in products, .pem to sign";
    /// The key is one of the few that anyone can sign for.
    WeakKey = 51, "weak_key", "make a new key with `licentia key new`";
    /// The key was retired before the license was signed.
    KeyRetired = 52, "key_retired", "ask the vendor for a license signed with a current key";
    /// The key was stolen: nothing it signed is believed.
    KeyCompromised = 53, "key_compromised", "ask the vendor for a license signed with a new key";
    /// The license was signed before its key's time.
    KeyNotYetValid = 54, "key_not_yet_valid", "ask the vendor for the license again";
    /// Others may read the private key.
    KeyPermissions = 55, "key_permissions", "make the file readable by its owner only (chmod 600)";
    /// The license was asked to bind to too little to tell machines apart.
    WeakBinding = 56, "weak_binding",
        "give the machine an identity (machine_file, --machine), name more parts, or allow it";

    /// What was kept on this machine is damaged.
    StateCorrupt = 60, "state_corrupt", "restore it from a backup, or apply the license again";
    /// What is kept on this machine cannot be reached.
    StateUnavailable = 61, "state_unavailable", "check that the folder exists and may be written";
    /// Another process holds the state.
    Busy = 62, "busy", "try again";
    /// The disk is full.
    DiskFull = 63, "disk_full", "make room on the disk and try again";
}

impl Code {
    /// The number that C programs see. It is in the header, and it never changes.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The code with this word, if there is one.
    pub fn from_slug(slug: &str) -> Option<Code> {
        Self::ALL.iter().copied().find(|code| code.slug() == slug)
    }

    /// The code with this number, if there is one.
    pub fn from_number(number: i32) -> Option<Code> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

/// Why a call failed: a code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: Code,
    detail: String,
}

/// The longest first half of a message, in bytes: with any remedy it fits licentia_error.
const DETAIL_MAX: usize = 150;

impl Error {
    /// `detail` says what was found, without a full stop; the code adds what to do about it.
    /// Control characters are escaped, and a long detail is cut: it may quote foreign input.
    pub fn new(code: Code, detail: impl AsRef<str>) -> Error {
        Error { code, detail: tame(detail.as_ref()) }
    }

    /// What kind of failure it is.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The word for its kind, such as `expired`.
    pub fn slug(&self) -> &'static str {
        self.code.slug()
    }

    /// What was found, without the remedy.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.detail, self.code.remedy())
    }
}

impl std::error::Error for Error {}

/// What every fallible function of licentia gives.
pub type Result<T> = std::result::Result<T, Error>;

fn tame(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(DETAIL_MAX));
    for c in text.chars() {
        let visible = !c.is_control() && !is_bidi(c);
        let piece = if visible { c.to_string() } else { c.escape_unicode().to_string() };
        if out.len() + piece.len() > DETAIL_MAX - '…'.len_utf8() {
            out.push('…');
            break;
        }
        out.push_str(&piece);
    }
    out
}

/// Whether a character reorders the text around it: in a log, that can hide what is there.
pub(crate) fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_are_unique_and_every_message_fits_c() {
        let mut slugs: Vec<_> = Code::ALL.iter().map(|c| c.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), Code::ALL.len());
        assert!(Code::ALL.windows(2).all(|w| w[0].number() < w[1].number()));
        for &code in Code::ALL {
            let longest = Error::new(code, "ä".repeat(1000)).to_string();
            assert!(longest.len() < 252, "{code}: {} bytes", longest.len());
            assert_eq!(Code::from_slug(code.slug()), Some(code));
            assert_eq!(Code::from_number(code.number()), Some(code));
        }
        assert_eq!(Code::from_number(0), None);
    }

    #[test]
    fn foreign_text_cannot_forge_a_log_line() {
        let error = Error::new(Code::Malformed, "a\nb\u{202e}c\u{0}");
        assert_eq!(error.detail(), r"a\u{a}b\u{202e}c\u{0}");
    }
}
