//! Reading a request, which may come from anybody, in any state of repair.

use super::document::{malformed, positive};
use super::request::{Licensed, Request, Seat, Totals, Used, VERSION, is_holder, is_license_key};
use super::signer;
use super::sync::Ledger;
use crate::claims::{check_text, check_uuid, is_product_code, not_a_code, time};
use crate::coat::{BLOB, strip};
use crate::errors::{Code, Error, Result};
use crate::feature::is_feature_id;
use crate::json::{self, List, Object, VALUES_MAX};
use crate::keys::PublicKey;
use crate::limits::{BORROW_DAYS_MAX, COAT_FACTOR, NONCE_MAX, REQUEST_MAX};
use crate::machine::Report;
use base64::Engine;
use flate2::bufread::ZlibDecoder;
use serde::Deserialize;
use serde_json::Value;
use std::io::Read;

/// Reads a request. Whitespace, line ends and a byte order mark are taken off, as are lost `=` at
/// its end made up for; anything else that was done to it is `malformed`.
///
/// Fails with `too_new` for one of a later version, with `too_large` for what would be larger
/// than any request, before it is unpacked, and with `bad_signature` for one that was altered. One
/// that nobody signed is read too: see [`Request::signer`].
pub fn read(data: &[u8]) -> Result<Request> {
    let text = inflated(data)?;
    let (json, signature) = signer::split(&text);
    let json = json::scan(json, REQUEST_MAX)?;
    let Head { v } = json::read(json)?;
    if v > VERSION {
        let what = format!("the request has version {v}, and {VERSION} is known");
        return Err(Error::new(Code::TooNew, what));
    }
    let signer = signer::signer(json, signature)?;
    let raw: Raw = json::read(json)?;
    raw.typed(signer)
}

/// The JSON inside a request, as it is: all that it says but for its signature, whatever its
/// version. It has passed the strict scan, and nothing else of it was judged.
///
/// Fails with `malformed` or `too_large`.
pub fn unpack(data: &[u8]) -> Result<String> {
    let text = inflated(data)?;
    Ok(json::scan(signer::split(&text).0, REQUEST_MAX)?.to_owned())
}

/// What is packed in a request.
fn inflated(data: &[u8]) -> Result<Vec<u8>> {
    let most = REQUEST_MAX * COAT_FACTOR;
    if data.len() > most {
        return Err(Error::new(Code::TooLarge, format!("{} bytes, over {most}", data.len())));
    }
    let bare = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let packed = strip(bare, data.len() - bare.len())?;
    if packed.is_empty() {
        return Err(malformed("there is no request in it: it is empty"));
    }
    let zlib = BLOB.decode(packed.as_ref()).map_err(|_| malformed("it is not base64"))?;
    inflate(&zlib)
}

/// Never makes more than one byte too many.
fn inflate(packed: &[u8]) -> Result<Vec<u8>> {
    let mut zlib = ZlibDecoder::new(packed);
    let mut bytes = Vec::new();
    let read = zlib.by_ref().take(REQUEST_MAX as u64 + 1).read_to_end(&mut bytes);
    if bytes.len() > REQUEST_MAX {
        return Err(Error::new(Code::TooLarge, format!("it unpacks to more than {REQUEST_MAX}")));
    }
    read.map_err(|_| malformed("it is not zlib: a part is missing or was changed"))?;
    if usize::try_from(zlib.total_in()) != Ok(packed.len()) {
        return Err(malformed("something follows the request"));
    }
    Ok(bytes)
}

#[derive(Deserialize)]
struct Head {
    v: u64,
}

#[derive(Deserialize)]
struct Raw {
    v: u64,
    what: String,
    product: String,
    installation: String,
    nonce: String,
    sdk: String,
    at: i64,
    machine: Option<Value>,
    license: Option<Object<Licensed>>,
    key: Option<String>,
    seat: Option<Object<Seat>>,
    sync: Option<Object<RawTotals>>,
}

#[derive(Deserialize)]
struct RawTotals {
    seq: u64,
    epoch: u64,
    usage: Option<List<Object<Used>, VALUES_MAX>>,
    ledger: Option<Object<Ledger>>,
    since: Option<Object<Ledger>>,
    lost: Option<u64>,
    revocations: Option<u64>,
}

