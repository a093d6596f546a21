//! Verifying: what a product accepts, and how a held license follows the clock. The breadth of
//! refusals is in `tests/vectors`; here is what needs state between calls.

use licentia::{Claims, Code, Feature, Kind, Product, SecretKey, Stage, Stages, UNLIMITED, issue};
use serde_json::json;

const NOW: i64 = 1_763_769_600;
const DAY: i64 = 86_400;

fn vendor() -> SecretKey {
    SecretKey::from_seed(&[7; 32]).unwrap()
}

fn product() -> Product {
    let mut product = Product::new("myapp", &vendor().public().to_short()).unwrap();
    product.set("clock", &NOW.to_string()).unwrap();
    product
}

/// 30 days, two features and a limited one, with 10 days of grace.
fn claims() -> Claims {
    let mut claims = issue::draft("https://licenses.acme.example", "myapp", NOW).unwrap();
    claims.sub = Some("cust_1".into());
    claims.license.kind = "subscription".into();
    claims.license.valid_until = Some(NOW + 30 * DAY);
    let exports = Feature {
        meter: Some("count".into()),
        per: Some("month".into()),
        max: Some(500),
        ..Feature::new("exports")
    };
    claims.license.features = vec![Feature::new("reports"), Feature::new("api"), exports];
    let ended = Some(Stage { read_only: Some(10), deny: Some(40), ..Stage::default() });
    claims.license.stages = Some(Stages { ended, ..Stages::default() });
    claims
}

fn sign(claims: &Claims) -> String {
    issue::sign(&vendor(), claims).unwrap()
}

#[test]
fn a_good_license_says_what_it_grants() {
    let claims = claims();
    let token = sign(&claims);
    let license = product().verify(token.as_bytes()).unwrap();
    assert!(license.allows("reports") && license.allows("api") && license.allows("exports"));
    assert!(!license.allows("report") && !license.allows("") && !license.allows("admin"));
    let limits = ["reports", "exports", "admin"].map(|id| license.limit(id));
    assert_eq!(limits, [UNLIMITED, 500, 0]);
    assert_eq!(license.expires(), Some(NOW + 30 * DAY));
    assert_eq!((license.customer(), license.serial().len()), ("cust_1", "LIC-MYAPP-".len() + 8));
    assert_eq!(serde_json::from_str::<Claims>(license.json()).unwrap(), claims);
    assert_eq!(license.claims(), &claims);
}

#[test]
fn a_held_license_follows_the_clock_both_ways() {
    let mut product = product();
    let license = product.verify(sign(&claims()).as_bytes()).unwrap();
    let grace_end = NOW + 40 * DAY;
    let cases = [(NOW, true), (grace_end - 1, true), (grace_end, false), (NOW - 999 * DAY, true)];
    for (clock, wanted) in cases {
        product.set("clock", &clock.to_string()).unwrap();
        assert_eq!(license.allows("api"), wanted, "{clock}");
        assert_eq!(license.limit("exports"), if wanted { 500 } else { 0 });
        let (from, until) = license.window();
        assert_eq!((from..until).contains(&clock), wanted, "{clock} in {from}..{until}");
    }
    assert_eq!(product.fixed_clock(), Some(NOW - 999 * DAY));
    product.set("clock", "system").unwrap();
    assert!(product.fixed_clock().is_none());
}

#[test]
fn a_license_that_begins_later_waits_for_its_first_second() {
    let mut product = product();
    let mut claims = claims();
    claims.license.valid_from = NOW + DAY;
    let token = sign(&claims);
    assert_eq!(product.verify(token.as_bytes()).unwrap_err().code(), Code::NotYetValid);
    let license = product.inspect(token.as_bytes()).unwrap();
    assert!(!license.allows("api"));
    assert_eq!(license.window().0, NOW + DAY);
    product.set("clock", &(NOW + DAY).to_string()).unwrap();
    assert!(license.allows("api") && product.verify(token.as_bytes()).is_ok());
}

#[test]
fn a_license_for_another_machine_can_be_looked_at_and_allows_nothing() {
    let mut claims = claims();
    let there = licentia::machine::Report::from_identity("myapp", "there").unwrap();
    let options = licentia::machine::Options::default();
    let machine = Some(licentia::machine::Binding::bind(&there, "myapp", &options).unwrap());
    claims.license.binding = Some(licentia::Binding { machine, ..Default::default() });
    let token = sign(&claims);
    let mut product = product();
    product.set("machine", "here").unwrap();
    assert_eq!(product.verify(token.as_bytes()).unwrap_err().code(), Code::WrongMachine);
    let license = product.inspect(token.as_bytes()).unwrap();
    assert!(!license.allows("api") && license.limit("api") == 0);
    assert_eq!(license.granted().count(), 0);
    // The answer is never remembered across a change of the setting, in either direction.
    product.set("machine", "there").unwrap();
    assert!(product.verify(token.as_bytes()).unwrap().allows("api"));
    product.set("machine", "here").unwrap();
    assert_eq!(product.verify(token.as_bytes()).unwrap_err().code(), Code::WrongMachine);
}

