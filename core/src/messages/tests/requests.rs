//! Request codes: what is in them, and what becomes of them on their way.

use super::{HERE, ID, THEN, code, word};
use crate::errors::Code;
use crate::limits::REQUEST_MAX;
use crate::machine::Report;
use crate::messages::{
    Ledger, Licensed, Request, SDK, Seat, Totals, Used, is_request, read, unpack,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};
use std::io::Write;

const NONCE: &str = "AAECAwQFBgcICQoLDA0OD_8f1h0zv6TqCJmTrJlPn1Y";

const KEY: &str = "ABCD-EFGH-4711";

fn machine() -> Report {
    Report::from_identity("myapp", "instance-0042").unwrap()
}

pub(super) fn full(what: &str) -> Request {
    Request {
        what: what.to_string(),
        product: "myapp".to_string(),
        installation: HERE.to_string(),
        nonce: NONCE.to_string(),
        sdk: SDK.to_string(),
        at: THEN,
        machine: Some(machine()),
        license: Some(Licensed { id: ID.to_string(), token_id: "t1".to_string() }),
        key: (what == "activation").then(|| KEY.to_string()),
        seat: match what {
            "seat" | "release" => Some(Seat { holder: "ann".to_string(), days: None }),
            "borrow" => Some(Seat { holder: "M\u{fc}ller, A.".to_string(), days: Some(366) }),
            _ => None,
        },
        signer: None,
        sync: Some(Totals {
            seq: 4,
            epoch: 1,
            usage: vec![used("requests", "month", Some(THEN), 12), used("users", "level", None, 9)],
            ledger: Some(Ledger { seq: 77, head: "h".to_string() }),
            since: Some(Ledger { seq: 70, head: "g".to_string() }),
            lost: 1,
            revocations: Some(6),
        }),
    }
}

fn used(feature: &str, kind: &str, from: Option<i64>, used: u64) -> Used {
    Used { feature: feature.to_string(), kind: kind.to_string(), from, used }
}

pub(super) fn bare(what: &str) -> Request {
    Request { machine: None, license: None, sync: None, ..full(what) }
}

pub(super) fn pack(bytes: &[u8], level: u32) -> String {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::new(level));
    zlib.write_all(bytes).unwrap();
    STANDARD.encode(zlib.finish().unwrap())
}

fn parse(json: &Value) -> crate::Result<Request> {
    read(pack(json.to_string().as_bytes(), 6).as_bytes())
}

pub(super) fn json_of(request: &Request) -> Value {
    serde_json::from_str(&unpack(request.to_text().unwrap().as_bytes()).unwrap()).unwrap()
}

#[test]
fn what_is_written_is_read() {
    let words =
        ["license", "renewal", "activation", "sync", "deactivation", "seat", "borrow", "release"];
    for what in words {
        let request = full(what);
        assert_eq!(read(request.to_text().unwrap().as_bytes()).unwrap(), request);
        assert!(!format!("{request:?}").contains("4711"), "{request:?}");
    }
    for request in [full("license"), bare("clock"), full("sync")] {
        let text = request.to_text().unwrap();
        assert!(text.starts_with("eJ") && is_request(text.as_bytes()), "{text}");
        assert_eq!(read(text.as_bytes()).unwrap(), request);
    }
    let alone = Request { sync: Some(Totals::default()), ..bare("sync") };
    assert_eq!(read(alone.to_text().unwrap().as_bytes()).unwrap(), alone);
    for text in ["", " ", "e", "eyJ", "eJx.y.z", "ZXlK", "{}"] {
        assert!(!is_request(text.as_bytes()), "{text}");
    }
}

#[test]
fn what_leaves_the_machine_is_this_and_no_more() {
    let found = json_of(&full("license"));
    let hash = machine().components()[0].hash.clone();
    assert_eq!(
        found,
        json!({
            "v": 1, "what": "license", "product": "myapp", "installation": HERE, "nonce": NONCE,
            "sdk": concat!("licentia/", env!("CARGO_PKG_VERSION")), "at": THEN,
            "machine": {
                "v": 1, "product": "myapp", "id": machine().id(),
                "environment": {"container": null, "vm": null, "cloud": null, "wsl": false},
                "components": [
                    {"kind": "identity", "state": "found", "hash": hash, "binds": true},
                ],
            },
            "license": {"id": ID, "token_id": "t1"},
            "sync": {
                "seq": 4, "epoch": 1, "revocations": 6, "ledger": {"seq": 77, "head": "h"},
                "since": {"seq": 70, "head": "g"}, "lost": 1,
                "usage": [
                    {"feature": "requests", "kind": "month", "from": THEN, "used": 12},
                    {"feature": "users", "kind": "level", "used": 9},
                ],
            },
        })
    );
    assert_eq!(json_of(&bare("clock")).as_object().unwrap().len(), 7);
}

