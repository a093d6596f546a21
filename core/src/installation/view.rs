//! What is known of an installation at a moment: read from the folder and from its other sources,
//! verified, and never changed.

use super::Installation;
use super::state::{Failure, Installed, IssuerNote, State};
use crate::clock::boot_seconds;
use crate::errors::{Code, Error, Result};
use crate::messages::{Licensed, Revocations};
use crate::product::{Place, Product, Verified};
use crate::store::Slot;
use crate::token;
use crate::usage::Totals;
use crate::verdict::{
    Anchor, Candidate, Facts, Held, Issuer, IssuerStatus, Source, StateHealth, Terms,
};
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

/// A binding that did not hold is looked at again after this many seconds: what a machine is
/// known by may have been mounted, or come up, since.
const LOOK_AGAIN: i64 = 10;

/// What was read, and what tells whether it has changed.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) facts: Facts,
    /// The state; `None` where there is none, or none that can be read.
    pub(crate) state: Option<Arc<State>>,
    /// The product with the keys that signed sets have brought.
    pub(crate) product: Product,
    /// What it was made from; `None` = from nothing.
    marks: Option<Marks>,
    revocations: Arc<List>,
    /// What was last in the license file, when it could be read.
    file: Option<Vec<u8>>,
    /// The boot clock when bindings were looked at.
    bound_at: i64,
}

/// The digests, and the file, that a view was made from.
#[derive(Clone, Debug, PartialEq)]
struct Marks {
    state: Result<Option<[u8; 32]>>,
    revocations: Result<Option<[u8; 32]>>,
    file: Option<Result<Vec<u8>>>,
}

/// The revocation list, as it was last read.
#[derive(Clone, Debug, Default)]
struct List {
    digest: Option<[u8; 32]>,
    keys: usize,
    ids: Arc<HashSet<[u8; 16]>>,
    version: Option<u64>,
    /// The key that signed it.
    kid: Option<String>,
    /// Whether it was read whole, and verified.
    holds: bool,
    error: Option<Error>,
}

impl View {
    /// Knows nothing, and so grants nothing.
    pub(crate) fn blank(product: &Product) -> View {
        let facts = Facts {
            product: product.code().to_string(),
            terms: Terms::default(),
            candidates: Vec::new(),
            revoked: Arc::default(),
            issuer: None,
            failure: None,
            anchor: None,
            usage: Arc::default(),
            state: StateHealth::default(),
        };
        View {
            facts,
            state: None,
            product: product.clone(),
            marks: None,
            revocations: Arc::default(),
            file: None,
            bound_at: 0,
        }
    }

    /// To be made anew, though nothing has changed in the folder: the settings have.
    pub(crate) fn outdated(&self) -> View {
        View { marks: None, file: None, ..self.clone() }
    }

    /// What the folder and the other sources hold now. `before` is given back where nothing has
    /// changed.
    pub(crate) fn look(it: &Installation, before: Option<&Arc<View>>) -> Arc<View> {
        let marks = Marks::read(it);
        let (usage, usage_error) = match it.ledger.totals() {
            Ok(totals) => (totals, None),
            Err(error) => {
                (before.map(|view| view.facts.usage.clone()).unwrap_or_default(), Some(error))
            }
        };
        let same = |view: &&Arc<View>| view.marks.as_ref() == Some(&marks);
        let fresh = before.filter(same).filter(|view| !view.wants_another_look());
        if let Some(view) = fresh.filter(|_| usage_error.is_none()) {
            return view.with_usage(usage);
        }
        Arc::new(View::load(it, before, marks, usage, usage_error))
    }

    /// The same, but for what was used.
    pub(crate) fn with_usage(self: &Arc<View>, usage: Arc<Totals>) -> Arc<View> {
        if Arc::ptr_eq(&self.facts.usage, &usage) {
            return Arc::clone(self);
        }
        let mut next = View::clone(self);
        next.facts.usage = usage;
        Arc::new(next)
    }

    fn load(
        it: &Installation,
        before: Option<&Arc<View>>,
        marks: Marks,
        usage: Arc<Totals>,
        usage_error: Option<Error>,
    ) -> View {
        let (state, mut health) = read_state(it, before);
        let mut product = it.product.clone();
        for set in state.iter().flat_map(|state| &state.keys) {
            // One that is refused now was signed by a key that a later set has taken back.
            let _ = product.trust(set);
        }
        let list = List::read(it, before, &marks, state.as_deref(), &product);
        health.error = health.error.or_else(|| list.error.clone()).or(usage_error);
        health.recovered = health.recovered.or_else(|| it.ledger.damaged());
        let place = it.place(state.as_deref());
        let kept = || before.and_then(|view| view.file.clone());
        let file = match &marks.file {
            Some(Ok(bytes)) => Some(bytes.clone()),
            // What was in it goes on while it cannot be read; once it is gone, it is.
            Some(Err(error)) if error.code() == Code::Io => kept(),
            _ => None,
        };
        let refused = marks.file.as_ref().and_then(|file| file.as_ref().err());
        let sources = Sources { it, product: &product, place: &place };
        let candidates = sources.candidates(state.as_deref(), file.as_deref(), refused);
        let facts = Facts {
            product: product.code().to_string(),
            terms: product.settings().terms.clone(),
            candidates,
            revoked: list.with_earlier(state.as_deref(), &product),
            issuer: state.as_ref().and_then(|state| state.issuer.as_ref()).and_then(issuer),
            failure: state.as_ref().and_then(|state| state.failure.as_ref()).map(Failure::fact),
            anchor: state.as_ref().and_then(|state| state.anchor).map(|at| Anchor { at }),
            usage,
            state: health,
        };
        let bound_at = boot_seconds().unwrap_or_default();
        View { facts, state, product, marks: Some(marks), revocations: list, file, bound_at }
    }

