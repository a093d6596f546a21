//! Talking to the issuer: what is asked goes out as the text of a request, and what comes back is
//! applied like anything else that was signed.

mod calls;
mod desk;
mod sync;

use super::Installation;
use super::change::Damage;
use super::request::{ACTIVATION, KEYS, LICENSE_WORDS, RENEWAL, REVOCATIONS, SYNC};
use super::state::Failure;
use crate::errors::{Code, Error, Result};
use crate::limits::{COAT_FACTOR, REVOCATIONS_MAX, SYNC_MAX};
use desk::Desk;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What goes to the issuer, and how long and how large its answer may be.
#[derive(Clone, Copy, Debug)]
pub struct Message<'m> {
    /// A text of [`Installation::request`].
    pub request: &'m str,
    /// Bytes of an answer at the most: more is none.
    pub answer_max: usize,
    /// How long it may take in all, from now on.
    pub patience: Duration,
}

/// Whoever signs licenses, where it can be asked on line.
pub trait Issuer: Send + Sync {
    /// Takes a request to the issuer, and brings back what it has signed in answer.
    ///
    /// Fails with `unreachable` where there is no way to it or it gives no answer in time; where
    /// it says no, with its reason as the detail, with `no_seat` where every seat is taken, and
    /// with `refused` otherwise. Any other code is taken for `unreachable`. What it says unsigned
    /// is told to whoever called, and never counts for the license.
    fn ask(&self, message: &Message<'_>) -> Result<Vec<u8>>;
}

/// The ways to the issuer, in the order in which they are tried.
#[derive(Clone, Default)]
pub(crate) struct Line {
    issuers: Vec<Arc<dyn Issuer>>,
    desk: Arc<Desk>,
}

impl Line {
    /// Takes other ways from now on.
    pub(super) fn take(&mut self, issuers: Vec<Arc<dyn Issuer>>) {
        self.issuers = issuers;
        // What another way came to says nothing of these.
        self.desk = Arc::default();
    }
}

impl Installation {
    /// Says how the issuer is asked, in the place of the setting `server`. Without either, what
    /// needs the issuer fails with `no_transport`.
    pub fn connect(&mut self, issuer: Arc<dyn Issuer>) {
        self.issuer.take(vec![issuer]);
    }

    /// The ways to the issuer. Fails with `no_transport` where there is none.
    fn issuers(&self) -> Result<&[Arc<dyn Issuer>]> {
        match self.issuer.issuers.as_slice() {
            [] => Err(Error::new(Code::NoTransport, "no license server is configured")),
            issuers => Ok(issuers),
        }
    }

    /// Asks for something, and does with the answer what `take` does: over each way in turn, until
    /// one brings what can be taken. A stranger on one way cannot keep us from another. `take` is
    /// given newer keys besides, where the answer needs them.
    fn exchange<T>(&self, ask: &Ask<'_>, take: &Taking<'_, T>) -> Result<T> {
        self.issuers()?;
        loop {
            let answered = self.answered();
            let outcome = self.send(&self.sent(ask.what, ask.argument)?, ask, take);
            let is_late = |error: &Error| error.code() == Code::AlreadyUsed;
            // Another process was answered meanwhile: what it applied makes this answer a late one.
            if !outcome.as_ref().is_err_and(is_late)
                || self.answered() == answered
                || ask.left().is_zero()
            {
                return outcome;
            }
        }
    }

    /// How many answers about the license have been applied here.
    fn answered(&self) -> u64 {
        self.fresh().view.state.as_ref().map_or(0, |state| state.syncs)
    }

    /// A request to go out.
    fn sent(&self, what: &str, argument: Option<&str>) -> Result<Sent> {
        let (text, request) = self.asked(what, argument)?;
        Ok(Sent { text, nonce: request.nonce })
    }

