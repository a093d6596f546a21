//! Text and bytes on their way in, text and pointers on their way out.

use licentia_core::{Code, Error, Result};
use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::null_mut;

fn refuse(what: String) -> Error {
    Error::new(Code::InvalidArgument, what)
}

/// Text from C: NUL at its end, UTF-8.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str> {
    if pointer.is_null() {
        return Err(refuse(format!("{name} is NULL")));
    }
    unsafe { CStr::from_ptr(pointer) }
        .to_str()
        .map_err(|error| refuse(format!("{name} is not UTF-8 at byte {}", error.valid_up_to())))
}

/// Text that somebody else wrote, and this program only hands on: what is not UTF-8 in it becomes
/// U+FFFD.
pub(crate) unsafe fn foreign<'a>(pointer: *const c_char, name: &str) -> Result<Cow<'a, str>> {
    if pointer.is_null() {
        return Err(refuse(format!("{name} is NULL")));
    }
    Ok(unsafe { CStr::from_ptr(pointer) }.to_string_lossy())
}

/// The bytes of a feature's id. Whether they are UTF-8 does not matter: ids are compared.
#[inline]
pub(crate) unsafe fn feature_id<'a>(feature: *const c_char) -> Option<&'a [u8]> {
    (!feature.is_null()).then(|| unsafe { CStr::from_ptr(feature) }.to_bytes())
}

/// Bytes from C. NULL with length 0 is nothing at all, as web servers give for an empty body. A
/// length that no memory has is refused before anything is read.
pub(crate) unsafe fn bytes<'a>(pointer: *const c_void, len: usize, name: &str) -> Result<&'a [u8]> {
    unsafe { beginning(pointer, len, len, name) }
}

/// The same, of which no more than `max` bytes are looked at.
pub(crate) unsafe fn beginning<'a>(
    pointer: *const c_void,
    len: usize,
    max: usize,
    name: &str,
) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(refuse(format!("{name} is NULL, and its length is {len}")));
    }
    if isize::try_from(len).is_err() || pointer.addr().checked_add(len).is_none() {
        return Err(refuse(format!("{name} cannot have {len} bytes")));
    }
    Ok(unsafe { std::slice::from_raw_parts(pointer.cast(), len.min(max)) })
}

/// A variable of the caller that is to be filled in.
pub(crate) struct Out<T>(*mut *mut T);

/// Clears the caller's variable first: whatever fails after this leaves NULL behind.
pub(crate) unsafe fn out<T>(slot: *mut *mut T, name: &str) -> Result<Out<T>> {
    if slot.is_null() {
        return Err(refuse(format!("{name}, where the result belongs, is NULL")));
    }
    unsafe { slot.write_unaligned(null_mut()) };
    Ok(Out(slot))
}

impl<T> Out<T> {
    /// Fills it in: the last thing a call does.
    pub(crate) unsafe fn fill(self, value: *mut T) {
        unsafe { self.0.write_unaligned(value) };
    }
}

/// Writes a number for a caller who asked for it; one who passed NULL did not.
pub(crate) unsafe fn put<T>(slot: *mut T, value: T) {
    if !slot.is_null() {
        unsafe { slot.write_unaligned(value) };
    }
}

/// Text for C. What licentia says has no NUL in it; if it had, that is a bug of its own.
pub(crate) fn c_text(text: impl Into<Vec<u8>>) -> Result<CString> {
    CString::new(text).map_err(|_| Error::new(Code::Internal, "a text with NUL in it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_judged_before_memory_is_touched() {
        let nowhere = std::ptr::without_provenance::<c_void>(16);
        let len_of = |pointer, len| unsafe { bytes(pointer, len, "data") }.map(<[u8]>::len);
        assert_eq!(len_of(std::ptr::null(), 0), Ok(0));
        assert_eq!(len_of(nowhere, 0), Ok(0));
        for len in [1, isize::MAX as usize, usize::MAX] {
            assert_eq!(len_of(std::ptr::null(), len).unwrap_err().code(), Code::InvalidArgument);
        }
        for len in [isize::MAX as usize + 1, usize::MAX - 15, usize::MAX] {
            assert_eq!(len_of(nowhere, len).unwrap_err().code(), Code::InvalidArgument);
        }
        let high = std::ptr::without_provenance::<c_void>(usize::MAX - 8);
        assert_eq!(len_of(high, 9).unwrap_err().code(), Code::InvalidArgument);
    }

    #[test]
    fn text_must_be_utf8() {
        for (bad, at) in [(c"\xff", 0), (c"ab\xc0\x80", 2), (c"abc\xed\xa0\x80", 3)] {
            let error = unsafe { text(bad.as_ptr(), "code") }.unwrap_err();
            assert_eq!(error.detail(), format!("code is not UTF-8 at byte {at}"));
        }
    }
}
