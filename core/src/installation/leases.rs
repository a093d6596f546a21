//! Seats of a floating license: the leases that an installation holds.

use super::Installation;
use super::apply::{NONCES, check_installation, is_here};
use super::change::{Change, Damage};
use super::request::{BORROW, RELEASE, SEAT};
use super::state::{Came, Leased, State};
use crate::clock::rfc3339;
use crate::coat::undress;
use crate::errors::{Code, Error, Result};
use crate::messages::{Lease, Request, answered};
use crate::product::Product;
use crate::token::Kind;
use crate::verdict::{Facts, IssuerStatus};

/// A clock that is ahead by no more than this many seconds is right: answers take their time.
const AHEAD: i64 = 60;

/// When a lease comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coming {
    /// In answer to what was just asked: what it gives begins now.
    Now,
    /// By hand, perhaps days later.
    Whenever,
}

/// A lease that is kept for a holder.
struct Kept {
    lease: Lease,
    came: Option<Came>,
}

impl Installation {
    /// The seat that `holder` has in this installation at this moment; `None` = none, or none any
    /// more. It is signed, for this product and a license that is here and was not withdrawn.
    pub fn lease(&self, holder: &str) -> Option<Lease> {
        self.held_seat(holder).map(|(lease, _)| lease)
    }

    /// The same, with the first second for which it is not held, by the clock of this machine.
    pub(super) fn held_seat(&self, holder: &str) -> Option<(Lease, i64)> {
        let known = self.fresh();
        let (facts, state) = (&known.view.facts, known.view.state.as_deref()?);
        let kept = kept(&known.view.product, state, holder)?;
        let until = kept.until(state.floors.era, known.now.at);
        let counts = counts(facts, &kept.lease.license_id) && !kept.lease.is_release();
        let behind = known.now.at.saturating_sub(known.now.clock);
        (counts && until > known.now.at).then(|| (kept.lease, until.saturating_sub(behind)))
    }

    /// Asks the issuer for a seat, or to take one back. The answer is that to this very request:
    /// one to another of this holder or of anybody else is none.
    pub(super) fn call_seat(&self, what: &'static str, argument: Option<&str>) -> Result<()> {
        self.check_writable()?;
        let (text, request) = self.asked(what, argument)?;
        self.deliver((text, request.nonce.clone()), what, argument, &|answer| {
            self.change(Damage::Keep, |change| Ok((take_lease(change, answer, &request)?, ())))
        })
    }
}

/// Takes a lease that somebody brings, whenever.
pub(super) fn apply_lease(change: &mut Change<'_>, data: &[u8]) -> Result<bool> {
    let (lease, token) = read_lease(change, data)?;
    if let Some(nonce) = &lease.nonce {
        let words: &[_] = if lease.is_release() { &[RELEASE] } else { &[SEAT, BORROW] };
        answered(&change.state.key(NONCES)?, words, change.state.ends, nonce)?;
    }
    keep(change, lease, token, Coming::Whenever)
}

/// Takes the lease that answers a request which is under way.
fn take_lease(change: &mut Change<'_>, data: &[u8], request: &Request) -> Result<bool> {
    let (lease, token) = read_lease(change, data)?;
    let holder = request.seat.as_ref().map(|seat| &seat.holder);
    if lease.nonce.as_ref() != Some(&request.nonce)
        || Some(&lease.holder) != holder
        || lease.is_release() != (request.what == RELEASE)
    {
        return Err(Error::new(Code::WrongInstallation, "the answer is to another request"));
    }
    keep(change, lease, token, Coming::Now)
}

/// A lease of a license that is here, for this installation if it says for which.
fn read_lease(change: &Change<'_>, data: &[u8]) -> Result<(Lease, String)> {
    let text = undress(data, Kind::Lease.max_bytes())?;
    let lease = read(&change.view.product, &text)?;
    if let Some(id) = &lease.installation {
        check_installation(change, id)?;
    }
    if !is_here(change, &lease.license_id) {
        let what = "the seat is of a license that is not here";
        return Err(Error::new(Code::WrongInstallation, what));
    }
    if !lease.is_release() && is_withdrawn(&change.view.facts, &lease.license_id) {
        return Err(Error::new(Code::Revoked, "the vendor has withdrawn the license of the seat"));
    }
    Ok((lease, text.into_owned()))
}

