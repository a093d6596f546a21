//! What can be wrong with a JSON text, and where.

use std::fmt;

use crate::{Code, Error};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $phrase:literal, $policy:literal;)+) => {
        /// What is wrong: either the grammar of RFC 8259 (`is_policy` is false), or a form that
        /// the RFC leaves open and licentia refuses (`is_policy` is true).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum FlawKind {
            $($(#[doc = $doc])+ $name,)+
        }

        impl FlawKind {
            /// A few words for people and for the vectors, such as `duplicate member`.
            pub const fn phrase(self) -> &'static str {
                match self { $(FlawKind::$name => $phrase),+ }
            }

            /// Whether RFC 8259 would allow it. What comes after it has not been looked at.
            pub const fn is_policy(self) -> bool {
                match self { $(FlawKind::$name => $policy),+ }
            }
        }
    };
}

kinds! {
    /// The bytes are not UTF-8.
    Encoding = "invalid UTF-8", false;
    /// The text ends before its root does.
    End = "unexpected end", false;
    /// A byte that cannot stand there.
    Unexpected = "unexpected character", false;
    /// Something other than white space after the root.
    Trailing = "trailing text", false;
    /// A number as JSON does not spell it, such as `01`, `1.` or `-`.
    Number = "malformed number", false;
    /// A bare control character inside a string.
    Control = "control character in a string", false;
    /// A backslash with something after it that JSON does not know.
    Escape = "unknown escape", false;

    /// A byte order mark before the root.
    Mark = "byte order mark", true;
    /// The root is an array, a string, a number or a literal.
    Root = "root that is not an object", true;
    /// A member name used twice in one object, however it is spelled.
    Duplicate = "duplicate member", true;
    /// U+0000, which ends a string early in C.
    Nul = "NUL character", true;
    /// Half of a surrogate pair, which no Unicode text can hold.
    Surrogate = "lone surrogate", true;
    /// A number with a fraction, an exponent, or both.
    Inexact = "number that is not written as an integer", true;
    /// `-0`, which is 0 as an integer and something else as a float.
    NegativeZero = "negative zero", true;
    /// An integer that a double cannot hold exactly.
    Range = "integer out of range", true;
    /// More objects and arrays inside each other than [`super::DEPTH_MAX`].
    Depth = "too many levels", true;
    /// A string or member name longer than [`super::STRING_MAX`].
    LongString = "too long a string", true;
    /// More values and names than [`super::VALUES_MAX`].
    Values = "too many values", true;
    /// More bytes than the caller allows.
    Size = "too many bytes", true;
}

/// What is wrong with a text, and at which byte (counted from 0) it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong.
    pub kind: FlawKind,
    /// The first byte of what is wrong; the length of the text if it is what is missing.
    pub offset: usize,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind.phrase(), self.offset)
    }
}

impl std::error::Error for Flaw {}

impl From<Flaw> for Error {
    fn from(flaw: Flaw) -> Error {
        let code = match flaw.kind {
            FlawKind::Size | FlawKind::Values | FlawKind::LongString => Code::TooLarge,
            _ => Code::Malformed,
        };
        Error::new(code, flaw.to_string())
    }
}
