//! Deliveries: events on their way to webhooks.

use super::given::Nothing;
use super::webhooks::lock;
use super::{Answer, Asked, Caller, Id, PageQuery, Problem, Scope, Shared, Stop, Work, Written};
use crate::error::{Code, Error, Result};
use crate::store::deliveries::{self, Filter};
use crate::store::webhooks;
use crate::terms::Moment;
use crate::webhooks::tries::{self, Try};
use crate::webhooks::{body, kinds, row};
use axum::extract::State;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Characters of a kind and of a subject, at most.
const WORD_MAX: usize = 64;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(test))
        .routes(routes!(of_webhook))
        .routes(routes!(resend_dead))
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(resend))
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It was not sent yet, or is tried again.
    Waiting,
    /// It was taken.
    Delivered,
    /// It was tried for the last time.
    Dead,
}

impl DeliveryState {
    fn word(self) -> &'static str {
        match self {
            DeliveryState::Waiting => deliveries::WAITING,
            DeliveryState::Delivered => deliveries::DELIVERED,
            DeliveryState::Dead => deliveries::DEAD,
        }
    }

    fn of(word: &str) -> DeliveryState {
        let all = [DeliveryState::Waiting, DeliveryState::Delivered];
        all.into_iter().find(|state| state.word() == word).unwrap_or(DeliveryState::Dead)
    }
}

/// An event on its way to a webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct Delivery {
    id: Uuid,
    webhook_id: Uuid,
    /// `evt_` and 32 characters: the `webhook-id` of every try.
    event_id: String,
    /// Such as `license.created`.
    kind: String,
    /// The id of what it is about.
    subject: String,
    state: DeliveryState,
    /// How often it was tried since somebody last asked for it.
    tries: i64,
    /// The status that the last try was answered with; null = with none.
    last_status: Option<u16>,
    /// Why the last try failed; null = it did not, or there was none.
    last_error: Option<String>,
    created_at: Moment,
    /// When it is tried next.
    next_at: Option<Moment>,
    finished_at: Option<Moment>,
}

impl Delivery {
    /// As it is shown.
    pub fn of(row: &deliveries::Model) -> Delivery {
        let last = tries::read(&row.tries_json).pop();
        Delivery {
            id: row.id,
            webhook_id: row.webhook_id,
            event_id: format!("evt_{}", row.event_id.simple()),
            kind: row.kind.clone(),
            subject: row.subject.clone(),
            state: DeliveryState::of(&row.state),
            tries: row.tries,
            last_status: last.as_ref().and_then(|last| last.status),
            last_error: last.and_then(|last| last.error),
            created_at: Moment(row.created_at),
            next_at: row.next_at.map(Moment),
            finished_at: row.finished_at.map(Moment),
        }
    }
}

/// A try to deliver something.
#[derive(Debug, Serialize, ToSchema)]
pub struct Attempt {
    at: Moment,
    /// The status of the answer; null = there was none.
    status: Option<u16>,
    /// Why it failed; null = it did not.
    error: Option<String>,
    /// How long it took.
    milliseconds: u64,
    /// How the answer begins.
    excerpt: String,
}

impl From<Try> for Attempt {
    fn from(one: Try) -> Attempt {
        Attempt {
            at: Moment(one.at),
            status: one.status,
            error: one.error,
            milliseconds: one.milliseconds,
            excerpt: one.excerpt,
        }
    }
}

/// A delivery with what is sent, and what became of each try.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryWithBody {
    #[serde(flatten)]
    delivery: Delivery,
    /// What is sent, byte for byte the same each time.
    body: String,
    /// The latest 30, the oldest first.
    attempts: Vec<Attempt>,
}

impl DeliveryWithBody {
    fn of(row: &deliveries::Model) -> DeliveryWithBody {
        let attempts = tries::read(&row.tries_json).into_iter().map(Attempt::from).collect();
        DeliveryWithBody { delivery: Delivery::of(row), body: row.body.clone(), attempts }
    }
}

/// A page of deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deliveries {
    deliveries: Vec<Delivery>,
    next_cursor: Option<String>,
}

