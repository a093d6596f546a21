//! What a caller gives to be written to, and what the header promises to write there.

use std::ffi::CStr;
use std::ptr::{null_mut, without_provenance_mut};

use licentia::Code;

use crate::status::{LICENTIA_MESSAGE_SIZE, LICENTIA_OK, licentia_error, licentia_status};

const UNTOUCHED: i32 = 0x5A5A_5A5A;

/// A `licentia_error`, or NULL in its place.
pub struct Report(Option<Box<licentia_error>>);

impl From<u8> for Report {
    fn from(byte: u8) -> Report {
        let untouched =
            licentia_error { status: UNTOUCHED, message: [0x5A; LICENTIA_MESSAGE_SIZE] };
        Report((byte < 0xE0).then(|| Box::new(untouched)))
    }
}

impl Report {
    pub fn pointer(&mut self) -> *mut licentia_error {
        self.0.as_deref_mut().map_or(null_mut(), |error| &raw mut *error)
    }

    /// Judges the status of a call and what it wrote about it. `callable`: whether every
    /// argument was one that such a call can have.
    pub fn judge(self, status: licentia_status, callable: bool) {
        assert!(callable || status == Code::InvalidArgument.number(), "{status}: a wrong argument");
        if status == LICENTIA_OK {
            let Some(error) = self.0 else { return };
            assert_eq!(error.status, UNTOUCHED, "written to by a call that worked");
            assert!(error.message.iter().all(|byte| *byte == 0x5A));
            return;
        }
        let code = Code::from_number(status).expect("a status of the header");
        assert_ne!(code, Code::Internal);
        let Some(error) = self.0 else { return };
        assert_eq!(error.status, status);
        let bytes = error.message.map(|byte| byte as u8);
        let message = CStr::from_bytes_until_nul(&bytes).expect("a NUL").to_str().expect("UTF-8");
        assert!(!message.chars().any(char::is_control), "not one line: {message:?}");
        assert!(message.ends_with(code.remedy()), "nothing to do about it: {message:?}");
    }
}

/// A variable for a pointer with something in it, or NULL in its place.
pub struct OutSlot<T> {
    variable: Box<*mut T>,
    given: bool,
}

impl<T> From<u8> for OutSlot<T> {
    fn from(byte: u8) -> OutSlot<T> {
        OutSlot { variable: Box::new(without_provenance_mut(1)), given: byte < 0xE0 }
    }
}

impl<T> OutSlot<T> {
    pub fn pointer(&mut self) -> *mut *mut T {
        if self.given { &raw mut *self.variable } else { null_mut() }
    }

    /// What a call with this status wrote; it is the caller's now.
    pub fn judge(self, status: licentia_status) -> Option<*mut T> {
        if !self.given {
            assert_eq!(status, Code::InvalidArgument.number(), "nowhere to write to");
            return None;
        }
        let pointer = *self.variable;
        assert_ne!(pointer, without_provenance_mut(1), "it was left as it was");
        assert_eq!(pointer.is_null(), status != LICENTIA_OK, "NULL, and nothing else, on failure");
        (!pointer.is_null()).then_some(pointer)
    }
}
