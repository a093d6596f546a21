//! What an installation asks of its issuer: a text to paste, base64 of zlib of JSON
//! and a signature (docs/format.md, section 9). Nothing in it is secret or raw.

use super::proof::{InstallationKey, SIGNATURE_CHARS};
use super::sync::Ledger;
use crate::errors::{Code, Error, Result, is_bidi};
use crate::keys::PublicKey;
use crate::limits::{HOLDER_MAX, LICENSE_KEY_MAX, REQUEST_MAX};
use crate::machine::{Component, Report};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::io::Write;

/// The version of the form.
pub(super) const VERSION: u64 = 1;

/// The name and version of this library, as requests say it.
pub(crate) const SDK: &str = concat!("licentia/", env!("CARGO_PKG_VERSION"));

/// What an installation asks, and what the issuer has to know to answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked for, in a word: `license`, `renewal`, `activation`, `clock`, `sync`,
    /// `deactivation`, `seat`, `borrow`, `release`, `keys`, `revocations`.
    pub what: String,
    /// The product's code.
    pub product: String,
    /// The id of the installation.
    pub installation: String,
    /// What the answer has to give back.
    pub nonce: String,
    /// The library that wrote it, such as `licentia/0.1.0`.
    pub sdk: String,
    /// When it was written, in seconds since 1970, by the installation's clock.
    pub at: i64,
    /// The machine. Only what licenses bind to is written.
    pub machine: Option<Report>,
    /// The license that is in use.
    pub license: Option<Licensed>,
    /// The license key of an activation, or of one whose keys are asked for; `None` = the license
    /// in use is the one that is meant.
    pub key: Option<String>,
    /// The seat that is asked for, or given back.
    pub seat: Option<Seat>,
    /// What was used, and what the installation has of the issuer.
    pub sync: Option<Totals>,
    /// Whose signature is on it, and holds; `None` = nobody's. It is read, and never written:
    /// [`Request::to_signed_text`] takes the key.
    pub signer: Option<PublicKey>,
}

impl std::fmt::Debug for Request {
    /// Without the license key in it: it may end up in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Request { what, product, installation, at, .. } = self;
        write!(f, "Request({what}, {product}, {installation}, {at})")
    }
}

/// Which license an installation has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licensed {
    /// The license: a UUID.
    pub id: String,
    /// The token: its `jti`.
    pub token_id: String,
}

/// The seat that a request is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// Who is to have it, or gives it back.
    pub holder: String,
    /// For how many days it is to be borrowed, 1 to 366.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// How an installation stands with its issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The `seq` of the last answer that was applied; 0 = none.
    pub seq: u64,
    /// The epoch of its key set; 0 = none.
    pub epoch: u64,
    /// What was used, in the order of the ledger.
    pub usage: Vec<Used>,
    /// Where its usage ledger stands.
    pub ledger: Option<Ledger>,
    /// What the issuer has acknowledged of it: this tells of a ledger that was set back or copied.
    pub since: Option<Ledger>,
    /// How often the ledger was lost to damage, and counting began anew.
    pub lost: u64,
    /// The version of its revocation list.
    pub revocations: Option<u64>,
}

/// What was used of a feature in one period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// The feature.
    pub feature: String,
    /// `hour`, `day`, `month`, `year` or `ever` of a counter; `level` or `distinct`.
    pub kind: String,
    /// The first second of the period, since 1970; of levels and keys that of a month. `None` = of
    /// all the periods that were too many to keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// How much, of levels and keys the highest. It is the total of the period, not what was added
    /// since the last request.
    pub used: u64,
}

impl Request {
    /// The text to send, which nobody signed: what an issuer takes from whoever has no key.
    /// It begins with `eJ`.
    ///
    /// Fails with `too_large` where the reader would.
    #[cfg(feature = "issue")]
    pub fn to_text(&self) -> Result<String> {
        pack(&self.to_json().to_string())
    }

