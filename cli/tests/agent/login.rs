//! Who signs in, and with what.

use crate::running::{Agent, basic, bearer};
use crate::site::{Site, TOKEN};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io::Write;
use std::process::Stdio;

const PASSWORD: &str = "a password, with: a colon and ü";

/// What `licentia agent password` makes of a password.
fn hash(site: &Site, password: &str) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_licentia"));
    command.args(["agent", "password"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.current_dir(site.path("")).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.success(), !output.stdout.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().to_string()
}

/// Tokens and users with different rights.
fn site() -> Site {
    let site = Site::new();
    let hash = hash(&site, PASSWORD);
    site.write("reader", "\u{feff}the token of the reader\r\n");
    site.configure(
        "metrics = \"read\"",
        &format!(
            "[[tokens]]\nname = \"reader\"\nkind = \"person\"\nrights = \"read\"\n\
             file = \"reader\"\n\
             [[tokens]]\nname = \"robot\"\nrights = [\"read\", \"write\", \"delete\"]\n\
             env = \"ROBOT\"\n\
             [[tokens]]\nname = \"nobody\"\nenv = \"NOBODY\"\n\
             [[users]]\nname = \"anna\"\nrights = \"administrator\"\npassword = \"{hash}\"\n\
             [[users]]\nname = \"bert\"\npassword = \"{hash}\"\n"
        ),
    );
    site
}

fn start(site: &Site) -> Agent {
    let mut command = site.command(&[]);
    command.env("ROBOT", "the token of the robot").env("NOBODY", "ein Schlüssel für niemanden");
    Agent::from(command)
}

#[test]
fn the_kind_and_the_rights_of_an_account_decide_and_not_the_header() {
    let site = site();
    let agent = start(&site);
    // The entitlements, the token family (for persons), the page, the metrics.
    let paths = ["/api/v1/license", "/api/licensing/check", "/license", "/metrics"];
    let robot = "the token of the robot";
    let nobody = "ein Schlüssel für niemanden";
    let stranger = [403, 401, 401, 401];
    for (who, head, wanted) in [
        ("bearer", bearer(TOKEN), [200, 200, 200, 200]),
        ("basic", basic("any", TOKEN), [200, 200, 200, 200]),
        ("basic, no name", basic("", TOKEN), [200, 200, 200, 200]),
        ("small letters", bearer(TOKEN).replace("Bearer", "bEARER"), [200, 200, 200, 200]),
        ("reader", bearer("the token of the reader"), [403, 200, 200, 200]),
        ("robot", bearer(robot), [200, 403, 200, 200]),
        ("robot, basic", basic("anna", robot), [200, 403, 200, 200]),
        ("nobody", bearer(nobody), [403, 403, 403, 403]),
        ("anna", basic("anna", PASSWORD), [200, 200, 200, 200]),
        ("bert", basic("bert", PASSWORD), [403, 403, 403, 403]),
        ("stranger", String::new(), stranger),
        ("wrong token", bearer("a token of nobody at all"), stranger),
        ("part of a token", bearer(&TOKEN[..20]), stranger),
        ("token and more", bearer(&format!("{TOKEN}x")), stranger),
        ("name of a token", bearer("root"), stranger),
        ("its hash", bearer(&"0".repeat(64)), stranger),
        ("empty", "Authorization: \r\n".into(), stranger),
        ("no token", "Authorization: Bearer\r\n".into(), stranger),
        ("no scheme", format!("Authorization: {TOKEN}\r\n"), stranger),
        ("other scheme", format!("Authorization: Digest {TOKEN}\r\n"), stranger),
        ("two of them", bearer(TOKEN) + &bearer(TOKEN), stranger),
        ("no base64", "Authorization: Basic a:b\r\n".into(), stranger),
        ("no colon", format!("Authorization: Basic {}\r\n", STANDARD.encode("anna")), stranger),
        ("token as the name", basic(TOKEN, ""), stranger),
        ("wrong password", basic("anna", "a password"), stranger),
        ("no password", basic("anna", ""), stranger),
        ("unknown name", basic("carl", PASSWORD), stranger),
        ("name in capitals", basic("ANNA", PASSWORD), stranger),
        ("long password", basic("anna", &"x".repeat(4000)), stranger),
    ] {
        let found = paths.map(|path| agent.ask("GET", path, &head, "").status);
        assert_eq!(found, wanted, "{who}");
        assert_eq!(agent.ask("GET", "/api/license", &head, "").status, 200, "{who}");
    }
    let answer = agent.get("/api/licensing/check");
    let schemes = answer.headers("www-authenticate");
    assert_eq!(schemes.len(), 2, "{answer:?}");
    assert!(schemes[0].starts_with("Basic realm=") && schemes[1].starts_with("Bearer"));
}

#[test]
fn what_a_wrong_one_learns_of_the_public_status_is_what_a_stranger_learns() {
    let site = site();
    let agent = start(&site);
    assert_eq!(agent.apply(&site.license()).status, 200);
    let body = |head: &str| agent.ask("GET", "/api/license", head, "").json();
    let stranger = body("");
    for head in [bearer("a token of nobody at all"), basic("anna", "wrong"), basic("x", "wrong")] {
        assert_eq!(body(&head), stranger);
    }
    assert_ne!(body(&bearer(TOKEN)), stranger, "an administrator learns more");
}

#[test]
fn after_ten_wrong_passwords_the_next_waits_and_everybody_else_does_not() {
    let site = site();
    let agent = start(&site);
    let page = |head: &str| agent.ask("GET", "/license", head, "");
    assert_eq!(page(&basic("anna", PASSWORD)).status, 200);
    // As many at once as it takes for none to be forgiven meanwhile.
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = |name: &'static str| scope.spawn(move || page(&basic(name, "wrong")).status);
        let asked: Vec<_> = (0..40).map(|_| ask("bert")).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
    let looked_at = statuses.iter().filter(|status| **status == 401).count();
    assert!(looked_at < 14, "ten, and what was being looked at: {statuses:?}");
    let limited = page(&basic("bert", "wrong"));
    assert_eq!(limited.status, 429, "{statuses:?}");
    let seconds: u64 = limited.headers("retry-after")[0].parse().unwrap();
    assert!((1..=12).contains(&seconds));
    assert_eq!(limited.json()["code"], "too_many_attempts");
    assert_eq!(page(&basic("bert", PASSWORD)).status, 429, "the right one waits too");
    assert_eq!(page(&basic("anna", PASSWORD)).status, 200, "another user");
    assert_eq!(page(&bearer(TOKEN)).status, 200, "a token");
    assert_eq!(agent.ask("GET", "/api/license", &basic("bert", "wrong"), "").status, 200);
}

#[test]
fn a_password_is_hashed_as_it_was_typed_and_never_twice_the_same() {
    let site = Site::new();
    let (one, two) = (hash(&site, PASSWORD), hash(&site, PASSWORD));
    assert!(one.starts_with("$argon2id$v=19$m=") && one != two, "{one} {two}");
    assert_eq!(hash(&site, "short"), "", "too short");
    assert_eq!(hash(&site, &"x".repeat(1025)), "", "too long");
}
