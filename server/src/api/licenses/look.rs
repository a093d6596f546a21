//! What comes of a license.

use crate::api::{Answer, Caller, Id, Problem, Scope, Server, Shared};
use crate::error::{Error, Result};
use crate::outlook::{Dates, Heard, Limit, Outlook};
use crate::store::activations::{self, Seen};
use crate::store::licenses;
use crate::store::status::Status;
use crate::terms::Moment;
use axum::extract::State;

/// What comes of a license
///
/// By itself, and for installations that hear nothing more: of a revocation, a suspension, a
/// change.
#[utoipa::path(get, path = "/licenses/{id}/outlook", tag = "licenses",
    params(("id" = Uuid, Path)), security(("api_key" = ["read"])),
    responses((status = 200, body = Outlook), (status = "4XX", body = Problem)))]
pub(super) async fn outlook(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let (read, organization) = (server.store.read(), caller.organization.id);
    let row = licenses::get(read, organization, id).await?;
    let row = row.ok_or_else(|| Error::not_found("license"))?;
    let now = server.clock.now();
    let seen = activations::seen(read, organization, id, now, row.updated_at).await?;
    Ok(Answer::ok(&look(&server, &row, &seen)?))
}

fn look(server: &Server, row: &licenses::Model, seen: &Seen) -> Result<Outlook> {
    let terms = row.terms()?;
    let dates = Dates { from: row.valid_from, until: row.valid_until, terms: &terms };
    let out_of_reach = seen.last_seen_at.map(|last| {
        let token = seen.token_at.unwrap_or(row.token_at).max(last);
        match row.suspended_at {
            // Those that asked since have heard of it; the others go by what they heard before.
            Some(since) if last >= since => {
                let before = dates.limit(token, Some(since), None);
                dates.limit(token, None, Some(last)).or_later(before)
            }
            _ => dates.limit(token, Some(last), None),
        }
    });
    Ok(Outlook {
        status: Status::of(row, server.clock.now()),
        turns: dates.turns(),
        silence: dates.silence(),
        machines: heard(seen),
        out_of_reach,
        file: file(&dates, row),
        older_files: row.token_at > row.created_at,
    })
}

fn file(dates: &Dates<'_>, row: &licenses::Model) -> Limit {
    dates.limit(row.token_at, None, None)
}

fn heard(seen: &Seen) -> Heard {
    let Seen { ever, active, day, week, month, older, last_seen_at, .. } = *seen;
    Heard { ever, active, day, week, month, older, last_seen_at: last_seen_at.map(Moment) }
}
