//! `licentia server audit verify`, as an auditor runs it: on logs that are whole, and on logs that
//! somebody wrote into behind the server's back.

use crate::oracle::Shop;
use crate::running::Start;
use licentia_server::store::{Store, audit, rows};
use serde_json::{Value, json};

/// Somebody whose log it is not.
const STRANGER: &str = "01a204a1-2e78-7608-858e-76bd7f9ba543";

/// The number of an entry, and what did it, among its columns.
const SEQ: usize = 1;
const ACTOR_NAME: usize = 4;

/// What `audit verify` says with these words, and its exit status.
fn verify(start: &Start, words: &[&str]) -> (Value, i32) {
    let words = [&["audit", "verify"], words].concat();
    let done = start.server(&words).output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    let told = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    (told, done.status.code().unwrap())
}

/// A row of the log, a value for each column.
type Row = Vec<Value>;

/// Takes the triggers away, and writes these entries in place of all. Gives what was there, and
/// whether the database refused it before.
fn replace(start: &Start, entries: &[Row]) -> (Vec<Row>, bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::sqlite(&start.data.join("licentia.db")).await.unwrap();
        let tables = rows::tables().unwrap();
        let table = tables.iter().find(|table| table.name() == "audit").unwrap();
        let tx = store.begin().await.unwrap();
        let before = table.page(&tx, None).await.unwrap();
        let before = before.iter().map(|row| table.to_json(row)).collect();
        let refused = table.clear(&tx).await.is_err();
        audit::open(&tx).await.unwrap();
        table.clear(&tx).await.unwrap();
        let entries = entries.iter().map(|row| table.from_json(row).unwrap()).collect();
        table.insert(&tx, entries).await.unwrap();
        tx.commit().await.unwrap();
        store.close().await;
        (before, refused)
    })
}

/// Where the entry with a number is.
fn at(all: &[Row], seq: i64) -> usize {
    all.iter().position(|row| row[SEQ] == seq).unwrap()
}

#[test]
fn a_log_that_is_whole_is_good_and_one_that_was_written_into_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let start = Start::new(folder.path(), None);
    let server = start.run();
    Shop::open(&server.admin());
    // While the server runs.
    let (told, status) = verify(&start, &[]);
    assert_eq!((status, &told["code"], &told["intact"]), (0, &json!("ok"), &json!(true)), "{told}");
    let log = &told["logs"][0];
    let entries = log["entries"].as_i64().unwrap();
    assert!(entries >= 4 && told["logs"].as_array().unwrap().len() == 1, "{told}");
    assert_eq!(log["head"]["seq"], entries);
    let organization = log["organization"].as_str().unwrap();
    let of = ["--organization", organization];
    assert_eq!(verify(&start, &of), (told.clone(), 0));
    let head = format!("{entries}:{}", log["head"]["hash"].as_str().unwrap());
    let with = |head: &str| verify(&start, &[&of[..], &["--head", head]].concat());
    assert_eq!(with(&head), (told.clone(), 0));
    assert_eq!(with(&head.to_uppercase()).1, 0, "of letters either are good");
    // Another head than the one that was kept, and one that never was.
    for (kept, seq) in [
        (format!("{}:{}", entries - 1, &head[head.find(':').unwrap() + 1..]), entries - 1),
        (format!("{}:{}", entries + 1, "0".repeat(64)), entries + 1),
    ] {
        let (said, status) = with(&kept);
        assert_eq!((status, &said["code"]), (1, &json!("malformed")), "{said}");
        let message = said["message"].as_str().unwrap();
        assert!(message.contains(&format!("Entry {seq} ")) && message.contains(organization));
    }
    server.kill();

    let (good, refused) = replace(&start, &[]);
    assert!(refused && good.len() as i64 == entries, "the database refuses it");
    let changed = |change: &dyn Fn(&mut Vec<Row>)| {
        let mut all = good.clone();
        change(&mut all);
        replace(&start, &all);
        verify(&start, &of)
    };
    assert_eq!(changed(&|_| {}), (told.clone(), 0), "as it was written");
    let third = at(&good, 3);
    let mut broken = vec![
        (3, changed(&|all| all[third][ACTOR_NAME] = json!("somebody else"))),
        (3, changed(&|all| all[third][ACTOR_NAME] = Value::Null)),
        (3, changed(&|all| drop(all.remove(third)))),
        (1, changed(&|all| all.clear())),
        (entries, changed(&|all| drop(all.remove(at(all, entries))))),
    ];
    // It is found among all organizations, too.
    broken.push((entries, verify(&start, &[])));
    for (seq, (said, status)) in broken {
        assert_eq!((status, &said["code"]), (1, &json!("malformed")), "{seq}: {said}");
        let message = said["message"].as_str().unwrap();
        assert!(message.contains(&format!("Entry {seq} of")), "{seq}: {message}");
        assert!(message.contains(organization), "{message}");
    }
}

#[test]
fn what_cannot_be_verified_is_told_from_what_is_not_good() {
    let folder = tempfile::tempdir().unwrap();
    let start = Start::new(folder.path(), None);
    // There is no database, and none is made.
    let (said, status) = verify(&start, &[]);
    assert_eq!((status, &said["code"]), (3, &json!("io")), "{said}");
    assert!(!start.data.join("licentia.db").exists());
    drop(start.run());
    assert_eq!(verify(&start, &[]).1, 0);
    let (said, status) = verify(&start, &["--organization", STRANGER]);
    assert_eq!((status, &said["code"]), (3, &json!("io")), "{said}");
    assert!(said["message"].as_str().unwrap().contains("organization"), "{said}");
    let hash = "0".repeat(64);
    let head = |seq: &str, hash: &str| format!("{seq}:{hash}");
    for wrong in [
        vec!["--organization", "acme"],
        vec!["--organization"],
        // A head is of one log.
        vec!["--head", &head("1", &hash)],
        vec!["--organization", STRANGER, "--head", &head("0", &hash)],
        vec!["--organization", STRANGER, "--head", &head("1", &hash[1..])],
        vec!["--organization", STRANGER, "--head", &head("1", &hash.replace('0', "g"))],
        vec!["--organization", STRANGER, "--head", &hash],
        vec!["everything"],
    ] {
        let (said, status) = verify(&start, &wrong);
        assert_eq!((status, &said["code"]), (2, &json!("invalid_argument")), "{wrong:?}: {said}");
    }
}
