//! The meters of an installation: what was used.

use crate::call::call;
use crate::handle::shared;
use crate::installation::{licentia_installation, moment};
use crate::status::{LICENTIA_NEVER, licentia_error, licentia_status};
use crate::text::{put, text};
use licentia_core::{Installation, Result};
use std::ffi::c_char;

/// Adds `amount` to a counter, such as requests in a month: for a feature whose meter is "count".
/// It is on disk when this returns. What would go past a limit that stops is
/// LICENTIA_LIMIT_EXCEEDED, and counts nothing: call this before the work, and do the work only if
/// it returns LICENTIA_OK. Where there is nothing to count, as with a license that does not
/// measure the feature, it is LICENTIA_OK too. Processes and threads that record at the same time
/// wait for the disk together, so sixteen of them take little longer than one.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_record(
    installation: *const licentia_installation,
    feature: *const c_char,
    amount: u64,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { record(installation, feature, error, |held, feature| held.record(feature, amount)) }
}

/// The same without waiting for the disk. The end of this process loses nothing of it; when the
/// machine loses its power, what was recorded in the last second may be lost. For counts that are
/// worth less than the time of a write.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_record_later(
    installation: *const licentia_installation,
    feature: *const c_char,
    amount: u64,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        record(installation, feature, error, |held, feature| held.record_later(feature, amount))
    }
}

/// Sets a gauge, such as the accounts there are: for a feature whose meter is "level". `level` is
/// an absolute value that the host knows, as from its database; never count it up and down across
/// workers, because one that is killed leaves its +1 behind for ever. On disk when this returns.
/// Going down always works; going up past a limit that stops is LICENTIA_LIMIT_EXCEEDED, and the
/// level stays as it was.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_record_level(
    installation: *const licentia_installation,
    feature: *const c_char,
    level: u64,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        record(installation, feature, error, |held, feature| held.record_level(feature, level))
    }
}

/// Notes that `key` was seen, such as a host or a user: for a feature whose meter is "distinct",
/// which counts the different keys of its last days. Only a keyed hash of it is kept. On disk when
/// this returns. A key that was seen in those days always works; a new one past a limit that
/// stops is LICENTIA_LIMIT_EXCEEDED, and is not noted.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_record_key(
    installation: *const licentia_installation,
    feature: *const c_char,
    key: *const c_char,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        record(installation, feature, error, |held, feature| {
            held.record_key(feature, text(key, "key")?)
        })
    }
}

/// Says how much of a metered feature was used, and how much there is. `used` is that of this
/// period or window; of a gauge, its level. `limit` is LICENTIA_UNLIMITED if there is none: never
/// subtract from it, and `used` may be more than it. `resets_at` is when counting starts anew, in
/// seconds since 1970, or LICENTIA_NEVER. Each of the three may be NULL. To decide anything, ask
/// licentia_installation_allows: a license may grant more than its limit.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_usage(
    installation: *const licentia_installation,
    feature: *const c_char,
    used: *mut u64,
    limit: *mut u64,
    resets_at: *mut i64,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        record(installation, feature, error, |held, feature| {
            let usage = held.usage(feature)?;
            put(used, usage.used);
            put(limit, usage.limit);
            put(resets_at, usage.resets_at.unwrap_or(LICENTIA_NEVER));
            Ok(())
        })
    }
}

/// Notes when the product was first used: LICENTIA_NOW or seconds since 1970. From then on the
/// days run that a product works without a license, if its setting "grace_days" gives any. The
/// earliest time ever given is kept for ever, so call it as often as you like, and with a date
/// that your own data remembers if there is one: it survives the loss of the folder. A time that
/// has not come is LICENTIA_INVALID_ARGUMENT.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_first_use(
    installation: *const licentia_installation,
    at: i64,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { call(error, || shared(installation)?.first_use(moment(at))) }
}

/// Makes durable what licentia_installation_record_later left, and waits for it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_flush(
    installation: *const licentia_installation,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { call(error, || shared(installation)?.flush()) }
}

/// What every call about one meter does.
unsafe fn record(
    installation: *const licentia_installation,
    feature: *const c_char,
    error: *mut licentia_error,
    how: impl FnOnce(&Installation, &str) -> Result<()>,
) -> licentia_status {
    unsafe { call(error, || how(shared(installation)?, text(feature, "feature")?)) }
}
