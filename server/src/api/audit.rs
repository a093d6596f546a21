//! The audit log.

use super::page::{PER_PAGE, PER_PAGE_MAX, cut};
use super::usage::time;
use super::{Answer, Asked, Caller, Problem, Scope, Shared};
use crate::audit::{self, STEP};
use crate::error::{Code, Error, Result};
use crate::store::audit::{self as log, Filter};
use crate::store::audit_heads;
use crate::terms::Moment;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Characters of an actor, an action and a subject, at most.
const WORD_MAX: usize = 64;

/// Characters of what is searched for, at most.
const SEARCH_MAX: usize = 200;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(verification)).routes(routes!(get))
}

/// What somebody did.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// From 1, without gaps.
    #[schema(minimum = 1)]
    seq: i64,
    created_at: Moment,
    /// Who: the id of an API key, or a word: `command` (whoever has the database in hand),
    /// `import`, `server`.
    actor: String,
    /// What the API key was called then.
    actor_name: Option<String>,
    /// Such as `license.revoked`.
    action: String,
    /// The id of what it was done to.
    subject: String,
    /// What that was called then.
    subject_name: Option<String>,
    /// The address that it came from.
    remote: Option<String>,
    /// The request that did it.
    request_id: Option<String>,
    /// What else there is to say; of a change: `changed`, with `before` and `after` of each member.
    #[schema(value_type = Object)]
    detail: Value,
    /// `hash` of the entry before; of the first: 64 zeros.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    previous: String,
    /// SHA-256 of the entry and of `previous`, in hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    hash: String,
}

impl AuditEntry {
    /// As it is shown.
    pub fn of(row: &log::Model) -> AuditEntry {
        AuditEntry {
            seq: row.seq,
            created_at: Moment(row.created_at),
            actor: row.actor.clone(),
            actor_name: row.actor_name.clone(),
            action: row.action.clone(),
            subject: row.subject.clone(),
            subject_name: row.subject_name.clone(),
            remote: row.remote.clone(),
            request_id: row.request_id.clone(),
            detail: serde_json::from_str(&row.detail_json).unwrap_or_default(),
            previous: row.previous.clone(),
            hash: row.hash.clone(),
        }
    }
}

/// A page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntries {
    entries: Vec<AuditEntry>,
    next_cursor: Option<String>,
}

/// Which entries are meant, as they are asked for.
#[derive(Debug, Default)]
pub struct Wanted {
    pub actor: Option<String>,
    pub action: Option<String>,
    pub subject: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub search: Option<String>,
}

impl Wanted {
    /// Fails with `malformed` for what nobody can mean.
    pub fn filter(self) -> Result<Filter> {
        let is_word = |word: &String| {
            (1..=WORD_MAX).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if ![&self.actor, &self.action, &self.subject].into_iter().flatten().all(is_word) {
            let what = "actor, action and subject have 1 to 64 characters of ASCII, without spaces";
            return Err(Error::new(Code::Malformed, what));
        }
        let search = self.search.map(|text| text.trim().to_lowercase());
        if search.as_ref().is_some_and(|text| text.chars().count() > SEARCH_MAX) {
            let what = format!("search has at most {SEARCH_MAX} characters");
            return Err(Error::new(Code::Malformed, what));
        }
        Ok(Filter {
            actor: self.actor,
            action: self.action,
            subject: self.subject,
            from: time("from", self.from.as_deref())?,
            to: time("to", self.to.as_deref())?,
            search: search.filter(|text| !text.is_empty()),
            before: None,
        })
    }
}

/// Which entries are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// By this one.
    #[param(pattern = "^[!-~]{1,64}$")]
    actor: Option<String>,
    /// Of this kind, such as `license.revoked`.
    #[param(pattern = "^[!-~]{1,64}$")]
    action: Option<String>,
    /// Done to the thing with this id.
    #[param(pattern = "^[!-~]{1,64}$")]
    subject: Option<String>,
    /// Then or later (RFC 3339).
    #[param(format = DateTime)]
    from: Option<String>,
    /// Before (RFC 3339).
    #[param(format = DateTime)]
    to: Option<String>,
    /// A part of the name of who did it, or of what it was done to, in upper or lower case.
    #[param(max_length = 200)]
    search: Option<String>,
    /// Rows on a page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u64>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}$")]
    cursor: Option<String>,
}

