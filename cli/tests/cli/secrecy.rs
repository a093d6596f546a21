//! Private keys in the wrong place: none of one is ever printed.

use crate::run::Folder;
use std::process::Command;

/// Where a private key may be put by mistake.
const PLACES: &[&[&str]] = &[
    &["key", "show"],
    &["key", "show", "--"],
    &["key", "frob"],
    &["inspect"],
    &["frob"],
    &["verify", "--product", "myapp", "keys/key.jwks", "--keys"],
    &["verify", "--keys", "keys/key.jwks", "--product"],
    &["verify", "--keys", "keys/key.jwks", "--product", "myapp", "a.lic", "--at"],
    &["verify", "--keys", "keys/key.jwks", "--product", "myapp", "a.lic", "--set"],
    &["verify", "--keys", "keys/key.jwks", "--product", "myapp", "a.lic", "--set", "clock"],
    &["verify", "--keys", "keys/key.jwks", "--product", "myapp", "a.lic", "--machine"],
    &["verify", "--keys", "keys/key.jwks", "--product", "myapp", "a.lic", "--machine-root"],
    &["issue", "--perpetual", "--product", "myapp", "--key"],
    &["issue", "--perpetual", "--key", "keys/key.pem", "--product", "myapp", "--bind"],
    &["issue", "--perpetual", "--key", "keys/key.pem", "--product", "myapp", "--feature"],
    &["issue", "--perpetual", "--key", "keys/key.pem", "--product", "myapp", "--out", "no/x", "x"],
    &["fingerprint", "--product", "myapp", "--exclude"],
    &["completions"],
    &["status", "--keys", "keys/key.jwks", "--product", "myapp", "--dir"],
    &["status", "--dir", "state", "--product", "myapp", "--keys"],
    &["status", "--dir", "state", "--keys", "keys/key.jwks", "--product", "myapp", "--at"],
    &["status", "--dir", "state", "--keys", "keys/key.jwks", "--product", "myapp", "--set"],
    &["explain", "--keys", "keys/key.jwks", "--product", "myapp", "--dir"],
    &["apply", "--dir", "state", "--keys", "keys/key.jwks", "--product", "myapp"],
    &["remove", "--keys", "keys/key.jwks", "--product", "myapp", "--dir"],
    &["request", "--dir", "state", "--keys", "keys/key.jwks", "--product", "myapp"],
    &["request", "--dir", "state", "--keys", "keys/key.jwks", "--product", "myapp", "--argument"],
    &["record", "--dir", "state", "--keys", "keys/key.jwks", "--product", "myapp"],
    &["record", "--dir", "state", "--keys", "keys/key.jwks", "--product", "myapp", "a", "--level"],
    &["record", "--dir", "state", "--keys", "keys/key.jwks", "--product", "myapp", "a", "--key"],
    &["usage", "--dir", "state", "--keys", "keys/key.jwks", "--product", "myapp"],
    &["first-use", "--dir", "state", "--keys", "keys/key.jwks", "--product", "myapp", "--at"],
    &["product", "new", "--keys", "keys/key.jwks", "--product"],
    &["product", "new", "--product", "myapp", "--keys"],
    &["product", "new", "--product", "myapp", "--keys", "keys/key.jwks", "--name"],
    &["product", "new", "--product", "myapp", "--keys", "keys/key.jwks", "--set"],
    &["product", "sign"],
    &["product", "sign", "draft", "--key"],
    &["agent", "--config"],
    &["agent", "--config", "agent.toml", "--product"],
    &["agent", "--config", "agent.toml", "--product-key"],
    &["testkit", "--product"],
    &["testkit", "--product", "myapp", "--feature"],
    &["testkit", "--product", "myapp", "--entitlement"],
];

/// Settings whose value is a name, or a license.
const SETTINGS: &[&str] =
    &["license_file", "license_env", "license", "machine_file", "machine_root", "monthly_meter"];

