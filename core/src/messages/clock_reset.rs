//! A clock reset: what the vendor says the time is, to an installation whose clock was wrong.

use super::document::{self, Expected};
use crate::claims::{check_text, check_uuid, time};
use crate::errors::Result;
use crate::keys::TrustedKey;
use crate::limits::NONCE_MAX;
use crate::token::Kind;
use serde::Deserialize;

/// docs/format.md, section 6.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClockReset {
    /// That of the request it answers.
    pub(crate) nonce: String,
    /// The installation that asked.
    pub(crate) installation: String,
    /// What time it is, in seconds since 1970.
    pub(crate) server_time: i64,
    /// When it was signed.
    pub(crate) iat: i64,
}

#[derive(Deserialize)]
struct Claims {
    nonce: String,
    installation: String,
    server_time: i64,
}

impl ClockReset {
    /// Checks one for a product. Whether it answers this installation's request is not asked.
    pub(crate) fn verify<'k>(
        data: &[u8],
        product: &str,
        issuer: Option<&str>,
        find: impl Fn(&str) -> Option<&'k TrustedKey>,
    ) -> Result<ClockReset> {
        document::open(data, Kind::Clock, Expected { product, issuer }, find, ClockReset::checked)
    }

    fn checked(claims: Claims, iat: i64) -> Result<ClockReset> {
        let Claims { nonce, installation, server_time } = claims;
        check_text("nonce", &nonce, NONCE_MAX)?;
        check_uuid("installation", &installation)?;
        time("server_time", Some(server_time))?;
        Ok(ClockReset { nonce, installation, server_time, iat })
    }
}