    /// Whether the revocation list that was applied is here.
    pub(crate) fn has_revocations(&self) -> bool {
        self.revocations.holds
    }

    /// What the list in the folder names, and the key that signed it.
    pub(crate) fn listed(&self) -> (&HashSet<[u8; 16]>, Option<&str>) {
        (&self.revocations.ids, self.revocations.kid.as_deref())
    }

    /// Whether there is a list that no key signed which is still trusted: it says nothing.
    pub(crate) fn list_is_void(&self) -> bool {
        let list = &self.revocations;
        list.version.is_some() && !list.holds && list.error.is_none()
    }

    /// The same with other keys, and what is kept by them. What was verified with those before
    /// stays as it was found, but for what was withdrawn.
    pub(crate) fn trusting(&self, product: Product, state: &State) -> View {
        let mut next = self.clone();
        let signer = next.revocations.kid.as_deref();
        if signer.is_some_and(|kid| !product.trusts(kid)) {
            let list = Arc::make_mut(&mut next.revocations);
            (list.holds, list.ids) = (false, Arc::default());
        }
        next.facts.revoked = next.revocations.with_earlier(Some(state), &product);
        next.product = product;
        next
    }

    /// The licenses that were applied, and whose key is known to be stolen now.
    pub(crate) fn taken_back(&self) -> impl Iterator<Item = Licensed> {
        let stolen = |one: &&Installed| {
            let read = self.product.read(one.token.as_bytes());
            read.is_err_and(|error| error.code() == Code::KeyCompromised)
        };
        let licenses = self.state.iter().flat_map(|state| &state.licenses);
        licenses.filter(stolen).filter_map(|one| named(&one.token))
    }

    /// Whether what failed may succeed now: a machine that did not match may have become the right
    /// one, and a folder that could not be read may be back.
    fn wants_another_look(&self) -> bool {
        let certain = [Code::StateCorrupt, Code::TooNew];
        if self.facts.state.error.as_ref().is_some_and(|error| !certain.contains(&error.code())) {
            return true;
        }
        let elsewhere =
            self.facts.candidates.iter().any(|candidate| {
                candidate.license.as_ref().is_ok_and(|held| held.binding.is_err())
            });
        elsewhere && (boot_seconds().unwrap_or(i64::MAX) - self.bound_at).abs() >= LOOK_AGAIN
    }
}

impl Marks {
    fn read(it: &Installation) -> Marks {
        Marks {
            state: it.folder.digest(Slot::State),
            revocations: it.folder.digest(Slot::Revocations),
            file: it.site.read_file(),
        }
    }
}

impl List {
    /// The list in the folder, checked anew only where it or the keys have changed.
    fn read(
        it: &Installation,
        before: Option<&Arc<View>>,
        marks: &Marks,
        state: Option<&State>,
        product: &Product,
    ) -> Arc<List> {
        let Some(noted) = state.and_then(|state| state.revocations) else { return Arc::default() };
        let keys = state.map_or(0, |state| state.keys.len());
        let digest = marks.revocations.clone().ok().flatten();
        let known = before.map(|view| &view.revocations);
        let same = |list: &&Arc<List>| list.digest == digest && list.keys == keys;
        if let Some(list) = known.filter(same).filter(|list| list.version == Some(noted)) {
            return Arc::clone(list);
        }
        let lost =
            || Error::new(Code::StateCorrupt, "the revocation list that was applied is gone");
        let mut read = List { digest, keys, ..List::default() };
        let found = match it.folder.find(Slot::Revocations).and_then(|it| it.ok_or_else(lost)) {
            Ok(found) => found,
            Err(error) => {
                read.ids = known.map(|list| Arc::clone(&list.ids)).unwrap_or_default();
                read.kid = known.and_then(|list| list.kid.clone());
                read.error = Some(error);
                return Arc::new(read);
            }
        };
        let signer = RefCell::new(None);
        let find = |kid: &str| {
            *signer.borrow_mut() = Some(kid.to_string());
            product.find(kid)
        };
        match Revocations::verify(&found.payload, product.code(), product.issuer(), find) {
            Ok(list) if list.version < noted => read.error = Some(lost()),
            Ok(list) => {
                (read.version, read.ids) = (Some(list.version), Arc::new(list.ids));
                read.holds = true;
                read.kid = signer.take();
            }
            // What an older key signed may have been taken back with the key: then it says nothing.
            Err(_) => read.version = Some(noted),
        }
        Arc::new(read)
    }

