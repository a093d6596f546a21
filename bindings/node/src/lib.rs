//! The native half of licentia for Node: it asks the core, and hands what may be asked often to
//! the classes in JavaScript, which answer from then on. Nothing here decides anything.

mod errors;
mod exchange;
mod facts;
mod installation;
mod webhook;
mod work;

use errors::{Failure, attempt};
use facts::Facts;
use installation::NativeInstallation;
use napi::bindgen_prelude::{AsyncTask, Either, Uint8ArraySlice};
use napi_derive::napi;
use std::sync::{Arc, Mutex, PoisonError};
use work::{Work, promise};

/// A product behind the class `Product` of `index.js`, which checks types before it calls.
#[napi]
pub struct NativeProduct {
    /// Held for as long as a pointer is copied, and while something is set: never while files are
    /// read, for which the event loop would wait.
    product: Mutex<Arc<licentia::Product>>,
}

/// A license in any coat: text as such, bytes in place.
type Data<'a> = Either<String, Uint8ArraySlice<'a>>;

#[napi]
impl NativeProduct {
    /// Takes a product code and a key set as text.
    #[napi(constructor)]
    pub fn new(code: String, keys: String) -> Result<NativeProduct, Failure> {
        let product = attempt(|| licentia::Product::new(&code, &keys))?;
        Ok(NativeProduct { product: Mutex::new(Arc::new(product)) })
    }

    /// Trusts more keys.
    #[napi]
    pub fn trust(&self, keys: String) -> Result<(), Failure> {
        attempt(|| self.change(|product| product.trust(&keys)))
    }

    /// Sets one setting by its name in the table. Gives the time the clock is stopped at.
    #[napi]
    pub fn set(&self, name: String, value: String) -> Result<Option<f64>, Failure> {
        attempt(|| {
            self.change(|product| {
                product.set(&name, &value)?;
                Ok(product.fixed_clock().map(|seconds| seconds as f64))
            })
        })
    }

    /// Checks a license in full: signature, key, issuer, product, machine and dates.
    #[napi]
    pub fn verify(&self, data: Data<'_>) -> Result<Facts, Failure> {
        attempt(|| Ok(Facts::of(&self.now().verify(bytes(&data))?)))
    }

    /// Checks a license's signature, key, issuer and product only.
    #[napi]
    pub fn inspect(&self, data: Data<'_>) -> Result<Facts, Failure> {
        attempt(|| Ok(Facts::of(&self.now().inspect(bytes(&data))?)))
    }

    /// Reads this machine on a thread of the pool.
    #[napi]
    pub fn machine(&self) -> AsyncTask<Work<String>> {
        let product = self.now();
        promise(move || Ok(product.machine()?.to_json()))
    }

    /// Opens an installation in a folder.
    #[napi]
    pub fn open(&self, folder: String) -> Result<NativeInstallation, Failure> {
        attempt(|| Ok(NativeInstallation::new(self.now().open(&folder)?)))
    }

    /// The product as it is set up now, to be asked.
    fn now(&self) -> Arc<licentia::Product> {
        Arc::clone(&self.product.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what is asked from now on, in a copy if a task still asks.
    fn change<T>(&self, change: impl FnOnce(&mut licentia::Product) -> T) -> T {
        change(Arc::make_mut(&mut self.product.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn bytes<'a>(data: &'a Data<'_>) -> &'a [u8] {
    match data {
        Either::A(text) => text.as_bytes(),
        Either::B(bytes) => bytes,
    }
}

/// No text that a product takes is longer, in characters. `index.js` cuts one that is, after one
/// more, so that it is refused without being copied as a whole.
#[napi]
pub const TEXT_MAX: u32 = (licentia::limits::TOKEN_MAX * licentia::limits::COAT_FACTOR) as u32;

/// The same for what an installation applies.
#[napi]
pub const DOCUMENT_MAX: u32 =
    (licentia::limits::REVOCATIONS_MAX * licentia::limits::COAT_FACTOR) as u32;
