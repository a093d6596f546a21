#![no_main]
#![allow(non_camel_case_types)]
//! Any bytes as calls of the C library, in any order, and what its header promises after each:
//! for the address sanitizer, because the boundary is the one place with unsafe code.
//!
//! Handles may be NULL, misaligned or of the wrong type, but never freed ones: that is the
//! caller's crime, and nothing is promised for it. What a call is given is in memory of exactly
//! its size, released after the call, so that reading past it or keeping it shows.

// The C library is no Rust library, so its files are modules of this program. They know the core
// by this name.
extern crate licentia as licentia_core;

#[path = "../../../ffi/src/call.rs"]
mod call;
#[path = "../../../ffi/src/handle.rs"]
mod handle;
#[path = "../../../ffi/src/license.rs"]
mod license;
#[path = "../../../ffi/src/product.rs"]
mod product;
#[path = "../../../ffi/src/status.rs"]
mod status;
#[path = "../../../ffi/src/text.rs"]
mod text;

#[path = "c_abi/held.rs"]
mod held;
#[path = "c_abi/input.rs"]
mod input;
#[path = "c_abi/promises.rs"]
mod promises;
#[path = "c_abi/samples.rs"]
mod samples;

use std::ffi::{CStr, c_char};
use std::ptr::null_mut;

use held::{HeldLicense, HeldProduct, expect_nothing};
use input::{Input, Text};
use libfuzzer_sys::fuzz_target;
use license::*;
use licentia::Code;
use product::*;
use promises::{OutSlot, Report};
use status::*;

/// Calls of one run. Longer sequences only take longer.
const CALLS_MAX: usize = 32;

/// Calls of one run that may check a signature: they take nearly all of its time.
const CHECKS_MAX: usize = 4;

/// Handles of each type at once.
const HANDLES: usize = 3;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let mut host = Host::default();
    for _ in 0..CALLS_MAX {
        if host.step(&mut input).is_none() {
            break;
        }
    }
    host.leave(bytes.len() % 2 == 0);
});

/// A program that uses the library, and what it holds.
#[derive(Default)]
struct Host {
    products: [Option<HeldProduct>; HANDLES],
    licenses: [Option<HeldLicense>; HANDLES],
    strings: [Option<*mut c_char>; HANDLES],
    checks: usize,
}

/// A pointer to pass as a handle, and where it is from if it is a handle of the right type.
struct Chosen<T> {
    pointer: *mut T,
    at: Option<usize>,
}

impl Host {
    /// Makes one call; `None` at the end of the input, or of what a run may take.
    fn step(&mut self, input: &mut Input) -> Option<()> {
        let which = input.byte()? % 16;
        self.checks += usize::from(matches!(which, 0..=2 | 6..=9));
        if self.checks > CHECKS_MAX {
            return None;
        }
        match which {
            0 | 1 => self.make(input),
            2 => self.trust(input),
            3 | 4 => self.set(input),
            5 => self.machine(input),
            6..=8 => self.check(true, input),
            9 => self.check(false, input),
            10..=12 => self.ask(input),
            13 => self.free_product(input),
            14 => self.free_license(input),
            _ => self.loose(input),
        }
    }

    fn make(&mut self, input: &mut Input) -> Option<()> {
        let code = input.text(samples::CODES)?;
        let keys = input.text(&samples::KEYS)?;
        let (mut out, mut report) = (OutSlot::from(input.byte()?), Report::from(input.byte()?));
        let at = usize::from(input.byte()?) % HANDLES;
        let status = unsafe {
            licentia_product_new(code.pointer(), keys.pointer(), out.pointer(), report.pointer())
        };
        report.judge(status, code.is_utf8() && keys.is_utf8());
        let Some(pointer) = out.judge(status) else { return Some(()) };
        // Nothing of this machine goes into a verdict, nor the time that reading it takes.
        for (name, value) in [("machine_root", samples::NOWHERE), ("machine", "fuzzed")] {
            let (name, value) = (Text::new(name.as_bytes()), Text::new(value.as_bytes()));
            let set = unsafe {
                licentia_product_set(pointer, name.pointer(), value.pointer(), null_mut())
            };
            assert_eq!(set, LICENTIA_OK);
        }
        let new = HeldProduct { pointer, code: code.bytes()?.to_vec() };
        if let Some(old) = self.products[at].replace(new) {
            unsafe { licentia_product_free(old.pointer) };
        }
        Some(())
    }

