//! What the vendor's server answers to what an installation asks of a license and its seats.

use super::messages::{ID, answer, issued, licensed, signed, with};
use crate::case::{DAY, NOW};
use crate::document::Doc;
use crate::folder::{Folder, INSTALLATION, nonce};
use crate::signer::{second, stranger, vendor};
use crate::story::{Step, Story, step};
use serde_json::{Value, json};

const OTHER: &str = "11111111-2222-4333-8444-555555555555";

const HOUR: i64 = 3_600;

/// Every `typ`, and claims that are good for it.
fn every_kind() -> Vec<(&'static str, Value)> {
    let claims = |doc: &Doc| serde_json::from_str(&doc.payload()).expect("claims");
    vec![
        ("lic+jwt", claims(&Doc::license())),
        ("lic-keys+jwt", claims(&Doc::key_set(1, &[second().jwk("")]))),
        ("lic-product+jwt", claims(&Doc::product(&[vendor().jwk("")]))),
        ("lic-sync+jwt", said("sync", json!({}))),
        ("lic-revs+jwt", with(issued(), json!({"version": 1, "ids": []}))),
        ("lic-lease+jwt", lease("seat", json!({}))),
        (
            "lic-clock+jwt",
            with(
                issued(),
                json!({
                    "nonce": nonce("clock", 0), "installation": INSTALLATION, "server_time": NOW,
                }),
            ),
        ),
    ]
}

/// The claims of a sync answer to the first request for a word.
fn said(what: &str, more: Value) -> Value {
    let claims = json!({
        "nonce": nonce(what, 0), "license_id": ID, "installation": INSTALLATION,
        "seq": 1, "epoch": 0, "server_time": NOW, "status": "ok",
    });
    with(with(issued(), claims), more)
}

/// The same with a license in it, in pieces.
fn brings(what: &str, license: &str, more: Value) -> String {
    let pieces: Vec<&str> = license
        .as_bytes()
        .chunks(4096)
        .map(|piece| std::str::from_utf8(piece).expect("ASCII"))
        .collect();
    signed("lic-sync+jwt", &said(what, with(json!({"license": pieces}), more)))
}

/// The claims of a lease for an hour.
fn lease(what: &str, more: Value) -> Value {
    let claims = json!({
        "jti": "lease-1", "exp": NOW + HOUR, "nonce": nonce(what, 0), "license_id": ID,
        "installation": INSTALLATION, "holder": "ann", "seat": 1, "borrowed": false,
    });
    with(with(issued(), claims), more)
}

fn leased(what: &str, more: Value) -> Step {
    step::apply(signed("lic-lease+jwt", &lease(what, more)))
}

fn theirs() -> Doc {
    Doc::license().set("/license/id", OTHER).set("/jti", "other").set("/iat", NOW)
}

fn requests() -> Vec<Story> {
    let asked = |what: &str, argument: &str, is: &[(&str, Value)]| {
        let licensed = with_id(is);
        Story::on(format!("a request for {what}, with {argument:?}"), &self::licensed())
            .then(step::request(what, argument, &licensed))
    };
    let refused = |what: &str, argument: &str, slug: &str, folder: &Folder| {
        let name = format!("{slug}: a request for {what}, with {argument:.40?}");
        Story::on(name, folder).then(step::request(what, argument, &[])).fails(slug)
    };
    let ann = ("seat", json!({"holder": "ann"}));
    let borrowed = ("seat", json!({"holder": "Ann M\u{fc}ller", "days": 30}));
    let mut stories = vec![
        asked("license", "", &[("key", json!(null)), ("seat", json!(null))]),
        asked("renewal", "", &[]),
        asked("activation", "", &[("key", json!(null))]),
        asked("activation", " ABCD-EFGH-4711 ", &[("key", json!("ABCD-EFGH-4711"))]),
        asked("deactivation", "", &[]),
        asked("sync", "", &[("sync.epoch", json!(0))]),
        asked("seat", "ann", std::slice::from_ref(&ann)),
        asked("borrow", "30 Ann M\u{fc}ller", &[borrowed]),
        asked("release", "ann", &[ann]),
    ];
    for what in ["renewal", "activation", "deactivation"] {
        stories.push(refused(what, "", "not_licensed", &Folder::new()));
    }
    for (what, argument) in [("seat", "ann"), ("borrow", "1 ann"), ("release", "ann")] {
        stories.push(refused(what, argument, "not_licensed", &Folder::new()));
    }
    let long = "x".repeat(129);
    for (what, argument) in [
        ("seat", ""),
        ("seat", "a\tb"),
        ("seat", &*long),
        ("release", ""),
        ("release", "a\u{202e}b"),
        ("borrow", ""),
        ("borrow", "ann"),
        ("borrow", "0 ann"),
        ("borrow", "367 ann"),
        ("borrow", "-1 ann"),
        ("borrow", "30"),
        ("activation", "\u{e4}"),
        ("deactivation", "ann"),
        ("clock", "ann"),
    ] {
        stories.push(refused(what, argument, "invalid_argument", &licensed()));
    }
    stories
}

