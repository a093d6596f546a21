//! Reading the machine, which takes files and therefore a promise.

use crate::errors::{caught, rejection};
use napi::{Env, Task};
use std::sync::{Arc, PoisonError, RwLock};

/// Reads the machine once. Keeps its product alive until then.
pub struct MachineTask(pub(crate) Arc<RwLock<licentia::Product>>);

impl Task for MachineTask {
    type Output = licentia::Result<String>;
    type JsValue = String;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(caught(|| {
            let product = self.0.read().unwrap_or_else(PoisonError::into_inner);
            Ok(product.machine()?.to_json())
        }))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<String> {
        output.map_err(|error| rejection(env, error))
    }
}
