//! The first organization and its administrator: made once, whoever starts first.

use crate::api_key;
use crate::audit;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::store::{Store, api_keys, events, meta, organizations};
use sea_orm::prelude::Uuid;
use serde_json::json;
use zeroize::Zeroizing;

/// The scopes of the first key: everything in its organization, and the other organizations.
pub(crate) const SCOPES: &str = "admin operator";

/// Characters of the shortest key that is brought along.
const KEY_MIN: usize = 32;

/// What was made.
#[derive(Debug)]
pub struct First {
    /// The organization.
    pub organization: organizations::Model,
    /// The API key of its administrator, to be shown once; `None` = it was brought along.
    pub key: Option<Key>,
}

/// A secret that is shown on purpose only.
pub struct Key(pub Zeroizing<String>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

/// Makes the first organization of a database that has none, and the API key of its administrator:
/// `admin_key`, or a new one. Of servers that start at the same time one does it, and the others
/// wait. Gives `None` where it was done before: a key that is brought along later is not taken.
///
/// Fails with `invalid_argument` for a key that is too short or cannot travel in a header.
pub async fn first_start(
    store: &Store,
    clock: &Clock,
    name: &str,
    issuer: &str,
    admin_key: Option<&str>,
) -> Result<Option<First>> {
    if let Some(key) = admin_key {
        check(key)?;
    }
    let (organization, id) = (Uuid::now_v7(), Uuid::now_v7());
    let tx = store.begin().await?;
    // Whoever comes second waits here for the first.
    let is_first = meta::add(&tx, meta::FIRST, organization.to_string()).await?;
    if !is_first || organizations::is_any(&tx).await? {
        return Ok(None);
    }
    let now = clock.now();
    let organization = organizations::Model {
        id: organization,
        name: name.to_string(),
        issuer: issuer.to_string(),
        created_at: now,
        updated_at: now,
    };
    organizations::insert(&tx, organization.clone()).await?;
    let made = if admin_key.is_some() { None } else { Some(api_key::generate(id)?) };
    let key = made.as_ref().map_or(admin_key, |key| Some(key.as_str())).unwrap_or_default();
    let row = api_keys::Model {
        id,
        organization_id: organization.id,
        name: "Administrator".to_string(),
        // Nothing of a key that somebody made up is told.
        hint: made.as_ref().map_or_else(String::new, |_| api_key::hint(id)),
        digest: api_key::digest(key),
        scopes: SCOPES.to_string(),
        created_at: now,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    let told = [
        event("organization.created", &organization, organization.id),
        event("api_key.created", &organization, id),
    ];
    api_keys::insert(&tx, row).await?;
    events::insert(&tx, told.into()).await?;
    for (action, subject) in [("organization.created", organization.id), ("api_key.created", id)] {
        let entry = audit::Entry {
            subject: subject.to_string(),
            ..audit::Entry::by("server", action, organization.id, now)
        };
        audit::append(&tx, entry).await?;
    }
    tx.commit().await?;
    Ok(Some(First { organization, key: made.map(Key) }))
}

fn event(kind: &str, organization: &organizations::Model, subject: Uuid) -> events::Model {
    events::Model {
        seq: 0,
        id: Uuid::now_v7(),
        organization_id: organization.id,
        kind: kind.to_string(),
        subject: subject.to_string(),
        data_json: json!({ "organization": organization.name }).to_string(),
        actor: "server".to_string(),
        request_id: None,
        created_at: organization.created_at,
        claimed_until: None,
        delivered_at: None,
    }
}

fn check(key: &str) -> Result<()> {
    if key.len() < KEY_MIN || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let what = format!(
            "LICENTIA_ADMIN_KEY has to have {KEY_MIN} or more characters, letters, digits and \
             signs of ASCII, made at random"
        );
        return Err(Error::invalid(what));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::store::migrations;

    async fn store(folder: &std::path::Path) -> Store {
        let store = Store::sqlite(&folder.join("licentia.db")).await.unwrap();
        migrations::migrate(&store).await.unwrap();
        store
    }

    #[tokio::test]
    async fn it_happens_once_also_when_two_start_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (store(folder.path()).await, store(folder.path()).await);
        let clock = Clock::default();
        let (first, second) = tokio::join!(
            first_start(&a, &clock, "Acme", "acme", None),
            first_start(&b, &clock, "Acme", "acme", None),
        );
        let made: Vec<First> = [first.unwrap(), second.unwrap()].into_iter().flatten().collect();
        let [First { organization, key: Some(key) }] = &made[..] else { panic!("{made:?}") };
        assert_eq!(format!("{key:?}"), "Key");
        let digest = api_key::digest(&key.0);
        let (row, of) = api_keys::find(a.read(), &digest, 0).await.unwrap().unwrap();
        assert_eq!((of.id, row.scopes.as_str()), (organization.id, SCOPES));
        let brought = "k".repeat(40);
        let later = first_start(&a, &clock, "Acme", "acme", Some(&brought)).await.unwrap();
        assert!(later.is_none());
        let digest = api_key::digest(&brought);
        assert_eq!(api_keys::find(a.read(), &digest, 0).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_key_is_brought_along_if_it_can_be_one() {
        let folder = tempfile::tempdir().unwrap();
        let (store, clock) = (store(folder.path()).await, Clock::default());
        for wrong in ["", &"k".repeat(31), &"k ".repeat(32), &"é".repeat(32)] {
            let error = first_start(&store, &clock, "A", "a", Some(wrong)).await.unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert!(wrong.is_empty() || !error.detail().contains(wrong));
        }
        let key = "0123456789abcdef0123456789abcdef";
        let first = first_start(&store, &clock, "A", "a", Some(key)).await.unwrap().unwrap();
        assert!(first.key.is_none(), "it is not shown again");
        let found = api_keys::find(store.read(), &api_key::digest(key), 0).await.unwrap();
        assert_eq!(found.unwrap().0.hint, "");
    }
}
