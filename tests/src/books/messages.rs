//! What is applied besides licenses: lists, key sets, answers.

use crate::case::{DAY, NOW};
use crate::document::Doc;
use crate::folder::{Folder, INSTALLATION, nonce};
use crate::signer::{b64, second, stranger, vendor};
use crate::story::{Step, Story, step};
use serde_json::{Value, json};

pub(super) const ID: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

pub(super) fn signed(typ: &str, claims: &Value) -> String {
    vendor().jws(vendor().header(typ).as_bytes(), claims.to_string().as_bytes())
}

pub(super) fn with(mut claims: Value, more: Value) -> Value {
    let more = more.as_object().expect("members").clone();
    claims.as_object_mut().expect("claims").extend(more);
    claims
}

pub(super) fn issued() -> Value {
    json!({"iss": "https://licenses.acme.example", "aud": "myapp", "iat": NOW})
}

/// A sync answer to the request of a counter, with a number and more members.
pub fn answer(counter: u64, seq: u64, more: Value) -> String {
    let claims = json!({
        "nonce": nonce("sync", counter), "license_id": ID, "installation": INSTALLATION,
        "seq": seq, "epoch": 0, "server_time": NOW, "status": "ok",
    });
    signed("lic-sync+jwt", &with(with(issued(), claims), more))
}

/// A clock reset for the request of a counter.
pub fn clock_reset(counter: u64, server_time: i64) -> String {
    let claims = json!({
        "nonce": nonce("clock", counter), "installation": INSTALLATION, "server_time": server_time,
    });
    signed("lic-clock+jwt", &with(issued(), claims))
}

/// A list of licenses that are withdrawn.
fn list(version: u64, ids: &[&str]) -> String {
    let bytes = |id: &&str| -> Vec<u8> {
        let hex: String = id.chars().filter(|c| *c != '-').collect();
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("a UUID");
        (0..32).step_by(2).map(byte).collect()
    };
    let all: Vec<u8> = ids.iter().flat_map(bytes).collect();
    let ids: Vec<String> = if all.is_empty() { Vec::new() } else { vec![b64(all)] };
    signed("lic-revs+jwt", &with(issued(), json!({"version": version, "ids": ids})))
}

pub(super) fn licensed() -> Folder {
    Folder::new().license(Doc::license().sign())
}

fn licenses() -> Vec<Story> {
    let newer = Doc::license().set("/iat", NOW).set("/jti", "newer").sign();
    let older = Doc::license().set("/iat", NOW - 20 * DAY).set("/jti", "older").sign();
    let ended = Doc::license().set("/license/valid_until", NOW).sign();
    let later = Doc::license()
        .set("/iat", NOW)
        .set("/jti", "later")
        .set("/license/valid_from", NOW + 365 * DAY)
        .set("/license/valid_until", NOW + 700 * DAY)
        .sign();
    let decides = |jti: &str| step::status(&[("license.token_id", json!(jti))]);
    vec![
        Story::new("a first license")
            .then(step::apply(newer.clone()))
            .then(decides("newer"))
            .then(Step::Reopen)
            .then(decides("newer")),
        Story::on("a renewal", &licensed()).then(step::apply(newer)).then(decides("newer")),
        Story::on("the same again", &licensed())
            .then(step::apply(Doc::license().sign()))
            .then(step::access("pro", "allow")),
        Story::on("an older one", &licensed())
            .then(step::apply(older.clone()))
            .fails("older_than_installed"),
        Story::on("an older one, forced", &licensed())
            .then(Step::ApplyOlder { data: older })
            .then(decides("older")),
        Story::on("one that has ended", &licensed()).then(step::apply(ended)).fails("expired"),
        Story::on("a renewal ahead of time", &licensed())
            .then(step::apply(later))
            .then(decides("01932f0a-6d1c-7c3e-9a51-5f2c1e0b7d44"))
            .then(step::clock(NOW + 365 * DAY))
            .then(decides("later"))
            .then(step::access("pro", "allow")),
        Story::on("an altered one", &licensed())
            .then(step::apply(Doc::license().sign().replace(".", "..")))
            .fails("malformed"),
        Story::on("a stranger's", &licensed())
            .then(step::apply(Doc::license().sign_by(&stranger())))
            .fails("unknown_key"),
        Story::on("a lease", &licensed())
            .then(step::apply(signed("lic-lease+jwt", &issued())))
            .fails("malformed"),
        Story::on("a product file", &licensed())
            .then(step::apply(signed("lic-product+jwt", &issued())))
            .fails("wrong_kind"),
        Story::on("something of a later version", &licensed())
            .then(step::apply(signed("lic-future+jwt", &issued())))
            .fails("wrong_kind"),
    ]
}

