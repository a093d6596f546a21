//! Reading the machine, which takes files and therefore a promise.

use crate::errors::{caught, rejection};
use napi::{Env, Task};
use std::sync::Arc;

/// Reads the machine once, for the product as it was set up when it was asked.
pub struct MachineTask(pub(crate) Arc<licentia::Product>);

impl Task for MachineTask {
    type Output = licentia::Result<String>;
    type JsValue = String;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(caught(|| Ok(self.0.machine()?.to_json())))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<String> {
        output.map_err(|error| rejection(env, error))
    }
}
