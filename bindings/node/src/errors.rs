//! Failures as plain JavaScript errors with a `code`.

use licentia::Code;
use napi::{Env, Error, JsError, Status};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What becomes of `error.code`: the word of the table.
pub struct Slug(&'static str);

impl AsRef<str> for Slug {
    fn as_ref(&self) -> &str {
        self.0
    }
}

/// What napi finds wrong with a call by itself, such as an argument of another type.
impl From<Status> for Slug {
    fn from(_: Status) -> Slug {
        Slug(Code::InvalidArgument.slug())
    }
}

/// What a synchronous call throws.
pub type Failure = Error<Slug>;

/// Runs a call into the core. A panic there is a bug in licentia, not the end of the process.
pub fn attempt<T>(call: impl FnOnce() -> licentia::Result<T>) -> Result<T, Failure> {
    caught(call).map_err(failure)
}

/// The same where the error is made later, on another thread.
pub fn caught<T>(call: impl FnOnce() -> licentia::Result<T>) -> licentia::Result<T> {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|_| Err(licentia::Error::new(Code::Internal, "licentia panicked")))
}

/// A failure for a promise. A napi task that only returned `Failure` would lose its code.
pub fn rejection(env: Env, error: licentia::Error) -> Error {
    Error::from(JsError::from(failure(error)).into_unknown(env))
}

fn failure(error: licentia::Error) -> Failure {
    Error::new(Slug(error.slug()), error.to_string())
}