    fn send<T>(&self, request: &Sent, ask: &Ask<'_>, take: &Taking<'_, T>) -> Result<T> {
        let issuers = self.issuers()?;
        let mut failure = None;
        for (at, issuer) in issuers.iter().enumerate() {
            let ways = u32::try_from(issuers.len() - at).unwrap_or(u32::MAX);
            // Whoever takes his time on one way takes it from that way alone.
            let ask = &Ask { ends: Instant::now() + ask.left() / ways, ..*ask };
            if at > 0 && ask.left().is_zero() {
                break;
            }
            let answer = put_by(issuer, &request.text, ask.what, ask.left());
            match answer.and_then(|answer| self.take_by(issuer, request, ask, &answer, take)) {
                Err(error) if is_elsewhere(&error) => failure = Some(telling(failure, error)),
                outcome => return outcome,
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(Code::Internal, "no way was tried")))
    }

    /// Takes an answer. Where a key has signed it that is not known here, newer keys are asked for
    /// first, and applied with it: they may take back what it takes the place of.
    fn take_by<T>(
        &self,
        issuer: &Arc<dyn Issuer>,
        request: &Sent,
        ask: &Ask<'_>,
        answer: &[u8],
        take: &Taking<'_, T>,
    ) -> Result<T> {
        let taken = take(answer, None, &request.nonce);
        let Err(unknown) = &taken else { return taken };
        if unknown.code() != Code::UnknownKey || ask.what == KEYS {
            return taken;
        }
        let key = ask.argument.filter(|_| ask.what == ACTIVATION);
        let Ok(wanted) = self.ask_vendor(KEYS, key) else { return taken };
        let Ok(keys) = put_by(issuer, &wanted, KEYS, ask.left()) else { return taken };
        let here = self.version(KEYS);
        let is_newer = self.version_of(KEYS, &keys, None).is_ok_and(|epoch| epoch > here);
        if !is_newer {
            return taken;
        }
        let with_keys = take(answer, Some(&keys), &request.nonce);
        if with_keys.is_ok() || ask.what == RENEWAL {
            return with_keys;
        }
        // What came with them is no good, or takes no place of what they take back.
        self.apply_keys_of_issuer(&keys, ask.ends)?;
        let anew = match LICENSE_WORDS.contains(&ask.what) {
            true => Some(self.sent(ask.what, ask.argument)?),
            false => None,
        };
        let again = anew.as_ref().unwrap_or(request);
        take(&put_by(issuer, &again.text, ask.what, ask.left())?, None, &again.nonce)
    }
}

/// A request that goes out, and what its answer has to give back.
struct Sent {
    text: String,
    nonce: String,
}

/// What is asked, and until when.
#[derive(Clone, Copy)]
struct Ask<'a> {
    what: &'static str,
    argument: Option<&'a str>,
    ends: Instant,
}

impl Ask<'_> {
    fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }
}

/// Takes an answer, newer keys with it where it needs them, and the nonce of what was asked.
type Taking<'t, T> = dyn Fn(&[u8], Option<&[u8]>, &str) -> Result<T> + 't;

impl Installation {
    /// When a call that begins now has to be over.
    fn deadline(&self) -> Instant {
        Instant::now() + self.site().patience()
    }

