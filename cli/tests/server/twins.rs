//! Everything that a product asks its server, without a network: as a text, as a file, and as a
//! picture where one holds it. And what mail does to texts.

use crate::client::Client;
use crate::customer::{Carrier, Customer, finish, redeem, redeems, told};
use crate::oracle::Shop;
use crate::postgres;
use crate::running::Start;
use serde_json::{Value, json};
use std::path::Path;

/// A server on each database, with a license for `myapp` that counts exports.
fn places(folder: &Path) -> Vec<Start> {
    let mut places = vec![Start::new(&folder.join("sqlite"), None)];
    if let Some(cluster) = postgres::shared() {
        let url = cluster.url(&cluster.create("template0"));
        places.push(Start::new(&folder.join("postgres"), Some(url)));
    }
    places.iter().for_each(|place| std::fs::create_dir(&place.data).unwrap());
    places
}

/// The license, and the product's keys.
fn sell(admin: &Client, shop: &Shop) -> (Value, Value) {
    let license = json!({
        "product_id": shop.product, "max_machines": 5, "max_seats": 5,
        "entitlements": [
            { "id": "basic" }, { "id": "reports" },
            { "id": "exports", "meter": "count", "per": "month" },
        ],
    });
    let license = admin.post("/api/v1/licenses", license).good();
    let keys = admin.get(&format!("/api/v1/products/{}/public-key", shop.product)).good();
    (license, keys["keys"].clone())
}

fn used(admin: &Client, license: &Value) -> u64 {
    let path = format!("/api/v1/licenses/{}/usage", license["id"].as_str().unwrap());
    let usage = admin.get(&path).good()["usage"].clone();
    usage.as_array().unwrap().iter().map(|row| row["used"].as_u64().unwrap()).sum()
}

/// One whole exchange by a way: a file takes the place of a picture that is too small. Says how
/// many characters there were.
fn exchange(place: &Start, customer: &Customer, by: Carrier, words: &[&str]) -> [usize; 2] {
    let by_file = || customer.ask(Carrier::File, words).unwrap();
    let request = customer.ask(by, words).unwrap_or_else(by_file);
    let by_file = || redeem(place, Carrier::File, &request).unwrap();
    let answer = redeem(place, by, &request).unwrap_or_else(by_file);
    let applied = customer.apply(by, &answer);
    assert_eq!(applied["code"], "ok", "{words:?}: {applied}");
    // Once, and there only.
    let again = customer.apply(by, &answer);
    match words[0] {
        "keys" | "revocations" => assert_eq!(again["code"], "ok", "{words:?}"),
        _ => assert_eq!(again["code"], "already_used", "{words:?}: {again}"),
    }
    [&request, &answer].map(|text| text.trim_end().len())
}

#[test]
fn everything_goes_by_hand_what_goes_by_wire() {
    let folder = tempfile::tempdir().unwrap();
    for place in places(folder.path()) {
        let running = place.run();
        let admin = running.admin();
        let shop = Shop::open(&admin);
        let (license, keys) = sell(&admin, &shop);
        let key = license["license_key"].as_str().unwrap();
        let machines = ["server-dell", "laptop-thinkpad", "server-dell"];
        let ways = [Carrier::Text, Carrier::File, Carrier::Qr];
        for (at, by) in ways.into_iter().enumerate() {
            let here = place.data.join(format!("customer {at}"));
            let customer = Customer::new(&here, &keys, machines[at]);
            let mut sizes = Vec::new();
            let mut does = |words: &[&str]| {
                sizes.push((words[0].to_string(), exchange(&place, &customer, by, words)));
            };
            does(&["keys", "--argument", key]);
            does(&["activation", "--argument", key]);
            assert!(customer.allows());
            let recorded = customer.json(&["record", "exports", "7"], b"");
            assert_eq!(recorded["code"], "ok", "{recorded}");
            does(&["sync"]);
            assert_eq!(used(&admin, &license), 7 * (at as u64 + 1));
            does(&["renewal"]);
            does(&["clock"]);
            does(&["revocations"]);
            assert!(customer.allows());
            does(&["deactivation"]);
            assert!(!customer.allows());
            println!("{by:?} {sizes:?}");
            let fits = |(_, both): &(String, [usize; 2])| both.iter().all(|it| *it <= 2953);
            assert!(sizes.iter().all(fits), "docs/cli.md says that a picture holds each");
        }
        let list = admin.get("/api/v1/activations?active=true").good();
        assert_eq!(list["total"], 0, "{list}");
    }
}

#[test]
fn what_no_picture_holds_goes_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let place = places(folder.path()).swap_remove(0);
    let running = place.run();
    let admin = running.admin();
    let shop = Shop::open(&admin);
    let (license, keys) = sell(&admin, &shop);
    let key = license["license_key"].as_str().unwrap();
    let customer = Customer::new(&place.data.join("customer"), &keys, "server-dell");
    exchange(&place, &customer, Carrier::Text, &["activation", "--argument", key]);
    for _ in 0..120 {
        let other = json!({ "product_id": shop.product });
        let other = admin.post("/api/v1/licenses", other).good();
        admin.delete(&format!("/api/v1/licenses/{}", other["id"].as_str().unwrap())).good();
    }
    let request = customer.ask(Carrier::Qr, &["revocations"]).unwrap();
    assert_eq!(redeem(&place, Carrier::Qr, &request), None);
    let list = redeem(&place, Carrier::File, &request).unwrap();
    assert!(list.len() > 2953);
    assert_eq!(customer.apply(Carrier::File, &list)["code"], "ok");
}

