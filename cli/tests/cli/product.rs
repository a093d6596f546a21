//! `product`.

use crate::run::Folder;
use licentia::{Product, SETTINGS, SITE_SETTINGS};
use serde_json::{Value, json};

const NEW: &str = "product new --product myapp --keys keys/key.jwks";
const SIGN: &str = "product sign draft --key keys/key.pem";

/// A vendor's folder with a draft that has nothing special.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.run(&format!("{NEW} --set grace_days=31 --out draft")).good();
    folder
}

/// The draft with a line changed.
fn change(folder: &Folder, from: &str, to: &str) {
    let draft = folder.read("draft");
    assert!(draft.contains(from), "{from}: {draft}");
    folder.write("draft", draft.replace(from, to));
}

#[test]
fn a_draft_is_signed_as_it_is_and_says_what_was_told() {
    let folder = Folder::new();
    let new = ["product", "new", "--product", "myapp", "--keys", "keys/key.jwks", "--out", "draft"];
    let more = ["--name", "My \"App\" \\o/", "--set", "vendor=Acme=1", "--set", "grace_days=31"];
    let run = folder.run_words(&[&new[..], &more].concat(), b"");
    assert_eq!((run.out.as_str(), run.err.as_str()), ("", "written to draft\n"));
    let run = folder.run(&format!("{SIGN} --issuer acme --out my.product"));
    let kid = folder.json("key show keys/key.pem")["keys"][0]["kid"].clone();
    let kid = kid.as_str().unwrap();
    let told = format!("product myapp, signed by the key {kid}\nwritten to my.product\n");
    assert_eq!(run.err, told);
    let file = Product::from_file(folder.read("my.product").as_bytes()).unwrap();
    assert_eq!((file.product().code(), file.name()), ("myapp", Some("My \"App\" \\o/")));
    assert_eq!((file.key_id(), file.issuer()), (kid, "acme"));
    let settings: Vec<_> = file.settings().collect();
    assert_eq!(settings, [("grace_days", "31"), ("vendor", "Acme=1")]);
}

#[test]
fn a_draft_has_every_setting_and_no_more() {
    let draft = folder().read("draft");
    let lines: Vec<&str> = draft.lines().collect();
    let has = |name: &str| lines.iter().any(|line| line.starts_with(&format!("# {name} = \"\"")));
    for setting in SETTINGS {
        let of_a_site = ["installation", "instance"].contains(&setting.name);
        let given = setting.name == "grace_days";
        assert_eq!(has(setting.name), !of_a_site && !given, "{}", setting.name);
    }
    assert!(lines.contains(&"grace_days = \"31\"") && has("name"), "{draft}");
    let is_the_products = |name: &str| SETTINGS.iter().any(|setting| setting.name == name);
    let of_the_site = SITE_SETTINGS.iter().filter(|setting| !is_the_products(setting.name));
    assert!(of_the_site.map(|setting| setting.name).all(|name| !has(name)), "{draft}");
    assert!(lines.iter().all(|line| line.len() < 100), "{draft}");
}

