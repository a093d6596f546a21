//! What a page shows: of every state of the kit, and of what no kit has.

mod reader;

use crate::claims::{Claims, Customer};
use crate::feature::Feature;
use crate::http::{Answer, Caller, Exchange, Rights};
use crate::installation::Installation;
use crate::issue;
use crate::product::Product;
use crate::secret::SecretKey;
use crate::stages::DAY;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// 2026-06-15T12:00:00Z, as the kit has it.
const NOON: i64 = 1_781_524_800;

fn kit() -> Value {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../bindings/python/python/licentia/testing.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The installation of a state of the kit.
fn state(kit: &Value, state: &Value) -> (Installation, TempDir) {
    let keys = kit["keys"].as_str().unwrap();
    let mut product = Product::new(kit["product"].as_str().unwrap(), keys).unwrap();
    for settings in [&kit["settings"], &state["settings"]] {
        for (name, value) in settings.as_object().unwrap() {
            product.set(name, value.as_str().unwrap()).unwrap();
        }
    }
    product.set("clock", &state["clock"].to_string()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = &kit["folders"][state["folder"].as_str().unwrap()];
    for (name, file) in files.as_object().unwrap() {
        let mut bytes = STANDARD.decode(file["base64"].as_str().unwrap()).unwrap();
        bytes.resize(usize::try_from(file["size"].as_u64().unwrap()).unwrap(), 0);
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    (product.open(folder.path()).unwrap(), folder)
}

fn vendor() -> SecretKey {
    SecretKey::from_seed(&[7; 32]).unwrap()
}

fn product(settings: &[(&str, &str)]) -> Product {
    let mut product = Product::new("myapp", &vendor().public().to_short()).unwrap();
    let usual = [("clock", "1781524800"), ("machine", "test"), ("vendor", "Acme")];
    for (name, value) in usual.iter().chain(settings) {
        product.set(name, value).unwrap();
    }
    product
}

fn open(folder: &Path) -> Installation {
    product(&[]).open(folder).unwrap()
}

/// 90 days.
fn license(change: impl FnOnce(&mut Claims)) -> String {
    let mut claims = issue::draft("https://licenses.acme.example", "myapp", NOON).unwrap();
    claims.license.kind = "subscription".into();
    claims.license.valid_until = Some(NOON + 90 * DAY);
    change(&mut claims);
    issue::sign(&vendor(), &claims).unwrap()
}

fn ask(it: &Installation, method: &str, caller: Option<Rights>) -> Answer {
    let mut exchange = Exchange::new(method, "/license").unwrap();
    if let Some(rights) = caller {
        exchange.set_caller(Caller::new("ada", rights).unwrap());
    }
    it.handle(&exchange)
}

/// What an administrator gets.
fn page(it: &Installation) -> String {
    let answer = ask(it, "GET", Some(Rights::ADMINISTRATOR));
    assert_eq!(answer.status(), 200);
    let html = String::from_utf8(answer.body().to_vec()).unwrap();
    check_tags(&html);
    html
}

/// What a part of a page says, without its tags.
fn text(html: &str, from: &str, until: &str) -> String {
    let (_, rest) = html.split_once(from).unwrap_or_else(|| panic!("{from} is not on the page"));
    // To the end of the tag, where `from` is its beginning.
    let rest = if from.ends_with('>') { rest } else { rest.split_once('>').unwrap().1 };
    let part = rest.split_once(until).map_or(rest, |(part, _)| part);
    let pieces = part.split('<').enumerate().map(|(place, piece)| match place {
        0 => piece,
        _ => piece.split_once('>').map_or("", |(_, text)| text),
    });
    let words = pieces.collect::<Vec<_>>().join(" ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every tag that is opened is closed, in order, and no id is there twice.
fn check_tags(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut ids: Vec<&str> = Vec::new();
    let mut rest = html.strip_prefix("<!doctype html>").unwrap();
    while let Some((_, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').unwrap();
        rest = after;
        let name = tag.split([' ', '\n', '/']).next().unwrap();
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{after:.80}"),
            None if ["meta", "link", "br", "input", "img"].contains(&name) => {}
            None if tag.ends_with('/') => {}
            None => open.push(name),
        }
        if let Some((_, id)) = tag.split_once(" id=\"") {
            ids.push(id.split('"').next().unwrap());
        }
        if ["style", "script"].contains(&name) {
            rest = &rest[rest.find("</").unwrap()..];
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id is there twice");
}

/// Of every state: the word for it, the headline, the first of what comes next, and what to do
/// first.
const STATES: &[(&str, [&str; 4])] = &[
    ("not_licensed", ["Stopped", "There is no license", "Nothing changes by itself", ASK]),
    (
        "not_needed",
        [
            "Works",
            "No license is needed before the first use",
            "30 days without a license begin with the first use.",
            "Nothing yet. A license can be applied now.",
        ],
    ),
    (
        "unlicensed_grace",
        [
            "Works for now",
            "Everything works without a license only until 10 Jul 2026",
            "10 Jul 2026, 12:00 UTC in 25 days The days without a license end: everything \
             stops.",
            ASK,
        ],
    ),
    ("unlicensed_grace_over", ["Stopped", "There is no license", "Nothing changes", ASK]),
    ("active", ["In force", UNTIL, "14 Aug 2026, 12:00 UTC in 60 days Warnings begin", "Nothing."]),
    (
        "ends_soon",
        [
            "Ends soon",
            "The license ends soon, on 13 Sep 2026",
            "13 Sep 2026, 12:00 UTC in 10 days The license ends: everything works on, with a \
             warning.",
            RENEW,
        ],
    ),
    (
        "in_grace",
        [
            "Works for now",
            "The license has ended: everything works until 27 Sep 2026",
            "27 Sep 2026, 12:00 UTC in 9 days What is there can only be read.",
            RENEW,
        ],
    ),
    (
        "read_only",
        [
            "Read only",
            "The license has ended",
            "27 Oct 2026, 12:00 UTC in 24 days Everything stops.",
            RENEW,
        ],
    ),
    ("expired", ["Stopped", "The license has ended", "Nothing changes by itself", RENEW]),
    (
        "not_yet_valid",
        [
            "Not begun",
            "Nothing works until the license begins on 17 Mar 2026",
            "17 Mar 2026, 12:00 UTC in 5 days The license begins: everything works.",
            "Wait until it begins",
        ],
    ),
    (
        "renew_due",
        [
            "Works for now",
            "The license was not renewed in time: everything works until 29 Jun 2026",
            "29 Jun 2026, 12:00 UTC in 9 days Everything stops.",
            "Send the vendor the request code on this page, and apply the newer license",
        ],
    ),
    (
        "token_expired",
        [
            "Stopped",
            "The license was not renewed in time",
            "Nothing changes",
            "Send the vendor the request",
        ],
    ),
    (
        "sync_due",
        [
            "Works for now",
            "The vendor’s server was not reached in time: everything works until",
            "in 9 days Everything stops.",
            "Send the vendor the sync request on this page, and apply the answer.",
        ],
    ),
    (
        "sync_overdue",
        [
            "Stopped",
            "The vendor’s server was not reached for too long",
            "Nothing",
            "Send the vendor the sync",
        ],
    ),
    (
        "suspended",
        ["Stopped", "The vendor has put the license on hold", "Nothing changes", "Ask the vendor"],
    ),
    (
        "revoked",
        ["Stopped", "The vendor has withdrawn the license", "Nothing", "Ask the vendor why"],
    ),
    (
        "wrong_machine",
        ["Stopped", "The license is for another machine", "Nothing", "If this machine"],
    ),
    (
        "limit_reached",
        [LOOK, "2026, but counter has stopped until 1 Jul 2026", "counter starts", "Use less"],
    ),
    ("over_limit", [LOOK, UNTIL, "1 Jul 2026, 00:00 UTC in 16 days", "Use less, wait until"]),
    ("clock_set_back", [LOOK, UNTIL, "14 Aug 2026", "Set the clock of this machine right."]),
    (
        "state_corrupt",
        ["Stopped", "What was kept in this product’s folder is damaged", "Nothing", "Restore it"],
    ),
    ("state_recovered", [LOOK, UNTIL, "14 Aug 2026", "Check the disk"]),
];

const LOOK: &str = "In force, look at this";
const UNTIL: &str = "The license is in force until 13 Sep 2026";
const ASK: &str = "Send the vendor the request code on this page, and apply the license";
const RENEW: &str = "Ask the vendor for a renewal, and apply it on this page.";

#[test]
fn every_state_of_the_kit_says_what_holds_what_comes_and_what_to_do() {
    let kit = kit();
    let wanted: BTreeMap<&str, [&str; 4]> = STATES.iter().copied().collect();
    let states = kit["states"].as_array().unwrap();
    assert_eq!(states.len(), wanted.len());
    for one in states {
        let name = one["name"].as_str().unwrap();
        let (it, _folder) = state(&kit, one);
        let html = page(&it);
        let hero = html.split_once("<section class=\"hero").unwrap().1;
        let [word, title, next, todo] = wanted[name];
        assert_eq!(text(hero, "<p class=\"pill", "</p>"), word, "{name}");
        let told = text(hero, "<h1 id=\"state\">", "</h1>");
        assert!(told.contains(title), "{name}: {told}");
        let repeated = format!("{told}.");
        assert!(!text(hero, "</h1>", "<dl").contains(&repeated), "{name}: {repeated}");
        let told = text(hero, "<dt>Next</dt>", "<dt>");
        assert!(told.contains(next), "{name}: {told}");
        let told = text(hero, "<dt>What to do</dt>", "</dl>");
        assert!(told.starts_with(todo), "{name}: {told}");
        assert_eq!(told.matches(todo).count(), 1, "{name}: {told}");
        for (request, wanted) in [
            ("clock", name == "clock_set_back"),
            ("sync", name.starts_with("sync_")),
            ("license", true),
        ] {
            assert_eq!(html.contains(&format!("id=\"request-{request}\"")), wanted, "{name}");
        }
        assert!(html.contains(&format!("<title>{word} · myapp license</title>")), "{name}");
        // The same verdict gives the same bytes.
        assert_eq!(page(&it), html, "{name}");
    }
}

/// An installation with a license, changed.
fn licensed(
    settings: &[(&str, &str)],
    change: impl FnOnce(&mut Claims),
) -> (Installation, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let it = product(settings).open(folder.path()).unwrap();
    it.apply(license(change).as_bytes()).unwrap();
    (it, folder)
}

const HOSTILE: &str =
    "</style></script><script>alert(1)</script><img src=x onerror=a()> & \"'`{{1}}";

#[test]
fn what_others_wrote_is_shown_as_text_and_runs_nothing() {
    let (mut it, _folder) = licensed(&[("vendor", HOSTILE)], |claims| {
        let license = &mut claims.license;
        for text in [&mut license.serial, &mut license.tier, &mut license.description] {
            *text = Some(HOSTILE.into());
        }
        license.customer = Some(Customer {
            name: Some(HOSTILE.into()),
            email: Some("ä\u{202e}\u{7}\n<i>".into()),
            account: Some("ü".repeat(2_000)),
            slug: None,
        });
        license.product = serde_json::from_value(serde_json::json!({ "name": HOSTILE })).unwrap();
        // One that is not measured, and one that is at its limit: in the headline, and a warning.
        license.features = vec![
            Feature { name: Some(HOSTILE.into()), ..Feature::new("a") },
            Feature {
                name: Some(HOSTILE.into()),
                meter: Some("count".into()),
                per: Some("month".into()),
                max: Some(0),
                ..Feature::new("b")
            },
        ];
    });
    let other = |claims: &mut Claims| {
        claims.license.serial = Some(HOSTILE.into());
        claims.license.valid_from = NOON + 90 * DAY;
        claims.license.valid_until = Some(NOON + 95 * DAY);
    };
    it.set("license", &license(other)).unwrap();
    let html = page(&it);
    let plain = page(&licensed(&[], |_| ()).0);
    for tag in ["<script", "<img", "<b>", "<i>", "<style", "</style", "onerror=a()>"] {
        let count = |html: &str| html.matches(tag).count();
        assert_eq!(count(&html), count(&plain), "{tag}");
    }
    let escaped = "&#60;img src=x onerror=a()&#62; &#38; &#34;&#39;`{{1}}";
    assert!(html.matches(escaped).count() >= 12, "{}", html.matches(escaped).count());
    assert!(html.contains("<bdi>ä\u{fffd}\u{fffd}&#60;i&#62;</bdi>"));
    assert!(html.contains(&"ü".repeat(300)) && !html.contains(&"ü".repeat(301)));
    assert!(!html.contains('\u{202e}') && !html.contains('\u{7}'));
}

#[test]
fn nothing_secret_is_on_the_page() {
    let token = license(|_| ());
    let (mut it, _folder) = licensed(&[("machine", "the raw identity")], |claims| {
        let key = serde_json::json!({ "license_key": "ABCDE-FGHIJ-KLMNO" });
        claims.license.metadata = serde_json::from_value(key).unwrap();
    });
    // A license where the name of a file belongs, or of a variable.
    for setting in ["license_file", "license_env"] {
        it.set(setting, &token).unwrap();
    }
    it.set("license", &token).unwrap();
    let html = page(&it);
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
    for secret in [header, payload, signature, "the raw identity", "ABCDE", "KLMNO"] {
        assert!(!html.contains(secret.get(..48).unwrap_or(secret)), "{secret}");
    }
    assert!(html.contains("not shown: it may be a license"));
    assert!(text(&html, "id=\"sources\"", "</section>").contains("Given by the product"));
}

#[test]
fn who_may_look_sees_the_state_and_who_may_apply_the_form_and_the_request_code() {
    let (it, _folder) = licensed(&[], |_| ());
    let code = it.request("license", None).unwrap();
    for bits in 0..8 {
        for kind in [Rights::NONE, Rights::SERVICE] {
            let rights = Rights::from_bits(bits).unwrap() | kind;
            let answer = ask(&it, "GET", Some(rights));
            let html = str::from_utf8(answer.body()).unwrap();
            check_tags(html);
            let may_look = bits & 1 == 1;
            assert_eq!(answer.status(), if may_look { 200 } else { 403 }, "{bits}");
            assert_eq!(html.contains("in force until 13 Sep 2026"), may_look, "{bits}");
            for admins in ["<form", "<script", &code, "class=\"qr\"", "data-copy", "<noscript"] {
                assert_eq!(html.contains(admins), bits == 7, "{bits} {admins:.20}");
            }
        }
    }
}

#[test]
fn a_refusal_is_a_page_that_says_what_to_do_and_nothing_of_the_license() {
    let (it, _folder) = licensed(&[], |claims| claims.license.serial = Some("SERIAL".into()));
    let reader = Some(Rights::READ);
    for (method, caller, status, told) in [
        ("GET", None, 401, "Sign in to this product, and open this page again."),
        ("GET", Some(Rights::WRITE), 403, "Ask an administrator of it for the right to read"),
        ("POST", reader, 405, "Open it with a browser, by its address."),
        ("DELETE", None, 405, "Open it with a browser"),
    ] {
        let answer = ask(&it, method, caller);
        let html = str::from_utf8(answer.body()).unwrap();
        check_tags(html);
        assert_eq!(answer.status(), status);
        assert!(html.contains(told) && html.contains("<h1>"), "{method}: {html}");
        assert!(!html.contains("SERIAL") && !html.contains("2026"), "{method}");
        assert_eq!(answer.header("allow"), (status == 405).then_some("GET, HEAD"));
        check_headers(&answer);
    }
    let answer = ask(&it, "HEAD", reader);
    assert_eq!((answer.status(), answer.body()), (200, &[][..]));
    check_headers(&answer);
}

fn check_headers(answer: &Answer) {
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.header(name), Some(value));
    }
}

#[test]
fn a_browser_may_run_what_is_on_the_page_and_nothing_else() {
    use sha2::{Digest, Sha256};
    let (it, _folder) = licensed(&[], |_| ());
    let answer = ask(&it, "GET", Some(Rights::ADMINISTRATOR));
    check_headers(&answer);
    let html = str::from_utf8(answer.body()).unwrap();
    let hash = |tag: &str| {
        let (_, rest) = html.split_once(&format!("<{tag}>")).unwrap();
        let (inside, after) = rest.split_once(&format!("</{tag}>")).unwrap();
        assert!(!after.contains(&format!("<{tag}")), "there is a second {tag}");
        STANDARD.encode(Sha256::digest(inside))
    };
    let wanted = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
        hash("style"),
        hash("script"),
    );
    assert_eq!(answer.header("content-security-policy"), Some(wanted.as_str()));
    for forbidden in [" style=", " onclick=", " onload=", " src=", "http-equiv", "@import", "url("]
    {
        let body = html.replace("clip-path=\"url(#round)\"", "");
        assert!(!body.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn a_thousand_features_are_shown_and_most_of_them_folded_away() {
    let (it, _folder) = licensed(&[], |claims| {
        let full = |at: usize| Feature {
            meter: Some("count".into()),
            per: Some("month".into()),
            max: Some(0),
            ..Feature::new(format!("full-{at}"))
        };
        let plain = (0..998).map(|at| Feature::new(format!("f-{at}")));
        let good = (0..2).map(|at| Feature { max: Some(9), ..full(at) });
        let good = good.map(|it| Feature { id: it.id.replace("full", "good"), ..it });
        // Full from the beginning, each with a warning of its own.
        claims.license.features = good.chain(plain).chain((0..24).map(full)).collect();
    });
    let html = page(&it);
    // Those that are to be looked at come first.
    let at_once = text(&html, "<ul class=\"meters\">", "</ul>");
    assert!(at_once.contains("full-23") && !at_once.contains("good-"), "{at_once}");
    for at in 0..998 {
        assert!(html.contains(&format!("<bdi>f-{at}</bdi>")), "{at}");
    }
    let folded: Vec<&str> = html.split("<summary>").skip(1).collect();
    let folded: Vec<&str> = folded.iter().map(|it| it.split('<').next().unwrap()).collect();
    assert_eq!(folded, ["2 more features", "974 more features"]);
    assert!(html.contains("<li>And 19 more of the same kind.</li>"));
    assert!(html.len() < 400_000, "{} bytes", html.len());
}

#[test]
fn licenses_that_follow_one_another_are_told_by_their_names() {
    let (mut it, _folder) = licensed(&[], |claims| claims.license.serial = Some("ONE".into()));
    let next = license(|claims| {
        claims.license.serial = Some("TWO".into());
        claims.license.valid_from = NOON + 90 * DAY;
        claims.license.valid_until = Some(NOON + 190 * DAY);
    });
    it.set("license", &next).unwrap();
    let html = page(&it);
    assert!(html.contains("The license is in force until 22 Dec 2026"));
    assert!(html.contains("When the license that decides now ends, TWO follows."));
    let dates = text(&html, "<ol class=\"dates\">", "</ol>");
    assert!(dates.contains("ONE ends, and TWO takes over"), "{dates}");
    assert!(dates.contains("TWO ends: everything stops"), "{dates}");
    let sources = text(&html, "id=\"sources\"", "</section>");
    assert!(sources.contains("Applied here Decides ONE"), "{sources}");
    assert!(sources.contains("Given by the product Waits TWO"), "{sources}");

    let later = license(|claims| {
        claims.license.kind = "perpetual".into();
        claims.license.valid_from = NOON + 95 * DAY;
        claims.license.valid_until = None;
    });
    it.set("license", &later).unwrap();
    let html = page(&it);
    let gap = "From 13 Sep 2026, 12:00 UTC until 18 Sep 2026, 12:00 UTC no license is in force.";
    assert!(html.contains(gap));
}

#[test]
fn a_request_that_cannot_be_made_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let it = open(&folder.path().join("gone"));
    let html = page(&it);
    assert!(html.contains("What is kept on this machine cannot be reached"));
    let told = text(&html, "<p class=\"refused\">", "</p>");
    assert!(told.starts_with("There is none now. "), "{told}");
    assert!(told.ends_with("check that the folder exists and may be written."), "{told}");
}