#[test]
fn of_a_machine_only_what_binds_leaves() {
    let report = Report::from_json(
        &json!({
            "v": 1, "product": "myapp", "id": null,
            "environment": {"vm": "kvm"},
            "components": [
                {"kind": "nic", "state": "found", "hash": "AAAAAAAAAAAAAAAAAAAAAA", "binds": true},
                {"kind": "cpu", "state": "found", "hash": "AQEBAQEBAQEBAQEBAQEBAQ",
                 "binds": false, "note": "it names a model that many machines have"},
                {"kind": "board", "state": "unreadable", "hash": null, "binds": false,
                 "note": "/sys/class/dmi/id/board_serial"},
            ],
        })
        .to_string(),
    )
    .unwrap();
    let request = Request { machine: Some(report.clone()), ..bare("license") };
    let json = json_of(&request);
    assert_eq!(json["machine"]["components"].as_array().unwrap().len(), 1);
    assert!(!json.to_string().contains("note") && !json.to_string().contains("/sys"), "{json}");
    let back = read(request.to_text().unwrap().as_bytes()).unwrap().machine.unwrap();
    assert_eq!((back.id(), back.environment()), (report.id(), report.environment()));
    let nic = report.components().iter().find(|row| row.binds).unwrap();
    assert_eq!(back.components(), std::slice::from_ref(nic));
}

#[test]
fn every_member_is_judged() {
    let good = json_of(&full("license"));
    assert_eq!(word(parse(&good)), "ok");
    for name in good.as_object().unwrap().keys() {
        let optional = ["machine", "license", "sync"].contains(&name.as_str());
        let said = if optional { "ok" } else { "malformed" };
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(name);
        assert_eq!(word(parse(&without)), said, "without {name}");
        without[name] = Value::Null;
        assert_eq!(word(parse(&without)), said, "{name} is null");
    }
    let usage = |row: Value| json!({ "seq": 0, "epoch": 0, "usage": [row] });
    let other = Report::from_identity("other", "x").unwrap().to_json();
    let other: Value = serde_json::from_str(&other).unwrap();
    for (name, values) in [
        ("v", json!([0, "1", true, -1])),
        ("what", json!(["", "Clock", "a-b", "x".repeat(33), 1])),
        ("product", json!(["", "MyApp", ["myapp"], "a".repeat(101)])),
        ("installation", json!(["", HERE.to_uppercase(), 1])),
        ("nonce", json!(["", "x".repeat(65), 1])),
        ("sdk", json!(["", "x".repeat(65), 1])),
        ("at", json!([-1, 253_402_300_800_i64, "1"])),
        ("machine", json!([[], "x", {}, {"v": 1}, {"v": 0}, other])),
        (
            "license",
            json!([[ID, "t"], {"id": ID}, {"token_id": "t"}, {"id": "x", "token_id": "t"},
            {"id": ID, "token_id": ""}, {"id": ID, "token_id": "x".repeat(65)}]),
        ),
        (
            "sync",
            json!([[], {}, {"seq": 1}, {"epoch": 1}, {"seq": -1, "epoch": 0},
            {"seq": 0, "epoch": 0, "revocations": 0}, {"seq": 0, "epoch": 0, "ledger": {}},
            {"seq": 0, "epoch": 0, "ledger": {"seq": 0, "head": ""}},
            {"seq": 0, "epoch": 0, "since": {"seq": 0}}, {"seq": 0, "epoch": 0, "lost": -1},
            usage(json!({"feature": "Users", "kind": "level", "used": 1})),
            usage(json!({"feature": "users", "kind": "level"})),
            usage(json!({"feature": "users", "used": 1})),
            usage(json!({"feature": "users", "kind": "", "used": 1})),
            usage(json!({"feature": "users", "kind": "level", "used": -1})),
            usage(json!(["users", 1])),
            usage(json!({"feature": "users", "kind": "level", "used": 1, "from": -1})),
            usage(json!({"feature": "users", "kind": 1, "used": 1}))]),
        ),
    ] {
        for value in values.as_array().unwrap() {
            let mut bad = good.clone();
            bad[name] = value.clone();
            assert_eq!(word(parse(&bad)), "malformed", "{name} = {value}");
        }
    }
}

