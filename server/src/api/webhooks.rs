//! Webhooks: where events are sent.

use super::api_keys::Secret;
use super::given::{self, Nothing, maybe, some};
use super::{
    Answer, Asked, Caller, Id, PageQuery, Problem, Scope, Server, Shared, Stop, Work, Written,
};
use crate::error::{Code, Error, Result};
use crate::store::{events, organizations, products, webhooks};
use crate::terms::Moment;
use crate::webhooks::kinds::{self, KINDS};
use crate::webhooks::place;
use crate::webhooks::secrets::Secrets;
use axum::extract::State;
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Webhooks of an organization, at most.
const WEBHOOKS_MAX: u64 = 20;

/// Characters of a URL.
const URL_MAX: usize = 2048;

/// Characters of a description.
const DESCRIPTION_MAX: usize = 4096;

/// Seconds for which the old secret and key go on signing, unless somebody says.
const OVERLAP: i64 = 86_400;

/// The same, at most: a week.
const OVERLAP_MAX: i64 = 604_800;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, change, delete))
        .routes(routes!(rotate))
        .routes(routes!(event_kinds))
}

/// A webhook: where events are sent. Its secret is shown once, when it is made or rotated.
#[derive(Debug, Serialize, ToSchema)]
pub struct Webhook {
    id: Uuid,
    /// Where events are sent. Its path and query are shown to the scope `admin` alone: for others
    /// `…` stands for them.
    url: String,
    description: Option<String>,
    /// The kinds of events that it takes; empty = all.
    events: Vec<String>,
    /// Only what is about this product; null = everything.
    product_id: Option<Uuid>,
    enabled: bool,
    /// Why it is not enabled, where the server disabled it: its endpoint answered 410, or a backup
    /// was restored. What happens waits for it then.
    disabled_reason: Option<String>,
    /// Since when nothing arrives; null = the last delivery did.
    failing_since: Option<Moment>,
    /// What the signatures `v1a` are verified with.
    public_key: String,
    /// The one before it, which goes on signing until `previous_until`.
    previous_public_key: Option<String>,
    previous_until: Option<Moment>,
    created_at: Moment,
    updated_at: Moment,
}

impl Webhook {
    /// That of a row, at a time, as somebody may see it.
    fn to(caller: &Caller, row: &webhooks::Model, now: i64) -> Webhook {
        let all = Webhook::of(row, now);
        match caller.scopes.has(Scope::Admin) {
            true => all,
            false => Webhook { url: place::short(&row.url), ..all },
        }
    }

    /// The same as events tell it: they go to others, too.
    fn told(row: &webhooks::Model, now: i64) -> Webhook {
        Webhook { url: place::origin(&row.url), ..Webhook::of(row, now) }
    }

    /// That of a row, at a time.
    fn of(row: &webhooks::Model, now: i64) -> Webhook {
        let until = row.before_until.filter(|until| now < *until);
        Webhook {
            id: row.id,
            url: row.url.clone(),
            description: row.description.clone(),
            events: row.kinds.split_whitespace().map(str::to_string).collect(),
            product_id: row.product_id,
            enabled: row.enabled,
            disabled_reason: row.disabled_why.clone(),
            failing_since: row.failing_since.map(Moment),
            public_key: row.public_key.clone(),
            previous_public_key: until.and(row.public_key_before.clone()),
            previous_until: until.map(Moment),
            created_at: Moment(row.created_at),
            updated_at: Moment(row.updated_at),
        }
    }
}

/// A webhook with its secret.
#[derive(Serialize, ToSchema)]
pub struct WebhookWithSecret {
    #[serde(flatten)]
    webhook: Webhook,
    /// What the signatures `v1` are verified with. It is shown this once.
    #[schema(value_type = String)]
    secret: Secret,
}

/// A page of webhooks.
#[derive(Debug, Serialize, ToSchema)]
pub struct Webhooks {
    webhooks: Vec<Webhook>,
    /// How many there are on all pages.
    total: u64,
    /// For the next page; null after the last.
    next_cursor: Option<String>,
}

/// A webhook to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Where events are sent: https, and an address that everybody can reach.
    #[schema(min_length = 1, max_length = 2048)]
    url: String,
    /// The kinds of events that it takes; absent, null or empty = all. `GET /event-kinds` lists
    /// them.
    #[schema(max_items = 100)]
    events: Option<Vec<String>>,
    /// Only what is about this product; absent or null = everything.
    product_id: Option<Uuid>,
    #[schema(max_length = 4096)]
    description: Option<String>,
    #[schema(default = true)]
    enabled: Option<bool>,
}

/// What is to be otherwise. A member that is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookChange {
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = String, min_length = 1, max_length = 2048, nullable = false)]
    url: Option<String>,
    /// Null or empty = all.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    events: Option<Option<Vec<String>>>,
    /// Null = everything.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<Uuid>)]
    product_id: Option<Option<Uuid>>,
    /// Null clears it.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<String>, max_length = 4096)]
    description: Option<Option<String>>,
    /// While it is not, because somebody says so, no events are kept for it, and what waits goes on
    /// waiting.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = bool, nullable = false)]
    enabled: Option<bool>,
}

