//! Lives apart from the long one: out of reach for more than a year, with new keys, with seats,
//! and over roads that lead nowhere.

use crate::life::{DAY, Life};
use crate::program::{NOWHERE, Program};
use licentia_tests::middle::{Deed, Middle};
use serde_json::{Value, json};
use std::io::Read;
use std::net::TcpListener;

/// What can be used out of reach for a while, and then read, and then nothing.
pub fn for_three_years() -> Value {
    json!({
        "customer_name": "Example Labs", "features": ["reports"], "valid_days": 1096,
        "max_machines": 2,
        "entitlements": [{"id": "exports", "meter": "count", "per": "ever"}],
        "terms": {
            "sync_days": 30, "stages": {"overdue": {"warn": 0, "read_only": 60, "deny": 90}},
        },
    })
}

/// Four hundred days without the server: to the second what was signed, and then well again.
pub fn offline(life: &mut Life) {
    life.activate();
    life.sync();
    let status = life.program.status();
    let by = status["issuer"]["next_sync_by"].as_i64().unwrap();
    assert_eq!(by, life.program.at + 30 * DAY, "{status}");
    let began = life.program.at;
    let turns = [
        (by, "allow", "warn", "ok"),
        (by + 60 * DAY, "warn", "read_only", "sync_overdue"),
        (by + 90 * DAY, "read_only", "deny", "sync_overdue"),
    ];
    let (mut used, mut turns) = (0, turns.iter().peekable());
    let mut reason = "ok";
    for day in 1..=400 {
        let today = began + day * DAY;
        if let Some((at, before, from, why)) = turns.next_if(|(at, ..)| *at <= today) {
            life.set(at - 1);
            life.program.may("exports", before, reason);
            life.set(*at);
            life.program.may("exports", from, why);
            reason = why;
        }
        life.set(today);
        if today < by + 60 * DAY {
            life.program.good("record=exports=1");
            used += 1;
        } else if day % 50 == 0 {
            life.program.refused("record=exports=1", "sync_overdue");
        }
        if day % 20 == 0 {
            life.program.cut_off("sync=");
        }
    }
    assert!(turns.next().is_none() && used == 89, "{used}");
    life.program.may("exports", "deny", "sync_overdue");
    let status = life.program.status();
    assert_eq!(status["issuer"]["failure"]["code"], "unreachable", "{status}");
    life.sync();
    let status = life.program.may("exports", "allow", "ok");
    assert_eq!(status["issuer"]["failure"], Value::Null, "{status}");
    assert_eq!(status["issuer"]["next_sync_by"], life.program.at + 30 * DAY, "{status}");
    assert_eq!(life.reported("exports"), used);
}

/// New keys twice, and then somebody has stolen one: programs that pinned the first root go on.
pub fn rotate(life: &mut Life) {
    life.activate();
    let signed_by = |program: &mut Program| {
        program.may("reports", "allow", "ok")["license"]["key_id"].as_str().unwrap().to_string()
    };
    let mut before = signed_by(&mut life.program);
    for _ in 0..2 {
        life.pass(DAY);
        pair(life, "POST", "/rotate");
        // What is here goes on, and what comes is signed by what nobody here knows yet.
        assert_eq!(signed_by(&mut life.program), before);
        life.program.cut_off("sync=");
        life.sync();
        life.vendor("POST", "/renew", &json!({ "valid_days": 30 }));
        life.program.good("call=renewal=");
        let after = signed_by(&mut life.program);
        assert_ne!(after, before, "it is signed by the key before");
        before = after;
    }
    // One that was shipped before all that, and was never used.
    let mut late = life.program.elsewhere(life.language, "late");
    late.good(&format!("call=activation={}", life.key()));
    assert_eq!(signed_by(&mut late), before);
    let keys = pair(life, "GET", "")["keys"].clone();
    let stolen = keys.as_array().unwrap().iter().find(|key| key["kid"] == *before);
    let stolen = stolen.unwrap()["id"].as_str().unwrap().to_string();
    life.pass(DAY);
    late.at = life.program.at;
    pair(life, "POST", &format!("/keys/{stolen}/compromise"));
    for program in [&mut life.program, &mut late] {
        // Nobody has told it.
        assert_eq!(signed_by(program), before);
        program.good("sync=");
        assert_ne!(signed_by(program), before, "a stolen key is still believed");
    }
    life.program.told.extend(std::mem::take(&mut late.told));
}

/// What the vendor does with the keys of the product.
fn pair(life: &Life, method: &str, what: &str) -> Value {
    let admin = &life.world.admin;
    let product = admin.get(&format!("/products/{}", life.sold.product));
    let path = format!("/key-pairs/{}{what}", product["key_pair_id"].as_str().unwrap());
    match method {
        "GET" => admin.get(&path),
        _ => admin.make(&path, &json!({})),
    }
}

/// Two seats, of which each lasts ten minutes.
pub fn floating() -> Value {
    json!({
        "customer_name": "Example Labs", "features": ["reports"], "valid_days": 30,
        "license_type": "floating", "max_seats": 2,
        "terms": {"seat_seconds": 600, "borrow_days": 7},
    })
}

