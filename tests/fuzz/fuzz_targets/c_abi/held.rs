//! Handles, and what is known about them.

use std::ffi::{CStr, c_char};

use serde_json::Value;

use crate::input::Text;
use crate::license::*;
use crate::product::licentia_product;
use crate::status::{LICENTIA_NEVER, LICENTIA_UNLIMITED};

pub struct HeldProduct {
    pub pointer: *mut licentia_product,
    pub code: Vec<u8>,
}

pub struct HeldLicense {
    pub pointer: *mut licentia_license,
    says: Value,
    lent: [Lent; 3],
}

/// Text that was borrowed: where it is, and what it was at first.
type Lent = (*const c_char, Vec<u8>);

impl HeldLicense {
    pub fn new(pointer: *mut licentia_license) -> HeldLicense {
        let lent = borrow(pointer);
        let [serial, customer, json] = lent.each_ref().map(|(_, text)| text.as_slice());
        let says: Value = serde_json::from_slice(json).unwrap();
        let text = |at: &str| says.pointer(at).and_then(Value::as_str);
        let who = text("/license/customer/name").or(text("/sub")).unwrap_or_default();
        assert_eq!(serial, text("/license/serial").unwrap_or_default().as_bytes());
        assert_eq!(customer, who.as_bytes());
        HeldLicense { pointer, says, lent }
    }

    /// The product it is for.
    pub fn product(&self) -> &str {
        self.says["aud"].as_str().unwrap()
    }

    /// Whether it allows a feature, with its limit held against what it says.
    pub fn ask(&self, feature: &Text) -> bool {
        let (license, name) = (self.pointer, feature.pointer());
        let allows = || unsafe { licentia_license_allows(license, name) };
        let (allowed, limit) = (allows(), unsafe { licentia_license_limit(license, name) });
        let named = |it: &&Value| it["id"].as_str().map(str::as_bytes) == feature.bytes();
        let features = self.says["license"]["features"].as_array().unwrap();
        let said = features
            .iter()
            .find(named)
            .map(|it| it.get("max").and_then(Value::as_u64).unwrap_or(LICENTIA_UNLIMITED));
        // It may end between two questions.
        if allowed && allows() {
            assert_eq!(Some(limit), said, "allowed, and not what it says");
        } else {
            assert!(limit == 0 || allowed, "a limit of what is not allowed");
        }
        allowed
    }

    /// Text that was borrowed is where and what it was, and the license ends when it ended.
    pub fn look_again(&self) {
        assert_eq!(borrow(self.pointer), self.lent);
        let end = self.says["license"]["valid_until"].as_i64().unwrap_or(LICENTIA_NEVER);
        assert_eq!(unsafe { licentia_license_expires(self.pointer) }, end);
    }
}

/// What is no license grants nothing, says nothing and is left alone.
pub fn expect_nothing(license: *const licentia_license, feature: &Text) {
    assert!(unsafe { !licentia_license_allows(license, feature.pointer()) });
    assert_eq!(unsafe { licentia_license_limit(license, feature.pointer()) }, 0);
    assert_eq!(unsafe { licentia_license_expires(license) }, 0);
    assert!(borrow(license).iter().all(|(_, text)| text.is_empty()));
}

/// The serial number, the customer and the JSON.
fn borrow(license: *const licentia_license) -> [Lent; 3] {
    let texts = unsafe {
        [
            licentia_license_serial(license),
            licentia_license_customer(license),
            licentia_license_json(license),
        ]
    };
    texts.map(|text| {
        assert!(!text.is_null());
        let bytes = unsafe { CStr::from_ptr(text) }.to_bytes();
        assert!(std::str::from_utf8(bytes).is_ok());
        (text, bytes.to_vec())
    })
}