#[test]
fn an_identity_that_appears_later_is_found_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("machine");
    std::fs::write(&file, "elsewhere\n").unwrap();
    let mut claims = claims();
    let there = licentia::machine::Report::from_identity("myapp", "there").unwrap();
    let options = licentia::machine::Options::default();
    let machine = Some(licentia::machine::Binding::bind(&there, "myapp", &options).unwrap());
    claims.license.binding = Some(licentia::Binding { machine, ..Default::default() });
    let token = sign(&claims);
    let mut product = product();
    product.set("machine_file", file.to_str().unwrap()).unwrap();
    assert_eq!(product.verify(token.as_bytes()).unwrap_err().code(), Code::WrongMachine);
    std::fs::write(&file, "there\n").unwrap();
    assert!(product.verify(token.as_bytes()).is_ok());
    std::fs::remove_file(&file).unwrap();
    assert!(product.verify(token.as_bytes()).is_ok(), "seen once, it is not asked for again");
    product.set("machine_file", file.to_str().unwrap()).unwrap();
    assert_eq!(product.verify(token.as_bytes()).unwrap_err().code(), Code::Io);
}

#[test]
fn contradictions_are_not_issued() {
    let refuse = |change: &dyn Fn(&mut Claims), code: Code| {
        let mut claims = claims();
        change(&mut claims);
        assert_eq!(issue::sign(&vendor(), &claims).unwrap_err().code(), code);
    };
    refuse(&|claims| claims.license.kind = "perpetual".into(), Code::InvalidArgument);
    refuse(&|claims| claims.license.valid_until = None, Code::InvalidArgument);
    refuse(&|claims| claims.license.kind = "floating".into(), Code::InvalidArgument);
    refuse(&|claims| claims.license.kind = "gift".into(), Code::InvalidArgument);
    refuse(&|claims| claims.aud = "My App".into(), Code::Malformed);
    refuse(&|claims| claims.license.features.push(Feature::new("api")), Code::Malformed);
    refuse(&|claims| claims.must = Some(vec!["telepathy".into()]), Code::TooNew);
    refuse(&|claims| claims.sub = Some("x".repeat(5000)), Code::TooLarge);
}

fn key_set(epoch: u64, keys: &[serde_json::Value]) -> String {
    let claims = json!({"iss": "acme", "aud": "myapp", "iat": NOW, "epoch": epoch, "keys": keys});
    issue::sign_bytes(&vendor(), Kind::KeySet, claims.to_string().as_bytes())
}

fn jwk(key: &SecretKey, more: serde_json::Value) -> serde_json::Value {
    let mut set: serde_json::Value = serde_json::from_str(&key.public().to_jwks()).unwrap();
    let mut jwk = set["keys"][0].take();
    jwk.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    jwk
}

#[test]
fn a_signed_key_set_rotates_keys_and_cannot_be_rolled_back() {
    let [next, rogue] = [8, 9].map(|seed| SecretKey::from_seed(&[seed; 32]).unwrap());
    let mut product = product();
    let old = sign(&claims());
    let new = issue::sign(&next, &claims()).unwrap();
    assert_eq!(product.verify(new.as_bytes()).unwrap_err().code(), Code::UnknownKey);

    let retired = jwk(&vendor(), json!({"state": "retired", "exp": NOW + 1}));
    product.trust(&key_set(2, &[retired, jwk(&next, json!({"roles": ["license"]}))])).unwrap();
    assert!(product.verify(new.as_bytes()).is_ok());
    assert!(product.verify(old.as_bytes()).is_ok(), "what a retired key signed in its time");
    let mut late = claims();
    late.iat = NOW + 1;
    let late = product.verify(sign(&late).as_bytes()).unwrap_err();
    assert_eq!(late.code(), Code::KeyRetired);

    for epoch in [1, 2] {
        let replayed = product.trust(&key_set(epoch, &[jwk(&next, json!({}))])).unwrap_err();
        assert_eq!(replayed.code(), Code::OlderThanInstalled);
    }
    let stolen = jwk(&next, json!({"state": "compromised"}));
    product.trust(&key_set(3, &[stolen])).unwrap();
    assert_eq!(product.verify(new.as_bytes()).unwrap_err().code(), Code::KeyCompromised);
    assert!(product.verify(old.as_bytes()).is_ok());

    let rogue_root = {
        let claims = json!({"iss": "x", "aud": "myapp", "iat": NOW, "epoch": 9, "keys": [
            jwk(&rogue, json!({}))]});
        issue::sign_bytes(&next, Kind::KeySet, claims.to_string().as_bytes())
    };
    assert_eq!(product.trust(&rogue_root).unwrap_err().code(), Code::UnknownKey);
}

#[test]
fn a_listed_key_never_becomes_a_root() {
    let next = SecretKey::from_seed(&[8; 32]).unwrap();
    let mut product = product();
    product.trust(&key_set(1, &[jwk(&next, json!({"roles": ["root", "license"]}))])).unwrap();
    let claims = json!({"iss": "x", "aud": "myapp", "iat": NOW, "epoch": 2,
        "keys": [jwk(&next, json!({}))]});
    let forged = issue::sign_bytes(&next, Kind::KeySet, claims.to_string().as_bytes());
    assert_eq!(product.trust(&forged).unwrap_err().code(), Code::UnknownKey);
}

