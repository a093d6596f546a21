//! `licentia.Installation`.

use crate::answers::Answers;
use crate::caller::Caller;
use crate::convert::{Count, Data, Moment, Text, setting, utf8};
use crate::errors::raise;
use crate::exchange::{Body, Headers, NO_BODY, NO_HEADERS, exchange};
use crate::json::from_json;
use crate::seat::Seat;
use arc_swap::ArcSwap;
use licentia::SITE_SETTINGS;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};
use std::path::PathBuf;
use std::sync::Arc;

/// Names of features that are kept as UTF-8. Programs ask for a few; a caller who makes them up
/// from requests is answered all the same.
const NAMES_MAX: usize = 1024;

/// One copy of the product on one machine: what holds here and now. ``Product.open`` makes them.
///
/// Any number of threads and processes may use the same directory at once. It holds no file open
/// and no lock between calls: it works on in the child of a fork.
#[pyclass(frozen, module = "licentia")]
pub struct Installation {
    site: Site,
    /// Swapped whole by ``set``: nobody waits for it, so nothing is locked for ever in the child
    /// of a fork.
    open: ArcSwap<Open>,
    answers: Answers,
    /// Names of features and their UTF-8. Python keeps a text's hash, so finding it here costs
    /// less than encoding it.
    names: Py<PyDict>,
}

/// Where it is, and of what. It never changes.
struct Site {
    product: licentia::Product,
    directory: PathBuf,
}

/// What the core opened there, and the settings that it was given.
struct Open {
    inner: licentia::Installation,
    settings: Vec<(String, String)>,
}

impl Site {
    /// Opens it with `settings`, the last of each name.
    fn open(&self, settings: Vec<(String, String)>) -> licentia::Result<Open> {
        let mut inner = self.product.open(&self.directory)?;
        for (name, value) in &settings {
            inner.set(name, value)?;
        }
        Ok(Open { inner, settings })
    }
}

impl Installation {
    pub fn open(
        py: Python<'_>,
        product: licentia::Product,
        directory: PathBuf,
        settings: Vec<(String, String)>,
    ) -> PyResult<Installation> {
        let answers = Answers::load(py)?;
        let site = Site { product, directory };
        let open = py.detach(|| site.open(settings)).map_err(|error| raise(py, &error))?;
        let names = PyDict::new(py).unbind();
        Ok(Installation { site, open: ArcSwap::from_pointee(open), answers, names })
    }

    /// Asks while other threads go on: for everything that reads or writes files.
    fn ask<T: Send>(
        &self,
        py: Python<'_>,
        question: impl FnOnce(&licentia::Installation) -> licentia::Result<T> + Send,
    ) -> PyResult<T> {
        let open = self.open.load_full();
        py.detach(move || question(&open.inner)).map_err(|error| raise(py, &error))
    }

    /// The same settings and one more.
    fn change(&self, name: &str, value: &str) -> licentia::Result<()> {
        loop {
            let now = self.open.load_full();
            let kept = now.settings.iter().filter(|(set, _)| set != name).cloned();
            let settings = kept.chain([(name.to_owned(), value.to_owned())]).collect();
            let next = Arc::new(self.site.open(settings)?);
            let before = self.open.compare_and_swap(&now, next);
            if Arc::ptr_eq(&before, &now) {
                return Ok(());
            }
        }
    }

    /// The UTF-8 of a feature's name.
    fn name<'py>(&self, feature: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyBytes>> {
        let py = feature.py();
        if !feature.is_exact_instance_of::<PyString>() {
            return Ok(PyBytes::new(py, &utf8(feature)));
        }
        let names = self.names.bind(py);
        if let Some(known) = names.get_item(feature)? {
            return Ok(known.cast_into::<PyBytes>()?);
        }
        let name = PyBytes::new(py, &utf8(feature));
        let is_id = std::str::from_utf8(name.as_bytes()).is_ok_and(licentia::is_feature_id);
        if is_id && names.len() < NAMES_MAX {
            names.set_item(feature, &name)?;
        }
        Ok(name)
    }
}

impl Drop for Installation {
    /// What waits for the disk is made durable here, while other threads go on.
    fn drop(&mut self) {
        let open = self.open.load_full();
        // Nobody is left to hear of a failure: `close` tells it. `None` as the interpreter ends:
        // then the core does this by itself.
        let _ = Python::try_attach(|py| py.detach(|| open.inner.flush().is_ok()));
    }
}

#[pymethods]
impl Installation {
    /// Set one of the settings of an installation in ``docs/settings.md`` by name; ``None`` is its
    /// default.
    ///
    /// Raises ArgumentError, naming the nearest setting, and then changes nothing.
    fn set(&self, py: Python<'_>, name: Text, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let value = setting(SITE_SETTINGS, &name, value)?;
        py.detach(|| self.change(&name, &value)).map_err(|error| raise(py, &error))
    }

