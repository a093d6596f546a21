//! Licenses bound to a machine, an installation, an instance: docs/format.md, section 3.4.

use crate::case::{Case, Facts, OFF, ON, upto};
use crate::document::Doc;
use crate::signer::part;
use serde_json::{Value, json};

/// What the host calls its machine.
const HOST: &str = "host-1";

/// An installation.
const ID: &str = "6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c";

/// A hash that no machine has.
const NOBODY: &str = "AAAAAAAAAAAAAAAAAAAAAA";

pub fn cases() -> Vec<Case> {
    let mut cases = identity();
    cases.extend(thresholds());
    cases.extend(hardware());
    cases.extend(versions());
    cases.extend(flaws());
    cases.extend(places());
    cases.extend(held());
    cases
}

fn bound(machine: Value) -> Doc {
    Doc::license().set("/license/binding", json!({"machine": machine}))
}

fn to_host(host: &str) -> Doc {
    bound(json!({"v": 1, "need": 1, "parts": {"identity": [part("myapp", "identity", host)]}}))
}

fn identity() -> Vec<Case> {
    let license = to_host(HOST).sign();
    let on = |name: &str, host: &str| {
        Case::verify(format!("machine {name}"), &*license).set("machine", host)
    };
    let file = "tests/fixtures/first/machine";
    let other = Doc::license().set("/aud", "otherapp");
    let hash = part("myapp", "identity", HOST);
    let salted = json!({"v": 1, "need": 1, "parts": {"identity": [hash]}});
    let hosts = json!([part("myapp", "identity", "host-0"), part("myapp", "identity", HOST)]);
    let cluster = bound(json!({"v": 1, "need": 1, "parts": {"identity": hosts}})).sign();
    let long = "h".repeat(4096);
    vec![
        on("that it is for", HOST),
        on("with white space around", "\n host-1\r\n"),
        on("that is another", "host-2").fails("wrong_machine"),
        on("in upper case", "HOST-1").fails("wrong_machine"),
        on("with a space inside", "host -1").fails("wrong_machine"),
        on("with more", "host-10").fails("wrong_machine"),
        on("that is the hash", &part("myapp", "identity", HOST)).fails("wrong_machine"),
        Case::verify("machine in a file", to_host("first-machine").sign())
            .set("machine_file", file),
        Case::verify("another machine in a file", &*license)
            .set("machine_file", file)
            .fails("wrong_machine"),
        Case::verify("machine in a file that is not there", &*license)
            .set("machine_file", "tests/fixtures/first/nothing")
            .fails("io"),
        Case::verify("machine in an empty file", &*license)
            .set("machine_file", "tests/fixtures/first/empty")
            .fails("invalid_argument"),
        Case::verify("no file is read where none is needed", Doc::license().sign())
            .set("machine_file", "tests/fixtures/first/nothing"),
        Case::verify(
            "a hash of another product",
            other.set("/license/binding", json!({"machine": salted})).sign(),
        )
        .of("otherapp")
        .set("machine", HOST)
        .fails("wrong_machine"),
        Case::verify("one of several machines", &*cluster).set("machine", HOST),
        Case::verify("another of several machines", &*cluster).set("machine", "host-0"),
        Case::verify("none of several machines", cluster)
            .set("machine", "host-2")
            .fails("wrong_machine"),
        Case::verify("an identity of 4096 bytes", to_host(&long).sign()).set("machine", &*long),
        Case::verify("an identity that is not ASCII", to_host("хост-1").sign())
            .set("machine", "хост-1"),
        Case::verify("an unbound license on any machine", Doc::license().sign())
            .set("machine", HOST),
    ]
}

/// `need` of the kinds, where an explicit identity is the only kind that is read.
fn thresholds() -> Vec<Case> {
    let own = part("myapp", "identity", HOST);
    let on = |name: &str, need: u64, parts: Value| {
        let license = bound(json!({"v": 1, "need": need, "parts": parts})).sign();
        Case::verify(format!("parts: {name}"), license).set("machine", HOST)
    };
    vec![
        on("1 of 2", 1, json!({"identity": [own], "nic": [NOBODY]})),
        on("2 of 2", 2, json!({"identity": [own], "nic": [NOBODY]})).fails("wrong_machine"),
        on(
            "1 of 3, not this one",
            1,
            json!({"nic": [NOBODY], "disk": [NOBODY], "board": [NOBODY]}),
        )
        .fails("wrong_machine"),
        on("the right hash of another kind", 1, json!({"nic": [own]})).fails("wrong_machine"),
        on("a kind counts once", 2, json!({"identity": [own, own], "nic": [NOBODY]}))
            .fails("wrong_machine"),
        on("an unknown kind matches nothing", 1, json!({"dna": [own]})).fails("wrong_machine"),
        on("an unknown kind counts nothing", 1, json!({"dna": [own], "identity": [own]})),
        on("an unknown kind is needed", 2, json!({"dna": [own], "identity": [own]}))
            .fails("wrong_machine"),
        on("a kind in upper case is unknown", 1, json!({"Identity": [own]})).fails("wrong_machine"),
        on("64 hashes, the last one this", 1, json!({"identity": last_of(64, &own)})),
    ]
}

