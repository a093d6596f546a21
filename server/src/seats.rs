//! Floating seats: who gets one, until when, and the signed lease that says so.

use crate::api::Work;
use crate::api::seats::Seat;
use crate::error::{Code, Error, Result};
use crate::store::{licenses, organizations, products, seats};
use crate::terms::Terms;
use crate::vault::{Signer, Signing};
use licentia::issue::{is_holder, sign_lease};
use licentia::{Lease, Role, rfc3339};
use sea_orm::prelude::Uuid;

/// Seconds for which a seat is somebody's without a heartbeat, where the license does not say.
pub const SEAT_SECONDS: i64 = 600;

const DAY: i64 = 86_400;

/// A seat that somebody asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Who is to have it: a person, a device, a process, in the product's words.
    pub holder: &'a str,
    /// The installation that the lease is for.
    pub installation: Option<Uuid>,
    /// The activation by which it asks.
    pub activation: Option<Uuid>,
    /// To have it for so many days without a heartbeat.
    pub borrow_days: Option<u32>,
    /// What the lease has to give back.
    pub nonce: Option<&'a str>,
}

/// A seat and its lease.
#[derive(Clone, Debug)]
pub struct Leased {
    /// As it is now.
    pub seat: seats::Model,
    /// The lease, signed.
    pub lease: String,
    /// Whether whoever asked had it already.
    pub renewed: bool,
}

/// Gives a seat of a license, or renews the one that this holder has.
///
/// Fails with `not_found` for a license that the organization does not have, `revoked`,
/// `suspended`, `expired`, with `no_seat` where all are taken, and with `invalid_argument` for a
/// holder that is none and for days that the license does not allow.
pub async fn take(
    signer: &Signer,
    work: &mut Work,
    organization: &organizations::Model,
    license: Uuid,
    wanted: &Wanted<'_>,
) -> Result<Leased> {
    check_wanted(wanted)?;
    let by = By::of(signer, work, organization, license).await?;
    let license = in_force(work, organization, license).await?;
    let until = until(&license, wanted.borrow_days, work.now)?;
    let (holder, installation) = (wanted.holder, wanted.installation);
    let own = seats::of_holder(&work.tx, license.id, holder, installation).await?;
    let own = own.filter(|row| row.expires_at > work.now);
    let renewed = own.is_some();
    let seat = match own {
        Some(row) => renew(work, &license, row, until, wanted.borrow_days.is_some()).await?,
        None => {
            let row = seats::Model {
                organization_id: organization.id,
                license_id: license.id,
                seat: free_seat(work, &license).await?,
                id: Uuid::now_v7(),
                holder: holder.to_string(),
                installation,
                activation_id: wanted.activation,
                borrowed: wanted.borrow_days.is_some(),
                acquired_at: work.now,
                renewed_at: work.now,
                expires_at: until,
                released_at: None,
            };
            seats::put(&work.tx, row.clone()).await?;
            work.event("seat.acquired", row.id, &Seat::of(&row));
            row
        }
    };
    let end = license.valid_until.map_or(seat.expires_at, |end| end.min(seat.expires_at));
    let lease = by.lease(&seat, end, wanted.nonce)?;
    Ok(Leased { seat, lease, renewed })
}

/// Renews a seat by its id. Fails as [`take`] does, and with `not_found` for one that nobody has
/// any more: whoever had it asks for a new one.
pub async fn heartbeat(
    signer: &Signer,
    work: &mut Work,
    organization: &organizations::Model,
    id: Uuid,
) -> Result<Leased> {
    let row = one(work, organization, id).await?;
    let by = By::of(signer, work, organization, row.license_id).await?;
    let license = in_force(work, organization, row.license_id).await?;
    let until = until(&license, None, work.now)?;
    // Somebody may have given it back, or taken it over, before the license was ours.
    let row = one(work, organization, id).await?;
    if row.expires_at <= work.now {
        return Err(no_such_seat());
    }
    let seat = renew(work, &license, row, until, false).await?;
    let end = license.valid_until.map_or(seat.expires_at, |end| end.min(seat.expires_at));
    let lease = by.lease(&seat, end, None)?;
    Ok(Leased { seat, lease, renewed: true })
}

/// Gives a seat back by its id, whatever became of its license, and signs that it was given back.
/// What has ended already stays as it is, until the next holder has the seat: from then on it is
/// `not_found`.
pub async fn give_back(
    signer: &Signer,
    work: &mut Work,
    organization: &organizations::Model,
    id: Uuid,
) -> Result<Leased> {
    let row = one(work, organization, id).await?;
    let by = By::of(signer, work, organization, row.license_id).await?;
    let seat = end(work, organization, row, "seat.released").await?;
    let lease = by.lease(&seat, by.over(&seat), None)?;
    Ok(Leased { seat, lease, renewed: false })
}