fn keep(change: &mut Change<'_>, lease: Lease, token: String, coming: Coming) -> Result<bool> {
    let (now, era) = (change.now.at, change.state.floors.era);
    let is_late = coming == Coming::Now && now.saturating_sub(lease.iat) > AHEAD;
    let came = is_late.then_some(Came { era, at: now });
    let next = Kept { lease, came };
    if !next.lease.is_release() && next.until(era, now) <= now {
        let until = rfc3339(next.lease.exp);
        let what = format!("the seat was leased until {until}, by the clock here");
        return Err(Error::new(Code::Expired, what));
    }
    // What has ended, or is of a license that is gone, stands in nobody's way.
    let before = kept(&change.view.product, &change.state, &next.lease.holder).filter(|before| {
        let same = before.lease.license_id == next.lease.license_id;
        let counts = same || counts(&change.view.facts, &before.lease.license_id);
        counts && (before.lease.is_release() || before.until(era, now) > now)
    });
    let entry = change.state.leases.iter().find(|it| it.holder == next.lease.holder);
    let before = before.zip(entry);
    let until = match coming {
        Coming::Now => until_now(before.as_ref(), &next, next.until(era, now)),
        Coming::Whenever => until_whenever(before.as_ref(), &next.lease)?,
    };
    let Some(until) = until else { return Ok(false) };
    // What was given back is known by its name: it may come again in the same second.
    let back = before.filter(|_| next.lease.is_release()).map(|(before, _)| before.lease.jti);
    let Kept { lease, came } = next;
    let jti = back.unwrap_or(lease.jti);
    change.state.add_lease(Leased { holder: lease.holder, jti, until, token, came }, now);
    Ok(true)
}

/// Until when the answer to what was just asked has to be kept, given what is held; `None` = it
/// says nothing new. Whoever holds more than that keeps it: a server may have lost what it signed.
fn until_now(before: Option<&(Kept, &Leased)>, next: &Kept, ends: i64) -> Option<i64> {
    let Some((held, entry)) = before else { return (!next.lease.is_release()).then_some(ends) };
    match (held.lease.is_release(), next.lease.is_release()) {
        (true, true) => None,
        (false, true) => Some(entry.until),
        (true, false) => Some(ends),
        (false, false) => {
            let same = held.lease.license_id == next.lease.license_id;
            (!same || next.lease.exp > held.lease.exp).then_some(ends)
        }
    }
}

/// The same for what comes whenever somebody brings it. What was given back is remembered for as
/// long as the seat would have lasted, so that the old lease does not bring it back.
fn until_whenever(before: Option<&(Kept, &Leased)>, lease: &Lease) -> Result<Option<i64>> {
    let used = |what: String| Err(Error::new(Code::AlreadyUsed, what));
    let Some((Kept { lease: before, .. }, entry)) = before else {
        return Ok((!lease.is_release()).then_some(lease.exp));
    };
    match (before.is_release(), lease.is_release()) {
        (_, true) if lease.iat < before.iat => {
            used("the seat was leased again after it was given back".to_string())
        }
        (true, true) => Ok(None),
        (false, true) => Ok(Some(entry.until)),
        (true, false) => match lease.iat < before.iat || entry.jti == lease.jti {
            true => used("the seat was given back after that".to_string()),
            false => Ok(Some(lease.exp)),
        },
        // A seat that is renewed while it is borrowed ends when it did.
        (false, false) if lease.exp == before.exp && lease.license_id == before.license_id => {
            Ok(None)
        }
        (false, false) if lease.exp <= before.exp => {
            used(format!("the seat is already held until {}", rfc3339(before.exp)))
        }
        (false, false) => Ok(Some(lease.exp)),
    }
}

impl Kept {
    /// The first second for which it is not held any more, by the time here. What was leased for
    /// ten minutes lasts for these also where the clock is an hour ahead.
    fn until(&self, era: u64, now: i64) -> i64 {
        let lasts = self.lease.exp.saturating_sub(self.lease.iat);
        let came = self.came.filter(|came| came.era == era && came.at <= now);
        came.map_or(self.lease.exp, |came| came.at.saturating_add(lasts).max(self.lease.exp))
    }
}

/// Forgets every seat of a license.
pub(super) fn drop_leases(state: &mut State, product: &Product, license_id: &str) {
    state.leases.retain(|kept| {
        read(product, &kept.token).is_ok_and(|lease| lease.license_id != license_id)
    });
}

/// What is kept of a holder, if it is still what somebody signed for them.
fn kept(product: &Product, state: &State, holder: &str) -> Option<Kept> {
    let kept = state.leases.iter().find(|it| it.holder == holder)?;
    let lease = read(product, &kept.token).ok()?;
    let is_own = lease.installation.as_ref().is_none_or(|id| *id == state.installation);
    (is_own && lease.holder == holder).then_some(Kept { lease, came: kept.came })
}

/// Whether seats of a license count: it is here, and was not withdrawn.
fn counts(facts: &Facts, license_id: &str) -> bool {
    let mut licenses = facts.candidates.iter().filter_map(|it| it.license.as_ref().ok());
    let is_here = licenses.any(|it| it.claims.license.id == license_id);
    is_here && !is_withdrawn(facts, license_id)
}

/// Whether the vendor has withdrawn a license, by list or by the last word about it.
fn is_withdrawn(facts: &Facts, license_id: &str) -> bool {
    let listed = uuid::Uuid::try_parse(license_id);
    let listed = listed.is_ok_and(|id| facts.revoked.contains(id.as_bytes()));
    let said = facts.issuer.as_ref().filter(|said| said.license_id == license_id);
    listed || said.is_some_and(|said| said.status == IssuerStatus::Revoked)
}

fn read(product: &Product, token: &str) -> Result<Lease> {
    Lease::verify(token.as_bytes(), product.code(), product.issuer(), |kid| product.find(kid))
}
