//! What changed.

use super::page::{PER_PAGE, PER_PAGE_MAX, cut};
use super::{Answer, Asked, Caller, Problem, Scope, Shared};
use crate::error::{Code, Error, Result};
use crate::store::events::{self, Filter};
use crate::terms::Moment;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Characters of a kind and of a subject, at most.
const WORD_MAX: usize = 64;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Something that changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Event {
    /// `evt_` and 32 characters: the same however often it is delivered.
    id: String,
    /// Such as `license.created`.
    kind: String,
    /// The id of what it is about.
    subject: String,
    created_at: Moment,
    /// Who did it: the id of an API key, `installation:` and its id, or a word such as `server`.
    actor: String,
    /// The request that did it.
    request_id: Option<String>,
    /// What it is about, as it was then.
    #[schema(value_type = Object)]
    data: Value,
}

impl Event {
    /// As it is shown.
    pub fn of(row: &events::Model) -> Event {
        Event {
            id: row.name(),
            kind: row.kind.clone(),
            subject: row.subject.clone(),
            created_at: Moment(row.created_at),
            actor: row.actor.clone(),
            request_id: row.request_id.clone(),
            data: serde_json::from_str(&row.data_json).unwrap_or_default(),
        }
    }
}

/// Which events are meant. Fails with `malformed` for what is no kind and no id.
pub(super) fn filter(kind: Option<String>, subject: Option<String>) -> Result<Filter> {
    let is_word = |word: &String| {
        (1..=WORD_MAX).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if ![&kind, &subject].into_iter().flatten().all(is_word) {
        let what = "kind and subject have 1 to 64 characters of ASCII, without spaces";
        return Err(Error::new(Code::Malformed, what));
    }
    Ok(Filter { kind, subject, before: None })
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
pub struct Events {
    events: Vec<Event>,
    next_cursor: Option<String>,
}

/// Which events are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    /// Of this kind, such as `license.created`.
    #[param(pattern = "^[!-~]{1,64}$")]
    kind: Option<String>,
    /// About the thing with this id.
    #[param(pattern = "^[!-~]{1,64}$")]
    subject: Option<String>,
    /// Rows on a page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u64>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}$")]
    cursor: Option<String>,
}

/// List events
///
/// The newest first. Those that were delivered are kept for as many days as the server is told to.
#[utoipa::path(get, path = "/events", tag = "events", params(EventQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Events), (status = "4XX", body = Problem)))]
async fn list(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<EventQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let wrong = |what: &str| Error::new(Code::Malformed, what);
    let limit = query.per_page.unwrap_or(PER_PAGE);
    if !(1..=PER_PAGE_MAX).contains(&limit) {
        return Err(wrong("per_page is from 1 to 100"));
    }
    let before = query.cursor.as_deref().map(str::parse).transpose();
    let before = before.map_err(|_| wrong("The cursor is none of this server's: begin anew"))?;
    let filter = Filter { before, ..filter(query.kind, query.subject)? };
    let mut rows =
        events::list(server.store.read(), caller.organization.id, &filter, limit + 1).await?;
    let more = cut(&mut rows, limit);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.seq.to_string());
    Ok(Answer::ok(&Events { events: rows.iter().map(Event::of).collect(), next_cursor }))
}