    fn trust(&mut self, input: &mut Input) -> Option<()> {
        let chosen = self.product(input)?;
        let keys = input.text(&samples::KEYS)?;
        let mut report = Report::from(input.byte()?);
        let status =
            unsafe { licentia_product_trust(chosen.pointer, keys.pointer(), report.pointer()) };
        report.judge(status, chosen.at.is_some() && keys.is_utf8());
        Some(())
    }

    fn set(&mut self, input: &mut Input) -> Option<()> {
        let chosen = self.product(input)?;
        let name = input.text(samples::SETTINGS)?;
        let value = match name.bytes() {
            // No other files: a fuzzer would name devices and pipes, and wait for them.
            Some(b"machine_root") => input.sample(&[samples::NOWHERE])?,
            Some(b"machine_file") => input.sample(samples::FILES)?,
            _ => input.text(samples::VALUES)?,
        };
        let mut report = Report::from(input.byte()?);
        let status = unsafe {
            let (name, value) = (name.pointer(), value.pointer());
            licentia_product_set(chosen.pointer, name, value, report.pointer())
        };
        report.judge(status, chosen.at.is_some() && name.is_utf8() && value.is_utf8());
        let refused = status == Code::InvalidArgument.number();
        assert!(status == LICENTIA_OK || refused, "{status} is no answer to a setting");
        Some(())
    }

    fn machine(&mut self, input: &mut Input) -> Option<()> {
        let chosen = self.product(input)?;
        let (mut out, mut report) = (OutSlot::from(input.byte()?), Report::from(input.byte()?));
        let at = usize::from(input.byte()?) % HANDLES;
        let status =
            unsafe { licentia_product_machine(chosen.pointer, out.pointer(), report.pointer()) };
        report.judge(status, chosen.at.is_some());
        let Some(json) = out.judge(status) else { return Some(()) };
        let text = unsafe { CStr::from_ptr(json) };
        let value: serde_json::Value = serde_json::from_slice(text.to_bytes()).unwrap();
        assert!(value.is_object());
        if let Some(old) = self.strings[at].replace(json) {
            unsafe { licentia_string_free(old) };
        }
        Some(())
    }

    /// Verifies a license if `whole`, and else inspects it.
    fn check(&mut self, whole: bool, input: &mut Input) -> Option<()> {
        let how = if whole { licentia_product_verify } else { licentia_product_inspect };
        let chosen = self.product(input)?;
        let data = input.data()?;
        let (mut out, mut report) = (OutSlot::from(input.byte()?), Report::from(input.byte()?));
        let at = usize::from(input.byte()?) % HANDLES;
        let status = unsafe {
            how(chosen.pointer, data.pointer(), data.len, out.pointer(), report.pointer())
        };
        report.judge(status, chosen.at.is_some() && data.is_possible());
        let Some(pointer) = out.judge(status) else { return Some(()) };
        assert!(!data.altered, "one bit of it was turned");
        let in_force = whole && data.has_pro;
        drop(data);
        let new = HeldLicense::new(pointer);
        let product = chosen.at.and_then(|at| self.products[at].as_ref()).unwrap();
        assert_eq!(new.product().as_bytes(), product.code, "it is for the product that took it");
        assert!(new.ask(&Text::new(b"pro")) || !in_force, "verified, and not in force");
        if let Some(old) = self.licenses[at].replace(new) {
            unsafe { licentia_license_free(old.pointer) };
        }
        Some(())
    }

