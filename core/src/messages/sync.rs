//! What the issuer's server answers when an installation reports to it.

use super::document::{self, Expected, malformed, positive};
use crate::claims::{check_text, check_uuid, time};
use crate::coat::undress;
use crate::errors::{Code, Error, Result};
use crate::json::{List, Object};
use crate::keys::TrustedKey;
use crate::limits::{LICENSE_TEXTS_MAX, MESSAGE_MAX, NONCE_MAX, REVOCATIONS_MAX};
use crate::machine::Binding;
use crate::stages::DAY;
use crate::token::Kind;
pub use crate::verdict::facts::IssuerStatus;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Numbers of answers are counted, or are the microseconds since 1970 when they were given. One
/// of a time so many seconds after the answer's own is neither: it would make every answer to come
/// look old.
const SEQ_AHEAD: i64 = 400 * DAY;
const MICROS: u64 = 1_000_000;

/// docs/format.md, section 6.1. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncAnswer {
    /// When it was signed.
    pub iat: i64,
    /// That of the request it answers.
    pub nonce: String,
    /// The license it speaks of.
    pub license_id: String,
    /// The installation that asked.
    pub installation: String,
    /// The activation of that license there, by its id at the issuer: a UUID.
    pub activation: Option<String>,
    /// Rises with every answer in an epoch.
    pub seq: u64,
    /// The epoch of the key set; 0 = none was ever signed.
    pub epoch: u64,
    /// What time it is.
    pub server_time: i64,
    /// What the issuer says of the license.
    pub status: IssuerStatus,
    /// What it wants the customer to read.
    pub message: Option<String>,
    /// The license, new or renewed: its compact serialization. It is not verified with the answer.
    pub license: Option<String>,
    /// The newest key set.
    pub keys: Option<Version>,
    /// The newest revocation list.
    pub revocations: Option<Version>,
    /// How much of the usage ledger the issuer has.
    pub ack: Option<Ledger>,
    /// When to ask again.
    pub sync_after: Option<i64>,
    /// When it has to have been asked again.
    pub next_sync_by: Option<i64>,
    /// The machine that asked, by its hashed parts: a copy of the folder on another one is not
    /// answered by it. `None` = the request named none.
    pub machine: Option<Binding>,
}

/// Which of several documents is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its `version`; of a key set, its `epoch`.
    pub version: u64,
    /// SHA-256 of its compact serialization, in base64url.
    pub sha256: String,
}

/// A place in the usage ledger of an installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The last record.
    pub seq: u64,
    /// What the ledger is known by there: its own words, which an answer gives back.
    pub head: String,
}

#[derive(Deserialize)]
struct Claims {
    nonce: String,
    license_id: String,
    installation: String,
    activation: Option<String>,
    seq: u64,
    epoch: u64,
    server_time: i64,
    status: String,
    message: Option<String>,
    license: Option<List<String, LICENSE_TEXTS_MAX>>,
    keys: Option<Object<Version>>,
    revocations: Option<Object<Version>>,
    ack: Option<Object<Ledger>>,
    sync_after: Option<i64>,
    next_sync_by: Option<i64>,
    machine: Option<Binding>,
}