/// One too many, given back, and back by itself from a program that was killed.
pub fn seats(life: &mut Life) {
    let until = |program: &Program, seconds: i64| vec![format!("seat={}", program.at + seconds)];
    life.activate();
    assert_eq!(life.program.good("seat=ann=0"), until(&life.program, 600));
    assert_eq!(life.program.good("seat=bob=0"), until(&life.program, 600));
    life.program.refused("seat=cid=0", "no_seat");
    life.program.refused("seat=cid=3", "no_seat");
    // Whoever has one keeps it, however often he asks.
    life.pass(300);
    assert_eq!(life.program.good("seat=ann=0"), until(&life.program, 600));
    life.pass(60);
    let renewed = life.program.good("seat=ann=0\tseat_renew=");
    assert_eq!(renewed[1], until(&life.program, 600)[0]);
    // Where nobody is, whoever has one keeps it, and nobody else gets one.
    let server = std::mem::replace(&mut life.program.server, NOWHERE.to_string());
    assert_eq!(life.program.good("seat=ann=0"), until(&life.program, 600));
    life.program.refused("seat=ann=0\tseat_renew=", "unreachable");
    life.program.refused("seat=cid=0", "unreachable");
    life.program.server = server;
    let released = life.program.good("seat=ann=0\tseat_release=\tseat_release=");
    assert_eq!(released[1..], ["seat=none", "seat=none"]);
    life.program.good("seat=cid=0");
    life.program.refused("seat=ann=0", "no_seat");
    kill(life);
    // Borrowed, it is used for days where nobody is.
    assert_eq!(life.program.good("seat=eve=7"), until(&life.program, 7 * DAY));
    life.program.server = NOWHERE.to_string();
    life.pass(7 * DAY - 1);
    assert_eq!(life.program.good("seat=eve=0"), until(&life.program, 1));
    life.pass(1);
    life.program.refused("seat=eve=0", "unreachable");
}

/// A program that holds a seat is killed in the middle of a call. By the server's clock the seat
/// is free again when its lease has ended, and not a second before.
fn kill(life: &mut Life) {
    life.pass(600);
    life.program.good("seat=cid=0");
    let mut other = life.program.elsewhere(life.language, "killed");
    other.good(&format!("call=activation={}", life.key()));
    other.good("seat=dan=0");
    let taken = life.program.at;
    life.program.refused("seat=eve=0", "no_seat");
    let middle = Middle::start(life.world.admin.root());
    other.server.clone_from(&middle.root);
    middle.set(Deed::Stall);
    other.killed("seat=dan=0\tseat_renew=", || middle.waits());
    life.set(taken + 599);
    life.program.good("seat=cid=0");
    life.program.refused("seat=eve=0", "no_seat");
    life.set(taken + 600);
    life.program.good("seat=eve=0\tseat_release=");
}

/// A server that is not there, one that says nothing, one that says what another was told.
pub fn roads(life: &mut Life) {
    let server = life.program.server.clone();
    life.program.server = format!("{NOWHERE} {server}");
    life.activate();
    life.program.good("record=exports=1\tsync=");
    assert_eq!(life.reported("exports"), 1);
    // Somebody who takes every connection and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    std::thread::spawn(move || {
        let hold = |stream: std::net::TcpStream| std::thread::spawn(move || swallow(stream));
        silent.incoming().flatten().for_each(|stream| drop(hold(stream)));
    });
    life.program.server = format!("http://{address} {server}");
    life.program.good("site=server_timeout=2\trecord=exports=1\tsync=");
    assert_eq!(life.reported("exports"), 2);
    life.program.server = format!("http://{address}");
    let lost = life.program.does("site=server_timeout=1\trecord=exports=1\tsync=");
    assert_eq!(lost.code, "unreachable", "{lost:?}");
    life.program.told.pop();
    replay(life, &server);
    life.program.server = server;
    life.sync();
    assert_eq!(life.reported("exports"), 3);
}

fn swallow(mut stream: std::net::TcpStream) {
    let mut bytes = [0; 4096];
    while stream.read(&mut bytes).is_ok_and(|count| count > 0) {}
}

/// What was signed for another question, another time or another machine, instead of the answer.
fn replay(life: &mut Life, server: &str) {
    let middle = Middle::start(server);
    life.program.server.clone_from(&middle.root);
    life.sync();
    life.pass(DAY);
    life.sync();
    let mut other = life.program.elsewhere(life.language, "other");
    other.good(&format!("call=activation={}", life.key()));
    other.good("sync=");
    let recorded = middle.signed();
    let before = life.program.status();
    assert!(recorded.len() >= 4, "{}", recorded.len());
    for (at, answer) in recorded.iter().enumerate() {
        middle.set(Deed::Replace(answer.clone()));
        for field in ["sync=", "call=renewal="] {
            let said = life.program.does(field);
            assert_ne!(said.code, "ok", "recorded answer {at} was taken for {field}");
        }
        let now = life.program.status();
        assert_eq!((&now["license"], &now["access"]), (&before["license"], &before["access"]));
        assert_eq!(now["issuer"]["last_contact"], before["issuer"]["last_contact"], "{now}");
    }
    middle.set(Deed::Pass);
    life.sync();
    assert_eq!(life.program.status()["issuer"]["last_contact"], life.program.at);
}