#[test]
fn a_key_is_trusted_on_one_set_of_terms() {
    let mut product = product();
    product.trust(&vendor().public().to_jwks()).unwrap();
    let narrower = json!({"keys": [jwk(&vendor(), json!({"roles": ["server"]}))]}).to_string();
    assert_eq!(product.trust(&narrower).unwrap_err().code(), Code::InvalidKey);
    assert!(product.verify(sign(&claims()).as_bytes()).is_ok());
}

#[test]
fn many_threads_share_a_product() {
    let product = product();
    let token = sign(&claims());
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..200 {
                    assert!(product.verify(token.as_bytes()).unwrap().allows("api"));
                    assert!(product.verify(b"nonsense").is_err());
                }
            });
        }
    });
}

#[test]
fn a_stolen_root_key_cannot_give_itself_back() {
    let [a, b] = [7, 8].map(|seed| SecretKey::from_seed(&[seed; 32]).unwrap());
    let set = |signer: &SecretKey, epoch: u64, keys: &[serde_json::Value]| {
        let claims = json!({"iss": "x", "aud": "myapp", "iat": NOW, "epoch": epoch, "keys": keys});
        issue::sign_bytes(signer, Kind::KeySet, claims.to_string().as_bytes())
    };
    let token = issue::sign(&a, &claims()).unwrap();
    let mut product = product();
    product.trust(&b.public().to_short()).unwrap();
    product.trust(&set(&b, 5, &[jwk(&a, json!({"state": "compromised"}))])).unwrap();
    let refused = product.trust(&set(&a, 6, &[jwk(&a, json!({}))])).unwrap_err();
    assert_eq!(refused.code(), Code::KeyCompromised);
    // Neither silence nor a kinder word in a later set, nor pinning it again, brings it back.
    product.trust(&set(&b, 6, &[jwk(&b, json!({}))])).unwrap();
    product.trust(&set(&b, 7, &[jwk(&a, json!({"state": "active"}))])).unwrap();
    product.trust(&a.public().to_short()).unwrap();
    assert_eq!(product.verify(token.as_bytes()).unwrap_err().code(), Code::KeyCompromised);
}

#[test]
fn a_signed_set_never_loosens_what_is_pinned() {
    let other = SecretKey::from_seed(&[8; 32]).unwrap();
    let pins = json!({"keys": [
        jwk(&vendor(), json!({})),
        jwk(&other, json!({"state": "retired", "exp": NOW, "nbf": NOW - DAY})),
    ]});
    let mut product = Product::new("myapp", &pins.to_string()).unwrap();
    product.set("clock", &NOW.to_string()).unwrap();
    product.trust(&key_set(1, &[jwk(&other, json!({"exp": NOW + 99 * DAY}))])).unwrap();
    let token = issue::sign(&other, &claims()).unwrap();
    assert_eq!(product.verify(token.as_bytes()).unwrap_err().code(), Code::KeyRetired);
}

#[test]
fn a_key_pinned_after_a_signed_set_is_trusted() {
    let [next, third] = [8, 9].map(|seed| SecretKey::from_seed(&[seed; 32]).unwrap());
    let mut product = product();
    product.trust(&key_set(1, &[jwk(&next, json!({}))])).unwrap();
    product.trust(&third.public().to_short()).unwrap();
    for key in [&vendor(), &next, &third] {
        let token = issue::sign(key, &claims()).unwrap();
        assert!(product.verify(token.as_bytes()).is_ok());
    }
}

#[test]
fn an_installation_is_known_by_every_spelling_of_its_id() {
    let id = "6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c";
    let mut claims = claims();
    let installation = Some(id.to_string());
    claims.license.binding = Some(licentia::Binding { installation, ..Default::default() });
    let token = sign(&claims);
    let mut product = product();
    assert_eq!(product.verify(token.as_bytes()).unwrap_err().code(), Code::WrongInstallation);
    for spelled in
        [id.to_string(), id.to_uppercase(), id.replace('-', ""), format!("urn:uuid:{id}")]
    {
        product.set("installation", &spelled).unwrap();
        assert!(product.verify(token.as_bytes()).is_ok(), "{spelled}");
    }
}

#[test]
fn nothing_private_is_in_debug_output() {
    let mut product = product();
    product.set("machine", "cluster-secret-name").unwrap();
    let mut claims = claims();
    claims.sub = Some("a-customer".into());
    let license = product.verify(sign(&claims).as_bytes()).unwrap();
    let shown = format!("{product:?} {license:?}");
    assert!(shown.contains("myapp") && shown.contains(license.serial()), "{shown}");
    for private in ["cluster-secret-name", "a-customer"] {
        assert!(!shown.contains(private), "{shown}");
    }
}

#[cfg(unix)]
#[test]
fn a_machine_file_that_never_ends_is_refused() {
    let mut product = product();
    product.set("machine_file", "/dev/zero").unwrap();
    assert_eq!(product.machine().unwrap_err().code(), Code::InvalidArgument);
}
