//! A license: what the vendor signed, and whether its dates hold.

use crate::claims::Claims;
use crate::clock::{Clock, rfc3339};
use crate::errors::{Code, Error, Result};
use crate::feature::{Feature, UNLIMITED};
use crate::stages::Stage;

/// A license that a trusted key signed. There is no other kind: the only makers are
/// [`crate::Product::verify`] and [`crate::Product::inspect`].
///
/// It knows its own dates and nothing else: a renewal is another license.
#[derive(Clone)]
pub struct License {
    claims: Claims,
    payload: String,
    window: Window,
    granted: Box<[Granted]>,
    clock: Clock,
}

impl std::fmt::Debug for License {
    /// Names the license, not the customer.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "License({}, {})", self.claims.license.id, self.serial())
    }
}

/// A feature this license may allow, and its limit. Sorted by id.
#[derive(Clone, Debug)]
struct Granted {
    id: Box<[u8]>,
    limit: u64,
}

/// The half-open interval in which a license works, grace included, in effective time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    iat: i64,
    from: i64,
    until: i64,
}

impl Window {
    /// A clock that is set back before the license was signed is worth nothing.
    #[inline]
    fn contains(&self, clock: i64) -> bool {
        let now = clock.max(self.iat);
        self.from <= now && now < self.until
    }
}

impl License {
    /// `here` says whether its binding holds: a license for elsewhere allows nothing.
    pub(crate) fn new(claims: Claims, payload: String, here: bool, clock: Clock) -> License {
        let features: &[Feature] = if here { &claims.license.features } else { &[] };
        let mut granted: Vec<Granted> = features
            .iter()
            .filter(|feature| feature.is_known())
            .map(|feature| Granted { id: feature.id.as_bytes().into(), limit: feature.limit() })
            .collect();
        granted.sort_by(|a, b| a.id.cmp(&b.id));
        let window = Window {
            iat: claims.iat,
            from: begins(&claims),
            until: ends(&claims).min(token_ends(&claims)),
        };
        License { claims, payload, window, granted: granted.into(), clock }
    }

    /// Whether the license is in force at this moment and grants `feature`. Ask again whenever
    /// it matters: the answer follows the clock. Costs a comparison of times and a short search.
    #[inline]
    pub fn allows(&self, feature: impl AsRef<[u8]>) -> bool {
        self.find(feature.as_ref()).is_some() && self.in_force()
    }

    /// Whether its dates hold at this moment, grace included. Says nothing of where it may be
    /// used: [`License::allows`] does.
    #[inline]
    pub fn in_force(&self) -> bool {
        self.window.contains(self.clock.now())
    }

    /// How much of `feature` may be used: [`UNLIMITED`] if it has no limit, zero wherever
    /// [`License::allows`] says false.
    pub fn limit(&self, feature: impl AsRef<[u8]>) -> u64 {
        match self.find(feature.as_ref()) {
            Some(granted) if self.in_force() => granted.limit,
            _ => 0,
        }
    }

    #[inline]
    fn find(&self, feature: &[u8]) -> Option<&Granted> {
        let at = self.granted.binary_search_by(|granted| (*granted.id).cmp(feature)).ok()?;
        self.granted.get(at)
    }

    /// The features and limits it grants while it is in force, for a host that keeps its own copy.
    pub fn granted(&self) -> impl Iterator<Item = (&str, u64)> {
        self.granted.iter().filter_map(|granted| {
            std::str::from_utf8(&granted.id).ok().map(|id| (id, granted.limit))
        })
    }

    /// The interval of clock times, in seconds since 1970, in which it is in force: from the
    /// first, until not including the second. Empty where it never is.
    pub fn window(&self) -> (i64, i64) {
        let Window { iat, from, until } = self.window;
        match (iat >= from, iat < until) {
            (_, false) => (i64::MAX, i64::MIN),
            (true, true) => (i64::MIN, until),
            (false, true) => (from, until),
        }
    }

    /// The first second after it and every grace period, in seconds since 1970; `None` if there
    /// is none. From then on it allows nothing, wherever it is.
    pub fn works_until(&self) -> Option<i64> {
        (self.window.until != i64::MAX).then_some(self.window.until)
    }

    /// When it ends, in seconds since 1970, without any grace; `None` if it has no end.
    pub fn expires(&self) -> Option<i64> {
        self.claims.license.valid_until
    }

    /// The serial number, such as `LIC-MYAPP-A1B2C3D4`, or nothing if it has none.
    pub fn serial(&self) -> &str {
        self.claims.license.serial.as_deref().unwrap_or_default()
    }

    /// Who it is for: the customer's name, else the customer's id, else nothing.
    pub fn customer(&self) -> &str {
        let name = self.claims.license.customer.as_ref().and_then(|who| who.name.as_deref());
        name.or(self.claims.sub.as_deref()).unwrap_or_default()
    }

    /// Everything it says, typed.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Everything it says, as the JSON object that was signed, byte for byte.
    pub fn json(&self) -> &str {
        &self.payload
    }
}

/// The first second in force.
fn begins(claims: &Claims) -> i64 {
    claims.license.valid_from.max(claims.nbf.unwrap_or(i64::MIN))
}

/// The first second after the license and its grace period.
fn ends(claims: &Claims) -> i64 {
    let stages = claims.license.stages.as_ref();
    let ended = stages.and_then(|stages| stages.ended.as_ref());
    let end = claims.license.valid_until.and_then(|until| Stage::grace_end(ended, until));
    end.unwrap_or(i64::MAX)
}

/// The first second after the time in which the token had to be renewed.
fn token_ends(claims: &Claims) -> i64 {
    let stages = claims.license.stages.as_ref();
    let overdue = stages.and_then(|stages| stages.overdue.as_ref());
    let end = claims.exp.and_then(|exp| Stage::grace_end(overdue, exp));
    end.unwrap_or(i64::MAX)
}

/// Checks 16 to 18 of docs/format.md, section 4, at a time.
pub(crate) fn check_dates(claims: &Claims, clock: i64) -> Result<()> {
    let now = clock.max(claims.iat);
    let from = begins(claims);
    if now < from {
        let what = format!("the license begins on {}", rfc3339(from));
        return Err(Error::new(Code::NotYetValid, what));
    }
    if now >= ends(claims) {
        let end = claims.license.valid_until.unwrap_or_default();
        let what = match ends(claims) - end {
            0 => format!("the license ended on {}", rfc3339(end)),
            _ => format!(
                "the license ended on {}, its grace period on {}",
                rfc3339(end),
                rfc3339(ends(claims))
            ),
        };
        return Err(Error::new(Code::Expired, what));
    }
    if now >= token_ends(claims) {
        let what = format!("the token was to be renewed by {}", rfc3339(token_ends(claims)));
        return Err(Error::new(Code::TokenExpired, what));
    }
    Ok(())
}

/// A limit as a number every language can show: `None` for [`UNLIMITED`].
pub fn bounded(limit: u64) -> Option<u64> {
    (limit != UNLIMITED).then_some(limit)
}
