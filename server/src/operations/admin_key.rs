//! A new key for an administrator who has lost theirs, made by whoever has the database in hand.

use crate::api_key;
use crate::audit;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::first_start::{Key, SCOPES};
use crate::store::{Store, api_keys, events, organizations};
use sea_orm::prelude::Uuid;
use serde_json::json;

/// Makes an API key with all scopes of an organization; `None` = of the first, whose administrator
/// looks after the other organizations as well. Other keys stay as they are.
///
/// Fails with `not_found` where there is no such organization.
pub async fn make(
    store: &Store,
    clock: &Clock,
    organization: Option<Uuid>,
) -> Result<(organizations::Model, Key)> {
    let tx = store.begin().await?;
    let first = organizations::first(&tx).await?;
    let is_first = |id: Uuid| first.as_ref().is_some_and(|first| first.id == id);
    let found = match organization {
        Some(id) => organizations::get(&tx, id).await?,
        None => first.clone(),
    };
    let organization = found.ok_or_else(|| Error::not_found("organization"))?;
    let (id, now) = (Uuid::now_v7(), clock.now());
    let key = api_key::generate(id)?;
    let row = api_keys::Model {
        id,
        organization_id: organization.id,
        name: "Administrator, made by hand".to_string(),
        hint: api_key::hint(id),
        digest: api_key::digest(&key),
        scopes: if is_first(organization.id) { SCOPES } else { "admin" }.to_string(),
        created_at: now,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    let made = events::Model {
        seq: 0,
        id: Uuid::now_v7(),
        organization_id: organization.id,
        kind: "api_key.created".to_string(),
        subject: id.to_string(),
        data_json: json!({ "name": row.name, "scopes": row.scopes }).to_string(),
        actor: "command".to_string(),
        request_id: None,
        created_at: now,
        claimed_until: None,
        delivered_at: None,
    };
    let entry = audit::Entry {
        subject: id.to_string(),
        subject_name: Some(row.name.clone()),
        detail: json!({ "scopes": row.scopes }),
        ..audit::Entry::by("command", "api_key.created", organization.id, now)
    };
    api_keys::insert(&tx, row).await?;
    events::insert(&tx, vec![made]).await?;
    audit::append(&tx, entry).await?;
    tx.commit().await?;
    Ok((organization, Key(key)))
}
