//! A panic injected into every export, which must not leave it. Compiled into unit tests only.

use crate::exchange::*;
use crate::installation::*;
use crate::license::*;
use crate::online::*;
use crate::product::*;
use crate::status::*;
use crate::usage::*;
use licentia_core::Code;
use std::cell::Cell;
use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::ptr::null_mut;

thread_local!(static ASKED: Cell<bool> = const { Cell::new(false) });

/// Called inside the net that every export is run in.
pub(crate) fn panic_if_asked() {
    if ASKED.replace(false) {
        panic!("injected");
    }
}

fn panicking<T>(export: impl FnOnce() -> T) -> T {
    ASKED.set(true);
    let result = export();
    assert!(!ASKED.get(), "this export is not run in the net");
    result
}

/// The call panics, and the error says so.
fn internal(error: *mut licentia_error, export: &mut dyn FnMut() -> licentia_status) {
    assert_eq!(panicking(export), Code::Internal.number());
    let error = unsafe { &*error };
    assert_eq!(error.status, Code::Internal.number());
    let message = unsafe { CStr::from_ptr(error.message.as_ptr()) }.to_str().unwrap();
    assert!(message.contains("report this as a bug"), "{message}");
}

const KEY: &CStr = c"ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

#[test]
fn a_panic_becomes_internal_and_the_handle_lives_on() {
    let mut error = MaybeUninit::<licentia_error>::zeroed();
    let error = error.as_mut_ptr();
    let mut product: *mut licentia_product = null_mut();
    let mut license: *mut licentia_license = null_mut();
    let mut json: *mut c_char = null_mut();
    let made =
        unsafe { licentia_product_new(c"myapp".as_ptr(), KEY.as_ptr(), &mut product, error) };
    assert_eq!(made, LICENTIA_OK);

    let internal = |export: &mut dyn FnMut() -> licentia_status| internal(error, export);
    let (text, data) = (c"x".as_ptr(), c"x".as_ptr().cast());
    unsafe {
        let mut other = null_mut();
        internal(&mut || licentia_product_new(text, text, &mut other, error));
        internal(&mut || licentia_product_trust(product, text, error));
        internal(&mut || licentia_product_set(product, text, text, error));
        internal(&mut || licentia_product_machine(product, &mut json, error));
        internal(&mut || licentia_product_verify(product, data, 1, &mut license, error));
        internal(&mut || licentia_product_inspect(product, data, 1, &mut license, error));
        assert!(other.is_null() && json.is_null() && license.is_null());

        let clock = licentia_product_set(product, c"clock".as_ptr(), c"0".as_ptr(), error);
        assert_eq!(clock, LICENTIA_OK, "the product works after six panics");
        panicking(|| licentia_product_free(product));
        licentia_product_free(product);
    }
}

#[test]
fn a_panic_in_an_installation_becomes_internal_and_fills_nothing_in() {
    let mut error = MaybeUninit::<licentia_error>::zeroed();
    let error = error.as_mut_ptr();
    let internal = |export: &mut dyn FnMut() -> licentia_status| internal(error, export);
    let held: *mut licentia_installation = null_mut();
    let (text, data, now) = (c"x".as_ptr(), c"x".as_ptr().cast(), LICENTIA_NOW);
    let mut opened: *mut licentia_installation = null_mut();
    let mut json: *mut c_char = null_mut();
    let (mut removed, mut used, mut limit, mut resets) = (true, 7, 7, 7);
    unsafe {
        internal(&mut || licentia_product_open(null_mut(), text, &mut opened, error));
        internal(&mut || licentia_installation_set(held, text, text, error));
        internal(&mut || licentia_installation_status(held, now, &mut json, error));
        internal(&mut || licentia_installation_explain(held, now, &mut json, error));
        internal(&mut || licentia_installation_apply(held, data, 1, error));
        internal(&mut || licentia_installation_apply_older(held, data, 1, error));
        internal(&mut || licentia_installation_remove(held, &mut removed, error));
        internal(&mut || licentia_installation_request(held, text, text, &mut json, error));
        internal(&mut || licentia_installation_record(held, text, 1, error));
        internal(&mut || licentia_installation_record_later(held, text, 1, error));
        internal(&mut || licentia_installation_record_level(held, text, 1, error));
        internal(&mut || licentia_installation_record_key(held, text, text, error));
        let (used, limit, resets) = (&mut used, &mut limit, &mut resets);
        internal(&mut || licentia_installation_usage(held, text, used, limit, resets, error));
        internal(&mut || licentia_installation_first_use(held, now, error));
        internal(&mut || licentia_installation_flush(held, error));
    }
    assert!(opened.is_null() && json.is_null() && removed);
    assert_eq!((used, limit, resets), (7, 7, 7));
}

