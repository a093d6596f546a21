//! Seats of a floating license: the leases that an installation holds.

use super::Installation;
use super::apply::{NONCES, check_installation, is_here};
use super::change::Change;
use super::request::{BORROW, RELEASE, SEAT};
use super::state::{Leased, State};
use crate::clock::rfc3339;
use crate::coat::undress;
use crate::errors::{Code, Error, Result};
use crate::messages::{Lease, answered};
use crate::product::Product;
use crate::token::Kind;

/// The counter of the nonces of seats: any number of workers may ask at once, so an answer leaves
/// the other requests good. What is old is told by its dates.
pub(super) const SEATS: u64 = 0;

impl Installation {
    /// The seat that `holder` has in this installation at this moment; `None` = none, or none any
    /// more. It is signed, for this product and a license that is here.
    pub fn lease(&self, holder: &str) -> Option<Lease> {
        let known = self.fresh();
        let view = &known.view;
        let held = held(&view.product, view.state.as_deref()?, holder)?;
        let mut licenses = view.facts.candidates.iter().filter_map(|it| it.license.as_ref().ok());
        let is_here = licenses.any(|it| it.claims.license.id == held.license_id);
        (is_here && !held.is_release() && held.exp > known.now.at).then_some(held)
    }
}

pub(super) fn apply_lease(change: &mut Change<'_>, data: &[u8]) -> Result<bool> {
    let product = &change.view.product;
    let text = undress(data, Kind::Lease.max_bytes())?;
    let lease = read(product, &text)?;
    if let Some(id) = &lease.installation {
        check_installation(change, id)?;
    }
    if !is_here(change, &lease.license_id) {
        let what = "the seat is of a license that is not here";
        return Err(Error::new(Code::WrongInstallation, what));
    }
    if let Some(nonce) = &lease.nonce {
        let words: &[_] = if lease.is_release() { &[RELEASE] } else { &[SEAT, BORROW] };
        answered(&change.state.key(NONCES)?, words, SEATS, nonce)?;
    }
    let now = change.now.at;
    if !lease.is_release() && lease.exp <= now {
        let what = format!("the seat was leased until {}, by the clock here", rfc3339(lease.exp));
        return Err(Error::new(Code::Expired, what));
    }
    let before = held(product, &change.state, &lease.holder);
    let Some(until) = kept_until(&change.state, before.as_ref(), &lease)? else {
        return Ok(false);
    };
    // What was given back is known by its name: it may come again in the same second.
    let back = before.filter(|_| lease.is_release()).map(|before| before.jti);
    let (jti, token) = (back.unwrap_or(lease.jti), text.into_owned());
    change.state.add_lease(Leased { holder: lease.holder, jti, until, token }, now);
    Ok(true)
}

/// Until when a lease has to be kept, given what is held; `None` = it says nothing new. What was
/// given back is remembered for as long as the seat would have lasted, so that the old lease does
/// not bring it back.
fn kept_until(state: &State, before: Option<&Lease>, lease: &Lease) -> Result<Option<i64>> {
    let used = |what: String| Err(Error::new(Code::AlreadyUsed, what));
    let Some(before) = before else {
        return Ok((!lease.is_release()).then_some(lease.exp));
    };
    let entry = state.leases.iter().find(|it| it.holder == lease.holder);
    let until = entry.map_or(before.exp, |it| it.until);
    match (before.is_release(), lease.is_release()) {
        (_, true) if lease.iat < before.iat => {
            used("the seat was leased again after it was given back".to_string())
        }
        (true, true) => Ok(None),
        (false, true) => Ok(Some(until)),
        (true, false) => {
            let is_old = lease.iat < before.iat || entry.is_some_and(|it| it.jti == lease.jti);
            match is_old {
                true => used("the seat was given back after that".to_string()),
                false => Ok(Some(lease.exp)),
            }
        }
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

/// Forgets every seat of a license.
pub(super) fn drop_leases(state: &mut State, product: &Product, license_id: &str) {
    state.leases.retain(|kept| {
        read(product, &kept.token).is_ok_and(|lease| lease.license_id != license_id)
    });
}

/// What is kept of a holder, if it is still what somebody signed for them.
fn held(product: &Product, state: &State, holder: &str) -> Option<Lease> {
    let kept = state.leases.iter().find(|it| it.holder == holder)?;
    let lease = read(product, &kept.token).ok()?;
    let is_own = lease.installation.as_ref().is_none_or(|id| *id == state.installation);
    (is_own && lease.holder == holder).then_some(lease)
}

fn read(product: &Product, token: &str) -> Result<Lease> {
    Lease::verify(token.as_bytes(), product.code(), product.issuer(), |kid| product.find(kid))
}
