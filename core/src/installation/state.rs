//! What an installation keeps, but for its use: the JSON in the slot `state`. docs/state.md.

use super::time::Floors;
use crate::errors::{Code, Error, Result};
use crate::json::List;
use crate::keys::KeyState;
use crate::limits::{DAMAGE_DAYS, LEASES_MAX};
use crate::product::Product;
use crate::stages::DAY;
use crate::verdict;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::Sha256;

/// The version of this shape. A later one is `too_new`.
const VERSION: u32 = 1;

/// Signed key sets that are kept: each may say of a pinned key what no later one repeats.
const KEY_SETS_MAX: usize = 64;

/// Licenses that are kept: one that has begun, and one that begins later.
const LICENSES_MAX: usize = 2;

/// Licenses that stay withdrawn though no list names them any more. Those that are here are five
/// at the most; where more have come and gone, the first is forgotten.
const WITHDRAWN_MAX: usize = 64;

/// How long after a failure the issuer is asked again, in seconds: at first, and at the most.
const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

/// Everything that is kept, times in seconds since 1970.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The version of this shape.
    pub(crate) v: u32,
    /// The code of the product that it is an installation of.
    pub(crate) product: String,
    /// The id of this installation: a UUID.
    pub(crate) installation: String,
    /// 32 random bytes, base64url. Keys of its own are derived from it; it is never sent.
    secret: String,
    /// When the folder was first used, by the clock of that moment.
    pub(crate) created_at: i64,
    /// What was applied: the license in force, and perhaps one that begins later.
    #[serde(deserialize_with = "few::<_, _, LICENSES_MAX>")]
    pub(crate) licenses: Vec<Installed>,
    /// Every signed key set that was applied, in the order of their epochs.
    #[serde(deserialize_with = "few::<_, _, KEY_SETS_MAX>")]
    pub(crate) keys: Vec<String>,
    /// The version of the revocation list in its own slot.
    pub(crate) revocations: Option<u64>,
    /// What the issuer last said.
    pub(crate) issuer: Option<IssuerNote>,
    /// Under which key set the numbers of its answers rise, and the last of them.
    pub(crate) epoch: u64,
    /// The last number.
    pub(crate) seq: u64,
    /// Answers that were applied to everything but clocks and seats.
    pub(crate) syncs: u64,
    /// Clock resets that were applied.
    pub(crate) resets: u64,
    /// Deactivations that were applied: each ends what was asked for seats.
    #[serde(default)]
    pub(crate) ends: u64,
    /// Times before which it cannot be.
    pub(crate) floors: Floors,
    /// When the product was first used.
    pub(crate) anchor: Option<i64>,
    /// How often everything here was lost to damage and begun again.
    pub(crate) lost: u32,
    /// Damage that was made good, to be told for a while.
    pub(crate) damage: Option<Damage>,
    /// The license key that brought a license, masked.
    pub(crate) activation: Option<Activation>,
    /// Seats that were leased here, and those that were given back before they ended.
    #[serde(default, deserialize_with = "few::<_, _, LEASES_MAX>")]
    pub(crate) leases: Vec<Leased>,
    /// Licenses that an earlier revocation list named, and the one in its slot does not.
    #[serde(default, deserialize_with = "few::<_, _, WITHDRAWN_MAX>")]
    pub(crate) withdrawn: Vec<Withdrawn>,
    /// Why the issuer could not be asked the last time, and since when; `None` = it could.
    #[serde(default)]
    pub(crate) failure: Option<Failure>,
}

/// A call that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// When, by the clock of that moment.
    pub(crate) at: i64,
    /// How many in a row.
    pub(crate) count: u32,
    /// The word for it.
    pub(crate) code: String,
    /// What it was, in a sentence.
    pub(crate) what: String,
}

/// A license that an earlier revocation list named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Withdrawn {
    /// The license: a UUID.
    pub(crate) id: String,
    /// The key that signed that list.
    pub(crate) kid: String,
}

impl Withdrawn {
    /// Whether it is still believed: whoever stole the key withdraws nothing for ever.
    pub(crate) fn stands(&self, product: &Product) -> bool {
        !is_stolen(product, &self.kid)
    }
}

