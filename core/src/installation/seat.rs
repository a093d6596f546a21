//! A seat of a floating license, held by somebody here.

use super::Installation;
use super::request::{BORROW, RELEASE, SEAT};
use crate::errors::{Code, Result};
use crate::messages::Lease;

/// A seat that somebody has, until its lease ends: a program that dies gives it back by that. It
/// is renewed by asking again. Any number of threads may use one at once, and it works on in the
/// child of a fork. Dropping it asks nobody: the lease ends by itself.
#[derive(Debug)]
pub struct Seat {
    installation: Installation,
    holder: String,
}

impl Installation {
    /// Asks the issuer for a seat for `holder` (1 to 128 bytes of what can be seen): while its
    /// lease lasts, or with `borrow_days` (1 to 366) for so many days out of the issuer's reach.
    /// Who has a seat here already keeps it, and its lease is renewed. Where the issuer cannot be
    /// reached, a seat that is held here is given all the same.
    ///
    /// Fails with `no_seat` where every seat is taken, with `invalid_argument`, and as
    /// [`Installation::call`] does.
    pub fn seat(&self, holder: &str, borrow_days: u32) -> Result<Seat> {
        let (what, argument) = match borrow_days {
            0 => (SEAT, holder.to_string()),
            days => (BORROW, format!("{days} {}", holder.trim())),
        };
        let asked = self.call(what, Some(&argument));
        let seat = Seat { installation: self.again(), holder: holder.trim().to_string() };
        match asked {
            Err(error) if error.code() == Code::Unreachable && seat.is_held() => Ok(seat),
            Err(error) => Err(error),
            Ok(()) => Ok(seat),
        }
    }
}

impl Seat {
    /// Who has it.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// The first second for which it is not held any more, since 1970; `None` = it is not.
    pub fn expires(&self) -> Option<i64> {
        self.lease().map(|lease| lease.exp)
    }

    /// Whether it is held at this moment.
    pub fn is_held(&self) -> bool {
        self.lease().is_some()
    }

    /// Asks the issuer for a longer lease. What is held stays, whatever this fails with.
    ///
    /// Fails as [`Installation::seat`] does, with `unreachable` also while it is still held.
    pub fn renew(&self) -> Result<()> {
        self.installation.call(SEAT, Some(&self.holder))
    }

    /// Gives it back. Good, too, where it has ended.
    ///
    /// Fails as [`Installation::call`] does: then it is held until its lease ends.
    pub fn release(&self) -> Result<()> {
        if !self.is_held() {
            return Ok(());
        }
        self.installation.call(RELEASE, Some(&self.holder))
    }

    fn lease(&self) -> Option<Lease> {
        self.installation.lease(&self.holder)
    }
}