/// How the secret is rotated.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// How long the old secret and the old key go on signing, beside the new ones.
    #[schema(minimum = 0, maximum = 604800, default = 86400)]
    overlap_seconds: Option<i64>,
}

/// Kinds of events, as words with spaces between. Fails with `invalid_argument` for one that is
/// none.
fn words(events: Option<Vec<String>>) -> Result<String> {
    let events = events.unwrap_or_default();
    let mut seen = BTreeSet::new();
    for kind in &events {
        if !kinds::is_known(kind) {
            let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
            return Err(Error::invalid(format!(
                "events: {kind:.64} is no kind of event; there are {}",
                known.join(", ")
            )));
        }
        if !seen.insert(kind) {
            return Err(Error::invalid(format!("events: {kind} is there twice")));
        }
    }
    Ok(events.join(" "))
}

/// Fails with `invalid_argument` for what no webhook can be. What it was before stays allowed while
/// nothing is sent for it: so it can be disabled.
async fn check(
    server: &Server,
    row: &webhooks::Model,
    before: Option<&webhooks::Model>,
    tx: &impl ConnectionTrait,
) -> Result<()> {
    let before = before.filter(|before| before.enabled || !row.enabled);
    if before.is_none_or(|before| before.url != row.url) {
        if row.url.chars().count() > URL_MAX {
            return Err(Error::invalid(format!("url has at most {URL_MAX} characters")));
        }
        server.webhooks.check(&row.url)?;
    }
    given::lines("description", row.description.as_deref(), DESCRIPTION_MAX)?;
    if let Some(product) = row.product_id
        && before.is_none_or(|before| before.product_id != row.product_id)
        && products::get(tx, row.organization_id, product).await?.is_none()
    {
        return Err(Error::invalid("product_id: there is no such product: look at its id"));
    }
    Ok(())
}

/// Create a webhook
///
/// The answer has the secret, this once. An organization has at most 20.
#[utoipa::path(post, path = "/webhooks", tag = "webhooks", request_body = NewWebhook,
    security(("api_key" = ["admin"])),
    responses((status = 201, body = WebhookWithSecret), (status = "4XX", body = Problem)))]
async fn create(
    State(server): State<Shared>,
    caller: Caller,
    Written { body, origin }: Written<NewWebhook>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Admin)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let (id, organization) = (Uuid::now_v7(), caller.organization.id);
    let secrets = Secrets::generate()?;
    let mut row = webhooks::Model {
        id,
        organization_id: organization,
        url: body.url,
        description: body.description,
        kinds: words(body.events)?,
        product_id: body.product_id,
        enabled: body.enabled.unwrap_or(true),
        disabled_why: None,
        sealed: secrets.seal(server.signer.vault(), id)?,
        public_key: secrets.public_key(),
        sealed_before: None,
        public_key_before: None,
        before_until: None,
        failing_since: None,
        after_event: 0,
        created_at: work.now,
        updated_at: work.now,
    };
    check(&server, &row, None, &work.tx).await?;
    // Two that come at once are counted one after the other.
    organizations::lock(&work.tx, organization).await?;
    if webhooks::count(&work.tx, organization).await? >= WEBHOOKS_MAX {
        let what = format!("The organization has {WEBHOOKS_MAX} webhooks: delete one first");
        return Err(Error::new(Code::Conflict, what).into());
    }
    let (webhook, told) = (Webhook::of(&row, work.now), Webhook::told(&row, work.now));
    // At the end: after it, as little as can be happens before the webhook is there.
    row.after_event = events::settled(&work.tx).await?;
    webhooks::insert(&work.tx, row).await?;
    work.event("webhook.created", id, &told);
    let answer = WebhookWithSecret { webhook, secret: Secret(secrets.secret()) };
    work.commit(Answer::created(&format!("/api/v1/webhooks/{id}"), &answer)).await
}

/// List webhooks
#[utoipa::path(get, path = "/webhooks", tag = "webhooks", params(PageQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Webhooks), (status = "4XX", body = Problem)))]
async fn list(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<PageQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let (page, now) = (query.page()?, server.clock.now());
    let (mut rows, total) =
        webhooks::list(server.store.read(), caller.organization.id, page.and_one()).await?;
    let next_cursor = page.cut(&mut rows, |row| row.id);
    let webhooks = rows.iter().map(|row| Webhook::to(&caller, row, now)).collect();
    Ok(Answer::ok(&Webhooks { webhooks, total, next_cursor }))
}

/// Get a webhook
#[utoipa::path(get, path = "/webhooks/{id}", tag = "webhooks", params(("id" = Uuid, Path)),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Webhook), (status = "4XX", body = Problem)))]
async fn get(State(server): State<Shared>, caller: Caller, Id(id): Id) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let row = webhooks::get(server.store.read(), caller.organization.id, id).await?;
    let row = row.ok_or_else(none)?;
    Ok(Answer::ok(&Webhook::to(&caller, &row, server.clock.now())))
}

