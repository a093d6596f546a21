//! Floating seats: who has one, and until when.

use super::given::Nothing;
use super::licenses::{Labels, OfLicense};
use super::{
    Answer, Asked, Caller, Id, Ids, PageQuery, Problem, Scope, Shared, Stop, Work, Written,
};
use crate::error::{Code, Error, Result};
use crate::seats::{self as logic, Leased, Wanted};
use crate::store::licenses;
use crate::store::seats::{self, Filter};
use crate::terms::Moment;
use axum::extract::State;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(take, of_license))
        .routes(routes!(free))
        .routes(routes!(list))
        .routes(routes!(get, heartbeat, release))
}

/// A seat that somebody has, or had last.
#[derive(Debug, Serialize, ToSchema)]
pub struct Seat {
    /// Of this holding: the next holder of the same seat has another.
    id: Uuid,
    license_id: Uuid,
    /// Which of the license's seats, from 1 up.
    #[schema(minimum = 1)]
    seat: i64,
    holder: String,
    /// The installation that the lease is for; null = whichever it is applied to.
    installation: Option<Uuid>,
    /// Whether it was borrowed for days.
    borrowed: bool,
    acquired_at: Moment,
    renewed_at: Moment,
    /// The first second in which nobody has it any more.
    expires_at: Moment,
}

impl Seat {
    /// As it is shown.
    pub fn of(row: &seats::Model) -> Seat {
        Seat {
            id: row.id,
            license_id: row.license_id,
            seat: row.seat,
            holder: row.holder.clone(),
            installation: row.installation,
            borrowed: row.borrowed,
            acquired_at: Moment(row.acquired_at),
            renewed_at: Moment(row.renewed_at),
            expires_at: Moment(row.expires_at),
        }
    }
}

/// A seat, and its license as people know it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedSeat {
    #[serde(flatten)]
    seat: Seat,
    #[serde(flatten)]
    of: OfLicense,
}

impl ListedSeat {
    fn of(row: &seats::Model, labels: &Labels) -> Result<ListedSeat> {
        Ok(ListedSeat { seat: Seat::of(row), of: labels.of(row.license_id)? })
    }
}

/// A seat and its lease.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeasedSeat {
    #[serde(flatten)]
    seat: Seat,
    /// The signed lease (`lic-lease+jwt`), for the installation. Of a seat that was given back it
    /// says that.
    lease: String,
}

impl LeasedSeat {
    fn of(leased: &Leased) -> LeasedSeat {
        LeasedSeat { seat: Seat::of(&leased.seat), lease: leased.lease.clone() }
    }
}

/// A page of seats.
#[derive(Debug, Serialize, ToSchema)]
pub struct Seats {
    seats: Vec<ListedSeat>,
    total: u64,
    next_cursor: Option<String>,
}

/// A seat that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSeat {
    /// Who is to have it: a person, a device, a process, in the product's words. At most 128
    /// bytes. The same holder of the same installation has one seat.
    #[schema(min_length = 1, max_length = 128)]
    holder: String,
    /// The installation that the lease is for.
    installation: Option<Uuid>,
    /// For how many days to borrow it, within the license's terms; absent = until the next
    /// heartbeat is due.
    #[schema(minimum = 1, maximum = 366)]
    borrow_days: Option<u32>,
    /// What the lease has to give back; goes with `installation`.
    #[schema(min_length = 1, max_length = 64)]
    nonce: Option<String>,
}

/// Which seats are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SeatQuery {
    /// Seats of this license.
    license_id: Option<Uuid>,
    /// Seats of this holder.
    #[param(max_length = 128)]
    holder: Option<String>,
    /// Which page, from 1. Not with `cursor`.
    #[param(minimum = 1, default = 1)]
    page: Option<u64>,
    /// Rows on a page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u64>,
    /// `next_cursor` of the page before.
    #[param(max_length = 64)]
    cursor: Option<String>,
}

/// Take a seat
///
/// Gives a free seat of the license, or renews the one that this holder has.
#[utoipa::path(post, path = "/licenses/{id}/seats", tag = "seats", request_body = NewSeat,
    params(("id" = Uuid, Path)),
    security(("api_key" = ["sync"])),
    responses(
        (status = 200, description = "The holder had one: it was renewed", body = LeasedSeat),
        (status = 201, description = "A seat that was free", body = LeasedSeat),
        (status = "4XX", body = Problem)))]
async fn take(
    State(server): State<Shared>,
    caller: Caller,
    Id(license): Id,
    Written { body, origin }: Written<NewSeat>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Sync)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let wanted = Wanted {
        holder: &body.holder,
        installation: body.installation,
        activation: None,
        borrow_days: body.borrow_days,
        nonce: body.nonce.as_deref(),
    };
    let organization = &caller.organization;
    let leased = logic::take(&server.signer, &mut work, organization, license, &wanted).await?;
    let body = LeasedSeat::of(&leased);
    let answer = match leased.renewed {
        true => Answer::ok(&body),
        false => Answer::created(&format!("/api/v1/seats/{}", leased.seat.id), &body),
    };
    work.commit(answer).await
}