#[test]
fn an_activation_has_a_key_and_nothing_else_has() {
    let good = json_of(&full("activation"));
    assert_eq!(good["key"], KEY);
    let with = |what: &str, key: Value| {
        let mut json = good.clone();
        json["what"] = what.into();
        json["key"] = key;
        word(parse(&json))
    };
    for key in [KEY, "a", "a b", &"x".repeat(128), "~!\"\\"] {
        assert_eq!(with("activation", key.into()), "ok", "{key}");
        assert_eq!(with("license", key.into()), "malformed");
    }
    let long = "x".repeat(129);
    for key in ["", " ", " a", "a ", "a\tb", "a\n", "\u{e4}", "\u{200b}a", &long] {
        assert_eq!(with("activation", key.into()), "malformed", "{key:?}");
    }
    for key in [Value::Null, json!(1), json!([KEY])] {
        let said = if key.is_null() { "ok" } else { "malformed" };
        assert_eq!(with("activation", key), said, "it has a license");
    }
    assert_eq!(with("license", Value::Null), "ok");
    let neither = json!({ "what": "activation", "license": null, "key": null });
    assert_eq!(word(parse(&super::with(&good, &neither))), "malformed");
}

#[test]
fn what_is_asked_of_a_seat_says_whose() {
    let long = "x".repeat(129);
    for what in ["seat", "borrow", "release", "license", "activation", "sync"] {
        let with = |seat: Value| {
            word(parse(&super::with(&json_of(&full(what)), &json!({ "seat": seat }))))
        };
        let (own, days) = (matches!(what, "seat" | "release"), what == "borrow");
        let said = |good| if good { "ok" } else { "malformed" };
        assert_eq!(with(Value::Null), said(!own && !days), "{what}");
        for holder in ["a", "Ann B.", "M\u{fc}ller", &"x".repeat(128)] {
            assert_eq!(with(json!({ "holder": holder })), said(own), "{what} {holder}");
            assert_eq!(with(json!({ "holder": holder, "days": 1 })), said(days), "{what} {holder}");
        }
        for holder in ["", " ", " a", "a ", "a\tb", "a\n", "\u{0}", "a\u{202e}b", &long] {
            for days in [Value::Null, json!(1)] {
                let seat = json!({ "holder": holder, "days": days });
                assert_eq!(with(seat), "malformed", "{what} {holder:?}");
            }
        }
        for count in [0, -1, 367, i64::from(u32::MAX) + 1] {
            assert_eq!(with(json!({ "holder": "a", "days": count })), "malformed", "{count}");
        }
        for bad in [json!("a"), json!(["a", 1]), json!({}), json!({ "holder": ["a"] })] {
            assert_eq!(with(bad), "malformed");
        }
    }
}

