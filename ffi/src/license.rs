//! A license: what the vendor signed.

use crate::call::answer;
use crate::handle::{Handle, free, peek};
use crate::status::LICENTIA_NEVER;
use crate::text::{c_text, feature_id};
use licentia_core::{License, Result};
use std::ffi::{CString, c_char};

/// A license that a key of the product signed. There is no other kind. It knows its own dates and
/// nothing else: a renewal is another license.
pub struct licentia_license(());

/// A license with its texts as C reads them, so that lending one costs nothing.
pub(crate) struct Signed {
    license: License,
    json: CString,
    serial: CString,
    customer: CString,
}

impl Signed {
    pub(crate) fn new(license: License) -> Result<Signed> {
        Ok(Signed {
            json: c_text(license.json())?,
            serial: c_text(license.serial())?,
            customer: c_text(license.customer())?,
            license,
        })
    }
}

impl Handle for licentia_license {
    type Held = Signed;
    const TAG: u64 = u64::from_be_bytes(*b"license1");
    const NAME: &'static str = "license";
}

/// Whether the license is in force at this moment and grants `feature`. False for NULL, and for
/// a feature it does not name. Ask whenever it matters: the answer follows the clock for as long
/// as you hold the license, and costs less than a system call.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_license_allows(
    license: *const licentia_license,
    feature: *const c_char,
) -> bool {
    answer(false, || unsafe {
        let signed = peek(license)?;
        Some(signed.license.allows(feature_id(feature)?))
    })
}

/// How much of `feature` may be used: LICENTIA_UNLIMITED if it has no limit, zero wherever
/// licentia_license_allows says false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_license_limit(
    license: *const licentia_license,
    feature: *const c_char,
) -> u64 {
    answer(0, || unsafe {
        let signed = peek(license)?;
        Some(signed.license.limit(feature_id(feature)?))
    })
}

/// When the license ends, in seconds since 1970 and without any grace, or LICENTIA_NEVER. Zero
/// for NULL. To decide anything, ask licentia_license_allows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_license_expires(license: *const licentia_license) -> i64 {
    answer(0, || {
        let signed = unsafe { peek(license)? };
        Some(signed.license.expires().unwrap_or(LICENTIA_NEVER))
    })
}

/// The serial number, such as LIC-MYAPP-A1B2C3D4.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_license_serial(
    license: *const licentia_license,
) -> *const c_char {
    unsafe { lend(license, |signed| &signed.serial) }
}

/// Who the license is for: the customer's name, or else the customer's id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_license_customer(
    license: *const licentia_license,
) -> *const c_char {
    unsafe { lend(license, |signed| &signed.customer) }
}

/// Everything the license says: the JSON object that was signed, byte for byte. docs/format.md
/// lists its members.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_license_json(license: *const licentia_license) -> *const c_char {
    unsafe { lend(license, |signed| &signed.json) }
}

/// Releases a license, and the text that was borrowed from it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_license_free(license: *mut licentia_license) {
    answer((), || {
        unsafe { free(license) };
        None
    });
}

unsafe fn lend(license: *const licentia_license, which: fn(&Signed) -> &CString) -> *const c_char {
    answer(c"".as_ptr(), || unsafe { peek(license).map(|signed| which(signed).as_ptr()) })
}