/// A request says which license is in use, besides the rest.
fn with_id<'a>(is: &[(&'a str, Value)]) -> Vec<(&'a str, Value)> {
    is.iter().cloned().chain([("license.id", json!(ID))]).collect()
}

fn licenses() -> Vec<Story> {
    let mut stories = Vec::new();
    for what in ["license", "activation", "renewal"] {
        let other = brings(what, &theirs().sign(), json!({"license_id": OTHER}));
        stories.push(
            Story::on(format!("the answer to {what} brings a license"), &Folder::new())
                .then(step::apply(other.clone()))
                .then(step::status(&[
                    ("license.id", json!(OTHER)),
                    ("issuer.status", json!("ok")),
                    ("access", json!("allow")),
                ]))
                .then(step::apply(other))
                .fails("already_used"),
        );
        let two = brings(what, &theirs().sign(), json!({}));
        stories.push(
            Story::on(format!("the answer to {what} brings another"), &licensed())
                .then(step::apply(two))
                .fails("wrong_installation"),
        );
        let missing = signed("lic-sync+jwt", &said(what, json!({"license_id": OTHER})));
        stories.push(
            Story::on(format!("the answer to {what} brings none"), &licensed())
                .then(step::apply(missing))
                .fails("wrong_installation"),
        );
        let forged = theirs().sign_by(&stranger());
        stories.push(
            Story::on(format!("the answer to {what} brings a stranger's"), &licensed())
                .then(step::apply(brings(what, &forged, json!({"license_id": OTHER}))))
                .fails("unknown_key"),
        );
    }
    for what in ["sync", "deactivation", "clock", "seat"] {
        let other = brings(what, &theirs().sign(), json!({"license_id": OTHER}));
        stories.push(
            Story::on(format!("the answer to {what} may bring no other license"), &licensed())
                .then(step::apply(other))
                .fails("wrong_installation"),
        );
    }
    let id = json!({"activation": OTHER});
    stories.extend([
        Story::on("the answer to an activation names it", &licensed())
            .then(step::apply(signed("lic-sync+jwt", &said("activation", id))))
            .then(step::access("pro", "allow")),
        Story::on("an activation that is no id", &licensed())
            .then(step::apply(signed(
                "lic-sync+jwt",
                &said("activation", json!({"activation": "1"})),
            )))
            .fails("malformed"),
        Story::on("one answer uses the requests for every word", &licensed())
            .then(step::apply(answer(0, 1, json!({}))))
            .then(step::apply(signed("lic-sync+jwt", &said("renewal", json!({"seq": 2})))))
            .fails("already_used"),
    ]);
    stories
}

fn deactivations() -> Vec<Story> {
    let freed = |more: Value| step::apply(signed("lic-sync+jwt", &said("deactivation", more)));
    let none = [("license", json!(null)), ("issuer.status", json!(null))];
    vec![
        Story::on("a machine that was freed", &licensed())
            .then(freed(json!({})))
            .then(step::status(&none))
            .then(step::access("pro", "deny"))
            .then(Step::Reopen)
            .then(step::status(&none)),
        Story::on("freed twice", &licensed())
            .then(freed(json!({})))
            .then(step::apply(Doc::license().sign()))
            .then(step::access("pro", "allow"))
            .then(freed(json!({})))
            .fails("already_used"),
        Story::on("freed of another license", &licensed())
            .then(freed(json!({"license_id": OTHER})))
            .fails("wrong_installation"),
        Story::on("freed elsewhere", &licensed())
            .then(freed(json!({"installation": OTHER})))
            .fails("wrong_installation"),
        Story::on("freed of a license that was revoked", &licensed())
            .then(freed(json!({"status": "revoked"})))
            .then(step::apply(Doc::license().set("/iat", NOW).sign()))
            .fails("revoked"),
    ]
}