#[test]
fn later_versions_are_told_from_broken_ones() {
    let mut more = json_of(&full("license"));
    more["more"] = json!({ "a": [1, 2] });
    more["sync"]["more"] = json!(1);
    assert_eq!(parse(&more).unwrap(), full("license"));
    assert_eq!(word(parse(&json!({ "v": 2 }))), "too_new");
    more["machine"] = json!({ "v": 2 });
    assert_eq!(word(parse(&more)), "too_new");
    let later = pack(br#"{"v":2,"what":["new"]}"#, 6);
    assert_eq!(unpack(later.as_bytes()).unwrap(), r#"{"v":2,"what":["new"]}"#);
    for bad in
        ["", "[]", "{}", "{\"v\":1,\"v\":1}", "\u{feff}{}", "{\"v\":1.0}", "nul", "{\"v\":1}x"]
    {
        assert_eq!(word(read(pack(bad.as_bytes(), 6).as_bytes())), "malformed", "{bad}");
    }
}

#[test]
fn nothing_unpacks_to_more_than_any_request() {
    let space = |count: usize| {
        [json_of(&bare("clock")).to_string().into_bytes(), vec![b' '; count]].concat()
    };
    let length = space(0).len();
    assert_eq!(word(read(pack(&space(REQUEST_MAX - length), 9).as_bytes())), "ok");
    assert_eq!(word(read(pack(&space(REQUEST_MAX - length + 1), 9).as_bytes())), "too_large");
    let bomb = pack(&vec![b' '; 64 * 1024 * 1024], 9);
    assert!(bomb.len() < 2 * REQUEST_MAX, "{}", bomb.len());
    let started = std::time::Instant::now();
    assert_eq!(word(read(bomb.as_bytes())), "too_large");
    assert!(started.elapsed().as_millis() < 500, "{:?}", started.elapsed());
    assert_eq!(word(read(&vec![b'A'; 2 * REQUEST_MAX + 1])), "too_large");
    let used = used(&"f".repeat(64), "month", Some(THEN), 1);
    let mut long = full("sync");
    long.sync.as_mut().unwrap().usage = vec![used; 1_000];
    assert_eq!(code(long.to_text()), Code::TooLarge);
}

#[test]
fn every_cut_and_every_flipped_bit_is_noticed() {
    let request = full("license");
    let text = request.to_text().unwrap();
    let mut missed = 0;
    let mut judge = |bytes: &[u8]| {
        missed += i32::from(read(bytes).is_ok_and(|found| found != request));
    };
    for end in 0..text.trim_end_matches('=').len() {
        assert!(read(&text.as_bytes()[..end]).is_err(), "cut at {end}");
    }
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            judge(&bytes);
        }
    }
    let zlib = STANDARD.decode(&text).unwrap();
    for at in 0..zlib.len() * 8 {
        let mut bytes = zlib.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        judge(STANDARD.encode(bytes).as_bytes());
    }
    // The sum of zlib (Adler-32) is for accidents, and misses one in some thousands.
    assert!(missed <= 4, "{missed} of {}", zlib.len() * 8);
    for tail in [&b"\0"[..], b"eJ", &zlib] {
        let longer = STANDARD.encode([&zlib, tail].concat());
        assert_eq!(word(read(longer.as_bytes())), "malformed", "{tail:?}");
    }
}

#[test]
fn what_mail_and_shells_do_is_undone_or_named() {
    let request = full("license");
    let text = request.to_text().unwrap();
    let text = text.as_str();
    let wrap = |end: &str| {
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
        lines.join(end)
    };
    let middle = |c: &str| format!("{}{c}{}", &text[..100], &text[100..]);
    for undone in [
        format!("{text}\n"),
        format!("{text}\r\n\r\n"),
        format!("  \t{text}  "),
        format!("\u{feff}{text}"),
        wrap("\n"),
        wrap("\r\n"),
        wrap("\r"),
        wrap("\n    "),
        wrap(" \n"),
        middle(" "),
        middle("\t\t"),
        text.trim_end_matches('=').to_string(),
        STANDARD_NO_PAD.encode(STANDARD.decode(text).unwrap()),
    ] {
        assert_eq!(read(undone.as_bytes()).as_ref(), Ok(&request), "{undone}");
    }
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = [b"\xff\xfe".to_vec(), utf16].concat();
    for (damage, named) in [
        (format!("\"{text}\""), "'\"' at byte 0"),
        (format!("<{text}>"), "'<' at byte 0"),
        (wrap("\n> "), "'>' at byte 65"),
        (middle("\u{a0}"), "'\u{a0}' at byte 100"),
        (middle("\u{ad}"), "at byte 100"),
        (middle("\u{200b}"), "at byte 100"),
        (middle("…"), "'…' at byte 100"),
        (middle("\0"), "0x00 at byte 100"),
        (middle("–"), "'–' at byte 100"),
        (middle("%0A"), "'%' at byte 100"),
        (text.replacen('J', "Ј", 1), "'Ј' at byte 1"),
        (format!("{text}{text}"), ""),
        (format!("request={text}"), "not base64"),
        (text.to_lowercase(), ""),
        (text[..200].to_string(), "not zlib"),
        (text[1..].to_string(), ""),
        (middle("A"), ""),
        (URL_SAFE.encode([0x78, 0x9c, 0xff, 0xff, 0xff]), "not base64"),
        (String::new(), "empty"),
        (" \r\n".to_string(), "empty"),
    ] {
        let error = read(damage.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::Malformed, "{damage}: {error}");
        assert!(error.detail().contains(named), "{damage}: {error}");
    }
    assert!(read(&utf16).unwrap_err().detail().contains("UTF-16"));
    assert_eq!(code(read(b"\xc3\x28")), Code::Malformed);
}
