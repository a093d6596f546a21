//! An installation behind the class `Installation` of `index.js`.

use crate::errors::{Failure, attempt};
use crate::exchange::{Request, Response};
use crate::facts::{number, second};
use crate::work::{Answer, Work, promise};
use crate::{Data, bytes};
use licentia::{Access, Error, Installation, Seat, Snapshot};
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use std::sync::{Arc, PoisonError, RwLock};

/// One copy of the product on this machine. It is shared with the promises under way.
#[napi]
pub struct NativeInstallation(Arc<RwLock<Installation>>);

/// What is allowed, and how long `index.js` may say so by itself.
#[napi(object, object_from_js = false)]
pub struct Look {
    /// The features that are known.
    pub features: Vec<String>,
    /// What may be done with each, in the same order: 0 nothing to 3 everything.
    pub access: Vec<u32>,
    /// What may be done with any other.
    pub otherwise: u32,
    /// The first second of clock time of which this is true.
    pub from: f64,
    /// The first second after it.
    pub until: f64,
}

/// How much of a feature was used.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Usage {
    /// In this period or window.
    pub used: f64,
    /// Infinity if there is none.
    pub limit: f64,
    /// Seconds since 1970; null if never.
    pub resets_at: Option<f64>,
}

/// The answer to whoever asks for what may not be used.
#[napi(object, object_from_js = false)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u32,
    /// JSON.
    pub body: String,
}

/// Why one of several calls failed.
#[napi(object, object_from_js = false)]
pub struct Failed {
    /// The word of the table.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed { code: error.slug().to_string(), message: error.to_string() }
    }
}

/// What a call gives that waits for the disk.
type Promise<T> = AsyncTask<Work<T>>;

#[napi]
impl NativeInstallation {
    /// Sets one setting by its name in the table. Waits for the promises under way.
    #[napi]
    pub fn set(&self, name: String, value: String) -> Result<(), Failure> {
        attempt(|| self.0.write().unwrap_or_else(PoisonError::into_inner).set(&name, &value))
    }

    /// What is allowed.
    #[napi]
    pub fn look(&self) -> Result<Look, Failure> {
        self.ask(|installation| Ok(Look::of(&installation.snapshot())))
    }

    /// The answer to whoever asks for `feature`, if it may not be used.
    #[napi]
    pub fn gate(&self, feature: String) -> Result<Option<Refusal>, Failure> {
        self.ask(|installation| {
            let refusal = installation.gate(&feature);
            Ok(refusal.map(|refusal| Refusal { status: refusal.status.into(), body: refusal.body }))
        })
    }

    /// Everything that holds at a time.
    #[napi]
    pub fn status(&self, at: Option<f64>) -> Result<String, Failure> {
        self.ask(|installation| installation.status(at.map(|at| at as i64)))
    }

    /// Why.
    #[napi]
    pub fn explain(&self, at: Option<f64>) -> Result<String, Failure> {
        self.ask(|installation| installation.explain(at.map(|at| at as i64)))
    }

    /// A text to send to the vendor.
    #[napi]
    pub fn request(&self, what: String, argument: Option<String>) -> Result<String, Failure> {
        self.ask(|installation| installation.request(&what, argument.as_deref()))
    }

    /// How much of a metered feature was used.
    #[napi]
    pub fn usage(&self, feature: String) -> Result<Usage, Failure> {
        self.ask(|installation| {
            let usage = installation.usage(&feature)?;
            Ok(Usage {
                used: usage.used as f64,
                limit: number(usage.limit),
                resets_at: usage.resets_at.map(second),
            })
        })
    }

    /// Takes anything the vendor signed; with `older`, also in the place of a newer license.
    #[napi]
    pub fn apply(&self, data: Data<'_>, older: bool) -> Promise<()> {
        let data = bytes(&data).to_vec();
        self.later(move |installation| match older {
            true => installation.apply_older(&data),
            false => installation.apply(&data),
        })
    }

    /// Removes what was applied.
    #[napi]
    pub fn remove(&self) -> Promise<bool> {
        self.later(Installation::remove)
    }

    /// Whether the path of a target is one of the license API.
    #[napi]
    pub fn serves(&self, target: String) -> Result<bool, Failure> {
        self.ask(|installation| Ok(installation.serves(&target)))
    }

    /// Asks the vendor's server, and applies what it answers.
    #[napi]
    pub fn call(&self, what: String, argument: Option<String>) -> Promise<()> {
        self.afar(move |installation| installation.call(&what, argument.as_deref()))
    }

    /// Reports what was used, and applies what the vendor's server says.
    #[napi]
    pub fn sync(&self) -> Promise<()> {
        self.afar(Installation::sync)
    }

    /// A seat for a holder, for so many days out of the reach of the server.
    #[napi]
    pub fn seat(&self, holder: String, days: f64) -> Promise<NativeSeat> {
        let home = Arc::clone(&self.0);
        self.afar(move |installation| {
            let seat = Arc::new(installation.seat(&holder, days as u32)?);
            Ok(NativeSeat { seat, home })
        })
    }

    /// Answers one HTTP request. One that may change something may wait for a network.
    #[napi]
    pub fn handle(&self, request: Request, body: Data<'_>) -> Promise<Response> {
        let only_asks = request.only_asks();
        let exchange = request.exchange(bytes(&body));
        let answer = move |it: &Installation| Ok(Response::from(it.handle(&exchange?)));
        if only_asks { self.later(answer) } else { self.afar(answer) }
    }