fn lists() -> Vec<Story> {
    let gone = step::holds(false, "deny", "revoked");
    let kept = licensed().revocations(4, list(4, &[ID]));
    vec![
        Story::on("withdrawn", &licensed())
            .then(step::apply(list(1, &[ID])))
            .then(step::status(&gone))
            .then(Step::Gate { feature: "pro".into(), is: Some((400, "revoked".into())) })
            .then(Step::Reopen)
            .then(step::status(&gone)),
        Story::on("another is withdrawn", &licensed())
            .then(step::apply(list(1, &["00000000-0000-4000-8000-000000000001"])))
            .then(step::access("pro", "allow")),
        Story::on("a list that was kept", &kept).then(step::status(&gone)),
        Story::on("an older list", &kept)
            .then(step::apply(list(3, &[])))
            .fails("older_than_installed"),
        Story::on("a later list that has forgotten one", &kept)
            .then(step::apply(list(5, &[])))
            .then(step::status(&gone))
            .then(Step::Reopen)
            .then(step::status(&gone)),
        Story::on("a withdrawn license is not applied", &kept)
            .then(step::apply(Doc::license().set("/jti", "again").set("/iat", NOW).sign()))
            .fails("revoked"),
        Story::on("a list in the wrong order", &licensed())
            .then(step::apply(list(1, &[ID, "00000000-0000-4000-8000-000000000001"])))
            .fails("malformed"),
    ]
}

fn key_sets() -> Vec<Story> {
    let set = |epoch, more: &str| Doc::key_set(epoch, &[second().jwk(more)]).sign();
    let theirs = Doc::license().sign_by(&second());
    vec![
        Story::on("a key set brings a key", &Folder::new())
            .then(step::apply(set(1, "")))
            .then(step::apply(theirs.clone()))
            .then(step::access("pro", "allow")),
        Story::on("without it, the key is unknown", &Folder::new())
            .then(step::apply(theirs.clone()))
            .fails("unknown_key"),
        Story::on("an older key set", &Folder::new())
            .then(step::apply(set(2, "")))
            .then(step::apply(set(1, "")))
            .fails("older_than_installed"),
        Story::on("a key that is compromised", &Folder::new())
            .then(step::apply(set(1, "")))
            .then(step::apply(theirs))
            .then(step::apply(set(2, r#""state":"compromised""#)))
            .then(step::status(&step::holds(false, "deny", "key_compromised"))),
        Story::on("a key set of a stranger's", &Folder::new())
            .then(step::apply(Doc::key_set(1, &[second().jwk("")]).sign_by(&stranger())))
            .fails("unknown_key"),
    ]
}

fn answers() -> Vec<Story> {
    let fails = |name: &str, more: Value, slug: &str| {
        Story::on(name, &licensed()).then(step::apply(answer(0, 1, more))).fails(slug)
    };
    let suspended = answer(0, 1, json!({"status": "suspended", "message": "call us"}));
    vec![
        Story::on("all is well", &licensed())
            .then(step::apply(answer(0, 1, json!({"next_sync_by": NOW + DAY}))))
            .then(step::status(&[
                ("issuer.status", json!("ok")),
                ("issuer.next_sync_by", json!(NOW + DAY)),
                ("issuer.last_contact", json!(NOW)),
            ])),
        Story::on("suspended, and back", &licensed())
            .then(step::apply(suspended))
            .then(step::status(&step::holds(false, "deny", "suspended")))
            .then(step::apply(answer(1, 2, json!({}))))
            .then(step::access("pro", "allow")),
        Story::on("an answer twice", &licensed())
            .then(step::apply(answer(0, 1, json!({}))))
            .then(step::apply(answer(0, 1, json!({}))))
            .fails("already_used"),
        Story::on("a number that does not rise", &licensed().state("/seq", 7))
            .then(step::apply(answer(0, 7, json!({}))))
            .fails("already_used"),
        fails("another installation's", json!({"installation": ID}), "wrong_installation"),
        fails("another license's", json!({"license_id": INSTALLATION}), "wrong_installation"),
        fails("another request's", json!({"nonce": nonce("clock", 0)}), "wrong_installation"),
        fails("a nonce that is none", json!({"nonce": "x"}), "malformed"),
        fails("an unknown status", json!({"status": "paused"}), "too_new"),
        fails("another product's", json!({"aud": "other"}), "wrong_product"),
        Story::on("a request for a license", &Folder::new())
            .then(step::request("license", "", &[]))
            .then(step::request("clock", "", &[]))
            .then(step::request("sync", "", &[("sync.seq", json!(0))])),
        Story::on("a request for something else", &Folder::new())
            .then(step::request("coffee", "", &[]))
            .fails("invalid_argument"),
    ]
}

pub fn stories() -> Vec<Story> {
    [licenses(), lists(), key_sets(), answers()].concat()
}
