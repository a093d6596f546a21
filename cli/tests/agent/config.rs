//! The configuration: what is wrong in it is told before anything is made.

use crate::running::Agent;
use crate::site::{ADMINISTRATOR, Site, TOKEN};
use licentia::{SETTINGS, SITE_SETTINGS};
use sha2::{Digest, Sha256};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

/// A configuration, and what is said of it.
struct Case {
    top: &'static str,
    tables: &'static str,
    says: &'static str,
}

const fn top(top: &'static str, says: &'static str) -> Case {
    Case { top, tables: "", says }
}

const fn table(tables: &'static str, says: &'static str) -> Case {
    Case { top: "", tables, says }
}

const WRONG: &[Case] = &[
    top("lisen = 1", "lisen means nothing; did you mean listen?"),
    top("zebra = 1", "zebra means nothing"),
    top("state = 5", "state is a text"),
    top("state = \"\"", "state is empty"),
    top("log = \"loud\"", "log is one of text, json, off"),
    top("metrics = \"all\"", "metrics is one of read, public, off"),
    top("product = \"a.b.c\"", "product and product_file say the same"),
    top("product_key = \"else\"", "(unknown_key)"),
    top("site = 3", "site is a table"),
    top("users = 3", "users is a list"),
    top("users = [3]", "users is a list of tables"),
    top("state = \"a", "line 3 is not TOML"),
    table("[site]\nmont = \"/a\"", "site.mont means nothing; did you mean mount?"),
    table("[site]\nmount = \"a\"", "site.mount"),
    table("[site]\nmount = true", "site.mount is a text"),
    table("[site]\npublic_status = \"some\"", "site.public_status"),
    table("[site]\nlease_window = 400", "site.lease_window"),
    table("[limits]\nconnections = 0", "limits.connections is a number from 1 to 65536"),
    table("[limits]\nconnections = \"9\"", "limits.connections is a number"),
    table("[limits]\nbody_second = 1", "did you mean body_seconds?"),
    table("[tls]\nkey = \"a\"", "tls.certificate is missing"),
    table("[tls]\ncertificate = \"a\"", "tls.key is missing"),
    table("[tls]\ncertificate = \"a\"\nkey = \"a\"", "(io)"),
    table("[tls]\ncertificate = \"product.lic\"\nkey = \"product.lic\"", "there is no certificate"),
    table("[[tokens]]\nenv = \"X\"", "tokens[2].name is missing"),
    table("[[tokens]]\nname = \"a\"", "tokens[2].name needs one of env, file and sha256"),
    table("[[tokens]]\nname = \"a\"\nenv = \"A\"\nfile = \"b\"", "needs one of env"),
    table(
        "[[tokens]]\nname = \"a\"\nenv = \"NO_SUCH_TOKEN\"",
        "names NO_SUCH_TOKEN, which is not set",
    ),
    table("[[tokens]]\nname = \"a\"\nenv = \"NO=SUCH\"", "which is not set"),
    table("[[tokens]]\nname = \"a\"\nenv = \"EMPTY\"", "names EMPTY, which is not set"),
    table("[[tokens]]\nname = \"a\"\nenv = \"SHORT\"", "fewer than 16 characters"),
    table("[[tokens]]\nname = \"a\"\nenv = \"BLANK\"", "a blank at an end"),
    table("[[tokens]]\nname = \"a\"\nfile = \"none\"", "tokens[2].file"),
    table("[[tokens]]\nname = \"a\"\nfile = \"short\"", "fewer than 16 characters"),
    table("[[tokens]]\nname = \"a\"\nsha256 = \"abc\"", "64 hexadecimal digits"),
    table("[[tokens]]\nname = \"a\"\nenv = \"AGENT_TEST_TOKEN\"", "another token is the same"),
    table("[[tokens]]\nname = \"root\"\nenv = \"SECOND\"", "tokens[2].name = root is there twice"),
    table("[[users]]\nname = \"root\"", "users[1].name = root is there twice"),
    table("log = \"json\"", "tokens[1].log belongs above the first [section]"),
    table("[site]\nlisten = \"a\"", "site.listen belongs above the first [section]"),
    table("[[tokens]]\nname = \"a\"\nkind = \"robot\"", "tokens[2].kind is one of service, person"),
    table("[[tokens]]\nname = \"a\"\nrights = [\"all\"]", "tokens[2].rights is"),
    table("[[tokens]]\nname = \"a\"\nsecret = \"b\"", "tokens[2].secret means nothing"),
    table("[[tokens]]\nname = \"a\\nb\"", "tokens[2].name"),
    table("[[users]]\nname = \"a\"", "users[1].password is what `licentia agent password` prints"),
    table("[[users]]\nname = \"a\"\npassword = \"secret word\"", "users[1].password is what"),
    table("[[users]]\nname = \"a:b\"\npassword = \"c\"", "has a colon"),
];