/// The machine whose files are in `tests/fixtures/first/root`.
fn hardware() -> Vec<Case> {
    let id = part("myapp", "machine_id", "4c8f9b0e6a1d4f7f8b2f3c5d6e7f8091");
    let board = part("myapp", "board", "pf2k7h9x");
    let chassis = part("myapp", "chassis", "r90abcde");
    let on = |name: &str, need: u64, parts: Value| {
        let license = bound(json!({"v": 1, "need": need, "parts": parts})).sign();
        let case = Case::verify(format!("hardware: {name}"), license);
        case.set("machine_root", "tests/fixtures/first/root")
    };
    let all = || json!({"machine_id": [id], "board": [board], "chassis": [chassis]});
    let one_off = || json!({"machine_id": [id], "board": [NOBODY], "chassis": [chassis]});
    vec![
        on("3 of 3", 3, all()),
        on("2 of 3, one drifted", 2, one_off()),
        on("3 of 3, one drifted", 3, one_off()).fails("wrong_machine"),
        on(
            "2 of 3, one missing",
            2,
            json!({"machine_id": [id], "board": [board], "disk": [NOBODY]}),
        ),
        on("1 of 1", 1, json!({"board": [board]})),
        on("2 of 2, exchanged", 2, json!({"board": [chassis], "chassis": [board]}))
            .fails("wrong_machine"),
        on("2 of 3, one excluded", 2, all()).set("machine_exclude", "chassis"),
        on("2 of 3, two excluded", 2, all())
            .set("machine_exclude", "chassis, machine_id")
            .fails("wrong_machine"),
        on("an identity hides it", 1, all()).set("machine", HOST).fails("wrong_machine"),
        on("an empty identity does not", 3, all()).set("machine", ""),
        on("another root", 1, all())
            .set("machine_root", "tests/fixtures/first/nothing")
            .fails("wrong_machine"),
    ]
}

/// So many hashes, the last one given.
fn last_of(count: usize, last: &str) -> Vec<String> {
    let other = |n: usize| part("myapp", "identity", &format!("other-{n}"));
    (1..count).map(other).chain([last.to_string()]).collect()
}

fn versions() -> Vec<Case> {
    let own = part("myapp", "identity", HOST);
    let on = |name: &str, machine: Value| {
        Case::verify(format!("binding {name}"), bound(machine).sign()).set("machine", HOST)
    };
    let mut cases = vec![
        on("of version 2", json!({"v": 2, "need": 1, "parts": {"identity": [own]}}))
            .fails("too_new"),
        on("of version 2 in another shape", json!({"v": 2, "matrix": [1, 2]})).fails("too_new"),
        on("of version 2 with other parts", json!({"v": 2, "need": "most", "parts": []}))
            .fails("too_new"),
        on("of version 4294967295", json!({"v": 4_294_967_295u64})).fails("too_new"),
        on("of version 0", json!({"v": 0, "need": 1, "parts": {"identity": [own]}}))
            .fails("malformed"),
        on("of version -1", json!({"v": -1})).fails("malformed"),
        on("of version \"1\"", json!({"v": "1", "need": 1, "parts": {"identity": [own]}}))
            .fails("malformed"),
        on("without a version", json!({"need": 1, "parts": {"identity": [own]}}))
            .fails("malformed"),
        on(
            "with more members",
            json!({"v": 1, "need": 1, "parts": {"identity": [own]}, "note": 7}),
        ),
    ];
    for value in [json!(7), json!("host-1"), json!([]), json!([1, 1, {}]), json!(true), json!({})] {
        cases.push(on(&format!("that is {value}"), value).fails("malformed"));
    }
    let null = bound(Value::Null).sign();
    cases.push(Case::verify("binding to the machine null", null).set("machine", HOST));
    cases
}

fn flaws() -> Vec<Case> {
    let own = part("myapp", "identity", HOST);
    let many = |count: usize| {
        let kinds = (0..count).map(|n| (format!("kind_{n}"), json!([NOBODY])));
        json!(kinds.collect::<serde_json::Map<_, _>>())
    };
    [
        ("need 0", json!(0), json!({"identity": [own]})),
        ("need more than there are", json!(2), json!({"identity": [own]})),
        ("need -1", json!(-1), json!({"identity": [own]})),
        ("need a text", json!("1"), json!({"identity": [own]})),
        ("need null", Value::Null, json!({"identity": [own]})),
        ("no parts", json!(1), json!({})),
        ("parts null", json!(1), Value::Null),
        ("parts an array", json!(1), json!([own])),
        ("parts a text", json!(1), json!(own)),
        ("a kind without hashes", json!(1), json!({"identity": []})),
        ("a kind with a text", json!(1), json!({"identity": own})),
        ("a kind with an object", json!(1), json!({"identity": {"0": own}})),
        ("a kind with null", json!(1), json!({"identity": null})),
        ("a hash that is a number", json!(1), json!({"identity": [7]})),
        ("a hash of 21 characters", json!(1), json!({"identity": [own[..21]]})),
        ("a hash of 23 characters", json!(1), json!({"identity": [format!("{own}A")]})),
        ("a hash with padding", json!(1), json!({"identity": [format!("{}==", &own[..20])]})),
        ("a hash with unused bits", json!(1), json!({"identity": ["AAAAAAAAAAAAAAAAAAAAAB"]})),
        ("a bad hash beside a good one", json!(1), json!({"identity": [own], "nic": ["x"]})),
        ("65 hashes", json!(1), json!({"identity": last_of(65, &own)})),
        ("33 kinds", json!(1), many(33)),
    ]
    .into_iter()
    .map(|(name, need, parts)| {
        let license = bound(json!({"v": 1, "need": need, "parts": parts})).sign();
        let case = Case::verify(format!("flaw: {name}"), license).set("machine", HOST);
        case.fails("malformed")
    })
    .collect()
}

