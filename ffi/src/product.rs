//! What you ship: a product code, the keys it trusts, and its settings.

use crate::call::{answer, call};
use crate::handle::{Handle, exclusive, free, give, shared};
use crate::license::{Signed, licentia_license};
use crate::status::{licentia_error, licentia_status};
use crate::text::{bytes, c_text, out, text};
use licentia_core::{License, Product, Result};
use std::ffi::{c_char, c_void};

/// A product code, the keys that may sign its licenses, and its settings.
pub struct licentia_product(());

impl Handle for licentia_product {
    type Held = Product;
    const TAG: u64 = u64::from_be_bytes(*b"product1");
    const NAME: &'static str = "product";
}

/// Makes a product. `code` is the product code in your licenses. `keys` is who may sign them: a
/// key set (JWKS), a PEM public key, or the `ed25519:` line that `licentia key show` prints.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_product_new(
    code: *const c_char,
    keys: *const c_char,
    product: *mut *mut licentia_product,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        call(error, || {
            let product = out(product, "product")?;
            let made = Product::new(text(code, "code")?, text(keys, "keys")?)?;
            product.fill(give(made));
            Ok(())
        })
    }
}

/// Trusts more keys, so that you can change keys without breaking old licenses: keys as
/// licentia_product_new takes them, or a key set that one of your root keys signed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_product_trust(
    product: *mut licentia_product,
    keys: *const c_char,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { call(error, || exclusive(product)?.trust(text(keys, "keys")?)) }
}

/// Sets one of the settings in docs/settings.md by name: "machine", to identify the machine your
/// own way; "clock", to stop the clock in your tests; and so on. An unknown name fails, and the
/// message says which name is nearest. Licenses that are held follow a change of the clock.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_product_set(
    product: *mut licentia_product,
    name: *const c_char,
    value: *const c_char,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        call(error, || {
            let product = exclusive(product)?;
            product.set(text(name, "name")?, text(value, "value")?)
        })
    }
}

/// Writes what identifies this machine, as a JSON object: its "id" for people, and a keyed hash
/// of every part, for `licentia issue --bind`. No raw serial number is in it. Reads files.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_product_machine(
    product: *const licentia_product,
    json: *mut *mut c_char,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        call(error, || {
            let json = out(json, "json")?;
            let report = shared(product)?.machine()?;
            json.fill(c_text(report.to_json())?.into_raw());
            Ok(())
        })
    }
}

/// Checks a license in full: signature, key, issuer, product, machine and dates. It may be text,
/// a .lic file or a base64 blob. docs/format.md lists the checks in their order; the first that
/// fails is the status. Reads files if the license is bound to a machine.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_product_verify(
    product: *const licentia_product,
    data: *const c_void,
    data_len: usize,
    license: *mut *mut licentia_license,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { call(error, || check(Product::verify, product, data, data_len, license)) }
}

/// Checks a license's signature, key, issuer and product only, to show one that has ended or
/// belongs elsewhere. What it gives allows nothing unless the license is in force here.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_product_inspect(
    product: *const licentia_product,
    data: *const c_void,
    data_len: usize,
    license: *mut *mut licentia_license,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { call(error, || check(Product::inspect, product, data, data_len, license)) }
}

/// Releases a product. Its licenses may be held longer than it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_product_free(product: *mut licentia_product) {
    answer((), || {
        unsafe { free(product) };
        None
    });
}

unsafe fn check(
    how: fn(&Product, &[u8]) -> Result<License>,
    product: *const licentia_product,
    data: *const c_void,
    data_len: usize,
    license: *mut *mut licentia_license,
) -> Result<()> {
    unsafe {
        let license = out(license, "license")?;
        let signed = Signed::new(how(shared(product)?, bytes(data, data_len, "data")?)?)?;
        license.fill(give(signed));
        Ok(())
    }
}