    /// Adds to counters, each by its own amount.
    #[napi]
    pub fn record(&self, features: Vec<String>, amounts: Vec<f64>) -> Promise<Vec<Option<Failed>>> {
        let amounts = amounts.into_iter().map(|amount| amount as u64);
        let uses: Vec<_> = features.into_iter().zip(amounts).collect();
        self.later(move |installation| Ok(record(installation, &uses)))
    }

    /// Adds to a counter without waiting for the disk.
    #[napi]
    pub fn record_later(&self, feature: String, amount: f64) -> Result<(), Failure> {
        self.ask(|installation| installation.record_later(&feature, amount as u64))
    }

    /// Sets a level.
    #[napi]
    pub fn record_level(&self, feature: String, level: f64) -> Promise<()> {
        self.later(move |installation| installation.record_level(&feature, level as u64))
    }

    /// Notes a key.
    #[napi]
    pub fn record_key(&self, feature: String, key: String) -> Promise<()> {
        self.later(move |installation| installation.record_key(&feature, &key))
    }

    /// Notes when the product was first used.
    #[napi]
    pub fn first_use(&self, at: Option<f64>) -> Promise<()> {
        self.later(move |installation| installation.first_use(at.map(|at| at as i64)))
    }

    /// Makes durable what `record_later` left.
    #[napi]
    pub fn flush(&self) -> Promise<()> {
        self.later(Installation::flush)
    }

    /// The same, here and now.
    #[napi]
    pub fn flush_now(&self) -> Result<(), Failure> {
        self.ask(Installation::flush)
    }
}

impl NativeInstallation {
    pub(crate) fn new(installation: Installation) -> NativeInstallation {
        NativeInstallation(Arc::new(RwLock::new(installation)))
    }

    fn ask<T>(
        &self,
        call: impl FnOnce(&Installation) -> licentia::Result<T>,
    ) -> Result<T, Failure> {
        attempt(|| call(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// The same for what waits for a network, on another copy: nobody waits for it here meanwhile.
    fn afar<T: Answer>(
        &self,
        call: impl FnOnce(&Installation) -> licentia::Result<T> + Send + 'static,
    ) -> Promise<T> {
        let own = self.0.read().unwrap_or_else(PoisonError::into_inner).again();
        let home = Arc::clone(&self.0);
        promise(move || {
            let outcome = call(&own);
            look_again(&home);
            outcome
        })
    }

    /// Asks it on a thread of the pool.
    fn later<T: Answer>(
        &self,
        call: impl FnOnce(&Installation) -> licentia::Result<T> + Send + 'static,
    ) -> Promise<T> {
        let shared = Arc::clone(&self.0);
        promise(move || call(&shared.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// A seat that somebody has.
#[napi]
pub struct NativeSeat {
    seat: Arc<Seat>,
    /// The installation that it was asked of.
    home: Arc<RwLock<Installation>>,
}

#[napi]
impl NativeSeat {
    /// Who.
    #[napi]
    pub fn holder(&self) -> String {
        self.seat.holder().to_string()
    }

    /// The first second for which it is not held any more; null if it is not.
    #[napi]
    pub fn expires(&self) -> Result<Option<f64>, Failure> {
        attempt(|| Ok(self.seat.expires().map(second)))
    }

    /// Asks for a longer lease.
    #[napi]
    pub fn renew(&self) -> Promise<()> {
        self.afar(Seat::renew)
    }

    /// Gives it back.
    #[napi]
    pub fn release(&self) -> Promise<()> {
        self.afar(Seat::release)
    }

    fn afar(
        &self,
        call: impl FnOnce(&Seat) -> licentia::Result<()> + Send + 'static,
    ) -> Promise<()> {
        let (seat, home) = (Arc::clone(&self.seat), Arc::clone(&self.home));
        promise(move || {
            let outcome = call(&seat);
            look_again(&home);
            outcome
        })
    }
}

/// What another copy has changed in the folder, this one knows from now on, and not only when the
/// second is over that it answers for.
fn look_again(home: &RwLock<Installation>) {
    let _ = home.read().unwrap_or_else(PoisonError::into_inner).status(None);
}

impl Look {
    fn of(snapshot: &Snapshot) -> Look {
        let level = |access: Access| access as u32;
        Look {
            features: snapshot.features.iter().map(|(id, _)| id.clone()).collect(),
            access: snapshot.features.iter().map(|(_, access)| level(*access)).collect(),
            otherwise: level(snapshot.otherwise),
            from: second(snapshot.from),
            until: second(snapshot.until),
        }
    }
}

/// Many records share one wait for the disk; alone, one waits with those of other processes.
fn record(installation: &Installation, uses: &[(String, u64)]) -> Vec<Option<Failed>> {
    if let [(feature, amount)] = uses {
        return vec![installation.record(feature, *amount).err().map(Failed::from)];
    }
    let later = |(feature, amount): &(String, u64)| installation.record_later(feature, *amount);
    let outcomes: Vec<_> = uses.iter().map(later).collect();
    let flushed = installation.flush();
    outcomes
        .into_iter()
        .map(|recorded| recorded.and_then(|()| flushed.clone()).err().map(Failed::from))
        .collect()
}
