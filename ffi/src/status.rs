//! Status codes, the error struct, and what belongs to no handle.

use crate::call::answer;
use licentia_core::Code;
use std::ffi::{CString, c_char, c_int};

/// Zero, or why a call failed. The header's constants are written from the core's table of
/// codes, so this is a number here and not an enum; in C, `-fshort-enums` cannot shrink it.
pub type licentia_status = i32;

/// It worked.
pub(crate) const LICENTIA_OK: licentia_status = 0;

/// The LICENTIA_ABI of this library.
pub(crate) const ABI: c_int = 1;

/// Bytes in the message of a licentia_error, its NUL among them.
pub const LICENTIA_MESSAGE_SIZE: usize = 252;

/// The limit of a feature that has none.
pub const LICENTIA_UNLIMITED: u64 = u64::MAX;

const _: () = assert!(LICENTIA_UNLIMITED == licentia_core::UNLIMITED);

/// The time of what never comes: the end of a license that has none.
pub const LICENTIA_NEVER: i64 = i64::MAX;

/// Why a call failed. Declare it on the stack; there is nothing to free. It is written to only
/// when a call fails.
#[repr(C)]
pub struct licentia_error {
    /// The status that the call returned.
    pub status: licentia_status,
    /// What was found and what to do about it: one line of UTF-8, cut to fit.
    pub message: [c_char; LICENTIA_MESSAGE_SIZE],
}

/// The version of the library that is loaded. LICENTIA_VERSION is that of this header.
#[unsafe(no_mangle)]
pub extern "C" fn licentia_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The LICENTIA_ABI of the library that is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn licentia_abi() -> c_int {
    ABI
}

/// The word for a status, the same in every language: "expired" for LICENTIA_EXPIRED. A number
/// that this version does not know is "unknown".
#[unsafe(no_mangle)]
pub extern "C" fn licentia_status_name(status: c_int) -> *const c_char {
    answer(c"unknown".as_ptr(), || match status {
        LICENTIA_OK => Some(c"ok".as_ptr()),
        _ => NAMES.iter().find(|name| name.number == status).map(|name| name.word.as_ptr().cast()),
    })
}

/// Releases text that was written through a `char **`. Its length must be what it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_string_free(string: *mut c_char) {
    answer((), || (!string.is_null()).then(|| drop(unsafe { CString::from_raw(string) })));
}

/// Bytes in the longest word, its NUL among them.
const WORD_SIZE: usize = 32;

#[derive(Clone, Copy)]
struct Name {
    number: i32,
    word: [u8; WORD_SIZE],
}

/// The core's words with a NUL after each. A word that is too long does not compile.
static NAMES: [Name; Code::ALL.len()] = {
    let mut names = [Name { number: 0, word: [0; WORD_SIZE] }; Code::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        let slug = Code::ALL[at].slug().as_bytes();
        names[at].number = Code::ALL[at].number();
        let mut byte = 0;
        while byte < slug.len() {
            assert!(byte < WORD_SIZE - 1);
            names[at].word[byte] = slug[byte];
            byte += 1;
        }
        at += 1;
    }
    names
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    fn name(status: c_int) -> &'static str {
        unsafe { CStr::from_ptr(licentia_status_name(status)) }.to_str().unwrap()
    }

    #[test]
    fn every_code_has_its_word() {
        assert_eq!(name(0), "ok");
        for code in Code::ALL {
            assert_eq!(name(code.number()), code.slug());
        }
        for number in [-1, 9, 9999, c_int::MIN, c_int::MAX] {
            assert_eq!(name(number), "unknown");
        }
    }

    #[test]
    fn the_error_is_frozen_at_256_bytes() {
        assert_eq!(size_of::<licentia_error>(), 256);
        assert_eq!(std::mem::offset_of!(licentia_error, message), 4);
    }
}
