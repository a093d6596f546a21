//! The one door in: whatever the vendor signed is checked whole, and then takes the place of what
//! was there, or changes nothing.

use super::Installation;
use super::change::{Change, Damage};
use super::leases::{apply_lease, drop_leases};
use super::request::{
    ACTIVATION, BORROW, CLOCK, DEACTIVATION, KEYS, LICENSE, LICENSE_WORDS, RELEASE, RENEWAL,
    REVOCATIONS, SEAT, SYNC,
};
use super::state::{Activation, Installed, IssuerNote, State, Withdrawn, mask};
use super::view::hold;
use crate::claims::Claims;
use crate::clock::rfc3339;
use crate::errors::{Code, Error, Result};
use crate::license::check_dates;
use crate::messages::{self, ClockReset, Revocations, SyncAnswer, Version, answered, check_nonce};
use crate::product::Product;
use crate::store::Slot;
use crate::token::Kind;
use crate::verdict::{self, Held, IssuerStatus};
use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

/// What a key for nonces is derived for.
pub(crate) const NONCES: &str = "nonce";

/// By which way something comes in.
#[derive(Clone, Copy)]
pub(crate) enum Way<'a> {
    /// By hand, or from a file.
    Pasted,
    /// The same, also in the place of something newer.
    Older,
    /// With what the issuer says of the license in use.
    Synced,
    /// As the issuer's answer about the license with this id: a license, or what it says of it.
    Renewal(&'a str),
    /// As the issuer's answer to this license key: the same.
    Key(&'a str),
    /// As the issuer's answer to this word.
    Word(&'static str),
}

/// What came of something that was applied.
#[derive(Default)]
pub(crate) struct Applied {
    /// Why the issuer said no, where that is what was signed.
    pub(crate) refused: Option<Error>,
    /// The newest key set there is.
    pub(crate) keys: Option<Version>,
    /// The newest revocation list there is.
    pub(crate) revocations: Option<Version>,
}

impl Way<'_> {
    /// What may have been asked for, where this is the answer.
    fn words(self) -> &'static [&'static str] {
        match self {
            Way::Renewal(_) => &[RENEWAL],
            Way::Key(_) => &[ACTIVATION],
            Way::Word(word) => match LICENSE_WORDS.iter().position(|it| *it == word) {
                Some(at) => LICENSE_WORDS.get(at..=at).unwrap_or_default(),
                None => &[],
            },
            _ => LICENSE_WORDS,
        }
    }

    /// What may come, where this is the answer to a word.
    fn kinds(self) -> Option<&'static [Kind]> {
        match self {
            Way::Renewal(_) => Some(&[Kind::License, Kind::Sync]),
            // A license alone answers nobody: a stranger has one, too, that the vendor signed.
            Way::Key(_) | Way::Word(LICENSE | RENEWAL | ACTIVATION | SYNC | DEACTIVATION) => {
                Some(&[Kind::Sync])
            }
            Way::Word(SEAT | BORROW | RELEASE) => Some(&[Kind::Lease]),
            Way::Word(CLOCK) => Some(&[Kind::Clock]),
            Way::Word(KEYS) => Some(&[Kind::KeySet]),
            Way::Word(REVOCATIONS) => Some(&[Kind::Revocations]),
            Way::Word(_) => Some(&[]),
            Way::Pasted | Way::Older | Way::Synced => None,
        }
    }
}

impl Installation {
    pub(crate) fn apply_any(&self, data: &[u8], way: Way<'_>) -> Result<Applied> {
        self.apply_with(None, data, way, None)
    }

    /// The same, with newer keys where they are needed: both, or neither. What they take back still
    /// counts as here, so that something else can take its place. With the nonce of what was just
    /// asked, an answer to anything else is none, however good it would be by hand.
    pub(crate) fn apply_with(
        &self,
        keys: Option<&[u8]>,
        data: &[u8],
        way: Way<'_>,
        nonce: Option<&str>,
    ) -> Result<Applied> {
        let kind = messages::kind_of(data)?;
        if let Some(kinds) = way.kinds().filter(|kinds| !kinds.contains(&kind)) {
            let wanted = kinds.first().map_or("document", |kind| kind.name());
            let what = format!("the answer is a {}, not a {wanted}", kind.name());
            return Err(Error::new(Code::WrongKind, what));
        }
        // Only a license can make good what was lost, and only if it is one.
        let damage = match kind {
            Kind::License if self.product.read(data).is_ok() => Damage::BeginAgain,
            _ => Damage::Keep,
        };
        self.change(damage, |change| {
            let held = verdict::rule(&change.view.facts, &change.now).held;
            let renewed = match keys {
                Some(keys) => apply_keys(change, &self.product, keys)?,
                None => false,
            };
            let (changed, applied) = self.apply_kind(change, kind, data, (way, nonce))?;
            if let Some(held) = held.filter(|_| keys.is_some() && applied.refused.is_none()) {
                check_replaced(change, &held)?;
            }
            // Whoever answers what was asked here has been reached, by whatever way.
            let heard = matches!(kind, Kind::Sync | Kind::Clock);
            let heard = heard && change.state.failure.take().is_some();
            Ok((renewed || changed || heard, applied))
        })
    }

