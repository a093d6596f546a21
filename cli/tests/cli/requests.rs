//! Requests and what the vendor makes of them: `request`, `inspect`, `issue --bind`, `redeem`.

use crate::run::Folder;
use licentia::issue::{read_request, unpack_request};
use serde_json::{Value, json};

const HERE: &str = "--dir state --keys keys/key.jwks --product myapp";
const ISSUE: &str = "issue --key keys/key.pem --product myapp --days 30 --feature a";
const REDEEM: &str = "redeem --key keys/key.pem";

/// A vendor, and a customer's machine of the library with an installation on it.
fn folder(machine: &str) -> Folder {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("state")).unwrap();
    folder.machine(machine);
    folder
}

/// Asks for something and gives the text, which is in the file of that name too.
fn ask(folder: &Folder, what: &str, more: &str) -> String {
    let text = folder.run(&format!("request {what} {HERE} {more}")).good();
    folder.write(what, &text);
    text.trim_end().to_string()
}

#[test]
fn all_of_a_request_is_shown() {
    let folder = folder("server-dell");
    let text = ask(&folder, "license", "--machine-root server-dell");
    let inside: Value = serde_json::from_str(&unpack_request(text.as_bytes()).unwrap()).unwrap();
    let object = folder.json("inspect license");
    assert_eq!((&object["kind"], &object["signature"]), (&json!("request"), &json!("good")));
    assert_eq!(object["request"], inside);
    let shown = folder.run("inspect license").good();
    assert!(shown.starts_with("a request that its installation signed\n  Asks for      license\n"));
    assert!(shown.contains("\n  Signed by     "), "{shown}");
    assert!(object["request"]["cnf"]["jwk"]["x"].is_string(), "{object}");
    let request = read_request(text.as_bytes()).unwrap();
    folder.write("unsigned", request.to_text().unwrap());
    assert_eq!(folder.json("inspect unsigned")["signature"], "none");
    assert!(folder.run("inspect unsigned").good().starts_with("a request that nobody signed\n"));
    let other = licentia::issue::InstallationKey::from_seed(&[1; 32]).unwrap();
    let theirs = request.to_signed_text(&other).unwrap();
    folder.write("theirs", theirs);
    assert_eq!(folder.json("inspect theirs")["signature"], "good", "by another key");
    let (_, whole) = shown.split_once("all that is in it:\n").unwrap();
    assert_eq!(serde_json::from_str::<Value>(whole).unwrap(), inside);
    let id = folder.json("fingerprint --product myapp --machine-root server-dell")["id"].clone();
    assert!(shown.contains(id.as_str().unwrap()), "{shown}");
    // As mail brings it, with keys that do not matter.
    let wrapped: Vec<&str> =
        text.as_bytes().chunks(60).map(|line| str::from_utf8(line).unwrap()).collect();
    let wrapped = format!("\u{feff}{}\r\n", wrapped.join("\r\n  "));
    let words = ["inspect", "--keys", "keys/key.jwks", "--json", "-"];
    assert_eq!(folder.json_words(&words, wrapped.as_bytes())["request"], inside);
    for damage in [text.replacen('A', "*", 1), text[..99].to_string(), format!("{text}eJ")] {
        folder.write("damaged", damage);
        assert_eq!(folder.fails("inspect damaged"), "malformed");
    }
    let run = folder.run(&format!("inspect {text}"));
    assert!(run.status == 2 && run.err.contains("a request is a file or -"), "{run:?}");
}

/// One request with the signature of another.
#[test]
fn a_request_that_was_altered_is_refused() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use std::io::{Read, Write};
    let folder = folder("server-dell");
    let inside = |what: &str| {
        let packed = STANDARD.decode(ask(&folder, what, "")).unwrap();
        let mut text = String::new();
        flate2::read::ZlibDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        let (json, signature) = text.rsplit_once('\n').unwrap();
        (json.to_string(), signature.to_string())
    };
    let ((json, _), (_, signature)) = (inside("license"), inside("clock"));
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    zlib.write_all(format!("{json}\n{signature}").as_bytes()).unwrap();
    folder.write("altered", STANDARD.encode(zlib.finish().unwrap()));
    assert_eq!(folder.fails("inspect altered"), "bad_signature");
    assert_eq!(folder.fails(&format!("{REDEEM} altered")), "bad_signature");
    assert_eq!(folder.fails(&format!("{ISSUE} --bind altered")), "bad_signature");
}

