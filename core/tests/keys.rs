//! Keys: the forms they are read from, what is refused, and the files they are kept in.

use licentia::{Code, KeySet, KeyState, Role, SecretKey};
use proptest::prelude::*;

const SEED: [u8; 32] = [7; 32];

fn secret() -> SecretKey {
    SecretKey::from_seed(&SEED).unwrap()
}

fn refusal(text: &str) -> Code {
    KeySet::parse(text).unwrap_err().code()
}

/// The JWKS of the test key, with a member replaced or added.
fn jwks_with(name: &str, value: serde_json::Value) -> String {
    let mut set: serde_json::Value = serde_json::from_str(&secret().public().to_jwks()).unwrap();
    set["keys"][0][name] = value;
    set.to_string()
}

#[test]
fn every_form_gives_the_same_key() {
    let secret = secret();
    let public = secret.public();
    let pem = public.to_pem().unwrap();
    let jwks = public.to_jwks();
    let jwk = jwks.strip_prefix(r#"{"keys":["#).unwrap().strip_suffix("]}").unwrap();
    for text in [
        public.to_short(),
        format!("  {}\r\n", public.to_short()),
        pem.clone(),
        pem.replace('\n', "\r\n"),
        jwk.to_string(),
        jwks.clone(),
    ] {
        let set = KeySet::parse(&text).unwrap();
        assert_eq!(set.keys().len(), 1, "{text}");
        assert_eq!(set.keys()[0].key(), public);
        assert_eq!(set.keys()[0].roles(), Role::ALL);
        assert!(set.find(public.kid()).is_some());
    }
    let other = SecretKey::from_seed(&[8; 32]).unwrap().public().to_pem().unwrap();
    assert_eq!(KeySet::parse(&format!("{pem}\n{other}")).unwrap().keys().len(), 2);
}

#[test]
fn a_set_with_anything_wrong_is_refused_whole() {
    let pem = secret().public().to_pem().unwrap();
    let private = secret().to_pem().unwrap();
    let twice = {
        let jwks = secret().public().to_jwks();
        let jwk = jwks.strip_prefix(r#"{"keys":["#).unwrap().strip_suffix("]}").unwrap();
        format!(r#"{{"keys":[{jwk},{jwk}]}}"#)
    };
    let short = secret().public().to_short();
    let bent = [
        jwks_with("kty", "RSA".into()),
        jwks_with("crv", "Ed448".into()),
        jwks_with("crv", "X25519".into()),
        jwks_with("x", "".into()),
        jwks_with("kid", "mine".into()),
        jwks_with("use", "enc".into()),
        jwks_with("alg", "HS256".into()),
        jwks_with("d", "AAAA".into()),
        jwks_with("key_ops", serde_json::json!(["verify", "sign"])),
        jwks_with("state", "retired".into()),
        jwks_with("state", "lost".into()),
        jwks_with("nbf", (-1).into()),
        jwks_with("exp", 253_402_300_800_i64.into()),
        jwks_with("roles", "license".into()),
        format!("{pem}{}", *private),
        format!("{pem}{pem}"),
        format!("{short}="),
        format!("{short}A"),
        short.replace(':', ";"),
        twice,
    ];
    let plain = [
        "",
        "hello",
        "ed25519:",
        "ed25519:AAAA",
        "{}",
        "[]",
        r#"{"keys":[]}"#,
        r#"{"keys":{}}"#,
        r#"{"keys":[[]]}"#,
        r#"{"kty":"OKP"}"#,
        "-----BEGIN PUBLIC KEY-----",
        &private,
    ];
    for text in plain.into_iter().chain(bent.iter().map(String::as_str)) {
        assert_eq!(refusal(text), Code::InvalidKey, "{text}");
    }
    assert_eq!(refusal(&" ".repeat(65_537)), Code::TooLarge);
    assert_eq!(refusal("ed25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), Code::WeakKey);
    let many: Vec<String> = (0..65)
        .map(|n| SecretKey::from_seed(&[n; 32]).unwrap().public().to_pem().unwrap())
        .collect();
    assert_eq!(KeySet::parse(&many[..64].concat()).unwrap().keys().len(), 64);
    assert_eq!(refusal(&many.concat()), Code::InvalidKey);
}

#[test]
fn roles_and_states_are_read() {
    let set = KeySet::parse(&jwks_with("roles", serde_json::json!(["server", "later"]))).unwrap();
    assert_eq!(set.keys()[0].roles(), [Role::Server]);
    let set = KeySet::parse(&jwks_with("roles", serde_json::json!([]))).unwrap();
    assert_eq!(set.keys()[0].roles(), []);
    let set = KeySet::parse(&jwks_with("state", "compromised".into())).unwrap();
    assert_eq!(set.keys()[0].state(), KeyState::Compromised);
    assert!(KeySet::parse(&jwks_with("alg", "Ed25519".into())).is_ok());
    assert!(KeySet::parse(&jwks_with("color", "blue".into())).is_ok());
}

#[cfg(unix)]
#[test]
fn a_private_key_file_is_for_its_owner_only() {
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vendor.pem");
    secret().save(&path).unwrap();
    assert_eq!(metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(SecretKey::load(&path).unwrap().public(), secret().public());
    assert_eq!(secret().save(&path).unwrap_err().code(), Code::Io, "written over");
    for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o777] {
        set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert_eq!(SecretKey::load(&path).unwrap_err().code(), Code::KeyPermissions, "{mode:o}");
    }
    set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    assert!(SecretKey::load(&path).is_ok());
    let public = folder.path().join("vendor.jwks");
    std::fs::write(&public, secret().public().to_jwks()).unwrap();
    assert_eq!(SecretKey::load(&public).unwrap_err().code(), Code::InvalidKey, "not its mode");
    let missing = SecretKey::load(&folder.path().join("none.pem")).unwrap_err();
    assert_eq!(missing.code(), Code::Io);
}

/// Half a key would be in the way of the whole one: a key is never written over.
#[cfg(unix)]
#[test]
fn a_private_key_is_written_whole_or_not_at_all() {
    use std::process::Command;
    const NAME: &str = "a_private_key_is_written_whole_or_not_at_all";
    const PATH: &str = "LICENTIA_TEST_KEY";
    if let Some(path) = std::env::var_os(PATH) {
        // The second round, in a process whose files cannot have a byte.
        let error = secret().save(path.as_ref()).unwrap_err();
        assert_eq!(error.code(), Code::Io);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vendor.pem");
    // The signal is ignored, so that writing fails instead of ending the process.
    let output = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; ulimit -f 0; exec "$0" --exact "$1""#])
        .arg(std::env::current_exe().unwrap())
        .arg(NAME)
        .env(PATH, &path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
    assert!(!path.exists(), "half a key was left");
    secret().save(&path).unwrap();
}

#[test]
fn a_private_key_with_the_wrong_public_half_is_refused() {
    // PKCS#8 version 2 (RFC 8410, section 10.3) with the public half of another key.
    use base64::Engine;
    let base64 = base64::engine::general_purpose::STANDARD;
    let pem = secret().to_pem().unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let mut der = base64.decode(body).unwrap();
    let public = *secret().public().as_bytes();
    let at = der.windows(32).position(|window| window == public).expect("a public half");
    der[at] ^= 1;
    let forged =
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", base64.encode(der));
    assert_eq!(SecretKey::from_pem(&forged).unwrap_err().code(), Code::InvalidKey);
    assert!(SecretKey::from_pem(&pem).is_ok());
}

#[test]
fn a_private_key_is_never_shown() {
    let shown = format!("{:?}", secret());
    assert_eq!(shown, format!("SecretKey({})", secret().public().kid()));
}

#[test]
fn generated_keys_differ() {
    let [a, b] = [SecretKey::generate().unwrap(), SecretKey::generate().unwrap()];
    assert_ne!(a.public(), b.public());
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*") {
        let _ = KeySet::parse(&text);
        let _ = SecretKey::from_pem(&text);
    }

    #[test]
    fn a_bent_key_set_is_refused_or_another_key(at in 0usize..200, byte in 0u8..128) {
        let mut text = secret().public().to_jwks().into_bytes();
        let at = at % text.len();
        text[at] = byte;
        if let Ok(set) = KeySet::parse(std::str::from_utf8(&text).unwrap()) {
            // Whatever is still accepted has the key's own bytes: the kid pins them.
            let secret = secret();
            prop_assert_eq!(set.keys()[0].key(), secret.public());
        }
    }
}