    fn ask(&mut self, input: &mut Input) -> Option<()> {
        let chosen = self.license(input)?;
        let feature = input.text(samples::FEATURES)?;
        match chosen.at.and_then(|at| self.licenses[at].as_ref()) {
            Some(license) => {
                license.ask(&feature);
                license.look_again();
            }
            None => expect_nothing(chosen.pointer, &feature),
        }
        Some(())
    }

    /// What is no product is left alone, and shows it if it is asked later.
    fn free_product(&mut self, input: &mut Input) -> Option<()> {
        let chosen = self.product(input)?;
        chosen.at.map(|at| self.products[at].take());
        unsafe { licentia_product_free(chosen.pointer) };
        Some(())
    }

    fn free_license(&mut self, input: &mut Input) -> Option<()> {
        let chosen = self.license(input)?;
        chosen.at.map(|at| self.licenses[at].take());
        unsafe { licentia_license_free(chosen.pointer) };
        Some(())
    }

    /// What belongs to no handle.
    fn loose(&mut self, input: &mut Input) -> Option<()> {
        let number = i32::from(i16::from_le_bytes([input.byte()?, input.byte()?]));
        let word = match number {
            LICENTIA_OK => "ok",
            _ => Code::from_number(number).map_or("unknown", Code::slug),
        };
        let name = unsafe { CStr::from_ptr(licentia_status_name(number)) };
        assert_eq!(name.to_bytes(), word.as_bytes());
        let version = unsafe { CStr::from_ptr(licentia_version()) };
        assert_eq!(version.to_bytes(), env!("CARGO_PKG_VERSION").as_bytes());
        assert_eq!(licentia_abi(), ABI);
        let string = self.strings.get_mut(usize::from(input.byte()?)).and_then(Option::take);
        unsafe { licentia_string_free(string.unwrap_or(null_mut())) };
        Some(())
    }

    /// Releases everything. Products and licenses may go in either order.
    fn leave(mut self, products_first: bool) {
        if products_first {
            self.free_products();
        }
        for license in self.licenses.iter_mut().filter_map(Option::take) {
            license.look_again();
            unsafe { licentia_license_free(license.pointer) };
        }
        self.free_products();
        for string in self.strings.iter_mut().filter_map(Option::take) {
            unsafe { licentia_string_free(string) };
        }
    }

    fn free_products(&mut self) {
        for product in self.products.iter_mut().filter_map(Option::take) {
            unsafe { licentia_product_free(product.pointer) };
        }
    }

    fn product(&self, input: &mut Input) -> Option<Chosen<licentia_product>> {
        let byte = input.byte()?;
        let at = usize::from(byte) % HANDLES;
        let mine = self.products[at].as_ref().map_or(null_mut(), |held| held.pointer);
        let other = self.licenses[at].as_ref().map_or(null_mut(), |held| held.pointer);
        Some(choose(byte, at, mine, other.cast()))
    }

    fn license(&self, input: &mut Input) -> Option<Chosen<licentia_license>> {
        let byte = input.byte()?;
        let at = usize::from(byte) % HANDLES;
        let mine = self.licenses[at].as_ref().map_or(null_mut(), |held| held.pointer);
        let other = self.products[at].as_ref().map_or(null_mut(), |held| held.pointer);
        Some(choose(byte, at, mine, other.cast()))
    }
}

/// Mostly what is in the place, which may be nothing.
fn choose<T>(byte: u8, at: usize, mine: *mut T, other: *mut T) -> Chosen<T> {
    match byte {
        0xF0.. => Chosen { pointer: mine.wrapping_byte_add(1), at: None },
        0xE0.. => Chosen { pointer: other, at: None },
        0xD0.. => Chosen { pointer: null_mut(), at: None },
        _ => Chosen { pointer: mine, at: (!mine.is_null()).then_some(at) },
    }
}
