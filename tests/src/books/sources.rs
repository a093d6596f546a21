//! Which of several licenses decides: docs/verdict.md.

use crate::case::{DAY, NOW};
use crate::document::Doc;
use crate::folder::Folder;
use crate::signer::stranger;
use crate::story::{Step, Story, step};
use serde_json::{Value, json};

fn license(jti: &str) -> Doc {
    Doc::license().set("/jti", jti)
}

fn other(jti: &str) -> Doc {
    license(jti).set("/license/id", "00000000-0000-4000-8000-000000000001")
}

fn text(token: String) -> Step {
    Step::Site { name: "license".into(), value: token }
}

/// One is applied, one comes as text, and this token decides, whichever is which.
fn either(name: &str, winner: &Doc, loser: &Doc, jti: &str) -> [Story; 2] {
    let is =
        |source: &str| vec![("license.token_id", json!(jti)), ("license.source", json!(source))];
    let (winner, loser) = (winner.sign(), loser.sign());
    [
        Story::on(format!("{name}, installed"), &Folder::new().license(winner.clone()))
            .then(text(loser.clone()))
            .then(step::status(&is("installed"))),
        Story::on(format!("{name}, as text"), &Folder::new().license(loser))
            .then(text(winner))
            .then(step::status(&is("text"))),
    ]
}

fn pairs() -> Vec<Story> {
    let end = |days: i64| NOW + days * DAY;
    let until = |doc: Doc, days: i64| doc.set("/license/valid_until", end(days));
    let signed = |doc: Doc, days: i64| doc.set("/iat", end(days));
    let cases = [
        ("in force beats a later end", until(license("a"), 5), {
            other("b").set("/license/valid_from", end(3)).set("/license/valid_until", end(900))
        }),
        ("in force beats the same license, newer and over", license("a"), {
            signed(license("b"), -1).set("/license/valid_until", end(-1))
        }),
        ("the newer token of one license", signed(until(license("a"), 5), -1), license("b")),
        ("the later end", until(license("a"), 400), other("b")),
        ("no end is the latest", license("a").set("/license/valid_until", Value::Null), {
            until(other("b"), 9_999)
        }),
        ("the newer of two with one end", signed(license("a"), -1), other("b")),
        ("the greater token id", license("b2"), other("b10")),
        ("ended beats nothing it beats", until(license("a"), -1), until(other("b"), -2)),
    ];
    cases
        .iter()
        .flat_map(|(name, winner, loser)| {
            let jti = if *name == "the greater token id" { "b2" } else { "a" };
            either(name, winner, loser, jti)
        })
        .collect()
}

fn refused() -> Vec<Story> {
    let plain = Doc::license().sign();
    let works = step::holds(true, "allow", "ok");
    let installed = Folder::new().license(plain.clone());
    let broken = [
        ("rubbish", "rubbish".to_string(), "malformed"),
        ("a stranger's", Doc::license().sign_by(&stranger()), "unknown_key"),
        ("another product's", Doc::license().set("/aud", "other").sign(), "wrong_product"),
        ("altered", plain.replace("eyJ", "eyK"), "malformed"),
    ];
    let mut stories = Vec::new();
    for (name, token, slug) in broken {
        let mut holds = works.clone();
        holds.push(("sources", json!(["installed ok", format!("text {slug}")])));
        holds.push(("warnings", json!(["source_refused"])));
        stories.push(
            Story::on(format!("{name} license takes nothing away"), &installed)
                .then(text(token.clone()))
                .then(step::status(&holds))
                .then(step::access("pro", "allow")),
        );
        stories.push(
            Story::on(format!("{name} license alone is the reason"), &Folder::new())
                .then(text(token))
                .then(step::status(&step::holds(false, "deny", slug))),
        );
    }
    stories
}

fn settings() -> Vec<Story> {
    let plain = Doc::license().sign();
    let site = |name: &str, value: &str| Step::Site { name: name.into(), value: value.into() };
    let file = Folder::new().files().into_iter();
    let with_file = file.chain([("vendor.lic".to_string(), plain.clone().into_bytes())]).collect();
    let bound = |member: &str, value: &str| {
        let license = Doc::license().set("/license/binding", json!({ member: value }));
        Folder::new().license(license.sign())
    };
    let here = crate::folder::INSTALLATION;
    let elsewhere = "00000000-0000-4000-8000-000000000002";
    let url = "https://play.acme.example/";
    let works = step::holds(true, "allow", "ok");
    let misplaced = step::holds(false, "deny", "wrong_installation");
    vec![
        Story::new("a license in a file")
            .files(with_file)
            .then(site("license_file", "$FOLDER/vendor.lic"))
            .then(step::status(&[("license.source", json!("file")), ("in_force", json!(true))])),
        Story::on("a file that is not there", &Folder::new())
            .then(site("license_file", "$FOLDER/none.lic"))
            .then(step::status(&step::holds(false, "deny", "not_licensed"))),
        Story::on("a variable that is not set", &Folder::new())
            .then(site("license_env", "LICENTIA_NOT_SET_ANYWHERE"))
            .then(step::status(&step::holds(false, "deny", "not_licensed"))),
        Story::on("a text that is taken back", &Folder::new())
            .then(text(plain))
            .then(step::access("pro", "allow"))
            .then(text(String::new()))
            .then(step::access("pro", "deny")),
        Story::on("bound to this installation", &bound("installation", here))
            .then(step::status(&works)),
        Story::on("bound to another installation", &bound("installation", elsewhere))
            .then(step::status(&misplaced)),
        Story::on("bound to this instance", &bound("instance", url))
            .then(step::access("pro", "deny"))
            .then(site("instance", "https://play.acme.example"))
            .then(step::status(&works)),
        Story::on("an unknown setting", &Folder::new())
            .then(site("server", "x"))
            .fails("invalid_argument"),
        Story::on("a vendor's term is no setting of a site", &Folder::new())
            .then(site("grace_days", "99999"))
            .fails("invalid_argument"),
    ]
}

pub fn stories() -> Vec<Story> {
    [pairs(), refused(), settings()].concat()
}
