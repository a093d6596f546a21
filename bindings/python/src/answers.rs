//! The types of small answers, which `licentia.answers` declares.

use crate::convert::{instant, number};
use licentia::{Access, Answer, Refusal, Usage};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

/// Those types. They are loaded with the first installation, not with the package: Python's
/// `enum` and `typing` take longer to import than a license to verify.
pub struct Answers {
    access: [Py<PyAny>; 4],
    refusal: Py<PyAny>,
    response: Py<PyAny>,
    usage: Py<PyAny>,
}

impl Answers {
    pub fn load(py: Python<'_>) -> PyResult<Answers> {
        let module = py.import("licentia.answers")?;
        let class = module.getattr("Access")?;
        let level = |name| Ok::<_, PyErr>(class.getattr(name)?.unbind());
        let access = [level("DENY")?, level("READ_ONLY")?, level("WARN")?, level("ALLOW")?];
        let class = |name| Ok::<_, PyErr>(module.getattr(name)?.unbind());
        let (refusal, response) = (class("Refusal")?, class("Response")?);
        Ok(Answers { access, refusal, response, usage: class("Usage")? })
    }

    pub fn access<'py>(&self, py: Python<'py>, access: Access) -> Bound<'py, PyAny> {
        let [deny, read_only, warn, allow] = &self.access;
        let member = match access {
            Access::Deny => deny,
            Access::ReadOnly => read_only,
            Access::Warn => warn,
            Access::Allow => allow,
        };
        member.bind(py).clone()
    }

    pub fn refusal<'py>(&self, py: Python<'py>, refusal: &Refusal) -> PyResult<Bound<'py, PyAny>> {
        self.refusal.bind(py).call1((refusal.status, &refusal.body))
    }

    pub fn response<'py>(&self, py: Python<'py>, answer: &Answer) -> PyResult<Bound<'py, PyAny>> {
        let headers = PyTuple::new(py, answer.headers())?;
        let body = PyBytes::new(py, answer.body());
        self.response.bind(py).call1((answer.status(), headers, body))
    }

    pub fn usage<'py>(&self, py: Python<'py>, usage: Usage) -> PyResult<Bound<'py, PyAny>> {
        // After the last second that Python's calendar has, nothing starts again.
        let resets_at = usage.resets_at.filter(|at| *at <= licentia::limits::TIME_MAX);
        let resets_at = resets_at.map(|at| instant(py, at)).transpose()?;
        self.usage.bind(py).call1((usage.used, number(py, usage.limit)?, resets_at))
    }
}