/// Takes a seat of a license away from whoever has it: their next heartbeat is refused. The lease
/// that they have is good until its end, without the server.
pub async fn free(
    work: &mut Work,
    organization: &organizations::Model,
    license: Uuid,
    id: Uuid,
) -> Result<seats::Model> {
    let row = one(work, organization, id).await?;
    if row.license_id != license {
        return Err(no_such_seat());
    }
    end(work, organization, row, "seat.freed").await
}

/// Gives back whatever seat a holder has, and signs that it was given back. Somebody who has none,
/// or has none any more, gets the same: their first answer may have been lost.
pub async fn release(
    signer: &Signer,
    work: &mut Work,
    organization: &organizations::Model,
    license: Uuid,
    wanted: &Wanted<'_>,
) -> Result<Leased> {
    check_wanted(wanted)?;
    let by = By::of(signer, work, organization, license).await?;
    let license = lock(work, organization, license).await?;
    let (holder, installation) = (wanted.holder, wanted.installation);
    let seat = match seats::of_holder(&work.tx, license.id, holder, installation).await? {
        Some(row) => ended(work, row, "seat.released").await?,
        None => empty(organization, license.id, wanted, work.now),
    };
    let lease = by.lease(&seat, by.over(&seat), wanted.nonce)?;
    Ok(Leased { seat, lease, renewed: false })
}

/// Gives back the seats of an installation that has no machine any more, under the lock of the
/// license: with `borrowed` also those that it was to have for days.
pub async fn leave(
    work: &mut Work,
    license: Uuid,
    installation: Uuid,
    borrowed: bool,
) -> Result<()> {
    let rows = seats::of_installation(&work.tx, license, installation, work.now).await?;
    for row in rows.into_iter().filter(|row| borrowed || !row.borrowed) {
        ended(work, row, "seat.released").await?;
    }
    Ok(())
}

/// Signs for a holder that nothing is his, and ends nothing.
pub async fn none(
    signer: &Signer,
    work: &Work,
    organization: &organizations::Model,
    license: Uuid,
    wanted: &Wanted<'_>,
) -> Result<Leased> {
    check_wanted(wanted)?;
    let by = By::of(signer, work, organization, license).await?;
    let seat = empty(organization, license, wanted, work.now);
    let lease = by.lease(&seat, by.over(&seat), wanted.nonce)?;
    Ok(Leased { seat, lease, renewed: false })
}

/// What somebody has who has no seat.
fn empty(
    organization: &organizations::Model,
    license: Uuid,
    wanted: &Wanted<'_>,
    now: i64,
) -> seats::Model {
    seats::Model {
        organization_id: organization.id,
        license_id: license,
        seat: 1,
        id: Uuid::nil(),
        holder: wanted.holder.to_string(),
        installation: wanted.installation,
        activation_id: wanted.activation,
        borrowed: false,
        acquired_at: now,
        renewed_at: now,
        expires_at: now,
        released_at: Some(now),
    }
}

/// There is no such seat, it is another organization's, or nobody has it any more.
pub fn no_such_seat() -> Error {
    let what = "There is no such seat, or nobody has it any more: take one of the license";
    Error::new(Code::NotFound, what)
}

fn check_wanted(wanted: &Wanted<'_>) -> Result<()> {
    if !is_holder(wanted.holder) {
        let what = "holder has 1 to 128 bytes that can be seen, and no spaces at its ends";
        return Err(Error::invalid(what));
    }
    if wanted.nonce.is_some() && wanted.installation.is_none() {
        return Err(Error::invalid("A nonce goes with the installation that made it"));
    }
    Ok(())
}

/// The same. Fails unless it is in force.
async fn in_force(
    work: &Work,
    organization: &organizations::Model,
    license: Uuid,
) -> Result<licenses::Model> {
    let license = lock(work, organization, license).await?;
    let (code, what) = if license.revoked_at.is_some() {
        (Code::Revoked, "The license was revoked: it has no seats any more")
    } else if license.suspended_at.is_some() {
        (Code::Suspended, "The license is suspended: it has no seats until it is reinstated")
    } else if license.valid_until.is_some_and(|end| end <= work.now) {
        (Code::Expired, "The license has ended: it has no seats until it is renewed")
    } else {
        return Ok(license);
    };
    Err(Error::new(code, what))
}

/// The license, as nobody else changes it until the end.
async fn lock(
    work: &Work,
    organization: &organizations::Model,
    license: Uuid,
) -> Result<licenses::Model> {
    let license = licenses::lock(&work.tx, organization.id, license).await?;
    license.ok_or_else(|| Error::not_found("license"))
}

async fn one(work: &Work, organization: &organizations::Model, id: Uuid) -> Result<seats::Model> {
    seats::get(&work.tx, organization.id, id).await?.ok_or_else(no_such_seat)
}