/// Whoever has a license can ask for seats of it, give them back, and be rid of it.
#[test]
fn seats_and_deactivations_are_asked_for() {
    let folder = folder("server-dell");
    for what in ["deactivation", "activation", "seat --argument ann", "borrow --argument 3\u{a0}b"]
    {
        let code = folder.fails(&format!("request {what} {HERE}"));
        let wanted = if what.starts_with("borrow") { "invalid_argument" } else { "not_licensed" };
        assert_eq!(code, wanted, "{what}");
    }
    folder.issue("--perpetual");
    folder.run(&format!("apply {HERE} a.lic")).good();
    for (what, holder) in
        [("seat", "ann"), ("release", "ann"), ("activation", ""), ("deactivation", "")]
    {
        let argument =
            if holder.is_empty() { String::new() } else { format!("--argument {holder}") };
        let text = ask(&folder, what, &argument);
        let request = read_request(text.as_bytes()).unwrap();
        assert!(request.license.is_some() && request.signer.is_some(), "{what}");
        assert_eq!(request.seat.map(|seat| seat.holder).unwrap_or_default(), holder, "{what}");
    }
    let words = [
        "request",
        "borrow",
        "--dir",
        "state",
        "--keys",
        "keys/key.jwks",
        "--product",
        "myapp",
        "--argument",
        "30 Ann B.",
        "--out",
        "borrow",
        "--json",
    ];
    folder.json_words(&words, b"");
    let shown = folder.run("inspect borrow").good();
    assert!(shown.contains("  Seat of       Ann B., for 30 days\n"), "{shown}");
    assert_eq!(folder.fails(&format!("{REDEEM} borrow")), "wrong_kind");
}

#[test]
fn a_license_is_bound_to_the_machine_that_asks() {
    let folder = folder("server-dell");
    ask(&folder, "license", "--machine-root server-dell");
    folder.run("fingerprint --product myapp --machine-root server-dell --out report.json").good();
    let asked = folder.json(&format!("{ISSUE} --bind license"));
    let reported = folder.json(&format!("{ISSUE} --bind report.json"));
    let machine = |object: &Value| object["claims"]["license"]["binding"]["machine"].clone();
    assert_eq!(machine(&asked), machine(&reported));
    assert!(machine(&asked)["need"].as_i64() >= Some(3), "{asked}");
    folder.issue("--days 30 --bind license");
    let verify = "verify --keys keys/key.jwks --product myapp a.lic";
    folder.run(&format!("{verify} --machine-root server-dell")).good();
    folder.machine("laptop-thinkpad");
    let other = format!("{verify} --machine-root laptop-thinkpad");
    assert_eq!(folder.fails(&other), "wrong_machine");
    let applied = format!("apply {HERE} --machine-root server-dell a.lic");
    folder.run(&applied).good();

    let foreign = "issue --key keys/key.pem --product other --perpetual --bind license";
    assert_eq!(folder.fails(foreign), "wrong_product");
    assert_eq!(folder.fails(&format!("{foreign} --bind-installation")), "wrong_product");
    ask(&folder, "clock", "");
    assert_eq!(folder.fails(&format!("{ISSUE} --bind clock")), "wrong_kind");
    folder.write("broken", "eJwAAAA");
    assert_eq!(folder.fails(&format!("{ISSUE} --bind broken")), "malformed");
}

#[test]
fn where_nothing_binds_it_can_be_bound_to_the_installation() {
    let folder = folder("container-docker");
    let text = ask(&folder, "license", "--machine-root container-docker");
    let id = read_request(text.as_bytes()).unwrap().installation;
    let line = format!("{ISSUE} --bind license");
    assert_eq!(folder.fails(&line), "weak_binding");
    assert_eq!(folder.json(&line)["installation"], id.as_str());
    assert!(folder.run(&line).err.contains("--bind-installation"));
    let run = folder.run(&format!("{line} --bind-installation --out a.lic"));
    assert!(run.err.contains(&format!("bound to the installation {id}")), "{run:?}");
    let binding = &folder.json("inspect a.lic")["payload"]["license"]["binding"];
    assert_eq!(*binding, json!({ "installation": id }));
    folder.run(&format!("apply {HERE} a.lic")).good();
    std::fs::create_dir(folder.path("other")).unwrap();
    let other = HERE.replace("state", "other");
    assert_eq!(folder.fails(&format!("apply {other} a.lic")), "wrong_installation");

    folder.run("fingerprint --product myapp --machine-root container-docker --out r.json").good();
    for wrong in [
        "--bind-installation",
        "--bind-this-machine --bind-installation",
        "--bind r.json --bind-installation",
        "--bind license --bind-installation --allow-weak-binding",
        "--bind license --bind-installation --need 1",
        "--bind license --bind-installation --bind-parts nic",
    ] {
        assert_eq!(folder.fails(&format!("{ISSUE} {wrong}")), "invalid_argument", "{wrong}");
    }
}

