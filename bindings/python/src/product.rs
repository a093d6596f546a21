//! `licentia.Product`.

use crate::convert::{Data, Keys, Text, path, setting, settings, wrong_type};
use crate::errors::{exception, raise};
use crate::installation::Installation;
use crate::json::from_json;
use crate::license::License;
use licentia::{SETTINGS, SITE_SETTINGS};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyList, PyMemoryView, PyString};
use std::sync::{Arc, Mutex, PoisonError};

/// Verifies before it looks for Ctrl-C: some 10 ms.
const BATCH: usize = 256;

/// What you ship: a product code, and the keys that may sign its licenses.
///
/// ``keys`` is a key set as text: a JWKS, PEM public keys, or ``ed25519:…``. The keywords are the
/// settings of ``docs/settings.md``. One product may be used by any number of threads at once.
#[pyclass(frozen, module = "licentia")]
pub struct Product {
    /// Held for as long as a pointer is copied, and while something is set: never while files are
    /// read, so that the child of a fork does not find it taken for ever.
    state: Mutex<Arc<State>>,
}

#[derive(Clone)]
struct State {
    product: licentia::Product,
    /// Whether the machine is read from a path that the host named, which may be slow.
    reads_path: bool,
}

impl State {
    fn set(&mut self, name: &str, value: &str) -> licentia::Result<()> {
        self.product.set(name, value)?;
        if matches!(name, "machine_file" | "machine_root") {
            self.reads_path |= !value.is_empty();
        }
        Ok(())
    }
}

impl Product {
    /// What is set now, to be asked.
    fn state(&self) -> Arc<State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the product while other threads go on: for answers that take files or time.
    fn ask_detached<T: Send>(
        &self,
        py: Python<'_>,
        question: impl FnOnce(&licentia::Product) -> T + Send,
    ) -> T {
        let state = self.state();
        py.detach(|| question(&state.product))
    }

    /// Changes what is asked from now on.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(Arc::make_mut(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn check(&self, py: Python<'_>, data: &Data, check: Check) -> PyResult<License> {
        // Letting another thread in costs up to its whole turn, 5 ms; a license takes 50 µs, and
        // a machine that is read for the first time 300 µs, from files that are not on a disk.
        let state = self.state();
        let found = match state.reads_path {
            false => check(&state.product, data.as_ref()),
            true => py.detach(|| check(&state.product, data.as_ref())),
        };
        found.map_err(|error| raise(py, &error)).and_then(|license| License::new(py, license))
    }
}

type Check = fn(&licentia::Product, &[u8]) -> licentia::Result<licentia::License>;