    /// The text to send, signed with the key of the installation. It begins with `eJ`.
    ///
    /// Fails with `too_large` where the reader would.
    pub fn to_signed_text(&self, key: &InstallationKey) -> Result<String> {
        let mut json = self.to_json();
        if let Some(members) = json.as_object_mut() {
            members.insert("cnf".to_owned(), key.cnf());
        }
        let mut text = json.to_string();
        text.reserve(SIGNATURE_CHARS + 1);
        let signature = key.sign(&text);
        text.push('\n');
        text.push_str(&signature);
        pack(&text)
    }

    fn to_json(&self) -> Value {
        let mut members = Map::new();
        let mut add = |name: &str, value: Value| {
            if !value.is_null() {
                members.insert(name.to_owned(), value);
            }
        };
        add("v", VERSION.into());
        add("what", self.what.as_str().into());
        add("product", self.product.as_str().into());
        add("installation", self.installation.as_str().into());
        add("nonce", self.nonce.as_str().into());
        add("sdk", self.sdk.as_str().into());
        add("at", self.at.into());
        add("machine", self.machine.as_ref().map(binding_rows).unwrap_or_default());
        add("license", json!(self.license));
        add("key", json!(self.key));
        add("seat", json!(self.seat));
        add("sync", self.sync.as_ref().map(Totals::to_json).unwrap_or_default());
        Value::Object(members)
    }
}

/// Base64 of zlib of what is in a request.
fn pack(text: &str) -> Result<String> {
    if text.len() > REQUEST_MAX {
        let what = format!("{} bytes of request, over {REQUEST_MAX}", text.len());
        return Err(Error::new(Code::TooLarge, what));
    }
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    let packed = zlib.write_all(text.as_bytes()).and_then(|()| zlib.finish());
    let packed = packed.map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    Ok(STANDARD.encode(packed))
}

/// A machine report with the rows that bind and no others: no notes, no reasons.
fn binding_rows(report: &Report) -> Value {
    let row = |row: &Component| {
        json!({
            "kind": row.kind.word(), "state": row.state.word(), "hash": row.hash, "binds": true,
        })
    };
    let rows: Vec<Value> = report.components().iter().filter(|row| row.binds).map(row).collect();
    json!({
        "v": crate::machine::VERSION, "product": report.product(), "id": report.id(),
        "environment": report.environment(), "components": rows,
    })
}

impl Totals {
    fn to_json(&self) -> Value {
        let mut json = json!({ "seq": self.seq, "epoch": self.epoch, "usage": self.usage });
        if let (Some(ledger), Some(members)) = (&self.ledger, json.as_object_mut()) {
            members.insert("ledger".into(), json!(ledger));
        }
        if let (Some(since), Some(members)) = (&self.since, json.as_object_mut()) {
            members.insert("since".into(), json!(since));
        }
        if let (1.., Some(members)) = (self.lost, json.as_object_mut()) {
            members.insert("lost".into(), self.lost.into());
        }
        if let (Some(version), Some(members)) = (self.revocations, json.as_object_mut()) {
            members.insert("revocations".into(), version.into());
        }
        json
    }
}

/// Whether a text can be a license key: 1 to 128 characters of ASCII that can be seen, and spaces
/// between them.
pub(crate) fn is_license_key(key: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    (1..=LICENSE_KEY_MAX).contains(&key.len()) && key.trim() == key && key.bytes().all(fits)
}

/// Whether a text can name who has a seat: 1 to 128 bytes of what can be seen, and spaces between.
pub(crate) fn is_holder(holder: &str) -> bool {
    let fits = |c: char| c == ' ' || !(c.is_control() || c.is_whitespace() || is_bidi(c));
    (1..=HOLDER_MAX).contains(&holder.len()) && holder.trim() == holder && holder.chars().all(fits)
}

/// Whether a text in any state of repair is more likely a request than a document: it begins as
/// base64 of zlib does, at any of its four levels.
pub fn is_request(data: &[u8]) -> bool {
    let start = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data).trim_ascii_start();
    matches!(start, [b'e', b'A' | b'F' | b'J' | b'N', ..]) && !start.contains(&b'.')
}