    fn apply_kind(
        &self,
        change: &mut Change<'_>,
        kind: Kind,
        data: &[u8],
        (way, nonce): (Way<'_>, Option<&str>),
    ) -> Result<(bool, Applied)> {
        let changed = match kind {
            Kind::License => self.apply_license(change, data, way)?,
            Kind::KeySet => apply_keys(change, &self.product, data)?,
            Kind::Revocations => apply_revocations(change, data)?,
            Kind::Clock => apply_clock_reset(change, data)?,
            Kind::Lease => apply_lease(change, data)?,
            Kind::Sync => return Ok((true, self.apply_sync(change, data, (way, nonce))?)),
            Kind::Product => {
                let what = format!("a {} cannot be applied to an installation", kind.name());
                return Err(Error::new(Code::WrongKind, what));
            }
        };
        Ok((changed, Applied::default()))
    }

    fn apply_license(&self, change: &mut Change<'_>, data: &[u8], way: Way<'_>) -> Result<bool> {
        let product = &change.view.product;
        let read = product.read(data)?;
        if matches!(way, Way::Renewal(id) if id != read.claims.license.id) {
            let what = "the answer is about another license";
            return Err(Error::new(Code::WrongInstallation, what));
        }
        let place = self.place(Some(&change.state));
        if is_revoked(change, &read.claims.license.id) {
            return Err(Error::new(Code::Revoked, "the vendor has withdrawn the license"));
        }
        product.locate(&read.claims, &place)?;
        let begins_later = self.check_dates(change, &read.claims)?;
        let installed: Vec<(Held, Installed)> = change
            .state
            .licenses
            .iter()
            .filter_map(|one| {
                Some((hold(product, &place, one.token.as_bytes()).ok()?, one.clone()))
            })
            .collect();
        if installed.iter().any(|(_, one)| one.token == read.token) {
            let noted = note_key(&mut change.state, way, &read.claims.license.id);
            return Ok(noted);
        }
        let now = change.now.at;
        // What begins later stands beside what has begun, whichever came first: a license takes
        // the place of one of its own side.
        let (same, beside): (Vec<_>, Vec<_>) =
            installed.into_iter().partition(|(held, _)| waits(&held.claims, now) == begins_later);
        let newer = same.iter().map(|(held, _)| held.claims.iat).max();
        if let Some(newer) = newer.filter(|newer| *newer > read.claims.iat && !is_forced(way)) {
            let what = format!(
                "it was signed on {}, and the installed one on {}",
                rfc3339(read.claims.iat),
                rfc3339(newer)
            );
            return Err(Error::new(Code::OlderThanInstalled, what));
        }
        let rank = |(held, _): &(Held, Installed)| {
            let in_force = check_dates(&held.claims, now).is_ok() && held.binding.is_ok();
            (in_force, held.claims.license.valid_until.unwrap_or(i64::MAX), held.claims.iat)
        };
        let beside = beside.into_iter().max_by_key(rank);
        let id = read.claims.license.id;
        let others = beside.as_ref().map(|(held, _)| held.claims.license.id.clone());
        change.state.forget_key_unless(|of| *of == id || Some(of) == others.as_ref());
        if matches!(way, Way::Pasted | Way::Older) {
            change.state.forget_key_unless(|of| *of != id);
        }
        note_key(&mut change.state, way, &id);
        let mut licenses: Vec<Installed> = beside.into_iter().map(|(_, one)| one).collect();
        licenses.push(Installed { token: read.token, applied_at: now });
        change.state.licenses = licenses;
        Ok(true)
    }

    /// Whether the license begins later; fails where it has ended. A license that is in force by
    /// the clock and has ended by what was seen before is the clock's affair.
    fn check_dates(&self, change: &Change<'_>, claims: &Claims) -> Result<bool> {
        let now = change.now;
        match check_dates(claims, now.at) {
            Ok(()) => Ok(false),
            Err(error) if error.code() == Code::NotYetValid => Ok(true),
            Err(_) if now.clock < now.at && check_dates(claims, now.clock).is_ok() => {
                let (clock, seen) = (rfc3339(now.clock), rfc3339(now.at));
                let what = format!("the clock shows {clock}, but {seen} was seen before");
                Err(Error::new(Code::ClockRollback, what))
            }
            Err(error) => Err(error),
        }
    }

    /// Applies what the issuer says of a license, and says why it refused what was asked, where it
    /// did: that is known from then on.
    fn apply_sync(
        &self,
        change: &mut Change<'_>,
        data: &[u8],
        (way, nonce): (Way<'_>, Option<&str>),
    ) -> Result<Applied> {
        let product = &change.view.product;
        let signer = RefCell::new(String::new());
        let find = |kid: &str| {
            *signer.borrow_mut() = kid.to_string();
            product.find(kid)
        };
        let answer = SyncAnswer::verify(data, product.code(), product.issuer(), find)?;
        let kid = signer.take();
        check_installation(change, &answer.installation)?;
        if let Some(binding) = &answer.machine {
            binding.check_version()?;
            self.product.check_machine(binding)?;
        }
        let key = change.state.key(NONCES)?;
        let word = answered(&key, way.words(), change.state.syncs, &answer.nonce)?;
        if nonce.is_some_and(|asked| asked != answer.nonce) {
            let what = "the answer is to an earlier request";
            return Err(Error::new(Code::WrongInstallation, what));
        }
        self.check_license(change, &answer, word, way)?;
        check_number(change, &answer)?;
        change.state.heal(answer.server_time);
        let signed = change.state.floors.signed.unwrap_or(answer.server_time);
        change.now.at = change.now.clock.max(signed);
        change.state.syncs = change.state.syncs.saturating_add(1);
        if word == DEACTIVATION {
            let product = change.view.product.clone();
            forget_license(&mut change.state, &product, &answer, kid);
        } else {
            change.state.issuer = Some(note(change.state.issuer.as_ref(), &answer, kid));
        }
        if let Some(license) = answer.license.as_ref().filter(|_| word != DEACTIVATION) {
            let by = if matches!(way, Way::Pasted | Way::Older) { Way::Synced } else { way };
            match self.apply_license(change, license.as_bytes(), by) {
                // A newer one has come another way. The rest of the answer holds all the same.
                Err(error)
                    if error.code() == Code::OlderThanInstalled
                        && is_here(change, &answer.license_id) => {}
                applied => drop(applied?),
            }
        }
        if answer.status == IssuerStatus::Ok {
            note_key(&mut change.state, way, &answer.license_id);
        }
        if let Some(ack) = &answer.ack {
            self.ledger.acknowledge(change.locked, ack.seq, &ack.head)?;
        }
        // Whoever gives a license up is not refused because it is suspended, too.
        let refused = refusal(&answer).filter(|_| word != DEACTIVATION);
        Ok(Applied { refused, keys: answer.keys, revocations: answer.revocations })
    }

    /// Whether an answer is about a license that it may be about: one that is here, or one that it
    /// brings to who asked for a license.
    fn check_license(
        &self,
        change: &Change<'_>,
        answer: &SyncAnswer,
        word: &str,
        way: Way<'_>,
    ) -> Result<()> {
        let wrong = |what| Err(Error::new(Code::WrongInstallation, what));
        if matches!(way, Way::Renewal(id) if id != answer.license_id) {
            return wrong("the answer is about another license");
        }
        let is_here = is_here(change, &answer.license_id);
        match &answer.license {
            Some(license) if matches!(word, ACTIVATION | LICENSE | RENEWAL) => {
                let brought = change.view.product.read(license.as_bytes())?;
                match brought.claims.license.id == answer.license_id {
                    true => Ok(()),
                    false => wrong("the answer is about another license than it brings"),
                }
            }
            _ if is_here => Ok(()),
            // Who asks for a license is told why there is none; there is nothing here to note.
            None if matches!(word, ACTIVATION | LICENSE) => match refusal(answer) {
                Some(refused) => Err(refused),
                None => wrong("the answer is about a license that is not here"),
            },
            _ => wrong("the answer is about a license that is not here"),
        }
    }
}

/// Whether the license that was in use is believed with the keys that have come, or another has
/// taken its place.
fn check_replaced(change: &Change<'_>, held: &Held) -> Result<()> {
    let product = &change.view.product;
    let mut licenses = change.state.licenses.iter();
    if product.believes(&held.key_id, held.claims.iat)
        || licenses.any(|one| product.read(one.token.as_bytes()).is_ok())
    {
        return Ok(());
    }
    let what = "the key of the license is no longer trusted, and none has come in its place";
    Err(Error::new(Code::KeyCompromised, what))
}

/// Why the issuer gave no license to who asked for one.
fn refusal(answer: &SyncAnswer) -> Option<Error> {
    if answer.license.is_some() || answer.status == IssuerStatus::Ok {
        return None;
    }
    let said = || format!("the vendor says of the license: {}", answer.status.word());
    Some(Error::new(Code::Refused, answer.message.clone().unwrap_or_else(said)))
}

/// Whether a license is here, in whatever way it came. One whose key was stolen since does not
/// count for anything but this: the issuer may say what takes its place.
pub(super) fn is_here(change: &Change<'_>, license_id: &str) -> bool {
    let mut held = change.view.facts.candidates.iter().filter_map(|it| it.license.as_ref().ok());
    held.any(|held| held.claims.license.id == license_id)
        || change.view.taken_back().any(|license| license.id == license_id)
}

/// Takes away a license that the issuer has freed this machine of, with all that came with it and
/// all that was said of it. That it was revoked stays known, so that it does not come back.
fn forget_license(state: &mut State, product: &Product, answer: &SyncAnswer, kid: String) {
    let id = &answer.license_id;
    let is_it = |token: &str| {
        product.read(token.as_bytes()).is_ok_and(|read| read.claims.license.id == *id)
    };
    state.licenses.retain(|one| !is_it(&one.token));
    state.forget_key_unless(|of| of != id);
    drop_leases(state, product, id);
    // No seat from before comes back with the license.
    state.ends = state.ends.saturating_add(1);
    let said = state.issuer.take_if(|note| note.license_id == *id);
    if answer.status == IssuerStatus::Revoked {
        state.issuer = Some(note(said.as_ref(), answer, kid));
    }
}

fn is_forced(way: Way<'_>) -> bool {
    matches!(way, Way::Older)
}

/// Keeps which license a license key brought, and says whether that is new.
fn note_key(state: &mut State, way: Way<'_>, license_id: &str) -> bool {
    let Way::Key(key) = way else { return false };
    let next = Some(Activation { license_id: license_id.to_string(), key: mask(key) });
    let changed = state.activation != next;
    state.activation = next;
    changed
}

/// Whether a license begins later.
fn waits(claims: &Claims, now: i64) -> bool {
    check_dates(claims, now).is_err_and(|error| error.code() == Code::NotYetValid)
}

/// The numbers of answers rise under one set of keys. A later set begins anew, so that whoever
/// stole a key cannot make the vendor's own answers look old; an earlier one is over.
fn check_number(change: &mut Change<'_>, answer: &SyncAnswer) -> Result<()> {
    let epoch = change.view.product.epoch();
    if answer.epoch < epoch {
        let what = format!("the answer is of key epoch {}, and {epoch} is here", answer.epoch);
        return Err(Error::new(Code::OlderThanInstalled, what));
    }
    if answer.epoch > epoch {
        // Its keys have not come yet. The nonce alone tells that it is the answer.
        return Ok(());
    }
    let last = if change.state.epoch == epoch { change.state.seq } else { 0 };
    if answer.seq <= last {
        let what = format!("the answer has the number {}, and {last} was seen", answer.seq);
        return Err(Error::new(Code::AlreadyUsed, what));
    }
    (change.state.epoch, change.state.seq) = (epoch, answer.seq);
    Ok(())
}

/// What an answer says, with the time since when it has been saying so.
fn note(before: Option<&IssuerNote>, answer: &SyncAnswer, kid: String) -> IssuerNote {
    let status = answer.status.word().to_string();
    let same = before.filter(|it| it.status == status && it.license_id == answer.license_id);
    IssuerNote {
        since: same.map_or(answer.server_time, |before| before.since),
        license_id: answer.license_id.clone(),
        activation: answer.activation.clone().or_else(|| same.and_then(|it| it.activation.clone())),
        status,
        last_contact: answer.server_time,
        next_contact: answer.sync_after,
        next_sync_by: answer.next_sync_by,
        message: answer.message.clone(),
        kid: Some(kid),
    }
}

fn apply_keys(change: &mut Change<'_>, pinned: &Product, data: &[u8]) -> Result<bool> {
    let text = std::str::from_utf8(data)
        .map_err(|_| Error::new(Code::Malformed, "the key set is not text"))?;
    let mut product = pinned.clone();
    for set in &change.state.keys {
        let _ = product.trust(set);
    }
    if change.state.keys.iter().any(|set| set.trim() == text.trim()) {
        return Ok(false);
    }
    product.trust(text)?;
    // A list whose key is gone says nothing any more. What it withdrew stays so.
    if change.view.listed().1.is_some_and(|kid| product.find(kid).is_none()) {
        carry_over(change, &HashSet::new());
    }
    change.state.add_keys(text.trim().to_string());
    // What a key said that was stolen is over, also once no set names the key any more.
    change.state.withdrawn.retain(|it| it.stands(&product));
    change.state.issuer.take_if(|note| !note.stands(&product));
    change.state.floors.forget_signed();
    change.view = Arc::new(change.view.trusting(product, &change.state));
    Ok(true)
}

fn apply_revocations(change: &mut Change<'_>, data: &[u8]) -> Result<bool> {
    let product = &change.view.product;
    let list =
        Revocations::verify(data, product.code(), product.issuer(), |kid| product.find(kid))?;
    // One that was lost may come again, and one that nobody believes any more keeps out none:
    // whoever stole a key may have signed it with any number.
    let is_older = |have: &u64| {
        let is_lower = *have > list.version && !change.view.list_is_void();
        is_lower || (*have == list.version && change.view.has_revocations())
    };
    if let Some(have) = change.state.revocations.filter(is_older) {
        if have == list.version && *change.view.listed().0 == list.ids {
            return Ok(false);
        }
        let what = format!("the list has version {}, and {have} is installed", list.version);
        return Err(Error::new(Code::OlderThanInstalled, what));
    }
    // Before the list is gone: the power may go in between.
    if carry_over(change, &list.ids) {
        change.write()?;
    }
    let next = change.locked.next(Slot::Revocations)?;
    change.locked.replace(Slot::Revocations, next, data, 0)?;
    change.state.revocations = Some(list.version);
    Ok(true)
}

/// Keeps withdrawn what the list before named and the next one does not, as after the vendor
/// restored an old backup: of the licenses that are here or noted here, which are few. Gives
/// whether there are any.
fn carry_over(change: &mut Change<'_>, next: &HashSet<[u8; 16]>) -> bool {
    let (before, Some(kid)) = change.view.listed() else { return false };
    let held = change.view.facts.candidates.iter().filter_map(|it| it.license.as_ref().ok());
    let here = held.map(|held| &held.claims.license.id);
    let noted = change.state.issuer.iter().map(|it| &it.license_id);
    let by_key = change.state.activation.iter().map(|it| &it.license_id);
    let is_dropped =
        |id: &uuid::Uuid| before.contains(id.as_bytes()) && !next.contains(id.as_bytes());
    let ids: Vec<_> = here
        .chain(noted)
        .chain(by_key)
        .filter_map(|id| uuid::Uuid::try_parse(id).ok())
        .filter(is_dropped)
        .map(|id| Withdrawn { id: id.to_string(), kid: kid.to_string() })
        .collect();
    let any = !ids.is_empty();
    for one in ids {
        change.state.add_withdrawn(one);
    }
    any
}

fn apply_clock_reset(change: &mut Change<'_>, data: &[u8]) -> Result<bool> {
    let product = &change.view.product;
    let reset =
        ClockReset::verify(data, product.code(), product.issuer(), |kid| product.find(kid))?;
    check_installation(change, &reset.installation)?;
    let key = change.state.key(NONCES)?;
    check_nonce(&key, "clock", change.state.resets, &reset.nonce)?;
    change.state.resets = change.state.resets.saturating_add(1);
    change.state.heal(reset.server_time);
    Ok(true)
}

pub(super) fn check_installation(change: &Change<'_>, id: &str) -> Result<()> {
    match change.state.installation == id {
        true => Ok(()),
        false => Err(Error::new(Code::WrongInstallation, "the answer is for another installation")),
    }
}

/// Whether the vendor has withdrawn a license, by list or by the last word about it.
fn is_revoked(change: &Change<'_>, id: &str) -> bool {
    let revoked = &change.view.facts.revoked;
    let listed = uuid::Uuid::try_parse(id).is_ok_and(|id| revoked.contains(id.as_bytes()));
    let word = change.state.issuer.as_ref().filter(|issuer| issuer.license_id == id);
    listed || word.is_some_and(|issuer| issuer.status == IssuerStatus::Revoked.word())
}