#[pymethods]
impl Product {
    #[new]
    #[pyo3(signature = (
        code, keys, *, clock=None, issuer=None, machine=None, machine_file=None,
        machine_root=None, machine_exclude=None, installation=None, instance=None, vendor=None,
        deployment=None, grace_days=None, warning_days=None, server=None, monthly_meter=None,
    ))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        code: Text,
        keys: Keys,
        clock: Option<Bound<'_, PyAny>>,
        issuer: Option<Bound<'_, PyAny>>,
        machine: Option<Bound<'_, PyAny>>,
        machine_file: Option<Bound<'_, PyAny>>,
        machine_root: Option<Bound<'_, PyAny>>,
        machine_exclude: Option<Bound<'_, PyAny>>,
        installation: Option<Bound<'_, PyAny>>,
        instance: Option<Bound<'_, PyAny>>,
        vendor: Option<Bound<'_, PyAny>>,
        deployment: Option<Bound<'_, PyAny>>,
        grace_days: Option<Bound<'_, PyAny>>,
        warning_days: Option<Bound<'_, PyAny>>,
        server: Option<Bound<'_, PyAny>>,
        monthly_meter: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Product> {
        let product = licentia::Product::new(&code, keys.text(py)?);
        let product = product.map_err(|error| raise(py, &error))?;
        let mut state = State { product, reads_path: false };
        let given = [
            ("clock", clock),
            ("issuer", issuer),
            ("machine", machine),
            ("machine_file", machine_file),
            ("machine_root", machine_root),
            ("machine_exclude", machine_exclude),
            ("installation", installation),
            ("instance", instance),
            ("vendor", vendor),
            ("deployment", deployment),
            ("grace_days", grace_days),
            ("warning_days", warning_days),
            ("server", server),
            ("monthly_meter", monthly_meter),
        ];
        for (name, value) in settings(SETTINGS, &given)? {
            state.set(&name, &value).map_err(|error| raise(py, &error))?;
        }
        Ok(Product { state: Mutex::new(Arc::new(state)) })
    }

    /// The product code.
    #[getter]
    fn code(&self) -> String {
        self.state().product.code().to_owned()
    }

    /// Set one of the settings of ``docs/settings.md`` by name; ``None`` is its default.
    ///
    /// ``clock`` may be set later, for tests: the licenses that are held follow it.
    ///
    /// Raises ArgumentError, naming the nearest setting, and then changes nothing.
    fn set(&self, py: Python<'_>, name: Text, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let value = setting(SETTINGS, &name, value)?;
        self.change(|state| state.set(&name, &value)).map_err(|error| raise(py, &error))
    }

    /// Trust more keys: a key set as text, or one that a pinned root key signed.
    fn trust(&self, py: Python<'_>, keys: Keys) -> PyResult<()> {
        let keys = keys.text(py)?;
        self.change(|state| state.product.trust(keys)).map_err(|error| raise(py, &error))
    }

    /// What identifies this machine, read anew and without the GIL. It holds hashes, and no
    /// value that they were made from. ``["id"]`` is a short id for people, or ``None``.
    fn machine<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let json = self.ask_detached(py, |product| product.machine().map(|found| found.to_json()));
        from_json(py, &json.map_err(|error| raise(py, &error))?)
    }

    /// Checks a license in full: signature, key, issuer, product, machine and dates.
    ///
    /// Takes it in any of its coats, and raises an Error that says why not. Holds the GIL for
    /// these 50 µs, unless the machine is read from a path that was set.
    fn verify(&self, py: Python<'_>, data: Data) -> PyResult<License> {
        self.check(py, &data, licentia::Product::verify)
    }

    /// Checks a license's signature, key, issuer and product only, to show one that has ended or
    /// belongs elsewhere. What it gives allows nothing unless the license is in force here.
    fn inspect(&self, py: Python<'_>, data: Data) -> PyResult<License> {
        self.check(py, &data, licentia::Product::inspect)
    }

    /// Check many licenses without the GIL. Gives, in their order, the License of each that
    /// holds and the Error of each that does not; nothing is raised for those.
    fn verify_many<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        if is_one(data) {
            return Err(wrong_type("the licenses", "an iterable of them", data));
        }
        let data: Vec<Data> =
            data.try_iter()?.map(|one| one?.extract()).collect::<PyResult<_>>()?;
        let answers = PyList::empty(py);
        for batch in data.chunks(BATCH) {
            let checked: Vec<_> = self.ask_detached(py, |product| {
                batch.iter().map(|data| product.verify(data.as_ref())).collect()
            });
            for answer in checked {
                match answer {
                    Ok(license) => answers.append(License::new(py, license)?)?,
                    Err(error) => answers.append(exception(py, &error)?)?,
                }
            }
            py.check_signals()?;
        }
        Ok(answers)
    }

    /// Open what the product keeps in ``directory``, which has to exist: here and now, instead of
    /// what one license says. The keywords are the settings of an installation.
    ///
    /// Whatever state the directory is in, ``status`` reports it; a license from elsewhere works
    /// even where there is none. What is set in the product later does not reach it, but for
    /// ``clock``.
    #[pyo3(signature = (
        directory, *, license=None, license_file=None, license_env=None, instance=None, mount=None,
        public_status=None, lease_window=None, server=None, server_ca=None, proxy=None,
        server_timeout=None,
    ))]
    #[allow(clippy::too_many_arguments)]
    fn open(
        &self,
        py: Python<'_>,
        directory: &Bound<'_, PyAny>,
        license: Option<Bound<'_, PyAny>>,
        license_file: Option<Bound<'_, PyAny>>,
        license_env: Option<Bound<'_, PyAny>>,
        instance: Option<Bound<'_, PyAny>>,
        mount: Option<Bound<'_, PyAny>>,
        public_status: Option<Bound<'_, PyAny>>,
        lease_window: Option<Bound<'_, PyAny>>,
        server: Option<Bound<'_, PyAny>>,
        server_ca: Option<Bound<'_, PyAny>>,
        proxy: Option<Bound<'_, PyAny>>,
        server_timeout: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Installation> {
        let given = [
            ("license", license),
            ("license_file", license_file),
            ("license_env", license_env),
            ("instance", instance),
            ("mount", mount),
            ("public_status", public_status),
            ("lease_window", lease_window),
            ("server", server),
            ("server_ca", server_ca),
            ("proxy", proxy),
            ("server_timeout", server_timeout),
        ];
        let directory = path(directory)?.into();
        let settings = settings(SITE_SETTINGS, &given)?;
        Installation::open(py, self.state().product.clone(), directory, settings)
    }

    fn __repr__(&self) -> String {
        format!("<licentia.Product '{}'>", self.code())
    }
}

/// Whether it is one license, where several are wanted: every one of its characters would be.
fn is_one(data: &Bound<'_, PyAny>) -> bool {
    data.is_instance_of::<PyString>()
        || data.is_instance_of::<PyBytes>()
        || data.is_instance_of::<PyByteArray>()
        || data.is_instance_of::<PyMemoryView>()
}