/// Change a webhook
///
/// Only the members that are given change. One that is enabled again gets what waits for it.
#[utoipa::path(put, path = "/webhooks/{id}", tag = "webhooks", params(("id" = Uuid, Path)),
    request_body = WebhookChange, security(("api_key" = ["admin"])),
    responses((status = 200, body = Webhook), (status = "4XX", body = Problem)))]
async fn change(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body, origin }: Written<WebhookChange>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Admin)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let before = lock(&work, &caller, id).await?;
    let mut row = before.clone();
    row.url = body.url.unwrap_or(row.url);
    if let Some(events) = body.events {
        row.kinds = words(events)?;
    }
    row.product_id = body.product_id.unwrap_or(row.product_id);
    row.description = body.description.unwrap_or(row.description);
    if let Some(enabled) = body.enabled {
        row.enabled = enabled;
        // From now on somebody has said so.
        row.disabled_why = None;
    }
    if row != before {
        check(&server, &row, Some(&before), &work.tx).await?;
        // Where nothing arrived, another URL has to show that something does.
        if row.enabled != before.enabled {
            row.failing_since = None;
        }
        row.updated_at = work.now;
        webhooks::update(&work.tx, row.clone()).await?;
        let [was, is] = [&before, &row].map(|it| Webhook::of(it, work.now));
        let told = Webhook::told(&row, work.now);
        work.changed_as("webhook.updated", id, [&was, &is], &told);
    }
    let webhook = Webhook::of(&row, work.now);
    work.commit(Answer::ok(&webhook)).await
}

/// Delete a webhook
///
/// What is on its way to it is deleted, too.
#[utoipa::path(delete, path = "/webhooks/{id}", tag = "webhooks", params(("id" = Uuid, Path)),
    security(("api_key" = ["admin"])),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn delete(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Admin)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let row = lock(&work, &caller, id).await?;
    webhooks::delete(&work.tx, &row).await?;
    work.event("webhook.deleted", id, &Webhook::told(&row, work.now));
    work.commit(Answer::empty()).await
}

/// Rotate the secret of a webhook
///
/// The answer has the new secret, this once, and the new public key. For a day, or as long as
/// `overlap_seconds` says, the old ones sign beside them; those before them no more.
#[utoipa::path(post, path = "/webhooks/{id}/rotate-secret", tag = "webhooks",
    params(("id" = Uuid, Path)), request_body = Rotation, security(("api_key" = ["admin"])),
    responses((status = 200, body = WebhookWithSecret), (status = "4XX", body = Problem)))]
async fn rotate(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body, origin }: Written<Rotation>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Admin)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let mut row = lock(&work, &caller, id).await?;
    given::within("overlap_seconds", body.overlap_seconds, 0, OVERLAP_MAX)?;
    let overlap = body.overlap_seconds.unwrap_or(OVERLAP);
    let secrets = Secrets::generate()?;
    let sealed = std::mem::replace(&mut row.sealed, secrets.seal(server.signer.vault(), id)?);
    let key = std::mem::replace(&mut row.public_key, secrets.public_key());
    let has_before = overlap > 0;
    row.sealed_before = has_before.then_some(sealed);
    row.public_key_before = has_before.then_some(key);
    row.before_until = has_before.then(|| work.now.saturating_add(overlap));
    row.updated_at = work.now;
    webhooks::update(&work.tx, row.clone()).await?;
    let webhook = Webhook::of(&row, work.now);
    work.event("webhook.secret_rotated", id, &Webhook::told(&row, work.now));
    let answer = WebhookWithSecret { webhook, secret: Secret(secrets.secret()) };
    work.commit(Answer::ok(&answer)).await
}

/// One of the caller's, which nobody else changes meanwhile.
pub(super) async fn lock(work: &Work, caller: &Caller, id: Uuid) -> Result<webhooks::Model> {
    webhooks::lock(&work.tx, caller.organization.id, id).await?.ok_or_else(none)
}

fn none() -> Error {
    Error::not_found("webhook")
}

/// A kind of event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventKind {
    /// Such as `license.created`.
    kind: &'static str,
    /// When there is one.
    when: &'static str,
}

/// Every kind of event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventKinds {
    event_kinds: Vec<EventKind>,
}

/// List the kinds of events
///
/// What a webhook can take.
#[utoipa::path(get, path = "/event-kinds", tag = "webhooks", security(("api_key" = ["read"])),
    responses((status = 200, body = EventKinds), (status = "4XX", body = Problem)))]
async fn event_kinds(caller: Caller) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let event_kinds = KINDS.iter().map(|it| EventKind { kind: it.name, when: it.when }).collect();
    Ok(Answer::ok(&EventKinds { event_kinds }))
}
