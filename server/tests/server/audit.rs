//! The audit log: who did what, in a chain that shows what was done to it.

use crate::shop::{Shop, path};
use crate::support::client::Client;
use crate::support::dice::times;
use crate::support::real::Real;
use crate::support::{BEGIN, Database, Site};
use licentia_server::audit::{self, Entry};
use licentia_server::operations::backup;
use licentia_server::operations::restore::{self, How};
use licentia_server::store::audit as log;
use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

fn entries(admin: &Client, query: &str) -> Vec<Value> {
    let list = admin.get(&format!("/api/v1/audit?per_page=100&{query}")).good();
    list["entries"].as_array().unwrap().clone()
}

fn actions(admin: &Client, query: &str) -> Vec<String> {
    let action = |entry: &Value| entry["action"].as_str().unwrap().to_string();
    entries(admin, query).iter().map(action).collect()
}

fn verify(admin: &Client) -> Value {
    admin.get("/api/v1/audit/verification").good()
}

/// Adds entries as a desk would.
fn append(site: &Site, organization: Uuid, count: usize) {
    site.wait(async {
        for at in 0..count {
            let tx = site.server.store.begin().await.unwrap();
            let mut entry = Entry::by("command", "test.done", organization, BEGIN);
            entry.subject_name = Some(format!("name {at}"));
            entry.actor_name = Some("=1+1 \"quoted\", 'x'\nü".to_string());
            entry.remote = Some("192.0.2.1".to_string());
            entry.request_id = Some(format!("request-{at}"));
            entry.detail = json!({ "at": at, "text": "\u{1f}\u{7f}\\ \"ü\u{1f600}" });
            audit::append(&tx, entry).await.unwrap();
            tx.commit().await.unwrap();
        }
    });
}