    /// Sends a request that is written already, and does with the answer what `take` does. Notes
    /// where that fails.
    pub(super) fn deliver<T>(
        &self,
        request: (String, String),
        what: &'static str,
        argument: Option<&str>,
        take: &dyn Fn(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let ask = Ask { what, argument, ends: self.deadline() };
        let request = &Sent { text: request.0, nonce: request.1 };
        self.noting(what, || {
            self.send(request, &ask, &|answer, keys, _| {
                match keys {
                    // They are applied by themselves, and it is asked again.
                    Some(_) => Err(Error::new(Code::UnknownKey, "it needs newer keys")),
                    None => take(answer),
                }
            })
        })
    }

    /// Keeps why the issuer could not be asked, for everybody who looks at this folder, and forgets
    /// it once it answers. Where that cannot be kept, nothing is lost: whoever called knows.
    fn noting<T>(&self, what: &str, call: impl FnOnce() -> Result<T>) -> Result<T> {
        let answered = self.answered();
        let outcome = call();
        let _ = match &outcome {
            Ok(_) if self.failures() == 0 => return outcome,
            Err(error) if !is_of_contact(what, error) => return outcome,
            Ok(_) => {
                self.change(Damage::Keep, |change| Ok((change.state.failure.take().is_some(), ())))
            }
            Err(error) => self.change(Damage::Keep, |change| {
                let state = &mut change.state;
                let count = state.failure.as_ref().map_or(0, |before| before.count);
                // Somebody else was answered meanwhile; and what is not about the license puts
                // nothing off that is.
                let is_told = count > 0 && !matches!(what, SYNC | RENEWAL);
                if state.syncs != answered || is_told {
                    return Ok((false, ()));
                }
                state.failure = Some(Failure {
                    at: change.now.at,
                    count: count.saturating_add(1),
                    code: error.slug().to_string(),
                    what: error.to_string(),
                });
                Ok((true, ()))
            }),
        };
        outcome
    }

    /// How often in a row the issuer could not be asked.
    fn failures(&self) -> u32 {
        let known = self.fresh();
        let failure = known.view.state.as_ref().and_then(|state| state.failure.as_ref());
        failure.map_or(0, |failure| failure.count)
    }
}

/// What the issuer answers, over one way.
fn put_by(
    issuer: &Arc<dyn Issuer>,
    request: &str,
    what: &str,
    patience: Duration,
) -> Result<Vec<u8>> {
    let message = Message { request, answer_max: answer_max(what), patience };
    let answer = issuer.ask(&message).map_err(|error| match error.code() {
        Code::Unreachable | Code::Refused | Code::NoSeat | Code::NoTransport => error,
        _ => Error::new(Code::Unreachable, error.detail()),
    })?;
    match answer.len() <= message.answer_max {
        true => Ok(answer),
        false => Err(Error::new(Code::TooLarge, "the answer is longer than any real one")),
    }
}

/// Bytes that the answer to a word may have.
fn answer_max(what: &str) -> usize {
    match what {
        REVOCATIONS => REVOCATIONS_MAX * COAT_FACTOR,
        _ => SYNC_MAX * COAT_FACTOR,
    }
}

/// Whether another way may bring something better: not where this machine is what fails.
fn is_elsewhere(error: &Error) -> bool {
    !matches!(
        error.code(),
        Code::Io
            | Code::Internal
            | Code::StateCorrupt
            | Code::StateUnavailable
            | Code::Busy
            | Code::DiskFull
    )
}

/// Whether a failure says how the issuer is reached, and not what it thinks of one question.
fn is_of_contact(what: &str, error: &Error) -> bool {
    let of_question = match error.code() {
        Code::NoTransport | Code::NotLicensed | Code::InvalidArgument | Code::NoSeat => true,
        // A license key that nobody knows, a seat of a license without any.
        Code::Refused => !matches!(what, SYNC | RENEWAL),
        _ => false,
    };
    is_elsewhere(error) && !of_question
}

/// Of two failures the one that says more: somebody was there.
fn telling(before: Option<Error>, next: Error) -> Error {
    match before {
        Some(before) if before.code() != Code::Unreachable => before,
        _ => next,
    }
}

#[cfg(all(test, feature = "issue"))]
mod tests {
    use super::*;
    use crate::messages::tests::bringing;
    use crate::product::Product;
    use crate::secret::SecretKey;
    use crate::token::Kind;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A way on which one thing is said.
    struct Way(Result<Vec<u8>>, AtomicUsize);

    impl Issuer for Way {
        fn ask(&self, message: &Message<'_>) -> Result<Vec<u8>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.clone().map(|said| bringing(message.request, &said))
        }
    }

    fn no(code: Code) -> Result<Vec<u8>> {
        Err(Error::new(code, "no"))
    }