#[test]
fn a_panic_in_an_exchange_becomes_internal_or_an_empty_answer() {
    let mut error = MaybeUninit::<licentia_error>::zeroed();
    let error = error.as_mut_ptr();
    let internal = |export: &mut dyn FnMut() -> licentia_status| internal(error, export);
    let held: *mut licentia_installation = null_mut();
    let (get, target) = (c"GET".as_ptr(), c"/api/license".as_ptr());
    let (text, data) = (c"x".as_ptr(), c"x".as_ptr().cast());
    let mut exchange: *mut licentia_exchange = null_mut();
    let (mut value, mut len) = (text, 7);
    let empty = |text: *const c_char| unsafe { *text } == 0;
    unsafe {
        internal(&mut || licentia_exchange_new(get, target, &mut exchange, error));
        assert!(exchange.is_null());
        assert_eq!(licentia_exchange_new(get, target, &mut exchange, error), LICENTIA_OK);
        internal(&mut || licentia_exchange_set_header(exchange, text, text, error));
        internal(&mut || licentia_exchange_set_body(exchange, data, 1, error));
        internal(&mut || licentia_exchange_set_caller(exchange, text, 1, error));
        internal(&mut || licentia_installation_handle(held, exchange, error));
        assert!(!panicking(|| licentia_installation_serves(held, target)));
        assert_eq!(panicking(|| licentia_exchange_status(exchange)), 0);
        assert!(empty(panicking(|| licentia_exchange_header(exchange, 0, &mut value))));
        assert!(empty(panicking(|| licentia_exchange_body(exchange, &mut len).cast())));
        assert!(empty(value) && len == 0);
        panicking(|| licentia_exchange_free(exchange));
        licentia_exchange_free(exchange);
    }
}

#[test]
fn a_panic_on_the_way_to_the_server_becomes_internal_and_gives_no_seat() {
    let mut error = MaybeUninit::<licentia_error>::zeroed();
    let error = error.as_mut_ptr();
    let internal = |export: &mut dyn FnMut() -> licentia_status| internal(error, export);
    let (held, none, text) = (null_mut(), std::ptr::null(), c"x".as_ptr());
    let mut seat: *mut licentia_seat = null_mut();
    unsafe {
        internal(&mut || licentia_installation_call(held, text, text, error));
        internal(&mut || licentia_installation_sync(held, error));
        internal(&mut || licentia_installation_seat(held, text, 0, &mut seat, error));
        assert!(seat.is_null());
        internal(&mut || licentia_seat_renew(none, error));
        internal(&mut || licentia_seat_release(none, error));
        assert_eq!(panicking(|| licentia_seat_expires(none)), 0);
        panicking(|| licentia_seat_free(seat));
    }
}

#[test]
fn a_panic_in_an_answer_grants_nothing() {
    let nothing: *const licentia_license = std::ptr::null();
    let text = c"x".as_ptr();
    let empty = |text: *const c_char| unsafe { *text } == 0;
    unsafe {
        assert!(!panicking(|| licentia_license_allows(nothing, text)));
        assert_eq!(panicking(|| licentia_license_limit(nothing, text)), 0);
        assert_eq!(panicking(|| licentia_license_expires(nothing)), 0);
        assert!(empty(panicking(|| licentia_license_serial(nothing))));
        assert!(empty(panicking(|| licentia_license_customer(nothing))));
        assert!(empty(panicking(|| licentia_license_json(nothing))));
        let (held, mut body) = (null_mut(), null_mut());
        assert!(!panicking(|| licentia_installation_allows(held, text)));
        assert_eq!(panicking(|| licentia_installation_access(held, text)), 0);
        assert_eq!(panicking(|| licentia_installation_gate(held, text, &mut body)), 500);
        assert!(body.is_null());
        panicking(|| licentia_installation_free(held));
        panicking(|| licentia_license_free(null_mut()));
        panicking(|| licentia_string_free(null_mut()));
        let name = CStr::from_ptr(panicking(|| licentia_status_name(21)));
        assert_eq!(name, c"unknown");
    }
}