/// Does what only somebody with the database in hand can: the log does not only grow.
fn tamper(site: &Site, sql: &[&str]) {
    site.wait(async {
        let tx = site.server.store.begin().await.unwrap();
        log::open(&tx).await.unwrap();
        for sql in sql {
            tx.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
        log::close(&tx).await.unwrap();
        tx.commit().await.unwrap();
    });
}

/// Checks a copy of an exported log as docs/server.md tells an auditor to.
fn auditor(csv: &[u8]) -> String {
    let docs = include_str!("../../../docs/server.md");
    let at = docs.find("import csv, hashlib, json, sys").expect("the example of the docs");
    let code = docs[at..].split("```").next().unwrap();
    let mut python = Command::new("python3")
        .args(["-c", code, "/dev/stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(csv).unwrap();
    let output = python.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    String::from_utf8(output.stdout).unwrap() + error.lines().last().unwrap_or_default()
}

both! {
    fn what_is_done_is_told(site: &Site) {
        let shop = Shop::open(site);
        let customer = json!({"customer_name": "Ann", "customer_email": "a@b.example"});
        let license = shop.license(customer);
        let change = json!({"customer_name": "Bob", "max_seats": 7});
        let key = site.caller("issue read").with("X-Request-Id", "change-1");
        key.put(&path(&license), change.clone()).good();
        // What changes nothing, is refused or comes again is none.
        let before = entries(&shop.admin, "").len();
        key.put(&path(&license), change).good();
        key.put(&path(&license), json!({"max_seats": 0})).refused(422, "invalid_argument");
        key.delete(&path(&license)).refused(403, "forbidden");
        let once = shop.admin.with("Idempotency-Key", "once");
        for _ in 0..2 {
            once.delete(&format!("{}?reason=paid%20back", path(&license))).good();
        }
        let all = entries(&shop.admin, "");
        assert_eq!(all.len(), before + 1);
        let (revoked, changed, made) = (&all[0], &all[1], &all[2]);
        assert_eq!(revoked["action"], "license.revoked");
        assert_eq!(revoked["detail"]["changed"]["reason"]["after"], "paid back");
        assert_eq!(changed["action"], "license.updated");
        assert_eq!(changed["actor_name"], "issue read");
        assert_eq!(changed["request_id"], "change-1");
        assert_eq!(changed["subject"], license["id"]);
        assert_eq!(changed["subject_name"], license["serial"]);
        let expected = json!({"changed": {
            "customer_name": {"before": "Ann", "after": "Bob"},
            "max_seats": {"before": 1, "after": 7},
            "max_machines": {"before": 1, "after": 7},
        }});
        assert_eq!(changed["detail"], expected);
        assert_eq!(made["action"], "license.created");
        assert_eq!(made["detail"]["serial"], license["serial"]);
        let one = shop.admin.get(&format!("/api/v1/audit/{}", changed["seq"])).good();
        assert_eq!(&one, changed);
        shop.admin.get("/api/v1/audit/999").refused(404, "not_found");
        shop.admin.get("/api/v1/audit/x").refused(404, "not_found");
    }

    fn a_filter_finds_what_it_says(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let reader = site.caller("catalog");
        site.clock.set(Some(BEGIN + 100));
        let product = format!("/api/v1/products/{}", shop.id());
        reader.put(&product, json!({"name": "100%_sure"})).good();
        let of = |query: &str| actions(&shop.admin, query);
        assert_eq!(of("action=license.created"), ["license.created"]);
        let id = license["id"].as_str().unwrap();
        assert_eq!(of(&format!("subject={id}")), ["license.created"]);
        assert_eq!(of("from=2026-01-15T10:31:40Z"), ["product.updated"]);
        assert_eq!(of("to=2026-01-15T10:31:40Z").len(), of("").len() - 1);
        assert_eq!(of("search=%25_SURE"), ["product.updated"]);
        assert_eq!(of("search=catalog"), ["product.updated"]);
        let none: [&str; 0] = [];
        assert_eq!(of("search=0%25s"), none);
        assert_eq!(of("search=nobody"), none);
        let actor = entries(&shop.admin, "search=catalog")[0]["actor"].clone();
        assert_eq!(of(&format!("actor={}", actor.as_str().unwrap())), ["product.updated"]);
        for bad in ["actor=a%20b", "action=", "from=2026", "cursor=x", "per_page=0", "colour=red"] {
            shop.admin.get(&format!("/api/v1/audit?{bad}")).refused(400, "malformed");
        }
        let first = shop.admin.get("/api/v1/audit?per_page=1").good();
        let next = first["next_cursor"].as_str().unwrap();
        let second = shop.admin.get(&format!("/api/v1/audit?per_page=1&cursor={next}")).good();
        let seq = |page: &Value| page["entries"][0]["seq"].as_i64().unwrap();
        assert_eq!(seq(&first), seq(&second) + 1);
        let (_, other) = site.organization("Other");
        assert!(entries(&site.nobody().with_key(&other), "").is_empty());
    }

    fn nothing_is_changed_or_deleted_by_hand(site: &Site) {
        append(site, site.organization, 3);
        let store = &site.server.store;
        for sql in [
            "UPDATE audit SET actor = 'x'",
            "DELETE FROM audit WHERE seq = 1",
            "DELETE FROM audit",
        ] {
            let refused = site.wait(async {
                let tx = store.begin().await.unwrap();
                tx.execute_unprepared(sql).await.unwrap_err().to_string()
            });
            assert!(refused.contains("the audit log only grows"), "{sql}: {refused}");
        }
        let sound = verify(&site.admin());
        assert_eq!((&sound["checked"], &sound["intact"]), (&json!(3), &json!(true)));
    }

    fn whatever_is_done_to_it_is_found_where_it_was_done(site: &Site) {
        let copy = "INSERT INTO audit SELECT organization_id, 9, created_at, actor, actor_name, \
                    action, subject, subject_name, remote, request_id, detail_json, \
                    (SELECT hash FROM audit a WHERE a.organization_id = audit.organization_id AND \
                    a.seq = 8), hash FROM audit WHERE seq = 8";
        let elsewhere = "UPDATE audit SET organization_id = \
                         '00000000-0000-0000-0000-000000000000' WHERE seq = 5";
        let closed = "UPDATE audit SET seq = seq - 1 WHERE seq > 5";
        let moves = [
            "UPDATE audit SET seq = 100 WHERE seq = 4",
            "UPDATE audit SET seq = 4 WHERE seq = 5",
            "UPDATE audit SET seq = 5 WHERE seq = 100"];
        for (sql, broken) in [
            (&["UPDATE audit SET created_at = created_at + 1 WHERE seq = 5"][..], 5),
            (&["UPDATE audit SET actor = 'nobody' WHERE seq = 5"], 5),
            (&["UPDATE audit SET actor_name = 'x' WHERE seq = 5"], 5),
            (&["UPDATE audit SET actor_name = NULL WHERE seq = 5"], 5),
            (&["UPDATE audit SET action = 'test.undone' WHERE seq = 5"], 5),
            (&["UPDATE audit SET subject = 'x' WHERE seq = 5"], 5),
            (&["UPDATE audit SET subject_name = remote, remote = subject_name WHERE seq = 5"], 5),
            (&["UPDATE audit SET remote = '192.0.2.2' WHERE seq = 5"], 5),
            (&["UPDATE audit SET request_id = NULL WHERE seq = 5"], 5),
            (&["UPDATE audit SET detail_json = '{}' WHERE seq = 5"], 5),
            (&["UPDATE audit SET previous = hash WHERE seq = 5"], 5),
            (&["UPDATE audit SET hash = previous WHERE seq = 5"], 5),
            (&["UPDATE audit SET hash = previous WHERE seq = 8"], 8),
            (&[elsewhere], 5),
            (&["DELETE FROM audit WHERE seq = 5"], 5),
            (&["DELETE FROM audit WHERE seq = 1"], 1),
            (&["DELETE FROM audit WHERE seq > 6"], 7),
            (&["DELETE FROM audit"], 1),
            (&["DELETE FROM audit WHERE seq = 5", closed], 5),
            (&[copy], 9),
            (&["UPDATE audit_heads SET hash = '0'"], 8),
            (&["UPDATE audit_heads SET seq = 7"], 8),
            (&["DELETE FROM audit_heads"], 1),
            (&moves, 4),
        ] {
            let (organization, key) = site.organization("A");
            append(site, organization, 8);
            let admin = site.nobody().with_key(&key);
            assert_eq!(verify(&admin)["intact"], true);
            tamper(site, sql);
            let told = verify(&admin);
            let found = (&told["intact"], &told["first_broken_seq"]);
            assert_eq!(found, (&json!(false), &json!(broken)), "{sql:?}: {told}");
            tamper(site, &["DELETE FROM audit", "DELETE FROM audit_heads"]);
        }
    }

    fn many_write_at_once_and_the_chain_is_whole(site: &Site) {
        let each = times(5);
        let server = &site.server;
        let (organization, _) = site.organization("Many");
        site.wait(async {
            let writers = (0..64).map(|writer| {
                let server = std::sync::Arc::clone(server);
                tokio::spawn(async move {
                    for at in 0..each {
                        let tx = server.store.begin().await.unwrap();
                        let mut entry = Entry::by("command", "test.done", organization, BEGIN);
                        entry.request_id = Some(format!("{writer}-{at}"));
                        audit::append(&tx, entry).await.unwrap();
                        // Some change their mind, and leave no gap.
                        match (writer + at) % 7 {
                            0 => tx.rollback().await.unwrap(),
                            _ => tx.commit().await.unwrap(),
                        }
                    }
                })
            });
            for writer in writers.collect::<Vec<_>>() {
                writer.await.unwrap();
            }
            let kept = (0..64).flat_map(|writer| (0..each).map(move |at| (writer + at) % 7));
            let kept = kept.filter(|it| *it > 0);
            let snapshot = server.store.snapshot().await.unwrap();
            let walked = audit::walk(&snapshot, organization, None, 1_000_000).await.unwrap();
            assert_eq!(walked.broken, None);
            assert_eq!(walked.checked, kept.count() as u64);
            snapshot.rollback().await.unwrap();
        });
    }

    fn it_is_verified_a_part_at_a_time(site: &Site) {
        append(site, site.organization, 25);
        site.wait(async {
            let snapshot = site.server.store.snapshot().await.unwrap();
            let (mut after, mut checked) = (None, 0);
            loop {
                let walked = audit::walk(&snapshot, site.organization, after, 10).await.unwrap();
                assert_eq!(walked.broken, None);
                checked += walked.checked;
                after = walked.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(checked, 25);
            let beyond = audit::walk(&snapshot, site.organization, Some(26), 10).await.unwrap();
            assert_eq!(beyond.broken.map(|(seq, _)| seq), Some(26));
            snapshot.rollback().await.unwrap();
        });
    }

    fn an_auditor_verifies_an_export_alone(site: &Site) {
        append(site, site.organization, 5);
        let shop = Shop::open(site);
        let name = "=cmd|' /C calc'!A0 \"a\", 'b' \u{202e}";
        shop.license(json!({"customer_name": name}));
        shop.admin.put(&format!("/api/v1/products/{}", shop.id()), json!({"name": "'=1"})).good();
        let export = shop.admin.get("/api/v1/exports/audit");
        assert_eq!(export.status, 200, "{}", export.text());
        let head = verify(&shop.admin)["head"].clone();
        let told = auditor(&export.body);
        assert_eq!(told.trim(), format!("{} {}", head["seq"], head["hash"].as_str().unwrap()));
        let text = export.text();
        let other = [("product.updated", "product.created"), ("name 3", "name 4"), ("ü", "u")];
        for (from, to) in other {
            let other = text.replacen(from, to, 1);
            assert_ne!(other, text, "{from}");
            assert!(auditor(other.as_bytes()).contains("is not as it was written"), "{from}");
        }
        let lines: Vec<&str> = text.split_inclusive("\r\n").collect();
        let gap = lines.iter().enumerate().filter(|(at, _)| *at != 8);
        let gap: String = gap.map(|(_, it)| *it).collect();
        assert!(auditor(gap.as_bytes()).contains("is missing"));
    }

    fn no_secret_is_in_it(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let key = shop.admin.post(&format!("{}/license-key", path(&license)), json!({})).good();
        let api = json!({"name": "more", "scopes": ["read"]});
        let api = shop.admin.post("/api/v1/api-keys", api).good();
        let hook = json!({"url": "https://user:canary@hooks.example.com/canary?canary=1"});
        let hook = shop.admin.post("/api/v1/webhooks", hook);
        let hook = if hook.status == 201 { hook } else {
            let plain = json!({"url": "https://hooks.example.com/canary?canary=1"});
            shop.admin.post("/api/v1/webhooks", plain)
        };
        let hook = hook.good();
        let rotate = format!("/api/v1/webhooks/{}/rotate-secret", hook["id"].as_str().unwrap());
        let rotated = shop.admin.post(&rotate, json!({})).good();
        let text = shop.admin.get("/api/v1/exports/audit").text();
        assert!(text.contains("webhook.secret_rotated") && text.contains("api_key.created"));
        let secrets = [
            &license["license_key"], &key["license_key"], &api["key"], &license["license_blob"],
            &hook["secret"], &rotated["secret"], &json!("canary"), &json!(site.key),
        ];
        for secret in secrets {
            let secret = secret.as_str().unwrap();
            assert!(secret.len() > 5 && !text.contains(secret), "{secret}");
        }
    }

    fn a_restored_log_is_whole(site: &Site) {
        append(site, site.organization, 5);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup");
        let (store, clock) = (&site.server.store, &site.clock);
        site.wait(backup::backup(store, clock, &file)).unwrap();
        append(site, site.organization, 5);
        let how = How { force: true, ..How::default() };
        site.wait(restore::restore(store, &file, how)).unwrap();
        let told = verify(&site.admin());
        assert_eq!((&told["checked"], &told["intact"]), (&json!(6), &json!(true)), "{told}");
        assert_eq!(actions(&site.admin(), "")[0], "server.restored");
        let refused = site.wait(async {
            let tx = store.begin().await.unwrap();
            tx.execute_unprepared("DELETE FROM audit").await.unwrap_err().to_string()
        });
        assert!(refused.contains("only grows"), "{refused}");
    }
}

#[test]
fn it_tells_from_where() {
    let real = Real::new();
    let admin = real.admin();
    admin.post("/api/v1/products", json!({"name": "A", "code": "a"})).good();
    let made = &entries(&admin, "action=product.created")[0];
    assert_eq!(made["remote"], "127.0.0.1");
    assert_eq!(made["actor_name"], "Administrator");
    let before: Vec<String> = actions(&admin, "").split_off(1);
    assert_eq!(before, ["api_key.created", "organization.created"], "what the first start made");
}

/// A log goes from one kind of database to the other, and is the same.
#[test]
fn a_log_moves_with_a_backup() {
    let Some(other) = Database::postgres() else { return };
    let site = Site::sqlite();
    append(&site, site.organization, 5);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    site.wait(async {
        backup::backup(&site.server.store, &site.clock, &file).await.unwrap();
        let store = other.open().await;
        restore::restore(&store, &file, How::default()).await.unwrap();
        let snapshot = store.read().begin().await.unwrap();
        let walked = audit::walk(&snapshot, site.organization, None, 100).await.unwrap();
        assert_eq!((walked.checked, walked.broken), (6, None));
        snapshot.rollback().await.unwrap();
        store.close().await;
    });
}