impl SyncAnswer {
    /// Checks one for a product. Whether it answers this installation's request, and is newer
    /// than another, is not asked.
    pub(crate) fn verify<'k>(
        data: &[u8],
        product: &str,
        issuer: Option<&str>,
        find: impl Fn(&str) -> Option<&'k TrustedKey>,
    ) -> Result<SyncAnswer> {
        let expected = Expected { product, issuer };
        document::open(data, Kind::Sync, expected, find, |claims: Claims, iat| {
            let answer = claims.typed(iat)?;
            answer.check()?;
            Ok(answer)
        })
    }

    /// Its claims. What it has not is `null`.
    #[cfg(feature = "issue")]
    pub(crate) fn claims(&self, issuer: &str, product: &str) -> serde_json::Value {
        serde_json::json!({
            "iss": issuer, "aud": product, "iat": self.iat,
            "nonce": self.nonce, "license_id": self.license_id, "installation": self.installation,
            "activation": self.activation,
            "seq": self.seq, "epoch": self.epoch, "server_time": self.server_time,
            "status": self.status.word(),
            "message": self.message, "license": self.license.as_deref().map(pieces),
            "keys": self.keys, "revocations": self.revocations, "ack": self.ack,
            "sync_after": self.sync_after, "next_sync_by": self.next_sync_by,
            "machine": self.machine,
        })
    }

    fn check(&self) -> Result<()> {
        check_text("nonce", &self.nonce, NONCE_MAX)?;
        check_uuid("license_id", &self.license_id)?;
        check_uuid("installation", &self.installation)?;
        if let Some(id) = &self.activation {
            check_uuid("activation", id)?;
        }
        positive("seq", self.seq)?;
        for (name, at) in [
            ("server_time", Some(self.server_time)),
            ("sync_after", self.sync_after),
            ("next_sync_by", self.next_sync_by),
        ] {
            time(name, at)?;
        }
        let far = u64::try_from(self.server_time.saturating_add(SEQ_AHEAD)).unwrap_or_default();
        if self.seq > far.saturating_mul(MICROS) {
            let what = "seq is that of a time 400 days after server_time";
            return Err(malformed(what));
        }
        if self.next_sync_by.is_some_and(|by| self.sync_after.is_some_and(|after| after > by)) {
            return Err(malformed("sync_after is later than next_sync_by"));
        }
        if let Some(message) = &self.message {
            check_text("message", message, MESSAGE_MAX)?;
        }
        for (name, version) in [("keys", &self.keys), ("revocations", &self.revocations)] {
            version.as_ref().map_or(Ok(()), |version| version.check(name))?;
        }
        self.ack.as_ref().map_or(Ok(()), |ack| ack.check("ack"))
    }
}

impl Claims {
    fn typed(self, iat: i64) -> Result<SyncAnswer> {
        let status = IssuerStatus::from_word(&self.status).ok_or_else(|| {
            Error::new(Code::TooNew, format!("it has the status {:.40}", self.status))
        })?;
        Ok(SyncAnswer {
            iat,
            nonce: self.nonce,
            license_id: self.license_id,
            installation: self.installation,
            activation: self.activation,
            seq: self.seq,
            epoch: self.epoch,
            server_time: self.server_time,
            status,
            message: self.message,
            license: self.license.map(joined).transpose()?,
            keys: self.keys.map(|keys| keys.0),
            revocations: self.revocations.map(|list| list.0),
            ack: self.ack.map(|ack| ack.0),
            sync_after: self.sync_after,
            next_sync_by: self.next_sync_by,
            machine: self.machine,
        })
    }
}

/// A license in pieces. It is ASCII, so no cut goes through a letter.
#[cfg(feature = "issue")]
fn pieces(license: &str) -> Vec<&str> {
    let pieces = license.as_bytes().chunks(crate::json::STRING_MAX);
    pieces.map(|piece| str::from_utf8(piece).unwrap_or_default()).collect()
}

/// The license whose pieces these are: no text may be as long as a license.
fn joined(pieces: List<String, LICENSE_TEXTS_MAX>) -> Result<String> {
    if pieces.0.len() > LICENSE_TEXTS_MAX {
        let what = format!("license is in more than {LICENSE_TEXTS_MAX} pieces");
        return Err(Error::new(Code::TooLarge, what));
    }
    if pieces.0.is_empty() || pieces.0.iter().any(String::is_empty) {
        return Err(malformed("a piece of license is empty"));
    }
    Ok(pieces.0.concat())
}

impl Version {
    /// Whether a document is the one that is meant.
    pub(crate) fn is_of(&self, document: &[u8]) -> Result<bool> {
        let text = undress(document, REVOCATIONS_MAX)?;
        Ok(URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes())) == self.sha256)
    }

    fn check(&self, name: &str) -> Result<()> {
        positive(&format!("{name}.version"), self.version)?;
        let digest = URL_SAFE_NO_PAD.decode(&self.sha256);
        if digest.is_ok_and(|digest| digest.len() == 32) {
            return Ok(());
        }
        Err(malformed(format!("{name}.sha256 is not 43 characters of base64url")))
    }
}

impl Ledger {
    pub(super) fn check(&self, name: &str) -> Result<()> {
        check_text(&format!("{name}.head"), &self.head, 64)
    }
}