fn leases() -> Vec<Story> {
    let back = json!({"exp": NOW, "jti": "back"});
    let by_hand = json!({"nonce": null, "installation": null});
    vec![
        Story::on("a seat", &licensed())
            .then(leased("seat", json!({})))
            .then(step::access("pro", "allow")),
        Story::on("a seat for another", &licensed())
            .then(leased("seat", json!({})))
            .then(leased("seat", json!({"holder": "bob", "seat": 2, "jti": "lease-2"}))),
        Story::on("a borrowed seat", &licensed())
            .then(leased("borrow", json!({"exp": NOW + 30 * DAY, "borrowed": true}))),
        Story::on("a seat by hand", &licensed()).then(leased("seat", by_hand)),
        Story::on("a seat for longer", &licensed())
            .then(leased("seat", json!({})))
            .then(leased("seat", json!({"exp": NOW + HOUR + 1, "jti": "lease-2"}))),
        Story::on("the same seat twice", &licensed())
            .then(leased("seat", json!({})))
            .then(leased("seat", json!({}))),
        Story::on("a seat that ends when the last did", &licensed())
            .then(leased("seat", json!({})))
            .then(leased("seat", json!({"jti": "lease-2"}))),
        Story::on("a seat for less", &licensed())
            .then(leased("seat", json!({})))
            .then(leased("seat", json!({"exp": NOW + HOUR - 1, "jti": "lease-2"})))
            .fails("already_used"),
        Story::on("a seat that was given back", &licensed())
            .then(leased("seat", json!({})))
            .then(leased("release", back.clone()))
            .then(leased("seat", json!({"jti": "lease-2"}))),
        Story::on("the old lease after it", &licensed())
            .then(leased("seat", json!({})))
            .then(leased("release", back.clone()))
            .then(Step::Reopen)
            .then(leased("seat", json!({})))
            .fails("already_used"),
        Story::on("a seat that has ended", &licensed())
            .then(step::clock(NOW + HOUR))
            .then(leased("seat", json!({})))
            .fails("expired"),
        Story::on("a seat that has ended is forgotten", &licensed())
            .then(leased("seat", json!({})))
            .then(step::clock(NOW + HOUR))
            .then(leased("seat", json!({"iat": NOW + HOUR, "exp": NOW + 2 * HOUR}))),
    ]
}

fn leases_that_are_refused() -> Vec<Story> {
    let fails = |name: &str, what: &str, more: Value, slug: &str| {
        Story::on(name, &licensed()).then(leased(what, more)).fails(slug)
    };
    let back = json!({"exp": NOW, "jti": "back"});
    vec![
        Story::on("a seat of no license", &Folder::new())
            .then(leased("seat", json!({})))
            .fails("wrong_installation"),
        fails("another license's", "seat", json!({"license_id": OTHER}), "wrong_installation"),
        fails(
            "another installation's",
            "seat",
            json!({"installation": OTHER}),
            "wrong_installation",
        ),
        fails("the answer to a sync", "sync", json!({}), "wrong_installation"),
        fails("a lease for a release", "release", json!({}), "wrong_installation"),
        fails("a release for a lease", "seat", back, "wrong_installation"),
        fails("a nonce that is none", "seat", json!({"nonce": "x"}), "malformed"),
        fails("a nonce and no installation", "seat", json!({"installation": null}), "malformed"),
        fails("seat 0", "seat", json!({"seat": 0}), "malformed"),
        fails("a holder that cannot be seen", "seat", json!({"holder": "a\tb"}), "malformed"),
        fails("no holder", "seat", json!({"holder": null}), "malformed"),
        fails("another product's", "seat", json!({"aud": "other"}), "wrong_product"),
        fails("more than there can be", "seat", json!({"more": "x".repeat(4_000)}), "too_large"),
        Story::on("a stranger's", &licensed())
            .then(step::apply(stranger().jws(
                stranger().header("lic-lease+jwt").as_bytes(),
                lease("seat", json!({})).to_string().as_bytes(),
            )))
            .fails("unknown_key"),
    ]
}

/// The claims of each kind under the `typ` of each other, and each kind by a key of each role.
fn confusion() -> Vec<Story> {
    let mut stories = Vec::new();
    for (typ, _) in every_kind() {
        for (of, claims) in every_kind().into_iter().filter(|(of, _)| *of != typ) {
            let slug = match (typ, of) {
                ("lic-product+jwt", _) => "wrong_kind",
                // It has all that a clock reset has, but for the word in its nonce.
                ("lic-clock+jwt", "lic-sync+jwt") => "wrong_installation",
                _ => "malformed",
            };
            stories.push(
                Story::on(format!("the claims of {of} as {typ}"), &licensed())
                    .then(step::apply(signed(typ, &claims)))
                    .fails(slug),
            );
        }
    }
    for role in ["root", "license", "server"] {
        for (typ, claims) in every_kind() {
            let mut story =
                Story::on(format!("{typ} by a key with the role {role}"), &Folder::new())
                    .then(step::apply(signed(typ, &claims)));
            let pinned = vendor().jwk(&format!(r#""roles":["{role}"]"#));
            story.keys = crate::signer::jwks(&[pinned]);
            let needed = match typ {
                "lic+jwt" => "license",
                "lic-keys+jwt" | "lic-product+jwt" => "root",
                _ => "server",
            };
            stories.push(match typ {
                "lic-product+jwt" => story.fails("wrong_kind"),
                // Of a license that is not here.
                "lic-sync+jwt" | "lic-lease+jwt" if role == needed => {
                    story.fails("wrong_installation")
                }
                _ if role == needed => story,
                _ => story.fails("unknown_key"),
            });
        }
    }
    stories
}

pub fn stories() -> Vec<Story> {
    [requests(), licenses(), deactivations(), leases(), leases_that_are_refused(), confusion()]
        .concat()
}
