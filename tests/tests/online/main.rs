//! The whole life of a license in four languages, on SQLite and on PostgreSQL: the programs talk
//! to a license server over HTTP, and say the same to the last byte.
//!
//! A language whose tools are missing is skipped by name, and so is PostgreSQL;
//! `LICENTIA_REQUIRE=c,cpp,python,node,postgres` makes that a failure.

mod life;
mod lives;
mod more;
#[path = "../../../server/tests/server/support/postgres.rs"]
#[allow(dead_code, reason = "its own tests use the rest")]
mod postgres;
mod program;
mod world;

use licentia_tests::paths;
use life::Life;
use program::LANGUAGES;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Has everyone live it, on SQLite and on PostgreSQL where it is, and compares what they say.
fn everywhere(name: &str, license: &Value, live: impl Fn(&mut Life)) {
    let home = paths::target().join("online").join(name);
    let _ = fs::remove_dir_all(&home);
    let mut rust = None;
    let mut all = |home: &Path, database: &dyn Fn() -> Option<(String, String)>| {
        for language in LANGUAGES {
            let home = home.join(language);
            fs::create_dir_all(&home).unwrap();
            let made = database();
            let url = made.as_ref().map(|(url, _)| url.as_str());
            if let Some(mut life) = Life::begin(language, &home, url, license) {
                println!("{}", home.display());
                live(&mut life);
                let told = life.comparable();
                alike(&told, rust.get_or_insert_with(|| told.clone()));
            }
            if let (Some(cluster), Some((_, name))) = (postgres::shared(), made) {
                cluster.remove(&name);
            }
        }
    };
    all(&home.join("sqlite"), &|| None);
    if let Some(cluster) = postgres::shared() {
        all(&home.join("postgres"), &|| {
            let name = cluster.create("template0");
            Some((cluster.url(&name), name))
        });
    }
}

/// Two lives are the same, to the last byte that was said.
fn alike(told: &[String], rust: &[String]) {
    for (told, rust) in told.iter().zip(rust) {
        let place = licentia_tests::telling::difference(told, rust);
        assert_eq!(place, None, "{}", place.as_deref().unwrap_or_default());
    }
    assert_eq!(told.len(), rust.len());
}

#[test]
fn the_whole_life() {
    everywhere("whole", &life::whole(), lives::whole);
}

#[test]
fn offline_for_400_days() {
    everywhere("offline", &more::for_three_years(), more::offline);
}

#[test]
fn rotation_reaches_programs_that_pinned_the_first_keys() {
    everywhere("rotation", &more::for_three_years(), more::rotate);
}

#[test]
fn seats_come_back() {
    everywhere("seats", &more::floating(), more::seats);
}

#[test]
fn roads_that_lead_nowhere_and_replayed_answers() {
    everywhere("roads", &more::for_three_years(), more::roads);
}