/// Which deliveries of a webhook are listed.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WebhookDeliveryQuery {
    /// In this state.
    #[param(inline)]
    state: Option<DeliveryState>,
    /// Of this kind of event, such as `license.created`.
    #[param(pattern = "^[!-~]{1,64}$")]
    kind: Option<String>,
    /// About the thing with this id.
    #[param(pattern = "^[!-~]{1,64}$")]
    subject: Option<String>,
    /// Rows on a page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u64>,
    /// `next_cursor` of the page before.
    #[param(max_length = 64)]
    cursor: Option<String>,
}

/// Which deliveries are listed.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeliveryQuery {
    /// To this webhook.
    webhook_id: Option<Uuid>,
    /// In this state.
    #[param(inline)]
    state: Option<DeliveryState>,
    /// Of this kind of event, such as `license.created`.
    #[param(pattern = "^[!-~]{1,64}$")]
    kind: Option<String>,
    /// About the thing with this id.
    #[param(pattern = "^[!-~]{1,64}$")]
    subject: Option<String>,
    /// Rows on a page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u64>,
    /// `next_cursor` of the page before.
    #[param(max_length = 64)]
    cursor: Option<String>,
}

/// Which deliveries are meant. Fails with `malformed` for what is no kind and no id.
pub(super) fn filter(
    webhook: Option<Uuid>,
    state: Option<DeliveryState>,
    kind: Option<String>,
    subject: Option<String>,
) -> Result<Filter> {
    let is_word = |word: &String| {
        (1..=WORD_MAX).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if ![&kind, &subject].into_iter().flatten().all(is_word) {
        let what = "kind and subject have 1 to 64 characters of ASCII, without spaces";
        return Err(Error::new(Code::Malformed, what));
    }
    Ok(Filter { webhook, state: state.map(DeliveryState::word), kind, subject })
}

async fn page(
    server: &Shared,
    caller: &Caller,
    webhook: Option<Uuid>,
    query: WebhookDeliveryQuery,
) -> Result<Answer> {
    let WebhookDeliveryQuery { state, kind, subject, per_page, cursor } = query;
    let page = PageQuery { page: None, per_page, cursor }.page()?;
    let filter = filter(webhook, state, kind, subject)?;
    let of = caller.organization.id;
    let mut rows = deliveries::list(server.store.read(), of, &filter, page.and_one()).await?;
    let next_cursor = page.cut(&mut rows, |row| row.id);
    Ok(Answer::ok(&Deliveries { deliveries: rows.iter().map(Delivery::of).collect(), next_cursor }))
}

/// List deliveries
///
/// The newest first. Those that ended are kept for as many days as events are.
#[utoipa::path(get, path = "/deliveries", tag = "deliveries", params(DeliveryQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Deliveries), (status = "4XX", body = Problem)))]
async fn list(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<DeliveryQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let DeliveryQuery { webhook_id, state, kind, subject, per_page, cursor } = query;
    let query = WebhookDeliveryQuery { state, kind, subject, per_page, cursor };
    page(&server, &caller, webhook_id, query).await
}

/// List the deliveries of a webhook
///
/// The newest first. Those that ended are kept for as many days as events are.
#[utoipa::path(get, path = "/webhooks/{id}/deliveries", tag = "webhooks",
    params(("id" = Uuid, Path), WebhookDeliveryQuery), security(("api_key" = ["read"])),
    operation_id = "deliveries",
    responses((status = 200, body = Deliveries), (status = "4XX", body = Problem)))]
async fn of_webhook(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Asked(query): Asked<WebhookDeliveryQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let found = webhooks::get(server.store.read(), caller.organization.id, id).await?;
    found.ok_or_else(|| Error::not_found("webhook"))?;
    page(&server, &caller, Some(id), query).await
}

/// Get a delivery
///
/// With what is sent, and what became of each try.
#[utoipa::path(get, path = "/deliveries/{id}", tag = "deliveries", params(("id" = Uuid, Path)),
    security(("api_key" = ["read"])),
    responses((status = 200, body = DeliveryWithBody), (status = "4XX", body = Problem)))]