/// Asserts that a run fails and prints no six characters in a row of the private half.
fn keeps(folder: &Folder, args: &[&str], seed: &str) {
    for json in [&[][..], &["--json"]] {
        // Before a `--`, behind which everything is a name.
        let run = folder.run_words(&[json, args].concat(), b"");
        assert_ne!(run.status, 0, "{args:?}");
        let printed = format!("{}{}", run.out, run.err);
        assert!(!printed.is_empty());
        for part in (0..seed.len() - 6).map(|at| &seed[at..at + 6]) {
            assert!(!printed.contains(part), "{part} of the key was printed: {run:?}");
        }
    }
}

/// The forms in which PKCS#8 may be cut out of its file; OpenSSL's has no public half.
fn forms(pem: &str) -> [String; 3] {
    use base64::Engine;
    let base64 = base64::engine::general_purpose::STANDARD;
    let body: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let mut der = base64.decode(body.concat()).unwrap()[..48].to_vec();
    (der[1], der[4]) = (46, 0);
    [body.join("\n"), body.concat(), base64.encode(&der)]
}

#[test]
fn a_private_key_as_an_argument_is_not_printed() {
    let folder = Folder::new();
    folder.issue("--perpetual");
    let pem = folder.read("keys/key.pem");
    let forms = forms(&pem);
    assert_eq!(forms[2].len(), 64);
    for place in PLACES {
        for form in &forms {
            // The first 21 characters of the PKCS#8 are the same for every key.
            let seed: String = form.replace('\n', "").chars().skip(22).take(40).collect();
            keeps(&folder, &[*place, &[form.as_str()]].concat(), &seed);
            let (last, rest) = place.split_last().unwrap();
            let joined = format!("{last}={form}");
            keeps(&folder, &[rest, &[joined.as_str()]].concat(), &seed);
        }
    }
}

#[test]
fn a_private_key_as_a_setting_is_not_printed() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("state")).unwrap();
    let pem = folder.read("keys/key.pem");
    let status = ["--dir", "state", "--keys", "keys/key.jwks", "--product", "myapp", "--set"];
    for form in forms(&pem) {
        let seed: String = form.replace('\n', "").chars().skip(22).take(40).collect();
        for name in SETTINGS {
            let setting = format!("{name}={form}");
            for command in ["status", "explain"] {
                keeps(&folder, &[&[command][..], &status, &[setting.as_str()]].concat(), &seed);
            }
        }
    }
}

#[test]
fn a_pem_as_an_argument_is_refused_before_anything_is_done() {
    let folder = Folder::new();
    let pem = folder.read("keys/key.pem");
    let joined = format!("--keys={pem}");
    for place in PLACES.iter().copied().chain([&["verify", joined.as_str()][..]]) {
        for json in [&[][..], &["--json"]] {
            let args = [json, place, &[pem.as_str()]].concat();
            let run = folder.run_words(&args, b"");
            assert_eq!(run.status, 2, "{run:?}");
            let said = format!("{}{}", run.out, run.err);
            let wanted = "a private key was given as an argument: name its file";
            assert!(said.contains(wanted) && said.lines().count() == 1, "{said}");
        }
    }
}

#[test]
fn an_argument_that_is_no_key_is_told() {
    let folder = Folder::new();
    let name = "a-folder/and-another/with-a-name-that-is-long/but/still.pem";
    for line in [format!("key show {name}"), format!("issue --perpetual --product a --key {name}")]
    {
        assert!(folder.run(&line).err.contains(name), "{line}");
    }
    assert!(folder.run("key show --frobnicate").err.contains("--frobnicate"));
    assert!(folder.run("verify --product My_App").err.contains("My_App"));
    let hidden = folder.run(&format!("key show {}", "a/".repeat(30))).err;
    assert!(hidden.contains("60 characters"), "{hidden}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_private_key_comes_through_a_pipe_too() {
    let folder = Folder::new();
    let short = folder.run("key show --short keys/key.pem").good();
    let script = |line: &str| {
        let mut bash = Command::new("sh");
        let program = folder.command(&[]).get_program().to_str().unwrap().to_string();
        // A pipe that is named as `<(cat key.pem)` names one.
        bash.args(["-c", &format!("cat keys/key.pem | '{program}' {line}")]);
        bash.current_dir(folder.path("."));
        folder.finish(bash, b"").good()
    };
    assert_eq!(script("key show --short /dev/fd/0"), short);
    assert!(script("issue --perpetual --product a --key /dev/fd/0").starts_with("eyJ"));
}
