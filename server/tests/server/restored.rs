//! What is restored sends nothing by itself, and lets nobody in who was in.

use crate::backup::{FORCE, Shelf, add};
use crate::support::{BEGIN, Site};
use licentia_server::operations::backup::backup;
use licentia_server::operations::restore::{How, restore};
use licentia_server::store::{sessions, webhooks};
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

/// Of somebody who is signed in for long.
fn session(organization: Uuid) -> sessions::Model {
    sessions::Model {
        digest: "digest".into(),
        organization_id: organization,
        api_key_id: Uuid::now_v7(),
        remote: None,
        created_at: BEGIN,
        last_seen_at: BEGIN,
        expires_at: i64::MAX,
    }
}

both! {
    fn what_is_restored_sends_nothing_and_lets_nobody_in(site: &Site) {
        let shelf = Shelf::new();
        let file = shelf.file("backup");
        let make = |enabled: bool| {
            let body = json!({ "url": "https://hooks.example.com/", "enabled": enabled });
            let made = site.admin().post("/api/v1/webhooks", body).good();
            format!("/api/v1/webhooks/{}", made["id"].as_str().unwrap())
        };
        let (on, off) = (make(true), make(false));
        let after = || site.wait(async {
            let all = webhooks::after(site.server.store.read(), Uuid::nil(), 9).await.unwrap();
            all.iter().map(|row| row.after_event).max()
        });
        assert!(after() > Some(0), "something happened before it");
        let (session, keep) = (session(site.organization), How { keep_webhooks: true, ..FORCE });
        let bring = |how: How| site.wait(async {
            restore(&site.server.store, &file, how).await.unwrap().webhooks_disabled
        });
        site.wait(async {
            add::<sessions::Entity>(&site.server.store, session.clone()).await;
            backup(&site.server.store, &site.clock, &file).await.unwrap();
        });
        assert_eq!(bring(keep), 0);
        assert_eq!(site.admin().get(&on).good()["enabled"], true);
        assert_eq!(after(), Some(0), "in a new database numbers begin anew");
        let found = sessions::get(site.server.store.read(), &session.digest, BEGIN);
        assert_eq!(site.wait(found).unwrap(), None, "who signed out is signed out");
        assert_eq!(bring(FORCE), 1);
        let (on, off) = (site.admin().get(&on).good(), site.admin().get(&off).good());
        assert_eq!((&on["enabled"], &off["enabled"]), (&json!(false), &json!(false)));
        assert!(on["disabled_reason"].as_str().unwrap().contains("backup"), "{on}");
        assert_eq!(off["disabled_reason"], Value::Null, "somebody said so");
        let waits = site.wait(async {
            let tx = site.server.store.begin().await.unwrap();
            webhooks::open(&tx, [site.organization]).await.unwrap()
        });
        let waits: Vec<String> = waits.iter().map(|row| row.id.to_string()).collect();
        assert_eq!(waits, [on["id"].as_str().unwrap()], "what happens waits for it");
        let told = site.admin().get("/api/v1/audit?action=server.restored").good();
        assert_eq!(told["entries"][0]["detail"]["webhooks_disabled"], 1);
    }
}
