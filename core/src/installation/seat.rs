//! A seat of a floating license, held by somebody here.

use super::Installation;
use super::request::{BORROW, RELEASE, SEAT};
use crate::errors::{Code, Result};

/// A seat that somebody has, until its lease ends: a program that dies gives it back by that. It
/// is renewed by asking again. Any number of threads may use one at once, and it works on in the
/// child of a fork. Dropping it asks nobody: the lease ends by itself. It goes by the settings
/// that its installation had when it was asked for.
///
/// It is held while its lease lasts and its license is here and was not withdrawn; of a license
/// that is suspended or over, none is renewed, and what is held lasts.
#[derive(Debug)]
pub struct Seat {
    installation: Installation,
    holder: String,
}

impl Installation {
    /// Asks the issuer for a seat for `holder` (1 to 128 bytes of what can be seen): while its
    /// lease lasts, or with `borrow_days` (1 to 366) for so many days out of the issuer's reach.
    /// Who has a seat here already keeps it, and its lease is renewed; it never gets shorter.
    /// Unless the issuer says no, a seat that is held here is given also where asking fails; with
    /// `borrow_days` only one that was borrowed before.
    ///
    /// Fails with `no_seat` where every seat is taken, with `invalid_argument`, and as
    /// [`Installation::call`] does.
    pub fn seat(&self, holder: &str, borrow_days: u32) -> Result<Seat> {
        let holder = holder.trim();
        let asked = match borrow_days {
            0 => self.call_seat(SEAT, Some(holder)),
            days => self.call_seat(BORROW, Some(&format!("{days} {holder}"))),
        };
        let seat = Seat { installation: self.again(), holder: holder.to_string() };
        match asked {
            Err(error) if is_no(error.code()) || !seat.lasts(borrow_days) => Err(error),
            _ => Ok(seat),
        }
    }
}

impl Seat {
    /// Who has it.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// The first second for which it is not held any more, since 1970, by the clock of this
    /// machine; `None` = it is not. Where that clock is wrong, it is the second that this clock
    /// will show then.
    pub fn expires(&self) -> Option<i64> {
        self.installation.held_seat(&self.holder).map(|(_, until)| until)
    }

    /// Whether it is held at this moment.
    pub fn is_held(&self) -> bool {
        self.expires().is_some()
    }

    /// Asks the issuer for a longer lease. What is held stays, whatever this fails with: a seat
    /// that is borrowed stays so. One that has ended is asked for again.
    ///
    /// Fails as [`Installation::seat`] does, and as asking does also while it is still held.
    pub fn renew(&self) -> Result<()> {
        self.installation.call_seat(SEAT, Some(&self.holder))
    }

    /// Gives it back, also one that is borrowed. Good, too, where it has ended.
    ///
    /// Fails as [`Installation::call`] does: then it is held until its lease ends.
    pub fn release(&self) -> Result<()> {
        if !self.is_held() {
            return Ok(());
        }
        self.installation.call_seat(RELEASE, Some(&self.holder))
    }

    /// Whether it is held for what it was asked for.
    fn lasts(&self, borrow_days: u32) -> bool {
        let held = self.installation.lease(&self.holder);
        held.is_some_and(|lease| borrow_days == 0 || lease.borrowed)
    }
}

/// Whether somebody has said no, rather than nobody anything.
fn is_no(code: Code) -> bool {
    matches!(code, Code::NoSeat | Code::Refused | Code::InvalidArgument)
}