/// What is kept of a seat. The token has the last word: the rest is to find it by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Leased {
    /// Who has it.
    pub(crate) holder: String,
    /// The lease; of a seat that was given back that of the last lease before.
    pub(crate) jti: String,
    /// When this can be forgotten.
    pub(crate) until: i64,
    /// Its compact serialization, or that of what gave it back.
    pub(crate) token: String,
    /// When it came in answer to a call, where the clock here is ahead of the issuer's.
    #[serde(default)]
    pub(crate) came: Option<Came>,
}

/// A moment by the time here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Came {
    /// The era of the time: it says nothing once signed time has taken the place of what was seen.
    pub(crate) era: u64,
    /// The moment.
    pub(crate) at: i64,
}

/// Which license a license key brought, and what is kept of the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Activation {
    /// The license.
    pub(crate) license_id: String,
    /// Its key, masked: see [`mask`].
    pub(crate) key: String,
}

/// A license key that can be shown: every character is an `x`, but for the hyphens and the last of
/// several groups.
pub(crate) fn mask(key: &str) -> String {
    let several = |(first, _): &(&str, &str)| first.contains(|c| c != '-');
    let (hidden, shown) = key.rsplit_once('-').filter(several).unwrap_or((key, ""));
    let hide = |c: char| if c == '-' { '-' } else { 'x' };
    let masked: String = hidden.chars().map(hide).collect();
    if hidden.len() < key.len() { format!("{masked}-{shown}") } else { masked }
}

/// What was damaged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Damage {
    /// When it was found.
    pub(crate) at: i64,
    /// What it was, in a sentence.
    pub(crate) what: String,
}

/// A license that was applied.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Installed {
    /// Its compact serialization.
    pub(crate) token: String,
    /// When.
    pub(crate) applied_at: i64,
}

/// What the issuer last said, as docs/format.md, section 6.1, has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IssuerNote {
    pub(crate) license_id: String,
    /// The activation of the license there.
    pub(crate) activation: Option<String>,
    pub(crate) status: String,
    pub(crate) since: i64,
    pub(crate) last_contact: i64,
    pub(crate) next_contact: Option<i64>,
    pub(crate) next_sync_by: Option<i64>,
    pub(crate) message: Option<String>,
    /// The key that signed it. `None` = it was said before that was noted.
    #[serde(default)]
    pub(crate) kid: Option<String>,
}

impl IssuerNote {
    /// Whether it is still believed.
    pub(crate) fn stands(&self, product: &Product) -> bool {
        self.kid.as_deref().is_none_or(|kid| !is_stolen(product, kid))
    }
}

/// Whether a key is known to be stolen. One that no set names any more is not.
fn is_stolen(product: &Product, kid: &str) -> bool {
    product.find(kid).is_some_and(|key| key.state() == KeyState::Compromised)
}

impl Failure {
    /// As a verdict has it.
    pub(crate) fn fact(&self) -> verdict::Failure {
        // A minute, then twice as long each time, and an hour at the most.
        let pause = MINUTE.saturating_mul(1 << self.count.saturating_sub(1).min(6)).min(HOUR);
        verdict::Failure { at: self.at, pause, code: self.code.clone(), message: self.what.clone() }
    }
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// A list that is cut while it is read: each item will be verified.
fn few<'de, D, T, const MAX: usize>(from: D) -> std::result::Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let mut list = List::<T, MAX>::deserialize(from)?.0;
    list.truncate(MAX);
    Ok(list)
}

impl std::fmt::Debug for State {
    /// Without what must not be in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "State({})", self.installation)
    }
}