    /// Whether ``feature`` may be used at this moment: ``access`` is at least ``Access.WARN``.
    ///
    /// Ask whenever it matters. The answer follows the clock, the limits, and what other processes
    /// change, those within a second.
    #[pyo3(signature = (feature, /))]
    fn allows(&self, feature: &Bound<'_, PyString>) -> PyResult<bool> {
        let name = self.name(feature)?;
        Ok(self.open.load().inner.allows(name.as_bytes()))
    }

    /// ``feature in installation`` is ``installation.allows(feature)``.
    fn __contains__(&self, feature: &Bound<'_, PyString>) -> PyResult<bool> {
        self.allows(feature)
    }

    /// What may be done with ``feature`` at this moment: an ``Access``.
    #[pyo3(signature = (feature, /))]
    fn access<'py>(&self, feature: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        let name = self.name(feature)?;
        let access = self.open.load().inner.access(name.as_bytes());
        Ok(self.answers.access(feature.py(), access))
    }

    /// The answer to give to whoever asks for ``feature``, if it may not be used: a ``Refusal``,
    /// the HTTP status and a JSON body. ``None`` = go on.
    #[pyo3(signature = (feature, /))]
    fn gate<'py>(&self, feature: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let name = self.name(feature)?;
        let refusal = self.open.load().inner.gate(name.as_bytes());
        refusal.map(|refusal| self.answers.refusal(feature.py(), &refusal)).transpose()
    }

    /// Everything that holds at a time, as a new ``dict``: ``docs/verdict.md`` lists the members.
    ///
    /// ``at`` is seconds since 1970 or an aware ``datetime``; ``None`` = now. Changes nothing.
    #[pyo3(signature = (at=None))]
    fn status<'py>(&self, py: Python<'py>, at: Option<Moment>) -> PyResult<Bound<'py, PyAny>> {
        let at = at.map(|at| at.0);
        from_json(py, &self.ask(py, |inner| inner.status(at))?)
    }

    /// Why: the tree of checks behind ``status``, as a new ``dict``. ``at`` as there.
    #[pyo3(signature = (at=None))]
    fn explain<'py>(&self, py: Python<'py>, at: Option<Moment>) -> PyResult<Bound<'py, PyAny>> {
        let at = at.map(|at| at.0);
        from_json(py, &self.ask(py, |inner| inner.explain(at))?)
    }

    /// Take anything that the vendor signed: a license, a key set, a revocation list, an answer, a
    /// clock reset. It is checked first; what is refused changes nothing.
    ///
    /// With ``older=True``, a license may take the place of a newer one.
    #[pyo3(signature = (data, *, older=false))]
    fn apply(&self, py: Python<'_>, data: Data, older: bool) -> PyResult<()> {
        self.ask(py, |inner| match older {
            true => inner.apply_older(data.as_ref()),
            false => inner.apply(data.as_ref()),
        })
    }

    /// Remove what was applied. Says whether there was a license.
    fn remove(&self, py: Python<'_>) -> PyResult<bool> {
        self.ask(py, licentia::Installation::remove)
    }

    /// A text to send to the vendor, and ``apply`` takes what comes back. The words:
    ///
    /// - ``license``: a license for this machine (the request code);
    /// - ``activation``: the same for a license key, or this machine for the license in use;
    /// - ``renewal``, ``deactivation``: of the license in use;
    /// - ``sync``: what was used, for how the license stands;
    /// - ``keys``, ``revocations``: the newest key set (of a license key, or of the license in use)
    ///   and the newest list of withdrawn licenses;
    /// - ``seat``, ``release``: with who has the seat; ``borrow``: with days and who (``30 ann``);
    /// - ``clock``: what time it is.
    #[pyo3(
        signature = (what=None, argument=None),
        text_signature = "($self, what='license', argument=None)"
    )]
    fn request(
        &self,
        py: Python<'_>,
        what: Option<Text>,
        argument: Option<Text>,
    ) -> PyResult<String> {
        let what = what.as_deref().unwrap_or("license");
        self.ask(py, |inner| inner.request(what, argument.as_deref()))
    }

    /// Add to a counter. On disk when it returns.
    ///
    /// Raises LimitExceededError, and counts nothing, where the limit stops.
    #[pyo3(
        signature = (feature, amount=Count(1)),
        text_signature = "($self, feature, amount=1)"
    )]
    fn record(&self, py: Python<'_>, feature: Text, amount: Count) -> PyResult<()> {
        self.ask(py, |inner| inner.record(&feature, amount.0))
    }

    /// Add to a counter without waiting for the disk: what was recorded in the last second may be
    /// lost when the power fails, and nothing when a process is killed.
    #[pyo3(
        signature = (feature, amount=Count(1)),
        text_signature = "($self, feature, amount=1)"
    )]
    fn record_later(&self, py: Python<'_>, feature: Text, amount: Count) -> PyResult<()> {
        self.ask(py, |inner| inner.record_later(&feature, amount.0))
    }

    /// Set a level, such as the number of accounts there are. On disk when it returns.
    fn record_level(&self, py: Python<'_>, feature: Text, level: Count) -> PyResult<()> {
        self.ask(py, |inner| inner.record_level(&feature, level.0))
    }

    /// Note a key, such as the name of a user who was active: each counts once in the window. Only
    /// its hash is kept. On disk when it returns.
    fn record_key(&self, py: Python<'_>, feature: Text, key: Text) -> PyResult<()> {
        self.ask(py, |inner| inner.record_key(&feature, &key))
    }

    /// How much of a metered feature was used, by every process: a ``Usage``.
    fn usage<'py>(&self, py: Python<'py>, feature: Text) -> PyResult<Bound<'py, PyAny>> {
        let usage = self.ask(py, |inner| inner.usage(&feature))?;
        self.answers.usage(py, usage)
    }

    /// Note when the product was first used (``None`` = now): the grace without a license begins.
    /// The earliest ever noted counts.
    #[pyo3(signature = (at=None))]
    fn first_use(&self, py: Python<'_>, at: Option<Moment>) -> PyResult<()> {
        let at = at.map(|at| at.0);
        self.ask(py, |inner| inner.first_use(at))
    }

    /// Ask the vendor's server (the setting ``server``), and apply what it signs in answer. The
    /// words and their arguments are those of ``request``. Without the GIL.
    ///
    /// Raises UnreachableError where no answer came, which says nothing of the license;
    /// RefusedError and NoSeatError where the server says no, NoTransportError where there is no
    /// server; and what ``request`` and ``apply`` raise. What was here before then stays.
    ///
    /// Ctrl-C is noticed when the call ends: after ``server_timeout`` at the latest.
    #[pyo3(signature = (what, argument=None))]
    fn call(&self, py: Python<'_>, what: Text, argument: Option<Text>) -> PyResult<()> {
        self.ask(py, |inner| inner.call(&what, argument.as_deref()))
    }

    /// Report what was used, and apply what the vendor's server says: how the license stands, a
    /// newer license, newer keys, what was withdrawn. Without the GIL.
    ///
    /// Raises what ``call`` does. What was used is then reported by the next sync, once.
    fn sync(&self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, licentia::Installation::sync)
    }

    /// A ``Seat`` of a floating license for ``holder``, from the vendor's server: for as long as
    /// its lease lasts, or, with ``borrow_days``, for so many days out of the server's reach.
    /// Without the GIL.
    ///
    /// Who has a seat here keeps it, and its lease is renewed; where the server cannot be reached,
    /// that seat is given all the same. Raises NoSeatError where every seat is taken, and what
    /// ``call`` does.
    #[pyo3(
        signature = (holder, *, borrow_days=Count(0)),
        text_signature = "($self, holder, *, borrow_days=0)"
    )]
    fn seat(&self, py: Python<'_>, holder: Text, borrow_days: Count) -> PyResult<Seat> {
        // What does not fit is more days than the core takes.
        let days = u32::try_from(borrow_days.0).unwrap_or(u32::MAX);
        self.ask(py, |inner| inner.seat(&holder, days)).map(Seat)
    }

    /// Answer one HTTP request of the license API: a ``Response``, ready to be sent. Without the
    /// GIL: it reads and writes files.
    ///
    /// ``target`` is the path and the query as they were sent, still escaped. ``headers`` is a
    /// mapping or pairs, of ``str`` or ``bytes``; most are ignored. ``caller`` is who is asking,
    /// after you have made sure of it; ``None`` = a stranger.
    ///
    /// Raises ArgumentError for a method or a target that no request has, and nothing else: what
    /// is wrong with a request is an answer too.
    #[pyo3(
        signature = (method, target, *, headers=NO_HEADERS, body=NO_BODY, caller=None),
        text_signature = "($self, method, target, *, headers=(), body=b'', caller=None)"
    )]
    fn handle<'py>(
        &self,
        py: Python<'py>,
        method: Text,
        target: Text,
        headers: Headers,
        body: Body,
        caller: Option<PyRef<'py, Caller>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let exchange = exchange(py, (&method, &target), &headers, &body, caller.as_deref())?;
        let answer = self.ask(py, |inner| Ok(inner.handle(&exchange)))?;
        self.answers.response(py, &answer)
    }

    /// Whether the path of ``target`` is one that ``handle`` answers, whatever the method: for a
    /// host with routes of its own.
    fn serves(&self, target: &Bound<'_, PyString>) -> bool {
        self.open.load().inner.serves(&target.to_string_lossy())
    }

    /// Make durable what ``record_later`` left.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, licentia::Installation::flush)
    }

    /// The same. There is nothing else to let go of: an Installation works on after it.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.flush(py)
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let code = self.site.product.code();
        let directory = PyString::new(py, &self.site.directory.to_string_lossy()).repr()?;
        Ok(format!("<licentia.Installation '{code}' in {directory}>"))
    }

    /// Refuses to pickle: another process opens the directory itself.
    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "an Installation cannot be pickled: pass on its directory, and open it there",
        ))
    }
}
