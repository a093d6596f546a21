//! `licentia server backup` and `restore`, as somebody does it by hand.

use crate::oracle::{self, Shop};
use crate::postgres;
use crate::running::Start;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;

/// Runs a command of `licentia server` on the database of a server.
fn server(start: &Start, words: &[&str], file: &Path) -> Output {
    let mut command = start.server(words);
    command.arg(file).output().unwrap()
}

fn good(output: &Output) -> Value {
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&told).unwrap()
}

#[test]
fn a_server_that_runs_is_backed_up_and_another_takes_over() {
    let folder = tempfile::tempdir().unwrap();
    let old = Start::new(&folder.path().join("old"), None);
    std::fs::create_dir(&old.data).unwrap();
    let running = old.run();
    let shop = Shop::open(&running.admin());
    let gone = json!({ "product_id": shop.product });
    let gone = running.admin().post("/api/v1/licenses", gone).good();
    let file = folder.path().join("backup");
    let made = good(&server(&old, &["backup", "--out"], &file));
    assert!(made["rows"].as_u64().unwrap() > 5, "{made}");
    // A second one does not take its place.
    let again = server(&old, &["backup", "--out"], &file);
    assert!(!again.status.success());
    let path = format!("/api/v1/licenses/{}", gone["id"].as_str().unwrap());
    running.admin().delete(&path).good();
    // Nothing is put under a server that runs.
    let refused = server(&old, &["restore", "--force"], &file);
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(said.contains("Another server runs"), "{said}");
    running.kill();
    let refused = server(&old, &["restore"], &file);
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(said.contains("--force"), "{said}");
    let restored = good(&server(&old, &["restore", "--force"], &file));
    assert_eq!(restored["still_revoked"], 1);
    let running = old.run();
    assert_eq!(running.admin().get(&path).good()["status"], "revoked");
    let mut others = vec![Start::new(&folder.path().join("new"), None)];
    if let Some(cluster) = postgres::shared() {
        let url = cluster.url(&cluster.create("template0"));
        others.push(Start::new(&folder.path().join("postgres"), Some(url)));
    }
    for other in others {
        good(&server(&other, &["restore"], &file));
        std::fs::create_dir_all(&other.data).unwrap();
        let running = other.run();
        let admin = running.admin();
        let found = oracle::all(&admin, "/api/v1/licenses?per_page=100", "licenses");
        assert_eq!(found.len(), 2);
        // It signs with the keys that it had, and goes on.
        let license = json!({ "product_id": shop.product });
        admin.post("/api/v1/licenses", license).good();
        let seats = format!("/api/v1/licenses/{}/seats", shop.license);
        admin.post(&seats, json!({ "holder": "ann" })).good();
    }
}