    /// What the list names, and what stays withdrawn from the lists before it.
    fn with_earlier(&self, state: Option<&State>, product: &Product) -> Arc<HashSet<[u8; 16]>> {
        let mut ids = Arc::clone(&self.ids);
        let earlier = state.iter().flat_map(|state| &state.withdrawn);
        for one in earlier.filter(|one| one.stands(product)) {
            if let Ok(id) = uuid::Uuid::try_parse(&one.id) {
                Arc::make_mut(&mut ids).insert(*id.as_bytes());
            }
        }
        ids
    }
}

/// The state of the folder, and how it is. What this process has read before goes on where it
/// cannot be read any more: a disk that fails takes nothing away from who is at work.
fn read_state(it: &Installation, before: Option<&Arc<View>>) -> (Option<Arc<State>>, StateHealth) {
    let mut health = StateHealth { shared: it.is_shared(), ..StateHealth::default() };
    let found = it.folder.find(Slot::State).and_then(|found| {
        let Some(found) = found else { return Ok(None) };
        let state = State::from_bytes(&found.payload, it.product.code())?;
        Ok(Some((state, found.recovered)))
    });
    match found {
        Ok(Some((state, recovered))) => {
            health.installation = Some(state.installation.clone());
            let noted = state.damage.as_ref().map(|damage| damage.what.clone());
            health.recovered = recovered.or(noted);
            (Some(Arc::new(state)), health)
        }
        Ok(None) => {
            health.error = it.unbegun.clone();
            (None, health)
        }
        Err(error) => {
            let state = before.and_then(|view| view.state.clone());
            health.installation = state.as_ref().map(|state| state.installation.clone());
            health.error = Some(error);
            (state, health)
        }
    }
}

/// Where licenses come from, and what they are verified with.
struct Sources<'a> {
    it: &'a Installation,
    product: &'a Product,
    place: &'a Place,
}

impl Sources<'_> {
    /// What every source holds, verified: the license file what was last read from it, and why it
    /// cannot be read now.
    fn candidates(
        &self,
        state: Option<&State>,
        file: Option<&[u8]>,
        refused: Option<&Error>,
    ) -> Vec<Candidate> {
        let site = &self.it.site;
        let mut all = Vec::new();
        for installed in state.iter().flat_map(|state| &state.licenses) {
            all.push(self.hold(Source::Installed, "", Ok(installed.token.as_bytes())));
        }
        if let Some(path) = &site.file {
            let found = file.map(Ok).into_iter().chain(refused.map(|error| Err(error.clone())));
            let name = path.display().to_string();
            all.extend(found.map(|data| self.hold(Source::File, &name, data)));
        }
        if let Some((name, found)) = &site.variable {
            let empty = || Error::new(Code::NotLicensed, format!("{name:.60} is not set"));
            let data = found.as_deref().map(str::as_bytes).ok_or_else(empty);
            all.push(self.hold(Source::Environment, name, data));
        }
        if let Some(text) = &site.text {
            all.push(self.hold(Source::Text, "", Ok(text.as_bytes())));
        }
        all
    }

    fn hold(&self, source: Source, name: &str, data: Result<&[u8]>) -> Candidate {
        let license = data.and_then(|data| hold(self.product, self.place, data)).map(Arc::new);
        Candidate { source, name: name.to_string(), license }
    }
}

/// Checks 1 to 15 of docs/format.md, section 4: the first twelve decide whether it is a license.
pub(crate) fn hold(product: &Product, place: &Place, data: &[u8]) -> Result<Held> {
    let Verified { claims, kid, .. } = product.read(data)?;
    let binding = product.locate(&claims, place);
    Ok(Held { claims, key_id: kid, binding })
}

/// The license that a token says it is. It was verified when it was applied.
fn named(token: &str) -> Option<Licensed> {
    #[derive(Deserialize)]
    struct Names {
        jti: String,
        license: Named,
    }
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    let payload = token::decode(token::split(token).ok()?.payload, "payload").ok()?;
    let Names { jti, license } = serde_json::from_slice(&payload).ok()?;
    Some(Licensed { id: license.id, token_id: jti })
}

fn issuer(note: &IssuerNote) -> Option<Issuer> {
    let status = IssuerStatus::from_word(&note.status)?;
    Some(Issuer {
        license_id: note.license_id.clone(),
        status,
        since: note.since,
        last_contact: note.last_contact,
        next_contact: note.next_contact,
        next_sync_by: note.next_sync_by,
        message: note.message.clone(),
    })
}
