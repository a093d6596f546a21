//! Every limit but those of JSON itself (`json.rs`), each with its reason.

/// A license, key set, clock reset or product file, in bytes. A license that carries every
/// field of every seed has 3,400; this leaves room for a thousand features.
pub const TOKEN_MAX: usize = 64 * 1024;

/// A seat lease: ours have 700 bytes, and as many are kept as an installation has users.
pub const LEASE_MAX: usize = 4 * 1024;

/// A sync answer: it may carry a renewed license and a message.
pub const SYNC_MAX: usize = 256 * 1024;

/// A revocation list: 100,000 ids of 16 bytes, in base64url twice over, with room to spare.
pub const REVOCATIONS_MAX: usize = 4 * 1024 * 1024;

/// The text inside a request: that of a machine with every part it can have is 20 KiB, and a year
/// of use of twenty meters 30.
pub const REQUEST_MAX: usize = 64 * 1024;

/// The pieces of a license in a sync answer: the longest license, in texts of the longest kind.
pub const LICENSE_TEXTS_MAX: usize = 16;

/// A message of the vendor in a sync answer, in bytes.
pub const MESSAGE_MAX: usize = 1024;

/// Who has a seat, in bytes.
pub const HOLDER_MAX: usize = 128;

/// Days for which a seat can be borrowed: a year.
pub const BORROW_DAYS_MAX: u32 = 366;

/// The nonce that an answer gives back: ours have 43 bytes.
pub const NONCE_MAX: usize = 64;

/// A license key, as a person types it, in bytes.
pub const LICENSE_KEY_MAX: usize = 128;

/// A document in its coat may be this many times as large as the document: base64 adds a third,
/// line ends a little, and nothing else is taken off.
pub const COAT_FACTOR: usize = 2;

/// The header of a document: ours has 100 bytes.
pub const HEADER_MAX: usize = 1024;

/// A key set as text.
pub const KEYS_TEXT_MAX: usize = 64 * 1024;

/// Keys in one set: a vendor has a handful.
pub const KEYS_MAX: usize = 64;

/// Features of one license.
pub const FEATURES_MAX: usize = 1024;

/// Settings in a product file: there are far fewer.
pub const SETTINGS_MAX: usize = 64;

/// Capability words in `must`.
pub const MUST_MAX: usize = 16;

/// Members of `metadata`, and bytes in each.
pub const METADATA_MAX: usize = 64;
/// Bytes in a name or a value of `metadata`.
pub const METADATA_VALUE_MAX: usize = 1024;

/// The last second of the year 9999: the last that RFC 3339 can write.
pub const TIME_MAX: i64 = 253_402_300_799;

/// Days in any `stages`: a century.
pub const STAGE_DAYS_MAX: u32 = 36_500;

/// Days in `notice` and `refresh_days`: ten years.
pub const NOTICE_DAYS_MAX: u32 = 3_650;

/// Bytes in an identity that a host gives its machine.
pub const IDENTITY_MAX: usize = 4 * 1024;

/// Bytes in a part of the state: the largest is a revocation list in its coat.
pub const SLOT_MAX: usize = 4 * REVOCATIONS_MAX;

/// The highest generation of a part of the state. Nobody gets there, so that a higher one is
/// damage.
pub const GENERATION_MAX: u64 = 1 << 48;

/// How long an operation waits for the lock of the state folder: far longer than any holds it.
pub const LOCK_WAIT: std::time::Duration = std::time::Duration::from_secs(5);

/// How often in a row a signal may interrupt one call of the system.
pub const INTERRUPTS_MAX: u32 = 100;

/// Seat leases that are kept in one installation: 4 MiB of a part of the state at the most.
pub(crate) const LEASES_MAX: usize = 1024;

/// Features that were ever measured in one installation. Ids come from signed licenses only, of
/// at most [`FEATURES_MAX`] features each.
pub(crate) const METERS_MAX: usize = 16 * 1024;

/// Periods that are kept of one meter: an hourly one fills it in 416 days without an answer from
/// the server. Older ones are added up.
pub(crate) const METER_PERIODS_MAX: usize = 10_000;

/// Keys that are kept of one meter: 5 MB on disk. The oldest of more are forgotten.
pub(crate) const METER_KEYS_MAX: usize = 200_000;

/// Bytes in all that is kept of what was used: half of what a part of the state may have. Where
/// it would be more, fewer periods and keys are kept of each meter.
pub(crate) const USAGE_MAX: usize = SLOT_MAX / 2;

/// Totals in one report to the server: 40 KiB of [`REQUEST_MAX`]. The rest goes with the next.
pub(crate) const REPORT_ROWS_MAX: usize = 240;

/// Days for which a key is kept: the longest window, 366 days, ends with this one.
pub(crate) const KEY_DAYS_MAX: i64 = 366;

/// Days for which a period is kept that the server has acknowledged: a year, and the month in
/// which somebody looks back at it.
pub(crate) const PERIOD_DAYS_MAX: i64 = 400;

/// Room for records in a file of use, in bytes: 4,095 of them, and then a new file is written.
pub(crate) const USAGE_ROOM: u64 = 256 * 1024;

/// Days for which damage to what was used is spoken of, unless the server hears of it before.
pub(crate) const DAMAGE_DAYS: i64 = 30;

/// Bytes in a key that a host notes on a meter: a device's or a user's name.
pub const METER_KEY_MAX: usize = 1024;

/// The body of an HTTP request: the longest license in its coat of base64, as JSON.
pub const BODY_MAX: usize = 128 * 1024;

/// The target of an HTTP request: what servers take.
pub const TARGET_MAX: usize = 8 * 1024;

/// The value of a header that matters.
pub const HEADER_VALUE_MAX: usize = 1024;

/// The name of whoever asks.
pub const CALLER_NAME_MAX: usize = 256;

/// The body of a webhook: ours have a few kilobytes.
pub const WEBHOOK_MAX: usize = 1024 * 1024;

/// The id of a webhook, in bytes.
pub const WEBHOOK_ID_MAX: usize = 256;

/// Secrets that a webhook is signed or checked with: two while one follows another.
pub const WEBHOOK_SECRETS_MAX: usize = 16;

/// Signatures of one webhook.
pub const WEBHOOK_SIGNATURES_MAX: usize = 16;

/// All signatures of one webhook, in bytes: the longest that is known has 92.
pub const WEBHOOK_SIGNATURES_TEXT_MAX: usize = 4 * 1024;
