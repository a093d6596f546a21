//! What goes between an installation and its issuer: docs/format.md, sections 6 and 9.

mod clock_reset;
mod document;
mod lease;
mod nonce;
mod proof;
#[cfg(feature = "issue")]
mod reading;
mod request;
mod revocations;
#[cfg(feature = "issue")]
mod signer;
mod sync;

pub(crate) use clock_reset::ClockReset;
pub use lease::Lease;
pub(crate) use nonce::{answered, check_nonce, nonce, random_id};
pub use proof::InstallationKey;
pub(crate) use proof::REQUESTS;
#[cfg(feature = "issue")]
pub use reading::{read, unpack};
pub use request::{Licensed, Request, Seat, Totals, Used, is_request};
pub(crate) use request::{SDK, is_holder, is_license_key};
pub(crate) use revocations::Revocations;
#[cfg(feature = "issue")]
pub use sync::IssuerStatus;
pub use sync::{Ledger, SyncAnswer, Version};

use crate::coat::undress;
use crate::errors::{Code, Error, Result};
use crate::limits::REVOCATIONS_MAX;
use crate::token::{self, Kind};

/// What a signed document in any coat says it is, before anything of it is believed.
///
/// Fails with `wrong_kind` for one that this version does not know, and for a request, which goes
/// the other way; with `malformed` or `too_large` as verifying it would.
pub(crate) fn kind_of(data: &[u8]) -> Result<Kind> {
    let token = undress(data, REVOCATIONS_MAX).map_err(|error| match is_request(data) {
        true => Error::new(Code::WrongKind, "it is a request, to be sent to the vendor"),
        false => error,
    })?;
    token::kind(&token)
}

#[cfg(all(test, feature = "issue"))]
pub(crate) mod tests;