#[test]
fn what_is_wrong_is_told_in_one_sentence_with_its_key() {
    let site = Site::new();
    site.write("short", "too short\n");
    let mut wrong = Vec::new();
    for Case { top, tables, says } in WRONG {
        site.configure(top, tables);
        let mut command = site.command(&["--check"]);
        command.env("SECOND", TOKEN.repeat(2));
        command.env("SHORT", "123456789012345").env("BLANK", format!(" {TOKEN}")).env("EMPTY", "");
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        if text.contains("correct the call") {
            wrong.push(format!("there is no call: {text}"));
        }
        let status = match text.contains("(io)") {
            true => 3,
            false => 1 + i32::from(text.contains("(invalid_argument)")),
        };
        if !text.contains(says) || output.status.code() != Some(status) || text.lines().count() > 1
        {
            wrong.push(format!("{top}{tables}: {:?} {text}", output.status));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(!site.path("agent-state").exists(), "nothing was made");
}

/// Nobody grants himself grace.
#[test]
fn what_is_the_vendors_to_say_is_refused_wherever_it_stands() {
    let site = Site::new();
    let of_the_site = |name: &str| SITE_SETTINGS.iter().any(|setting| setting.name == name);
    let mut names: Vec<String> = SETTINGS.iter().map(|setting| setting.name.to_string()).collect();
    names.retain(|name| !of_the_site(name));
    assert!(names.len() >= 10, "{names:?}");
    let more = ["keys", "trusted_keys", "trusted-keys", "product_code", "product_name", "root_key"];
    names.extend(more.map(str::to_string));
    names.extend(["Grace_Days".to_string(), "grace-days".to_string(), "terms".to_string()]);
    let mut checked = 0;
    for name in &names {
        let line = format!("{name:?} = \"30\"\n");
        let places = [
            (line.clone(), String::new()),
            (String::new(), format!("[site]\n{line}")),
            (String::new(), format!("[limits]\n{line}")),
            (String::new(), format!("[[tokens]]\n{line}")),
            (String::new(), format!("[[users]]\n{line}")),
            (String::new(), format!("[tls]\n{line}")),
            (format!("[{name:?}]\n"), String::new()),
            (format!("[[{name:?}]]\n"), String::new()),
        ];
        for (top, tables) in places {
            site.configure(&top, &tables);
            let (status, text) = site.refusal(&[]);
            assert_eq!(status, 2, "{top}{tables}: {text}");
            let own = "is kept in the state folder";
            let says = if name == "installation" { own } else { "it is in the product file" };
            assert!(text.contains(says) && text.contains(name.as_str()), "{top}{tables}: {text}");
            checked += 1;
        }
    }
    assert_eq!(checked, 8 * names.len());
    site.configure("", "[site]\ninstance = \"https://a.example\"\nlease_window = 20\n");
    assert!(site.run(&["--check"]).status.success());
}

#[test]
fn the_product_file_has_to_be_good_and_of_the_key_that_is_named() {
    let site = Site::new();
    site.configure("", "");
    let (kid, other) = (site.kid(), Site::new());
    assert!(site.run(&["--check", "--product-key", &kid]).status.success());
    let (status, text) = site.refusal(&["--product-key", &other.kid()]);
    assert!(status == 1 && text.contains("(unknown_key)"), "{text}");
    assert!(text.contains("or correct product_key") && !text.contains("license"), "{text}");
    // Every 64th name begins like an option, and no option is a name.
    let (status, text) = site.refusal(&["--product-key", &format!("-{}", &kid[1..])]);
    assert!(status == 1 && text.contains("(unknown_key)"), "{text}");
    for wrong in ["--check", "else", &kid[1..], &format!("{kid}="), ""] {
        let (status, text) = site.refusal(&["--product-key", wrong]);
        assert!(status == 2 && text.contains("licentia key show tells it"), "{wrong}: {text}");
    }

    let path = other.path("product.lic").to_string_lossy().into_owned();
    assert!(
        site.run(&["--check", "--product", &path]).status.success(),
        "it is the one that counts"
    );
    let (status, text) = site.refusal(&["--product", &path, "--product-key", &kid]);
    assert!(status == 1 && text.contains("(unknown_key)"), "{text}");
    site.configure(&format!("product_key = \"{kid}\"\n"), "");
    assert!(site.run(&["--check"]).status.success());
    let (status, _) = site.refusal(&["--product", &path]);
    assert_eq!(status, 1, "the file's own pin holds too");

    site.configure("", "");
    let good = fs::read_to_string(site.path("product.lic")).unwrap();
    let draft = "# A comment.\nproduct = \"myapp\"\nkeys = []\n".to_string();
    for (text, says, wanted) in [
        (good.replacen('.', ".A", 1), "(malformed)", 1),
        (good[..good.len() - 5].to_string(), "", 1),
        (site.license(), "name the product file, which the vendor sent too (wrong_kind)", 1),
        (String::new(), "(malformed)", 1),
        (draft.clone(), "is an unsigned draft: sign it with `licentia product sign` (inv", 2),
    ] {
        site.write("product.lic", text);
        let (status, text) = site.refusal(&[]);
        assert!(status == wanted && text.contains(says), "{text}");
        assert!(text.contains("product.lic"), "it is named: {text}");
    }
    site.write("agent.toml", format!("product = '''\n{draft}'''\n{ADMINISTRATOR}"));
    assert!(site.refusal(&[]).1.contains("product is an unsigned draft"));
    site.configure("", "");
    fs::remove_file(site.path("product.lic")).unwrap();
    assert_eq!(site.refusal(&[]).0, 3);
    site.write("agent.toml", ADMINISTRATOR);
    assert!(site.refusal(&[]).1.contains("there is no product"));
    site.write("agent.toml", format!("product = \"myapp\"\n{ADMINISTRATOR}"));
    assert!(site.refusal(&[]).1.contains("product file that the vendor signed"));
}

#[test]
fn the_file_itself_has_to_be_there_and_is_named() {
    let site = Site::new();
    let (status, text) = site.refusal(&[]);
    assert!(status == 3 && text.contains("agent.toml"), "{text}");
    site.write("agent.toml", [0xff, 0xfe]);
    assert_eq!(site.refusal(&[]).0, 2);
    site.configure("[a]\nsecret_word_of_a_user = ", "");
    let (_, text) = site.refusal(&[]);
    assert!(!text.contains("secret_word_of_a_user"), "{text}");
    let output = site.command(&[]).arg("password").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "one or the other");
}

#[test]
fn the_check_says_what_would_be_served_and_makes_nothing() {
    let site = Site::new();
    let hash: String = Sha256::digest(TOKEN).iter().map(|byte| format!("{byte:02x}")).collect();
    let listen = "listen = \"0.0.0.0:0\"\nproduct_file = \"product.lic\"\n";
    site.write("agent.toml", format!("{listen}[[tokens]]\nname = \"a\"\nsha256 = \"{hash}\"\n"));
    let output = site.run(&["--check", "--json"]);
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((object["code"].as_str(), object["product"].as_str()), (Some("ok"), Some("myapp")));
    assert_eq!(object["product_key"], site.kid());
    let warning = object["warnings"][0].as_str().unwrap();
    assert!(warning.contains("without [tls]"), "{warning}");
    assert!(output.stderr.is_empty() && !site.path("agent-state").exists());

    site.write("token", format!("{TOKEN}\n"));
    fs::set_permissions(site.path("token"), fs::Permissions::from_mode(0o644)).unwrap();
    let product = "listen = \"127.0.0.1:0\"\nproduct_file = \"product.lic\"\n";
    site.write("agent.toml", format!("{product}[[tokens]]\nname = \"a\"\nfile = \"token\"\n"));
    let text = String::from_utf8(site.run(&["--check"]).stderr).unwrap();
    assert!(text.contains("the token file ") && text.contains("has mode 0644"), "{text}");
    fs::set_permissions(site.path("token"), fs::Permissions::from_mode(0o600)).unwrap();
    assert!(site.run(&["--check"]).stderr.is_empty());
    let state = format!("state = \"no/such/folder\"\n{product}");
    site.write("agent.toml", format!("{state}[[tokens]]\nname = \"a\"\nfile = \"token\"\n"));
    let text = String::from_utf8(site.run(&["--check"]).stderr).unwrap();
    assert!(text.contains("no/such/folder cannot be made: there is no"), "{text}");
    site.write("agent.toml", product);
    let text = String::from_utf8(site.run(&["--check"]).stderr).unwrap();
    assert!(text.contains("nobody can sign in"), "{text}");
}

/// What keeps it from starting keeps the check from saying that it would.
#[test]
fn the_check_fails_where_the_address_cannot_be_had() {
    let site = Site::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let listen = |address: &str| {
        let product = "product_file = \"product.lic\"";
        site.write("agent.toml", format!("listen = \"{address}\"\n{product}\n{ADMINISTRATOR}"));
    };
    listen(&address.to_string());
    let (status, text) = site.refusal(&[]);
    let says = "another program listens there: stop it, or set listen (io)";
    assert!(status == 3 && text.contains(says), "{text}");
    drop(taken);
    // An address of nobody's machine.
    listen("192.0.2.1:0");
    let (status, text) = site.refusal(&[]);
    assert!(status == 3 && text.contains("192.0.2.1:0: ") && text.contains("may be had"), "{text}");
    assert!(!site.path("agent-state").exists(), "nothing was made");
}

/// A folder that cannot be used does not keep it from starting: it is warned of, by its path.
#[test]
fn the_check_warns_of_a_folder_that_cannot_be_used() {
    let site = Site::new();
    let check = |state: &str| {
        site.configure(&format!("state = \"{state}\""), "");
        let output = site.run(&["--check"]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    site.write("plain", "");
    let text = check("plain");
    assert!(text.contains("warning: the state folder ") && text.contains("/plain: "), "{text}");

    fs::create_dir(site.path("folder")).unwrap();
    assert_eq!(check("folder"), "");
    fs::set_permissions(site.path("folder"), fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write anywhere.
    if fs::write(site.path("folder/file"), "").is_err() {
        let text = check("folder");
        assert!(text.contains("folder cannot be written: Permission denied"), "{text}");
        let text = check("folder/below");
        assert!(text.contains("folder/below cannot be made: Permission denied"), "{text}");
    }
    fs::set_permissions(site.path("folder"), fs::Permissions::from_mode(0o755)).unwrap();

    site.write("product.lic", site.product_of("other", &[]));
    site.configure("state = \"theirs\"", "");
    drop(Agent::start(&site));
    site.write("product.lic", site.product(&[]));
    let text = check("theirs");
    assert!(text.contains("name another folder (state)") && !text.contains("license"), "{text}");
}

#[test]
fn a_product_file_that_stops_the_clock_is_warned_of() {
    let site = Site::new();
    site.write("product.lic", site.product(&[("clock", "1790000000"), ("grace_days", "30")]));
    site.configure("", "");
    let text = String::from_utf8(site.run(&["--check"]).stderr).unwrap();
    assert!(text.contains("warning: the product file stops the clock"), "{text}");
    assert!(Agent::start(&site).stop().contains("stops the clock"));
}