fn places() -> Vec<Case> {
    let to = |binding: Value| Doc::license().set("/license/binding", binding).sign();
    let url = "https://play.acme.example";
    let installed =
        |name: &str| Case::verify(format!("installation {name}"), to(json!({"installation": ID})));
    let instance = |name: &str, bound: &str| {
        Case::verify(format!("instance {name}"), to(json!({"instance": bound})))
    };
    let mut cases = vec![
        installed("that it is for").set("installation", ID),
        installed("in upper case").set("installation", ID.to_uppercase()),
        installed("that is another")
            .set("installation", "00000000-0000-4000-8000-000000000000")
            .fails("wrong_installation"),
        installed("that was not given").fails("wrong_installation"),
        installed("given and taken away").set("installation", "").fails("wrong_installation"),
        instance("that it is for", url).set("instance", url),
        instance("with a slash at the end", url).set("instance", format!("{url}/")),
        instance("bound with a slash at the end", &format!("{url}/")).set("instance", url),
        instance("with a path", &format!("{url}/a/")).set("instance", format!("{url}/a")),
        instance("with another path", &format!("{url}/a"))
            .set("instance", url)
            .fails("wrong_installation"),
        instance("of another host", url)
            .set("instance", "https://play.acme.example.evil.example")
            .fails("wrong_installation"),
        instance("by another scheme", url)
            .set("instance", "http://play.acme.example")
            .fails("wrong_installation"),
        instance("that was not given", url).fails("wrong_installation"),
        instance("of 1024 bytes", &"u".repeat(1024)).set("instance", "u".repeat(1024)),
        instance("of 1025 bytes", &"u".repeat(1025)).fails("malformed"),
        instance("of no bytes", "").fails("malformed"),
        Case::verify("unbound, with both given", Doc::license().sign())
            .set("installation", ID)
            .set("instance", url),
    ];
    let hash = part("myapp", "identity", HOST);
    let machine = json!({"v": 1, "need": 1, "parts": {"identity": [hash]}});
    let all = to(json!({"machine": machine, "installation": ID, "instance": url}));
    for (name, host, id, at, slug) in [
        ("all hold", HOST, ID, url, "ok"),
        ("the machine does not", "host-2", ID, url, "wrong_machine"),
        ("the installation does not", HOST, "", url, "wrong_installation"),
        ("the instance does not", HOST, ID, "", "wrong_installation"),
        ("nothing holds", "host-2", "", "", "wrong_machine"),
    ] {
        let case = Case::verify(format!("three bindings: {name}"), &*all)
            .set("machine", host)
            .set("installation", id)
            .set("instance", at);
        cases.push(if slug == "ok" { case } else { case.fails(slug) });
    }
    for id in ["", "x", "6F1C2A34-0B5E-4F6D-8C7A-9D0E1F2A3B4C", "6f1c2a340b5e4f6d8c7a9d0e1f2a3b4c"]
    {
        let license = to(json!({"installation": id}));
        cases.push(Case::verify(format!("installation {id:?}"), license).fails("malformed"));
    }
    for (member, value) in
        [("installation", json!(7)), ("installation", json!([])), ("instance", json!({}))]
    {
        let license = to(json!({member: value}));
        cases.push(Case::verify(format!("{member} is {value}"), license).fails("malformed"));
    }
    cases
}

fn held() -> Vec<Case> {
    let license = to_host(HOST).sign();
    let here = [("pro", ON), ("users", upto(15))];
    let there = [("pro", OFF), ("users", OFF)];
    let facts = Facts::plain(&there);
    vec![
        Case::inspect("inspected on its machine", &*license).set("machine", HOST).grants(&here),
        Case::inspect("inspected on another", &*license)
            .set("machine", "host-2")
            .says(facts.clone()),
        Case::inspect("inspected where the machine cannot be read", &*license)
            .set("machine_file", "tests/fixtures/first/nothing")
            .says(facts.clone()),
        Case::inspect("inspected where the binding is too new", bound(json!({"v": 9})).sign())
            .set("machine", HOST)
            .says(facts),
    ]
}