/// What becomes of a text on its way: what it is called, the text then, and whether it is taken.
type Damage = (&'static str, fn(&str) -> Vec<u8>, bool);

fn lines(text: &str, width: usize, before: &str, after: &str) -> Vec<u8> {
    let lines = text.as_bytes().chunks(width).map(|line| str::from_utf8(line).unwrap());
    lines.map(|line| format!("{before}{line}{after}")).collect::<String>().into_bytes()
}

fn inside(text: &str, what: &str) -> Vec<u8> {
    let (start, end) = text.split_at(text.len() / 2);
    format!("{start}{what}{end}").into_bytes()
}

fn utf_16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

const DAMAGES: &[Damage] = &[
    ("as it was", |text| text.into(), true),
    ("wrapped at 64", |text| lines(text, 64, "", "\n"), true),
    ("wrapped at 72, CR LF", |text| lines(text, 72, "", "\r\n"), true),
    ("wrapped at 76, CR", |text| lines(text, 76, "", "\r"), true),
    ("spaces at the ends of lines", |text| lines(text, 76, "", "  \n"), true),
    ("indented", |text| lines(text, 60, "    ", "\n"), true),
    ("indented by tabs", |text| lines(text, 60, "\t", "\n"), true),
    ("lines between", |text| lines(text, 70, "", "\n\n"), true),
    ("lines around", |text| format!("\n\n  {text}\n \n").into(), true),
    ("a byte order mark", |text| format!("\u{feff}{text}").into(), true),
    ("no padding", |text| text.trim_end_matches('=').into(), true),
    ("quoted", |text| lines(text, 70, "> ", "\n"), false),
    ("quoted twice", |text| lines(text, 70, ">> ", "\n"), false),
    ("non-breaking spaces", |text| inside(text, "\u{a0}"), false),
    ("zero-width spaces", |text| inside(text, "\u{200b}"), false),
    ("a soft hyphen", |text| inside(text, "\u{ad}"), false),
    ("a smart dash", |text| inside(text, "\u{2013}"), false),
    ("a mark of the order of bytes inside", |text| inside(text, "\u{feff}"), false),
    ("an HTML entity", |text| inside(text, "&nbsp;"), false),
    ("HTML line breaks", |text| lines(text, 76, "", "<br>\n"), false),
    ("quoted-printable", |text| lines(text, 75, "", "=\r\n"), false),
    ("percent-encoded", |text| inside(text, "%0A"), false),
    ("between quotes", |text| format!("\u{201c}{text}\u{201d}").into(), false),
    ("between brackets", |text| format!("<{text}>").into(), false),
    ("in a fence", |text| format!("```\n{text}\n```").into(), false),
    ("after a greeting", |text| format!("Hello,\n\n{text}").into(), false),
    ("before a signature", |text| format!("{text}\n-- \nAnn").into(), false),
    ("pasted twice", |text| text.repeat(2).into(), false),
    ("its end is missing", |text| text[..text.len() - 40].into(), false),
    ("its start is missing", |text| text[40..].into(), false),
    ("its middle is missing", |text| [&text[..200], &text[300..]].concat().into(), false),
    ("its halves are swapped", |text| [&text[300..], &text[..300]].concat().into(), false),
    ("all in capitals", |text| text.to_uppercase().into(), false),
    ("an ellipsis", |text| format!("{}\u{2026}", &text[..300]).into(), false),
    ("UTF-16", utf_16, false),
    ("a zero byte", |text| format!("{text}\0").into(), false),
    ("nothing", |_| Vec::new(), false),
];

/// Whether it was taken. What is refused has a code of those of texts, and a sentence.
fn is_taken(what: &str, told: &Value) -> bool {
    let code = told["code"].as_str().unwrap();
    if code != "ok" {
        assert!(matches!(code, "malformed" | "bad_signature" | "wrong_kind"), "{what}: {told}");
        let message = told["message"].as_str().unwrap();
        assert!(message.split(' ').count() >= 4, "{what}: {message}");
    }
    code == "ok"
}

#[test]
fn what_mail_does_to_a_text_is_undone_or_named() {
    let folder = tempfile::tempdir().unwrap();
    let place = places(folder.path()).swap_remove(0);
    let running = place.run();
    let admin = running.admin();
    let shop = Shop::open(&admin);
    let (license, keys) = sell(&admin, &shop);
    let key = license["license_key"].as_str().unwrap();
    let customer = Customer::new(&place.data.join("customer"), &keys, "server-dell");
    let request = customer.ask(Carrier::Text, &["activation", "--argument", key]).unwrap();
    let file = place.data.join("mailed");
    let mut answer = String::new();
    for (what, damage, wanted) in DAMAGES {
        std::fs::write(&file, damage(request.trim_end())).unwrap();
        let told = told(&finish(redeems(&place, &["--json"], &file), b""));
        assert_eq!(is_taken(what, &told), *wanted, "{what}: {told}");
        if *wanted {
            answer = told["answer"].as_str().unwrap().to_string();
        }
    }
    // However often it was brought, it took one machine.
    let list = admin.get("/api/v1/activations").good();
    assert_eq!(list["total"], 1, "{list}");
    for (what, damage, wanted) in DAMAGES {
        let told = customer.json(&["apply", "-"], &damage(&answer));
        assert_eq!(is_taken(what, &told), *wanted, "{what}: {told}");
        if *wanted {
            let again = customer.apply(Carrier::Text, &answer);
            assert_eq!(again["code"], "already_used", "{what}: {again}");
            let next = customer.ask(Carrier::Text, &["sync"]).unwrap();
            answer = redeem(&place, Carrier::Text, &next).unwrap().trim_end().to_string();
        }
    }
    assert!(customer.allows());
}