/// List the audit log
///
/// What people and programs with an API key have changed, and what was done with the server by
/// hand, the newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", params(AuditQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = AuditEntries), (status = "4XX", body = Problem)))]
async fn list(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<AuditQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let limit = query.per_page.unwrap_or(PER_PAGE);
    if !(1..=PER_PAGE_MAX).contains(&limit) {
        return Err(Error::new(Code::Malformed, "per_page is from 1 to 100"));
    }
    let before = cursor(query.cursor.as_deref())?;
    let AuditQuery { actor, action, subject, from, to, search, .. } = query;
    let filter = Wanted { actor, action, subject, from, to, search }.filter()?;
    let filter = Filter { before, ..filter };
    let store = match filter.search {
        Some(_) => server.store.slow(),
        None => server.store.read(),
    };
    let mut rows = log::list(store, caller.organization.id, &filter, limit + 1).await?;
    let more = cut(&mut rows, limit);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.seq.to_string());
    Ok(Answer::ok(&AuditEntries {
        entries: rows.iter().map(AuditEntry::of).collect(),
        next_cursor,
    }))
}

fn cursor(text: Option<&str>) -> Result<Option<i64>> {
    let wrong = |_| Error::new(Code::Malformed, "The cursor is none of this server's: begin anew");
    text.map(str::parse).transpose().map_err(wrong)
}

/// Get an entry of the audit log
#[utoipa::path(get, path = "/audit/{seq}", tag = "audit",
    params(("seq" = i64, Path, minimum = 1, description = "Its number")),
    security(("api_key" = ["read"])),
    responses((status = 200, body = AuditEntry), (status = "4XX", body = Problem)))]
async fn get(
    State(server): State<Shared>,
    caller: Caller,
    Path(seq): Path<String>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let none = || Error::not_found("entry");
    let seq: i64 = seq.parse().map_err(|_| none())?;
    let row = log::get(server.store.read(), caller.organization.id, seq).await?;
    Ok(Answer::ok(&AuditEntry::of(&row.ok_or_else(none)?)))
}

/// Where an audit log ends.
#[derive(Debug, Serialize, ToSchema)]
pub struct Head {
    /// The number of the last entry.
    #[schema(minimum = 1)]
    seq: i64,
    /// Its hash: keep it elsewhere, and hold the log against it later.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    hash: String,
}

impl Head {
    fn of(row: audit_heads::Model) -> Head {
        Head { seq: row.seq, hash: row.hash }
    }
}

/// Whether some entries are as they were written.
#[derive(Debug, Serialize, ToSchema)]
pub struct Verification {
    /// How many entries this request has checked.
    checked: u64,
    /// Whether these are as they were written, each after the one before.
    intact: bool,
    /// The number of the first that is not, or that is missing.
    first_broken_seq: Option<i64>,
    /// What is wrong with it.
    broken_why: Option<String>,
    /// Where the log ends; null = it has no entry.
    head: Option<Head>,
    /// For the entries after these; null after the last.
    next_cursor: Option<String>,
}

/// How far the log was verified.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct VerificationQuery {
    /// `next_cursor` of the entries before.
    #[param(pattern = "^[0-9]{1,18}$")]
    cursor: Option<String>,
}

/// Verify the audit log
///
/// Checks the next 10,000 entries, the oldest first. Ask on with `next_cursor` until it is null or
/// `intact` is false.
#[utoipa::path(get, path = "/audit/verification", tag = "audit", params(VerificationQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Verification), (status = "4XX", body = Problem)))]
async fn verification(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<VerificationQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let after = cursor(query.cursor.as_deref())?;
    // However many verify: others find the database free.
    let _turn = server.exporting.acquire().await;
    let snapshot = server.store.slow_snapshot().await?;
    let walked = audit::walk(&snapshot, caller.organization.id, after, STEP).await?;
    snapshot.rollback().await?;
    let (first_broken_seq, why) = walked.broken.unzip();
    Ok(Answer::ok(&Verification {
        checked: walked.checked,
        intact: first_broken_seq.is_none(),
        first_broken_seq,
        broken_why: why.map(str::to_string),
        head: walked.head.filter(|head| head.seq > 0).map(Head::of),
        next_cursor: walked.next.map(|seq| seq.to_string()),
    }))
}
