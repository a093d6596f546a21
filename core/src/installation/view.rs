//! What is known of an installation at a moment: read from the folder and from its other sources,
//! verified, and never changed.

use super::Installation;
use super::state::{IssuerNote, State};
use crate::clock::boot_seconds;
use crate::errors::{Code, Error, Result};
use crate::messages::Revocations;
use crate::product::{Place, Product, Verified};
use crate::store::Slot;
use crate::usage::Totals;
use crate::verdict::{
    Anchor, Candidate, Facts, Held, Issuer, IssuerStatus, Source, StateHealth, Terms,
};
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
    marks: Marks,
    revocations: Arc<List>,
    /// The boot clock when bindings were looked at.
    bound_at: i64,
}

/// The generations, and the file, that a view was made from.
#[derive(Clone, Debug, Default, PartialEq)]
struct Marks {
    state: Option<u64>,
    revocations: Option<u64>,
    file: Option<Result<Vec<u8>>>,
}

/// The revocation list, as it was last read.
#[derive(Clone, Debug, Default)]
struct List {
    generation: Option<u64>,
    keys: usize,
    ids: Arc<HashSet<[u8; 16]>>,
    version: Option<u64>,
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
            anchor: None,
            usage: Arc::default(),
            state: StateHealth::default(),
        };
        // No folder has this generation: whatever is found is news, be it that nothing can be read.
        let marks = Marks { state: Some(u64::MAX), ..Marks::default() };
        let revocations = Arc::default();
        View { facts, state: None, product: product.clone(), marks, revocations, bound_at: 0 }
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
        let fresh = before.filter(|view| view.marks == marks && !view.wants_another_look());
        if let Some(view) = fresh {
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
        let (state, mut health) = read_state(it);
        let mut product = it.product.clone();
        for set in state.iter().flat_map(|state| &state.keys) {
            // One that is refused now was signed by a key that a later set has taken back.
            let _ = product.trust(set);
        }
        let list = List::read(it, before, &marks, state.as_deref(), &product);
        health.error = health.error.or_else(|| list.error.clone()).or(usage_error);
        health.recovered = health.recovered.or_else(|| it.ledger.damaged());
        let place = it.place(state.as_deref());
        let candidates = candidates(it, state.as_deref(), &product, &place, marks.file.as_ref());
        let facts = Facts {
            product: product.code().to_string(),
            terms: product.settings().terms.clone(),
            candidates,
            revoked: Arc::clone(&list.ids),
            issuer: state.as_ref().and_then(|state| state.issuer.as_ref()).and_then(issuer),
            anchor: state.as_ref().and_then(|state| state.anchor).map(|at| Anchor { at }),
            usage,
            state: health,
        };
        let bound_at = boot_seconds().unwrap_or_default();
        View { facts, state, product, marks, revocations: list, bound_at }
    }

    /// Whether a machine that did not match may have become the right one.
    fn wants_another_look(&self) -> bool {
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
            state: it.folder.glance(Slot::State).ok(),
            revocations: it.folder.glance(Slot::Revocations).ok(),
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
        if let Some(view) = before {
            let list = &view.revocations;
            let same = list.generation == marks.revocations && list.keys == keys;
            if same && list.version == Some(noted) {
                return Arc::clone(list);
            }
        }
        let lost =
            || Error::new(Code::StateCorrupt, "the revocation list that was applied is gone");
        let found = it.folder.find(Slot::Revocations).and_then(|found| found.ok_or_else(lost));
        let list = found.and_then(|found| {
            Revocations::verify(&found.payload, product.code(), product.issuer(), |kid| {
                product.find(kid)
            })
        });
        let mut read = List { generation: marks.revocations, keys, ..List::default() };
        match list {
            Ok(list) if list.version < noted => read.error = Some(lost()),
            Ok(list) => (read.version, read.ids) = (Some(list.version), Arc::new(list.ids)),
            // What an older key signed may have been taken back with the key: then it says nothing.
            Err(error) if error.code() == Code::StateCorrupt => read.error = Some(error),
            Err(_) => read.version = Some(noted),
        }
        Arc::new(read)
    }
}

/// The state of the folder, and how it is.
fn read_state(it: &Installation) -> (Option<Arc<State>>, StateHealth) {
    let mut health = StateHealth { shared: it.is_shared(), ..StateHealth::default() };
    let found = it.folder.find(Slot::State).and_then(|found| {
        let Some(found) = found else { return Ok(None) };
        let state = State::from_bytes(&found.payload)?;
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
            health.error = Some(error);
            (None, health)
        }
    }
}

/// What every source holds, verified.
fn candidates(
    it: &Installation,
    state: Option<&State>,
    product: &Product,
    place: &Place,
    file: Option<&Result<Vec<u8>>>,
) -> Vec<Candidate> {
    let hold = |source: Source, name: String, data: Result<&[u8]>| Candidate {
        source,
        name,
        license: data.and_then(|data| hold(product, place, data)).map(Arc::new),
    };
    let mut all = Vec::new();
    for installed in state.iter().flat_map(|state| &state.licenses) {
        all.push(hold(Source::Installed, String::new(), Ok(installed.token.as_bytes())));
    }
    if let (Some(path), Some(file)) = (&it.site.file, file) {
        let data = file.as_deref().map_err(Error::clone);
        all.push(hold(Source::File, path.display().to_string(), data));
    }
    if let Some((name, found)) = &it.site.variable {
        let empty = || Error::new(Code::NotLicensed, format!("{name:.60} is not set"));
        let data = found.as_deref().map(str::as_bytes).ok_or_else(empty);
        all.push(hold(Source::Environment, name.clone(), data));
    }
    if let Some(text) = &it.site.text {
        all.push(hold(Source::Text, String::new(), Ok(text.as_bytes())));
    }
    all
}

/// Checks 1 to 15 of docs/format.md, section 4: the first twelve decide whether it is a license.
pub(crate) fn hold(product: &Product, place: &Place, data: &[u8]) -> Result<Held> {
    let Verified { claims, kid, .. } = product.read(data)?;
    let binding = product.locate(&claims, place);
    Ok(Held { claims, key_id: kid, binding })
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
