//! What the documents of docs/format.md, section 6, have in common: who signed them, for which
//! product, and the order in which they are checked.

use crate::claims::{check_must, check_text, is_product_code, not_a_code, time};
use crate::coat::undress;
use crate::errors::{Code, Error, Result};
use crate::json;
use crate::keys::TrustedKey;
use crate::token::{self, Kind};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Who has to have signed a document, and for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'e> {
    pub(super) product: &'e str,
    /// `None` = whoever has the key.
    pub(super) issuer: Option<&'e str>,
}

#[derive(Deserialize)]
struct Head {
    iss: String,
    aud: String,
    iat: i64,
}

/// Checks 1 to 12 of docs/format.md, section 4. `claims` judges what the kind has of its own, and
/// is given `iat` with it.
pub(super) fn open<'k, R: DeserializeOwned, T>(
    data: &[u8],
    kind: Kind,
    expected: Expected<'_>,
    find: impl Fn(&str) -> Option<&'k TrustedKey>,
    claims: impl FnOnce(R, i64) -> Result<T>,
) -> Result<T> {
    let token = undress(data, kind.max_bytes())?;
    let opened = token::open(&token, kind, find)?;
    let text = json::scan(&opened.payload, kind.max_bytes())?;
    check_must(text)?;
    let head: Head = json::read(text)?;
    check_text("iss", &head.iss, 256)?;
    if !is_product_code(&head.aud) {
        return Err(Error::new(Code::Malformed, format!("aud: {}", not_a_code(&head.aud))));
    }
    time("iat", Some(head.iat))?;
    let document = claims(json::read(text)?, head.iat)?;
    opened.key.check_time(head.iat)?;
    if let Some(issuer) = expected.issuer.filter(|wanted| *wanted != head.iss) {
        let what = format!("issued by {:.60}, not {issuer:.60}", head.iss);
        return Err(Error::new(Code::WrongIssuer, what));
    }
    if head.aud != expected.product {
        let name = kind.name();
        let what = format!("the {name} is for {:.60}, not {:.60}", head.aud, expected.product);
        return Err(Error::new(Code::WrongProduct, what));
    }
    Ok(document)
}

/// A number that begins with 1. How large it may be, the scan has seen to.
pub(super) fn positive(name: &str, value: u64) -> Result<()> {
    if value > 0 { Ok(()) } else { Err(malformed(format!("{name} is 0, not 1 or more"))) }
}

pub(super) fn malformed(what: impl AsRef<str>) -> Error {
    Error::new(Code::Malformed, what)
}