/// Until when somebody who asks now has a seat: not longer than there is a license.
fn until(license: &licenses::Model, borrow_days: Option<u32>, now: i64) -> Result<i64> {
    let terms = Terms::read(&license.terms_json)?;
    let seconds = match (borrow_days, terms.borrow_days.unwrap_or_default()) {
        (None, _) => terms.seat_seconds.map_or(SEAT_SECONDS, i64::from),
        (Some(_), 0) => {
            return Err(Error::invalid("The seats of this license cannot be borrowed"));
        }
        (Some(days), most) if (1..=most).contains(&days) => i64::from(days) * DAY,
        (Some(_), most) => {
            let what = format!("A seat of this license is borrowed for 1 to {most} days");
            return Err(Error::invalid(what));
        }
    };
    let until = now.saturating_add(seconds);
    Ok(license.valid_until.map_or(until, |end| end.min(until)))
}

/// The number of the seat to take, where one is free.
async fn free_seat(work: &Work, license: &licenses::Model) -> Result<i64> {
    let taken = seats::taken(&work.tx, license.id, work.now).await?;
    match taken < license.max_seats {
        true => seats::lowest_free(&work.tx, license.id, work.now).await,
        false => Err(no_seat(work, license, taken).await?),
    }
}

/// That all are taken, and when the next comes free if nobody gives one back before. Where there
/// are fewer seats now than were given out, some have to end first.
async fn no_seat(work: &Work, license: &licenses::Model, taken: i64) -> Result<Error> {
    let over = u64::try_from(taken.saturating_sub(license.max_seats)).unwrap_or_default();
    let next = seats::next_free(&work.tx, license.id, work.now, over).await?;
    let what = match next {
        Some(at) => format!(
            "All {} seats of the license are taken: the next comes free at {} at the latest",
            license.max_seats,
            rfc3339(at)
        ),
        None => "The license has no seats: give it some (max_seats)".to_string(),
    };
    Ok(Error::new(Code::NoSeat, what))
}

/// Makes a seat last until `until`, and never shorter than it does already: it was signed. One
/// that there is no room for any more, because the license has fewer seats now, is not renewed.
async fn renew(
    work: &Work,
    license: &licenses::Model,
    mut row: seats::Model,
    until: i64,
    borrow: bool,
) -> Result<seats::Model> {
    if row.seat > license.max_seats {
        let taken = seats::taken(&work.tx, license.id, work.now).await?;
        if taken > license.max_seats {
            return Err(no_seat(work, license, taken).await?);
        }
    }
    let longer = until > row.expires_at;
    row.borrowed = if longer { borrow } else { row.borrowed || borrow };
    row.expires_at = row.expires_at.max(until);
    row.renewed_at = work.now;
    seats::put(&work.tx, row.clone()).await?;
    Ok(row)
}

/// Ends a seat under the lock of its license.
async fn end(
    work: &mut Work,
    organization: &organizations::Model,
    row: seats::Model,
    event: &str,
) -> Result<seats::Model> {
    lock(work, organization, row.license_id).await?;
    // Somebody else may have it since.
    let row = one(work, organization, row.id).await?;
    ended(work, row, event).await
}

async fn ended(work: &mut Work, mut row: seats::Model, event: &str) -> Result<seats::Model> {
    if row.expires_at > work.now {
        row.expires_at = work.now;
        row.released_at = Some(work.now);
        seats::put(&work.tx, row.clone()).await?;
        work.event(event, row.id, &Seat::of(&row));
    }
    Ok(row)
}

/// Who signs leases of a license.
struct By {
    signing: Signing,
    product: String,
}

impl By {
    /// It is found before the license is locked, so that others wait less.
    async fn of(
        signer: &Signer,
        work: &Work,
        organization: &organizations::Model,
        license: Uuid,
    ) -> Result<By> {
        let license = licenses::get(&work.tx, organization.id, license).await?;
        let license = license.ok_or_else(|| Error::not_found("license"))?;
        let product = products::get(&work.tx, organization.id, license.product_id).await?;
        let product = product.ok_or_else(|| Error::not_found("product"))?;
        let signing = signer.signing(&work.tx, organization, &product, Role::Server).await?;
        Ok(By { signing, product: product.code })
    }

    /// When a seat that ended is over: not after the lease that says so is signed.
    fn over(&self, seat: &seats::Model) -> i64 {
        seat.expires_at.min(self.at(seat))
    }

    /// When the lease is signed: not before the one that it takes the place of.
    fn at(&self, seat: &seats::Model) -> i64 {
        self.signing.at.max(seat.renewed_at)
    }

    fn lease(&self, seat: &seats::Model, end: i64, nonce: Option<&str>) -> Result<String> {
        let lease = Lease {
            jti: Uuid::now_v7().to_string(),
            iat: self.at(seat),
            exp: end,
            nonce: nonce.map(str::to_string),
            license_id: seat.license_id.to_string(),
            installation: seat.installation.map(|id| id.to_string()),
            holder: seat.holder.clone(),
            seat: u64::try_from(seat.seat).unwrap_or_default(),
            borrowed: seat.borrowed,
        };
        let Signing { key, issuer, .. } = &self.signing;
        Ok(sign_lease(key, &self.product, issuer, &lease)?)
    }
}