impl Raw {
    fn typed(self, signer: Option<PublicKey>) -> Result<Request> {
        positive("v", self.v)?;
        let word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        check_text("what", &self.what, 32)?;
        if !self.what.bytes().all(word) {
            return Err(malformed("what is not a word of a-z and _"));
        }
        if !is_product_code(&self.product) {
            return Err(malformed(format!("product: {}", not_a_code(&self.product))));
        }
        check_uuid("installation", &self.installation)?;
        check_text("nonce", &self.nonce, NONCE_MAX)?;
        check_text("sdk", &self.sdk, 64)?;
        time("at", Some(self.at))?;
        let machine = self.machine.map(|raw| Report::from_json(&raw.to_string())).transpose()?;
        if machine.as_ref().is_some_and(|machine| machine.product() != self.product) {
            return Err(malformed("its machine is that of another product"));
        }
        let license = self.license.map(|license| license.0);
        if let Some(license) = &license {
            check_uuid("license.id", &license.id)?;
            check_text("license.token_id", &license.token_id, 64)?;
        }
        check_key(&self.what, self.key.as_deref(), license.is_some())?;
        let seat = self.seat.map(|seat| seat.0);
        check_seat(&self.what, seat.as_ref())?;
        Ok(Request {
            what: self.what,
            product: self.product,
            installation: self.installation,
            nonce: self.nonce,
            sdk: self.sdk,
            at: self.at,
            machine,
            license,
            key: self.key,
            seat,
            sync: self.sync.map(|sync| sync.0.typed()).transpose()?,
            signer,
        })
    }
}

/// An activation has a license key, or is of the license in use; nothing else has a key.
fn check_key(what: &str, key: Option<&str>, licensed: bool) -> Result<()> {
    match (matches!(what, "activation" | "keys"), key) {
        (true, Some(key)) if is_license_key(key) => Ok(()),
        (true, Some(_)) => Err(malformed("key is not of 1 to 128 characters that can be seen")),
        (true, None) if licensed => Ok(()),
        (true, None) => Err(malformed(format!("it asks for {what}, with no key and no license"))),
        (false, Some(_)) => Err(malformed("it has a key, and asks for what has none")),
        (false, None) => Ok(()),
    }
}

/// What is asked of a seat says whose, and for how long it is borrowed; nothing else does.
fn check_seat(what: &str, seat: Option<&Seat>) -> Result<()> {
    let Some(seat) = seat else {
        return match what {
            "seat" | "borrow" | "release" => Err(malformed("it is about a seat and has none")),
            _ => Ok(()),
        };
    };
    let fits = match what {
        "seat" | "release" => seat.days.is_none(),
        "borrow" => seat.days.is_some_and(|days| (1..=BORROW_DAYS_MAX).contains(&days)),
        _ => return Err(malformed("it has a seat, and does not ask for one")),
    };
    match (fits, is_holder(&seat.holder)) {
        (false, _) => Err(malformed("seat.days is not of 1 to 366, or is not of a borrowed seat")),
        (_, false) => Err(malformed("seat.holder is not of 1 to 128 bytes that can be seen")),
        (true, true) => Ok(()),
    }
}

impl RawTotals {
    fn typed(self) -> Result<Totals> {
        positive("sync.revocations", self.revocations.unwrap_or(1))?;
        let usage = self.usage.map(|list| list.0).unwrap_or_default();
        let usage: Vec<Used> = usage.into_iter().map(|used| used.0).collect();
        usage.iter().try_for_each(Used::check)?;
        let ledger = self.ledger.map(|ledger| ledger.0);
        ledger.as_ref().map_or(Ok(()), |ledger| ledger.check("sync.ledger"))?;
        let since = self.since.map(|since| since.0);
        since.as_ref().map_or(Ok(()), |since| since.check("sync.since"))?;
        let (seq, epoch, revocations) = (self.seq, self.epoch, self.revocations);
        let lost = self.lost.unwrap_or_default();
        Ok(Totals { seq, epoch, usage, ledger, since, lost, revocations })
    }
}

impl Used {
    fn check(&self) -> Result<()> {
        if !is_feature_id(&self.feature) {
            return Err(malformed(format!("sync.usage: {:.40} is no feature", self.feature)));
        }
        check_text("sync.usage.kind", &self.kind, 16)?;
        time("sync.usage.from", self.from)
    }
}
