//! The one way in and out: every export is `call(error, || …)` if it can fail, and
//! `answer(otherwise, || …)` if it cannot.

use crate::status::{LICENTIA_OK, licentia_error, licentia_status};
use licentia_core::{Code, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::addr_of_mut;

/// Runs the body of an export that can fail, and reports how it failed.
///
/// # Safety
/// `error` is NULL or points to a `licentia_error`, which may be uninitialized.
pub(crate) unsafe fn call(
    error: *mut licentia_error,
    body: impl FnOnce() -> Result<()>,
) -> licentia_status {
    let run = || body().map_err(|error| (error.code(), error.to_string()));
    let (code, message) = match guarded(run) {
        Some(Ok(())) => return LICENTIA_OK,
        Some(Err(failure)) => failure,
        None => (Code::Internal, format!("a panic was caught: {}", Code::Internal.remedy())),
    };
    if !error.is_null() {
        unsafe { report(error, code, &message) };
    }
    code.number()
}

/// Runs the body of an export that cannot fail. `otherwise` is the answer that grants nothing:
/// it stands in for `None` and for a panic.
#[inline]
pub(crate) fn answer<T>(otherwise: T, body: impl FnOnce() -> Option<T>) -> T {
    guarded(body).flatten().unwrap_or(otherwise)
}

/// `None`: it panicked. No panic hook is installed, so the host's (by default, a line on
/// standard error) has run. The payload is not dropped: that could panic again.
#[inline]
fn guarded<T>(body: impl FnOnce() -> T) -> Option<T> {
    let body = || {
        #[cfg(test)]
        crate::panics::panic_if_asked();
        body()
    };
    catch_unwind(AssertUnwindSafe(body)).map_err(std::mem::forget).ok()
}

/// Writes through raw pointers only: the caller's struct may be uninitialized, and a reference
/// to it would be undefined behavior.
unsafe fn report(error: *mut licentia_error, code: Code, message: &str) {
    let bytes = cut(message, crate::status::LICENTIA_MESSAGE_SIZE - 1).as_bytes();
    unsafe {
        addr_of_mut!((*error).status).write_unaligned(code.number());
        let out = addr_of_mut!((*error).message).cast::<u8>();
        out.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        out.add(bytes.len()).write(0);
    }
}

/// The longest beginning of a text that has at most `max` bytes and no half character.
fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use licentia_core::Error;
    use std::ffi::CStr;
    use std::mem::MaybeUninit;

    fn message_of(text: &str) -> String {
        let mut error = MaybeUninit::<licentia_error>::uninit();
        unsafe {
            report(error.as_mut_ptr(), Code::Expired, text);
            let error = error.assume_init_ref();
            assert_eq!(error.status, Code::Expired.number());
            CStr::from_ptr(error.message.as_ptr()).to_str().unwrap().to_string()
        }
    }

    #[test]
    fn a_message_is_cut_between_characters() {
        assert_eq!(message_of(""), "");
        assert_eq!(message_of(&"x".repeat(251)).len(), 251);
        assert_eq!(message_of(&"x".repeat(252)).len(), 251);
        assert_eq!(message_of(&"ä".repeat(126)), "ä".repeat(125));
        assert_eq!(message_of(&format!("xx{}", "😀".repeat(99))), format!("xx{}", "😀".repeat(62)));
    }

    #[test]
    fn an_error_may_be_misaligned_or_null() {
        let mut room = [0xAA_u8; 260];
        let status = unsafe {
            let misaligned = room.as_mut_ptr().add(1).cast();
            call(misaligned, || Err(Error::new(Code::Io, "no such file")))
        };
        assert_eq!(status, Code::Io.number());
        assert_eq!(room[1..5], Code::Io.number().to_ne_bytes());
        assert!(room[5..].starts_with(b"no such file"));
        assert_eq!((room[0], room[257]), (0xAA, 0xAA), "the struct has 256 bytes");

        let fail = || Err(Error::new(Code::Io, "x"));
        assert_eq!(unsafe { call(std::ptr::null_mut(), fail) }, Code::Io.number());
    }

    #[test]
    fn nothing_is_written_on_success() {
        let mut error = licentia_error { status: 77, message: [7; 252] };
        assert_eq!(unsafe { call(&raw mut error, || Ok(())) }, LICENTIA_OK);
        assert_eq!((error.status, error.message[0]), (77, 7));
    }
}