#[test]
fn without_a_file_it_is_printed() {
    let folder = folder();
    let draft = folder.run(&format!("{NEW} --set grace_days=31")).good();
    assert_eq!(draft, folder.read("draft"));
    let object = folder.json(NEW);
    assert_eq!(object["product"], "myapp");
    assert!(object["draft"].as_str().unwrap().ends_with("# machine = \"\"\n"), "{object}");
    let token = folder.run(SIGN).good();
    assert!(token.starts_with("eyJ") && token.trim_end().split('.').count() == 3, "{token}");
    let object = folder.json(SIGN);
    let file = object["product_file"].as_str().unwrap();
    assert_eq!(Product::from_file(file.as_bytes()).unwrap().id(), object["id"]);
    assert_eq!(object["settings"], json!({"grace_days": "31"}));
    assert_eq!((&object["product"], &object["name"]), (&json!("myapp"), &Value::Null));
    let piped = ["product", "sign", "-", "--key", "keys/key.pem"];
    folder.run_words(&piped, folder.read("draft").as_bytes()).good();
    let bare = r#"product = "a"
        keys = """#;
    let key = folder.run("key show --short keys/key.pem").good();
    let bare = bare.replace("\"\"", &format!("\"{}\"", key.trim()));
    folder.run_words(&piped, bare.as_bytes()).good();
}

#[test]
fn keys_keep_their_roles_from_the_file_to_the_agent() {
    let folder = Folder::new();
    for role in ["root", "license", "server"] {
        folder.run(&format!("key new --out keys --name {role} --role {role}")).good();
    }
    let pem = folder.run("key show --pem keys/key.jwks").good();
    folder.write("key.pub", pem);
    let keys = "--keys keys/root.jwks --keys keys/license.jwks --keys keys/server.jwks";
    let new = format!("product new --product myapp {keys} --keys key.pub");
    folder.run(&format!("{new} --out draft")).good();
    let object = folder.json("product sign draft --key keys/root.pem");
    let roles: Vec<_> =
        object["keys"].as_array().unwrap().iter().map(|key| &key["roles"]).collect();
    let all = json!(["root", "license", "server"]);
    assert_eq!(roles, [&json!(["root"]), &json!(["license"]), &json!(["server"]), &all]);
    folder.run("product sign draft --key keys/key.pem").good();
    for other in ["license", "server"] {
        let line = format!("product sign draft --key keys/{other}.pem");
        assert_eq!(folder.fails(&line), "invalid_argument");
        assert!(folder.run(&line).err.contains("role root"));
    }
    folder.run("key new --out keys --name stranger").good();
    assert_eq!(folder.fails("product sign draft --key keys/stranger.pem"), "invalid_argument");
}

#[test]
fn what_is_wrong_in_a_draft_is_told_with_its_line() {
    let broken = |to: &str| {
        let folder = folder();
        change(&folder, "grace_days = \"31\"", to);
        assert_eq!(folder.fails(SIGN), "invalid_argument", "{to}");
        folder.run(SIGN).err
    };
    for (to, said) in [
        ("grace_dayz = \"31\"", "did you mean grace_days?"),
        ("grace_days = 31.5", "neither a text nor a number"),
        ("grace_days = true", "neither a text nor a number"),
        ("grace_days = [\"31\"]", "neither a text nor a number"),
        ("grace_days = 99999", "0 to 3650"),
        ("grace_days = -1", "grace_days"),
        ("instance = \"https://a\"", "the site's"),
        ("license_file = \"/a\"", "the site's"),
        ("vendor = \"Acme", "basic string"),
        ("vendor = \"a\"\nvendor = \"b\"", "duplicate"),
        ("[setting]\nvendor = \"a\"", "unknown field"),
        ("machine_file = \"/a\"\nmachine = \"\"", "both"),
    ] {
        let err = broken(to);
        assert!(err.contains(said), "{to}: {err}");
    }
    for (from, to, said) in [
        ("product = \"myapp\"", "product = \"My App\"", "product code"),
        ("product = \"myapp\"", "", "product"),
        ("product = \"myapp\"", "product = 1", "invalid type"),
        ("# name = \"\"", "name = \"\"", "product.name"),
        ("keys = [", "keys = 1\nkeyz = [", "unknown field"),
        ("keys = [", "keys = [1,", "list of texts"),
        ("keys = [", "keys = [] #", "unknown"),
    ] {
        let folder = folder();
        change(&folder, from, to);
        let err = folder.run(SIGN);
        assert_ne!(err.status, 0, "{to}");
        assert!(err.err.contains(said) || to.contains("[] #"), "{to}: {err:?}");
    }
    let folder = folder();
    folder.write("draft", "product = \"a\"\n\n keys = [\n");
    assert!(folder.run(SIGN).err.contains("line 3 of the draft"));
    folder.write("draft", "product = \"a\"\nkeys = []\n");
    assert_eq!(folder.fails(SIGN), "invalid_key");
    folder.write("draft", "product = \"a\"\nkeys = \"keys/key.jwks\"\n");
    assert_eq!(folder.fails(SIGN), "invalid_key");
    folder.write("draft", b"product = \"\xff\"\n");
    assert_eq!(folder.fails(SIGN), "invalid_argument");
    assert_eq!(folder.fails("product sign /dev/zero --key keys/key.pem"), "too_large");
    assert_eq!(folder.fails("product sign nowhere --key keys/key.pem"), "io");
    assert_eq!(folder.fails("product sign - --key -"), "invalid_argument");
    let folder = self::folder();
    assert_eq!(folder.fails("product sign draft --key keys/key.jwks"), "invalid_key");
    assert_eq!(folder.fails("product sign draft --key nowhere"), "io");
}

#[test]
fn what_stops_the_clock_is_signed_only_on_purpose() {
    for (line, said) in [
        ("clock = \"2026-01-01\"", "clock"),
        ("clock = 1", "clock"),
        ("machine = \"one\"", "machine"),
        ("clock = 1\nmachine = \"one\"", "clock and machine"),
    ] {
        let folder = folder();
        change(&folder, "grace_days = \"31\"", line);
        assert_eq!(folder.fails(SIGN), "invalid_argument");
        assert!(folder.run(SIGN).err.contains(&format!("sets {said}, which")), "{line}");
        let run = folder.run(&format!("{SIGN} --allow-test --out a"));
        assert!(run.err.contains("never give it to a customer"), "{run:?}");
        let shown = folder.run("inspect a").good();
        assert_eq!(shown.contains("its clock stands at"), line.contains("clock"), "{shown}");
    }
    for line in ["clock = \"system\"", "clock = \"\"", "machine = \"\""] {
        let folder = folder();
        change(&folder, "grace_days = \"31\"", line);
        let run = folder.run(SIGN);
        assert!(run.status == 0 && !run.err.contains("note"), "{line}: {run:?}");
    }
}

#[test]
fn a_slip_on_the_command_line_writes_nothing() {
    let folder = folder();
    for line in [
        "product",
        "product new",
        "product new --product myapp",
        "product new --product My --keys keys/key.jwks",
        &format!("{NEW} --name="),
        &format!("{NEW} --set grace_days"),
        &format!("{NEW} --set grace_dayz=31"),
        &format!("{NEW} --set grace_days=99999"),
        &format!("{NEW} --set instance=https://a"),
        &format!("{NEW} --set public_status=full"),
        &format!("{NEW} --set vendor=a --set vendor=b"),
        "product sign draft",
        "product sign --key keys/key.pem",
    ] {
        assert_eq!(folder.fails(&format!("{line} --out x")), "invalid_argument", "{line}");
        assert!(!folder.path("x").exists(), "{line}");
    }
    assert_eq!(folder.fails(&format!("{SIGN} --force")), "invalid_argument");
    assert!(folder.run(&format!("{NEW} --set grace_dayz=31")).err.contains("grace_days?"));
    assert_eq!(folder.fails(&format!("{SIGN} --issuer=")), "invalid_argument");
    let twice = format!("{NEW} --keys keys/key.jwks");
    assert_eq!(folder.fails(&twice), "invalid_key", "the same key twice");
    assert_eq!(folder.fails(&NEW.replace("key.jwks", "key.pem")), "invalid_key");
    assert_eq!(folder.fails(&NEW.replace("keys/key.jwks", "draft")), "invalid_key");
}

#[test]
fn a_file_is_written_over_only_with_force() {
    let folder = folder();
    assert_eq!(folder.fails(&format!("{NEW} --out draft")), "io");
    folder.run(&format!("{SIGN} --out a")).good();
    let first = folder.read("a");
    assert_eq!(folder.fails(&format!("{SIGN} --out a")), "io");
    assert_eq!(folder.read("a"), first);
    folder.run(&format!("{SIGN} --out a --force")).good();
    assert_ne!(folder.read("a"), first);
    assert_eq!(folder.fails(&format!("{SIGN} --out keys/key.pem --force")), "io");
}

#[test]
fn inspect_says_whose_key_it_is_and_that_anybody_can_make_one() {
    let folder = folder();
    folder.run(&format!("{SIGN} --out a")).good();
    let kid = folder.json(SIGN)["kid"].clone();
    let text = folder.run("inspect a").good();
    assert!(text.starts_with("signed by a key of its own: "), "{text}");
    for said in ["anybody may have made", kid.as_str().unwrap(), "grace_days = 31", "myapp"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let object = folder.json("inspect a");
    assert_eq!((&object["kind"], &object["kid"]), (&json!("product file"), &kid));
    assert_eq!(object["signature"], "self");

    let checked = "inspect --keys keys/key.jwks";
    let text = folder.run(&format!("{checked} a")).good();
    assert!(text.starts_with("signature checked: a product file that a trusted root"), "{text}");
    assert_eq!(folder.json(&format!("{checked} a"))["signature"], "good");
    assert_eq!(folder.json(&format!("{checked} --product myapp a"))["code"], "ok");
    assert_eq!(folder.fails(&format!("{checked} --product other a")), "wrong_product");
    folder.run("key new --out keys --name other").good();
    assert_eq!(folder.fails("inspect --keys keys/other.jwks a"), "unknown_key");

    let file = folder.read("a");
    let (signed, _) = file.rsplit_once('.').unwrap();
    folder.write("forged", format!("{signed}.{}", "A".repeat(86)));
    let run = folder.run("inspect forged");
    assert!(run.status == 0 && run.out.starts_with("UNVERIFIED"), "{run:?}");
    assert!(run.err.contains("(bad_signature)"), "{run:?}");
    assert_eq!(folder.json("inspect forged")["signature"], "not checked");
    assert_eq!(folder.fails(&format!("{checked} forged")), "bad_signature");
}

#[test]
fn a_key_that_may_not_sign_it_there_is_no_trusted_root() {
    let folder = folder();
    folder.run(&format!("{SIGN} --out a")).good();
    let jwks: Value = serde_json::from_str(&folder.read("keys/key.jwks")).unwrap();
    for (member, value, code) in [
        ("roles", json!(["license", "server"]), "unknown_key"),
        ("state", json!("compromised"), "key_compromised"),
        ("exp", json!(1), "key_retired"),
        ("nbf", json!(253_402_300_799_i64), "key_not_yet_valid"),
    ] {
        let mut jwks = jwks.clone();
        jwks["keys"][0][member] = value;
        folder.write("mine.jwks", jwks.to_string());
        assert_eq!(folder.fails("inspect --keys mine.jwks a"), code, "{member}");
    }
}

#[test]
fn a_product_file_is_no_license_and_no_key_set() {
    let folder = folder();
    folder.run(&format!("{SIGN} --out a")).good();
    std::fs::create_dir(folder.path("state")).unwrap();
    let here = "--keys keys/key.jwks --product myapp";
    assert_eq!(folder.fails(&format!("verify {here} a")), "wrong_kind");
    assert_eq!(folder.fails(&format!("apply --dir state {here} a")), "wrong_kind");
    folder.issue("--perpetual");
    assert_eq!(folder.fails(&format!("verify {here} --keys a a.lic")), "wrong_kind");
    assert_eq!(folder.fails("product sign a --key keys/key.pem"), "invalid_argument");
}

#[test]
fn a_private_key_in_a_draft_is_refused_and_not_printed() {
    let folder = folder();
    let pem = folder.read("keys/key.pem");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    change(&folder, "# name = \"\"", &format!("name = '''{pem}'''"));
    assert_eq!(folder.fails(SIGN), "invalid_key");
    for broken in [format!("{body}\n"), format!("{body} = 1\n"), format!("x = \"{body}\n")] {
        folder.write("draft", broken);
        assert_eq!(folder.fails(SIGN), "invalid_argument");
    }
    for args in [["--name", &body], ["--set", &format!("vendor={body}")]] {
        let words: Vec<&str> = NEW.split(' ').chain(args).collect();
        assert_eq!(folder.run_words(&words, b"").status, 2);
    }
}