impl State {
    /// The first one of a folder. Fails with `io` if there is no randomness.
    pub(crate) fn new(product: &str, at: i64, lost: u32) -> Result<State> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)
            .map_err(|error| Error::new(Code::Io, format!("no randomness: {error}")))?;
        Ok(State {
            v: VERSION,
            product: product.to_string(),
            installation: uuid::Uuid::new_v4().to_string(),
            secret: URL_SAFE_NO_PAD.encode(secret),
            created_at: at,
            licenses: Vec::new(),
            keys: Vec::new(),
            revocations: None,
            issuer: None,
            epoch: 0,
            seq: 0,
            syncs: 0,
            resets: 0,
            ends: 0,
            floors: Floors::default(),
            anchor: None,
            lost,
            damage: None,
            activation: None,
            leases: Vec::new(),
            withdrawn: Vec::new(),
            failure: None,
        })
    }

    /// Reads what [`State::to_bytes`] wrote for a product. Its checksum held: what does not fit now
    /// is of another version, or of another program.
    pub(crate) fn from_bytes(bytes: &[u8], product: &str) -> Result<State> {
        let corrupt = |what: &str| Error::new(Code::StateCorrupt, format!("the state {what}"));
        let Version { v } = serde_json::from_slice(bytes).map_err(|_| corrupt("is not one"))?;
        if v > VERSION {
            let what = format!("the state has version {v}, and {VERSION} is known");
            return Err(Error::new(Code::TooNew, what));
        }
        let state: State =
            serde_json::from_slice(bytes).map_err(|_| corrupt("has not the members it should"))?;
        state.master().ok_or_else(|| corrupt("has no secret"))?;
        if state.product != product {
            let what = format!(
                "the folder is that of {:.60}: {product:.60} needs one of its own",
                state.product
            );
            return Err(Error::new(Code::WrongProduct, what));
        }
        Ok(state)
    }

    /// As it is kept: JSON, readable, with the members in their order.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec_pretty(self)
            .map_err(|error| Error::new(Code::Internal, format!("the state: {error}")))
    }

    /// A key for one purpose: HMAC-SHA256 of its name under the secret (RFC 5869 would expand no
    /// further for 32 bytes).
    pub(crate) fn key(&self, purpose: &str) -> Result<[u8; 32]> {
        let secret = self
            .master()
            .ok_or_else(|| Error::new(Code::StateCorrupt, "the state has no secret"))?;
        let mac = Hmac::<Sha256>::new_from_slice(&secret)
            .map_err(|_| Error::new(Code::Internal, "a secret of no length"))?;
        Ok(mac.chain_update(purpose).finalize().into_bytes().into())
    }

    /// Keeps what was found damaged, for as long as it is told.
    pub(crate) fn note_damage(&mut self, at: i64, found: Option<String>) {
        let fresh =
            |damage: &Damage| at.saturating_sub(damage.at).saturating_abs() <= DAMAGE_DAYS * DAY;
        self.damage =
            found.map(|what| Damage { at, what }).or_else(|| self.damage.take().filter(fresh));
    }

    /// Signed time takes the place of what was seen, and nothing was used before its time.
    pub(crate) fn heal(&mut self, server_time: i64) {
        self.floors.heal(server_time);
        self.anchor = self.anchor.map(|anchor| anchor.min(server_time));
    }

    /// The license key that brought a license, masked; `None` = it came another way.
    pub(crate) fn key_of(&self, license_id: &str) -> Option<&str> {
        let own = |activation: &&Activation| activation.license_id == license_id;
        self.activation.as_ref().filter(own).map(|activation| activation.key.as_str())
    }

    /// Forgets what is kept of a license key, unless its license is one to go on with.
    pub(crate) fn forget_key_unless(&mut self, goes_on: impl Fn(&String) -> bool) {
        self.activation.take_if(|activation| !goes_on(&activation.license_id));
    }

    /// Keeps a signed key set beside those before it.
    pub(crate) fn add_keys(&mut self, set: String) {
        self.keys.push(set);
        let over = self.keys.len().saturating_sub(KEY_SETS_MAX);
        self.keys.drain(..over);
    }

    /// Keeps a lease in the place of the holder's last, and forgets what is over. Where there are
    /// too many, the one that ends first goes.
    pub(crate) fn add_lease(&mut self, lease: Leased, now: i64) {
        self.leases.retain(|it| it.until > now && it.holder != lease.holder);
        if self.leases.len() >= LEASES_MAX {
            let first = self.leases.iter().map(|it| it.until).min();
            let first = self.leases.iter().position(|it| Some(it.until) == first);
            first.map(|at| self.leases.swap_remove(at));
        }
        self.leases.push(lease);
    }

    /// Keeps a license withdrawn, whatever later lists leave out.
    pub(crate) fn add_withdrawn(&mut self, one: Withdrawn) {
        if self.withdrawn.iter().any(|it| it.id == one.id) {
            return;
        }
        self.withdrawn.push(one);
        let over = self.withdrawn.len().saturating_sub(WITHDRAWN_MAX);
        self.withdrawn.drain(..over);
    }

    fn master(&self) -> Option<[u8; 32]> {
        URL_SAFE_NO_PAD.decode(&self.secret).ok()?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn it_is_read_as_it_was_written_and_keeps_its_secret() {
        let state = State::new("myapp", 1_800_000_000, 0).unwrap();
        let read = State::from_bytes(&state.to_bytes().unwrap(), "myapp").unwrap();
        assert!(read == state);
        assert_eq!(read.key("a").unwrap(), state.key("a").unwrap());
        assert_ne!(state.key("a").unwrap(), state.key("b").unwrap());
        assert_ne!(state.key("a").unwrap(), State::new("myapp", 0, 0).unwrap().key("a").unwrap());
        assert!(!format!("{state:?}").contains(&state.secret));
    }

    #[test]
    fn what_is_no_state_is_named() {
        let code = |text: &str| State::from_bytes(text.as_bytes(), "myapp").unwrap_err().code();
        for bad in ["", "{}", "[]", "null", r#"{"v":1}"#, r#"{"v":"1"}"#] {
            assert_eq!(code(bad), Code::StateCorrupt, "{bad}");
        }
        assert_eq!(code(r#"{"v":2,"anything":[]}"#), Code::TooNew);
        let other = State::new("other", 0, 0).unwrap().to_bytes().unwrap();
        assert_eq!(code(std::str::from_utf8(&other).unwrap()), Code::WrongProduct);
        let mut json: Value =
            serde_json::from_slice(&State::new("myapp", 0, 0).unwrap().to_bytes().unwrap())
                .unwrap();
        json["of_a_later_version"] = true.into();
        assert!(State::from_bytes(json.to_string().as_bytes(), "myapp").is_ok());
        json["licenses"] =
            vec![serde_json::json!({"token": "", "applied_at": i64::MIN}); 99].into();
        json["keys"] = vec![""; 9_999].into();
        json["damage"] = serde_json::json!({"at": i64::MIN, "what": ""});
        let mut state = State::from_bytes(json.to_string().as_bytes(), "myapp").unwrap();
        assert_eq!((state.licenses.len(), state.keys.len()), (LICENSES_MAX, KEY_SETS_MAX));
        state.note_damage(i64::MAX, None);
        json["secret"] = "short".into();
        assert_eq!(code(&json.to_string()), Code::StateCorrupt);
    }

    #[test]
    fn of_a_license_key_the_last_group_is_kept() {
        for (key, masked) in [
            ("ABCD-EFGH-IJKL", "xxxx-xxxx-IJKL"),
            ("AB-1", "xx-1"),
            ("ABCDEFGH", "xxxxxxxx"),
            ("-", "-"),
            ("ABCD-", "xxxx-"),
            ("-ABCD", "-xxxx"),
            ("a b-c d", "xxx-c d"),
            ("\u{e4}\u{e4}-z", "xx-z"),
            ("", ""),
        ] {
            assert_eq!(mask(key), masked, "{key}");
        }
        let mut state = State::new("myapp", 0, 0).unwrap();
        let (license_id, key) = ("a".to_string(), mask("ABCD-EFGH"));
        state.activation = Some(Activation { license_id, key });
        assert_eq!((state.key_of("a"), state.key_of("b")), (Some("xxxx-EFGH"), None));
        let mut json: Value = serde_json::from_slice(&state.to_bytes().unwrap()).unwrap();
        json.as_object_mut().unwrap().remove("activation");
        let older = State::from_bytes(json.to_string().as_bytes(), "myapp").unwrap();
        assert_eq!(older.key_of("a"), None, "a folder of before there were keys");
    }

    #[test]
    fn every_member_is_documented() {
        let page = include_str!("../../../docs/state.md");
        let json: Value =
            serde_json::from_slice(&State::new("myapp", 0, 0).unwrap().to_bytes().unwrap())
                .unwrap();
        let members = json.as_object().unwrap().keys();
        for member in members.chain(json["floors"].as_object().unwrap().keys()) {
            assert!(page.contains(&format!("`{member}`")), "{member} is not in docs/state.md");
        }
    }
}
