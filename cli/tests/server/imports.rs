//! `licentia server import` beside a server that runs.

use crate::running::Start;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What an import said, and its exit status.
fn import(start: &Start, words: &[&str]) -> (Value, Option<i32>) {
    let done = start.server(&[&["import"], words].concat()).output().unwrap();
    let text = [done.stdout, done.stderr].concat();
    let line = text.split(|byte| *byte == b'\n').find(|line| line.starts_with(b"{"));
    (serde_json::from_slice(line.unwrap_or_default()).unwrap_or_default(), done.status.code())
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_string()
}

#[test]
fn products_and_licenses_come_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let start = Start::new(folder.path(), None);
    let server = start.run();
    server.admin().post("/v1/key-pairs", json!({"name": "main"})).good();
    let products = file(folder.path(), "p.csv", "code,name,key_pair\napp,App,main\n");
    let (said, status) = import(&start, &["--kind", "products", &products]);
    assert_eq!((&said["created"], status), (&json!(1), Some(0)), "{said}");

    let keys = folder.path().join("keys.csv");
    let to = ["--kind", "licenses", "--keys", keys.to_str().unwrap()];
    let bad = "product,customer_id,max_seats\napp,=c1,3\napp,c2,none\n";
    let licenses = file(folder.path(), "l.csv", bad);
    let (said, status) = import(&start, &[&to[..], &[&licenses]].concat());
    assert_ne!(status, Some(0));
    assert!(said.to_string().contains("line 3: max_seats"), "{said}");
    assert!(!keys.exists());
    assert_eq!(server.admin().get("/v1/licenses").good()["total"], 0);

    let licenses = file(folder.path(), "l.csv", &bad.replace("none", "4"));
    let dry = ["--kind", "licenses", "--dry-run", &licenses];
    assert_eq!(import(&start, &dry).0["created"], 2);
    assert_eq!(server.admin().get("/v1/licenses").good()["total"], 0);
    let (said, _) = import(&start, &[&to[..], &[&licenses]].concat());
    assert_eq!(said["created"], 2, "{said}");
    assert_eq!(server.admin().get("/v1/licenses").good()["total"], 2);
    let written = fs::read_to_string(&keys).unwrap();
    assert!(written.contains("\"'=c1\",\"") && written.lines().count() == 3, "{written}");
    assert_eq!(keys.metadata().unwrap().mode() & 0o777, 0o600);
    let (said, _) = import(&start, &["--kind", "licenses", &licenses]);
    assert_eq!((&said["same"], &said["created"]), (&json!(2), &json!(0)));
    let nobody = ["--kind", "licenses", "--organization", "Nobody", &licenses];
    assert_ne!(import(&start, &nobody).1, Some(0));
}