#[test]
fn a_clock_that_was_ahead_is_set_right_once() {
    let folder = folder("server-dell");
    let asked = ask(&folder, "clock", "");
    assert_eq!(read_request(asked.as_bytes()).unwrap().machine, None);
    let object = folder.json(&format!("{REDEEM} --out reset clock"));
    let now = object["server_time"].as_i64().unwrap();
    assert!((now - licentia::issue::now()).abs() < 60, "{object}");
    assert_eq!(folder.read("reset").trim_end(), object["answer"]);
    let shown = folder.json("inspect --keys keys/key.jwks reset");
    assert_eq!((&shown["kind"], &shown["signature"]), (&json!("clock reset"), &json!("good")));
    assert_eq!(shown["payload"]["server_time"], now);
    std::fs::create_dir(folder.path("other")).unwrap();
    folder.run(&format!("request {}", HERE.replace("state", "other"))).good();
    let other = format!("apply {} reset", HERE.replace("state", "other"));
    assert_eq!(folder.fails(&other), "wrong_installation");
    folder.run(&format!("apply {HERE} reset")).good();
    assert_eq!(folder.fails(&format!("apply {HERE} reset")), "already_used");
    folder.run("key new --out keys --name stranger").good();
    assert_eq!(folder.fails("inspect --keys keys/stranger.jwks reset"), "unknown_key");
}

#[test]
fn what_it_cannot_answer_is_refused() {
    let folder = folder("server-dell");
    ask(&folder, "license", "");
    ask(&folder, "clock", "");
    ask(&folder, "sync", "");
    folder.issue("--perpetual");
    for (file, code) in [
        ("license", "wrong_kind"),
        ("sync", "wrong_kind"),
        ("a.lic", "wrong_kind"),
        ("keys/key.jwks", "malformed"),
        ("nowhere", "io"),
        ("clock --server-time 2099-01-01", "invalid_argument"),
        ("clock --allow-future", "invalid_argument"),
        ("clock --server-time yesterday", "invalid_argument"),
        ("clock --issuer=", "malformed"),
        ("clock --qr --out a.svg", "invalid_argument"),
        ("clock --out keys", "io"),
    ] {
        assert_eq!(folder.fails(&format!("{REDEEM} {file}")), code, "{file}");
    }
    let bold = folder.json(&format!("{REDEEM} --server-time 2099-01-01 --allow-future clock"));
    assert_eq!(bold["server_time"], 4_070_908_800_i64);
    folder.run(&format!("{REDEEM} --server-time 2001-01-01 clock")).good();
}

#[test]
fn an_answer_is_carried_as_a_picture() {
    let folder = folder("server-dell");
    ask(&folder, "clock", "");
    let drawn = folder.run(&format!("{REDEEM} --qr clock")).good();
    let rows: Vec<&str> = drawn.lines().collect();
    let width = rows[0].chars().count();
    assert!(rows.len() == width.div_ceil(2) && width > 60, "{drawn}");
    assert!(rows.iter().all(|row| row.chars().all(|c| " ▀▄█".contains(c))), "{drawn}");
    for (name, start) in [("a.svg", &b"<?xml"[..]), ("a.png", b"\x89PNG\r\n\x1a\n")] {
        folder.run(&format!("{REDEEM} --out {name} clock")).good();
        assert!(std::fs::read(folder.path(name)).unwrap().starts_with(start), "{name}");
        assert_eq!(folder.fails(&format!("{REDEEM} --out {name} clock")), "io");
        folder.run(&format!("{REDEEM} --out {name} --force clock")).good();
    }
}

#[test]
fn an_issuer_that_is_set_to_nothing_is_not_set() {
    let folder = folder("server-dell");
    ask(&folder, "clock", "");
    let list = "revocations --key keys/key.pem --product myapp --version 1 --from /dev/null";
    for (line, out) in [(format!("{REDEEM} clock"), "a"), (list.to_string(), "b")] {
        for (issuer, starts) in [("", "urn:ietf:"), ("acme", "acme")] {
            let line = format!("{line} --force --out {out}");
            let mut command = folder.command(&line.split_whitespace().collect::<Vec<_>>());
            command.env("LICENTIA_ISSUER", issuer);
            folder.finish(command, b"").good();
            let said = folder.json(&format!("inspect {out}"))["payload"]["iss"].clone();
            assert!(said.as_str().unwrap().starts_with(starts), "{line}: {said}");
        }
    }
}