async fn get(State(server): State<Shared>, caller: Caller, Id(id): Id) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let row = deliveries::get(server.store.read(), caller.organization.id, id).await?;
    let row = row.ok_or_else(none)?;
    Ok(Answer::ok(&DeliveryWithBody::of(&row)))
}

/// Test a webhook
///
/// Sends it an event of the kind `webhook.test`, whatever kinds it takes.
#[utoipa::path(post, path = "/webhooks/{id}/test", tag = "webhooks", params(("id" = Uuid, Path)),
    security(("api_key" = ["admin"])),
    responses((status = 201, body = Delivery), (status = "4XX", body = Problem)))]
async fn test(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Admin)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let webhook = lock(&work, &caller, id).await?;
    is_enabled(&webhook)?;
    let data = json!({ "webhook_id": id, "message": "This is a test of this webhook" });
    work.event(kinds::TEST, id, &data);
    let event = work.latest().ok_or_else(|| Error::new(Code::Internal, "There is no event"))?;
    let delivery = row(&webhook, event, body(event), work.now);
    deliveries::insert(&work.tx, vec![delivery.clone()]).await?;
    let location = format!("/api/v1/deliveries/{}", delivery.id);
    work.commit(Answer::created(&location, &Delivery::of(&delivery))).await
}

/// Send a delivery again
///
/// At once, with the same id and the same body; then as often as a new one.
#[utoipa::path(post, path = "/deliveries/{id}/resend", tag = "deliveries",
    params(("id" = Uuid, Path)), security(("api_key" = ["admin"])),
    responses((status = 200, body = Delivery), (status = "4XX", body = Problem)))]
async fn resend(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Admin)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let of = caller.organization.id;
    let found = deliveries::get(&work.tx, of, id).await?.ok_or_else(none)?;
    // The webhook first, as everybody does.
    let webhook = webhooks::lock(&work.tx, of, found.webhook_id).await?.ok_or_else(none)?;
    is_enabled(&webhook)?;
    let mut row = deliveries::lock(&work.tx, of, id).await?.ok_or_else(none)?;
    row.state = deliveries::WAITING.to_string();
    row.tries = 0;
    row.next_at = Some(work.now);
    row.finished_at = None;
    let delivery = Delivery::of(&row);
    deliveries::update(&work.tx, row).await?;
    let detail = [("webhook_id".to_string(), Value::from(webhook.id.to_string()))];
    work.note("delivery.resent", id, detail.into_iter().collect());
    work.commit(Answer::ok(&delivery)).await
}

/// How many are sent again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Resent {
    resent: u64,
    /// Whether there are more that are dead: ask again.
    more: bool,
}

/// Deliveries that are sent again at a time.
const RESENT_MAX: u64 = 1_000;

/// Send all dead deliveries of a webhook again
///
/// At once, each with the same id and the same body as before: the oldest 1,000, and `more` says
/// whether to ask again.
#[utoipa::path(post, path = "/webhooks/{id}/resend-dead", tag = "webhooks",
    params(("id" = Uuid, Path)), security(("api_key" = ["admin"])),
    responses((status = 200, body = Resent), (status = "4XX", body = Problem)))]
async fn resend_dead(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Admin)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let webhook = lock(&work, &caller, id).await?;
    is_enabled(&webhook)?;
    let (resent, more) = deliveries::revive(&work.tx, id, work.now, RESENT_MAX).await?;
    if resent > 0 {
        let detail = [("resent".to_string(), Value::from(resent))];
        work.note("webhook.dead_resent", id, detail.into_iter().collect());
    }
    work.commit(Answer::ok(&Resent { resent, more })).await
}

/// Fails with `conflict` where nothing is sent.
fn is_enabled(webhook: &webhooks::Model) -> Result<()> {
    match webhook.enabled {
        true => Ok(()),
        false => Err(Error::new(Code::Conflict, "The webhook is disabled: enable it first")),
    }
}

fn none() -> Error {
    Error::not_found("delivery")
}
