//! A seat lease: for how long a seat of a license belongs to whom.

use super::document::{self, Expected, malformed, positive};
use super::request::is_holder;
use crate::claims::{check_text, check_uuid, time};
use crate::errors::Result;
use crate::keys::TrustedKey;
use crate::limits::NONCE_MAX;
use crate::token::Kind;
use serde::Deserialize;

/// docs/format.md, section 6.3. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// This token.
    pub jti: String,
    /// When it was signed.
    pub iat: i64,
    /// The first second after it. Not later than `iat` = the seat was given back.
    pub exp: i64,
    /// That of the request it answers; `None` = it was given out by hand.
    pub nonce: Option<String>,
    /// The license whose seat it is.
    pub license_id: String,
    /// The installation that it is for; `None` = whichever it is applied to.
    pub installation: Option<String>,
    /// Who has the seat: a person, a device, a process, in the host's words.
    pub holder: String,
    /// Which of the seats, from 1 up.
    pub seat: u64,
    /// Whether it was borrowed, to be used out of the server's reach.
    pub borrowed: bool,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    exp: i64,
    nonce: Option<String>,
    license_id: String,
    installation: Option<String>,
    holder: String,
    seat: u64,
    borrowed: bool,
}

impl Lease {
    /// Checks one for a product. Whether it is for this installation, and has ended, is not asked.
    pub(crate) fn verify<'k>(
        data: &[u8],
        product: &str,
        issuer: Option<&str>,
        find: impl Fn(&str) -> Option<&'k TrustedKey>,
    ) -> Result<Lease> {
        document::open(data, Kind::Lease, Expected { product, issuer }, find, Lease::checked)
    }

    /// Whether it says that the seat was given back.
    pub fn is_release(&self) -> bool {
        self.exp <= self.iat
    }

    /// Its claims. What it has not is `null`.
    #[cfg(feature = "issue")]
    pub(crate) fn claims(&self, issuer: &str, product: &str) -> serde_json::Value {
        serde_json::json!({
            "iss": issuer, "aud": product, "iat": self.iat, "jti": self.jti, "exp": self.exp,
            "nonce": self.nonce, "license_id": self.license_id, "installation": self.installation,
            "holder": self.holder, "seat": self.seat, "borrowed": self.borrowed,
        })
    }

    fn checked(claims: Claims, iat: i64) -> Result<Lease> {
        let Claims { jti, exp, nonce, license_id, installation, holder, seat, borrowed } = claims;
        check_text("jti", &jti, 64)?;
        time("exp", Some(exp))?;
        check_uuid("license_id", &license_id)?;
        if let Some(nonce) = &nonce {
            check_text("nonce", nonce, NONCE_MAX)?;
        }
        match &installation {
            Some(id) => check_uuid("installation", id)?,
            None if nonce.is_some() => {
                return Err(malformed("it has a nonce, and names no installation"));
            }
            None => {}
        }
        if !is_holder(&holder) {
            return Err(malformed("holder is not of 1 to 128 bytes that can be seen"));
        }
        positive("seat", seat)?;
        Ok(Lease { jti, iat, exp, nonce, license_id, installation, holder, seat, borrowed })
    }
}
