//! Work that waits for files, and therefore gives a promise.

use crate::errors::{caught, rejection};
use licentia::{Code, Error, Result};
use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Task};

/// A call into the core that is made once, on a thread of the pool.
pub struct Work<T>(Option<Call<T>>);

type Call<T> = Box<dyn FnOnce() -> Result<T> + Send>;

/// What a promise can give.
pub trait Answer: Send + ToNapiValue + TypeName + 'static {}
impl<T: Send + ToNapiValue + TypeName + 'static> Answer for T {}

/// A promise for what `call` gives.
pub fn promise<T: Answer>(call: impl FnOnce() -> Result<T> + Send + 'static) -> AsyncTask<Work<T>> {
    AsyncTask::new(Work(Some(Box::new(call))))
}

impl<T: Answer> Task for Work<T> {
    type Output = Result<T>;
    type JsValue = T;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let call = self.0.take();
        Ok(call.map_or_else(|| Err(Error::new(Code::Internal, "work done twice")), caught))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<T> {
        output.map_err(|error| rejection(env, error))
    }
}
