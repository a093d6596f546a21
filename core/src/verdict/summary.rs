//! A verdict in a few words, for whoever shows it in fewer members than it has.

use crate::errors::Code;
use crate::stages::DAY;
use crate::verdict::facts::Access;
use crate::verdict::status::{Verdict, Winner};
use crate::verdict::words::Reason;

/// How support stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Support {
    /// There is a license, and its support has not ended; or no license is asked for anything.
    Holds,
    /// It has ended.
    Ended,
    /// There is no license, and one is needed.
    None,
}

impl Verdict {
    /// Whether everything works, limits of single features aside.
    pub(crate) fn works(&self) -> bool {
        self.access >= Access::Warn
    }

    /// What the license that decides comes to by itself; `None` = there is no license. Where the
    /// product works without one, [`Verdict::reason`] does not say.
    pub(crate) fn standing(&self) -> Option<Reason> {
        self.sources.iter().find(|source| source.used).map(|source| source.result)
    }

    /// Whether not everything works because the license has ended.
    pub(crate) fn has_expired(&self) -> bool {
        self.reason == Reason::No(Code::Expired)
    }

    /// How support stands. Where nothing is asked of a license, nothing is asked of its support.
    pub(crate) fn support(&self) -> Support {
        let ended = |winner: &Winner| {
            let end = winner.held.claims.license.support_until;
            end.is_some_and(|end| self.time_for(winner) >= end)
        };
        match &self.winner {
            _ if self.reason.is_free() => Support::Holds,
            Some(winner) if ended(winner) => Support::Ended,
            Some(_) => Support::Holds,
            None => Support::None,
        }
    }

    /// Days until the license that decides or its support ends, whichever is first, as
    /// [`days_until`] has them; `None` = neither ends.
    pub(crate) fn days_left(&self) -> Option<i64> {
        let winner = self.winner.as_ref()?;
        let license = &winner.held.claims.license;
        let ends = license.valid_until.into_iter().chain(license.support_until);
        ends.min().map(|end| days_until(self.time_for(winner), end))
    }

    /// The time for a license: it cannot be before it was signed.
    fn time_for(&self, winner: &Winner) -> i64 {
        self.now.at.max(winner.held.claims.iat)
    }
}

/// Days from a time to an end. A day that has begun counts, so none is left only at the end.
pub(crate) fn days_until(at: i64, end: i64) -> i64 {
    let seconds = end.saturating_sub(at).max(0);
    seconds / DAY + i64::from(seconds % DAY > 0)
}