/// List the seats of a license
///
/// Those that somebody has now, the newest first.
#[utoipa::path(get, path = "/licenses/{id}/seats", tag = "seats",
    params(("id" = Uuid, Path), PageQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Seats), (status = "4XX", body = Problem)))]
async fn of_license(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Asked(query): Asked<PageQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let license = licenses::get(server.store.read(), caller.organization.id, id).await?;
    let license = license.ok_or_else(|| Error::not_found("license"))?;
    page(&server, &caller, &Filter { license: Some(license.id), holder: None }, &query).await
}

/// Which seats are meant. Fails with `malformed` for what is no holder.
pub(super) fn filter(license: Option<Uuid>, holder: Option<String>) -> Result<Filter> {
    if holder.as_deref().is_some_and(|holder| !licentia::issue::is_holder(holder)) {
        let what = "holder has 1 to 128 bytes that can be seen, and no spaces at its ends";
        return Err(Error::new(Code::Malformed, what));
    }
    Ok(Filter { license, holder })
}

/// List seats
///
/// Those that somebody has now, of all licenses, the newest first.
#[utoipa::path(get, path = "/seats", tag = "seats", params(SeatQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Seats), (status = "4XX", body = Problem)))]
async fn list(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<SeatQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let SeatQuery { license_id, holder, page: number, per_page, cursor } = query;
    let filter = filter(license_id, holder)?;
    page(&server, &caller, &filter, &PageQuery { page: number, per_page, cursor }).await
}

async fn page(
    server: &Shared,
    caller: &Caller,
    filter: &Filter,
    query: &PageQuery,
) -> Result<Answer> {
    let page = query.page()?;
    let (organization, now) = (caller.organization.id, server.clock.now());
    let (mut rows, total) =
        seats::list(server.store.read(), organization, filter, now, page.and_one()).await?;
    let next_cursor = page.cut(&mut rows, |row| row.id);
    let labels = Labels::read(server, organization, rows.iter().map(|row| row.license_id)).await?;
    let listed = |row| ListedSeat::of(row, &labels);
    let seats = rows.iter().map(listed).collect::<Result<_>>()?;
    Ok(Answer::ok(&Seats { seats, total, next_cursor }))
}

/// Get a seat
///
/// Also one that has ended, until somebody else takes it.
#[utoipa::path(get, path = "/seats/{id}", tag = "seats", params(("id" = Uuid, Path)),
    security(("api_key" = ["read"])),
    responses((status = 200, body = ListedSeat), (status = "4XX", body = Problem)))]
async fn get(State(server): State<Shared>, caller: Caller, Id(id): Id) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let organization = caller.organization.id;
    let row = seats::get(server.store.read(), organization, id).await?;
    let row = row.ok_or_else(logic::no_such_seat)?;
    let labels = Labels::read(&server, organization, std::iter::once(row.license_id)).await?;
    Ok(Answer::ok(&ListedSeat::of(&row, &labels)?))
}

/// Renew a seat
///
/// The heartbeat: without it the seat comes free at `expires_at`.
#[utoipa::path(put, path = "/seats/{id}", tag = "seats", params(("id" = Uuid, Path)),
    request_body(content = Option<Nothing>),
    security(("api_key" = ["sync"])),
    responses((status = 200, body = LeasedSeat), (status = "4XX", body = Problem)))]
async fn heartbeat(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { origin, .. }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Sync)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let leased = logic::heartbeat(&server.signer, &mut work, &caller.organization, id).await?;
    work.commit(Answer::ok(&LeasedSeat::of(&leased))).await
}

/// Give a seat back
///
/// A borrowed one, too. It can be given back again until somebody else has it.
#[utoipa::path(delete, path = "/seats/{id}", tag = "seats", params(("id" = Uuid, Path)),
    security(("api_key" = ["sync"])),
    responses((status = 200, body = LeasedSeat), (status = "4XX", body = Problem)))]
async fn release(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { origin, .. }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Sync)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let leased = logic::give_back(&server.signer, &mut work, &caller.organization, id).await?;
    work.commit(Answer::ok(&LeasedSeat::of(&leased))).await
}

/// Take a seat away
///
/// Its holder's next heartbeat is refused. A lease that was signed is good until its end wherever
/// the server is not asked.
#[utoipa::path(delete, path = "/licenses/{id}/seats/{seat}", tag = "seats",
    params(("id" = Uuid, Path), ("seat" = Uuid, Path, description = "The `id` of the seat")),
    security(("api_key" = ["revoke"])),
    responses((status = 200, body = Seat), (status = "4XX", body = Problem)))]
async fn free(
    State(server): State<Shared>,
    caller: Caller,
    Ids(license, seat): Ids,
    Written { origin, .. }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Revoke)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let row = logic::free(&mut work, &caller.organization, license, seat).await?;
    work.commit(Answer::ok(&Seat::of(&row))).await
}
