//! The status of a license, computed whenever it is asked for.

use super::licenses;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a license is good for at a moment. Of several, the first of this order holds: revoked,
/// suspended, expired, active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is good.
    Active,
    /// It was withdrawn for ever.
    Revoked,
    /// It ended.
    Expired,
    /// It is on hold.
    Suspended,
}

impl Status {
    /// That of a license at `now`, in seconds since 1970.
    pub fn of(license: &licenses::Model, now: i64) -> Status {
        Status::at(license.revoked_at, license.suspended_at, license.valid_until, now)
    }

    /// That of a license with these times.
    pub fn at(
        revoked_at: Option<i64>,
        suspended_at: Option<i64>,
        valid_until: Option<i64>,
        now: i64,
    ) -> Status {
        let ended = valid_until.is_some_and(|until| until <= now);
        match (revoked_at, suspended_at) {
            (Some(_), _) => Status::Revoked,
            (None, Some(_)) => Status::Suspended,
            (None, None) if ended => Status::Expired,
            (None, None) => Status::Active,
        }
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Revoked => "revoked",
            Status::Expired => "expired",
            Status::Suspended => "suspended",
        }
    }
}