    /// Asks over ways, and gives what came of it and how often each was asked.
    fn over(ways: Vec<Result<Vec<u8>>>) -> (Result<()>, Vec<usize>) {
        let key = SecretKey::from_seed(&[7; 32]).unwrap();
        let mut product = Product::new("myapp", &key.public().to_short()).unwrap();
        product.set("machine", "test").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut it = product.open(folder.path()).unwrap();
        let of = |said| Arc::new(Way(said, AtomicUsize::new(0)));
        let ways: Vec<Arc<Way>> = ways.into_iter().map(of).collect();
        it.issuer.take(ways.iter().map(|way| Arc::clone(way) as Arc<dyn Issuer>).collect());
        let outcome = it.call("license", None);
        (outcome, ways.iter().map(|way| way.1.load(Ordering::Relaxed)).collect())
    }

    fn license() -> Vec<u8> {
        let key = SecretKey::from_seed(&[7; 32]).unwrap();
        let now = crate::issue::now();
        let mut claims = crate::issue::draft("acme", "myapp", now).unwrap();
        claims.license.kind = "perpetual".into();
        crate::issue::sign(&key, &claims).unwrap().into_bytes()
    }

    #[test]
    fn every_way_is_tried_until_one_brings_what_is_signed() {
        let liars = [
            no(Code::Unreachable),
            no(Code::Refused),
            Ok(b"<html>".to_vec()),
            Ok(vec![0; 9 << 20]),
        ];
        for place in 0..=liars.len() {
            let mut ways = liars.to_vec();
            ways.insert(place, Ok(license()));
            let (outcome, asked) = over(ways);
            assert_eq!(outcome, Ok(()), "{place}");
            let wanted: Vec<usize> = (0..5).map(|way| usize::from(way <= place)).collect();
            assert_eq!(asked, wanted, "the ways after it are left alone");
        }
    }

    /// Says what nobody knows the key of, and then takes all the time there is.
    struct Stranger;

    impl Issuer for Stranger {
        fn ask(&self, message: &Message<'_>) -> Result<Vec<u8>> {
            let request = crate::issue::read_request(message.request.as_bytes())?;
            if request.what == KEYS {
                std::thread::sleep(message.patience);
                return no(Code::Unreachable);
            }
            let key = SecretKey::from_seed(&[8; 32])?;
            let claims = serde_json::json!({ "iss": "acme", "aud": "myapp", "iat": 1 });
            let said = crate::issue::sign_bytes(&key, Kind::Sync, claims.to_string().as_bytes());
            Ok(said.into_bytes())
        }
    }

    #[test]
    fn a_stranger_on_one_way_takes_no_time_from_the_next() {
        let key = SecretKey::from_seed(&[7; 32]).unwrap();
        let mut product = Product::new("myapp", &key.public().to_short()).unwrap();
        product.set("machine", "test").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut it = product.open(folder.path()).unwrap();
        it.apply(&license()).unwrap();
        it.set("server_timeout", "2").unwrap();
        let good = Arc::new(Way(Ok(license()), AtomicUsize::new(0)));
        it.issuer.take(vec![Arc::new(Stranger), Arc::clone(&good) as Arc<dyn Issuer>]);
        assert_eq!(it.call("license", None), Ok(()));
        assert_eq!(good.1.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn of_several_failures_the_one_is_told_that_somebody_has_said() {
        let junk = || Ok(b"<html>".to_vec());
        for (ways, code) in [
            (vec![no(Code::Unreachable), no(Code::Unreachable)], Code::Unreachable),
            (vec![no(Code::Unreachable), no(Code::Refused)], Code::Refused),
            (vec![no(Code::Refused), no(Code::Unreachable)], Code::Refused),
            (vec![junk(), no(Code::Unreachable)], Code::Malformed),
            (vec![no(Code::Unreachable), junk(), no(Code::Refused)], Code::Malformed),
            // What an issuer may not say is taken for silence.
            (vec![no(Code::DiskFull), no(Code::Internal)], Code::Unreachable),
        ] {
            let count = ways.len();
            let (outcome, asked) = over(ways);
            assert_eq!(outcome.map_err(|error| error.code()), Err(code));
            assert_eq!(asked, vec![1; count]);
        }
        assert_eq!(over(Vec::new()).0.map_err(|error| error.code()), Err(Code::NoTransport));
    }
}
