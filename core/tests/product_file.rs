//! Product files: what one says reaches the product, and everything that has to be refused.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use licentia::issue::{ProductTerms, sign_bytes, sign_product_file};
use licentia::limits::{SETTINGS_MAX, TOKEN_MAX};
use licentia::{Code, Error, KeySet, Kind, Product, SETTINGS, SITE_SETTINGS, SecretKey, issue};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const NOW: i64 = 1_795_305_600;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32]).unwrap()
}

fn vendor() -> SecretKey {
    key(7)
}

fn jwk(key: &SecretKey) -> Value {
    let set: Value = serde_json::from_str(&key.public().to_jwks()).unwrap();
    set["keys"][0].clone()
}

/// The vendor's key, with more to be said of it.
fn own(more: Value) -> Value {
    let mut jwk = jwk(&vendor());
    jwk.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
    jwk
}

fn claims() -> Value {
    json!({
        "iss": "https://licenses.acme.example", "aud": "myapp", "jti": "1", "iat": NOW,
        "product": {
            "name": "My Application",
            "keys": [jwk(&vendor())],
            "settings": {"vendor": "Acme", "grace_days": "31", "machine": "here"},
        },
    })
}

/// The claims with one member changed.
fn with(pointer: &str, value: Value) -> Value {
    let mut claims = claims();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    claims.pointer_mut(parent).unwrap()[name] = value;
    claims
}

fn without(pointer: &str) -> Value {
    let mut claims = claims();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let members = claims.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    members.remove(name).unwrap();
    claims
}

fn sign(claims: &Value) -> String {
    sign_bytes(&vendor(), Kind::Product, claims.to_string().as_bytes())
}

fn refused(file: &str) -> Error {
    Product::from_file(file.as_bytes()).expect_err(file)
}

fn code(claims: &Value) -> Code {
    refused(&sign(claims)).code()
}

fn product(claims: &Value) -> Product {
    Product::from_file(sign(claims).as_bytes()).unwrap().into_product()
}

fn license(key: &SecretKey, issuer: &str) -> Vec<u8> {
    let claims = issue::draft(issuer, "myapp", NOW).unwrap();
    issue::sign(key, &claims).unwrap().into_bytes()
}

fn terms() -> ProductTerms {
    let settings = BTreeMap::from([("grace_days".to_string(), "31".to_string())]);
    let keys = KeySet::parse(&vendor().public().to_short()).unwrap();
    ProductTerms { code: "myapp".into(), name: Some("My Application".into()), keys, settings }
}

fn signed(terms: &ProductTerms) -> licentia::Result<String> {
    sign_product_file(&vendor(), "acme", NOW, terms)
}

#[test]
fn what_a_file_says_is_the_product() {
    let file = Product::from_file(sign(&claims()).as_bytes()).unwrap();
    assert_eq!(file.product().code(), "myapp");
    assert_eq!((file.name(), file.id()), (Some("My Application"), "1"));
    assert_eq!((file.issuer(), file.issued_at()), ("https://licenses.acme.example", NOW));
    assert_eq!(file.key_id(), vendor().public().kid());
    let settings: Vec<_> = file.settings().collect();
    assert_eq!(settings, [("grace_days", "31"), ("machine", "here"), ("vendor", "Acme")]);
    let product = file.into_product();
    product.verify(&license(&vendor(), "anybody")).unwrap();
    let stranger = product.verify(&license(&key(8), "anybody")).unwrap_err();
    assert_eq!(stranger.code(), Code::UnknownKey);
}

/// The example in docs/format.md, section 6.5, signed with the key of RFC 8037, appendix A.
#[test]
fn the_documented_file_is_one() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/format.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("### 6.5 ").unwrap();
    let (_, example) = section.split_once("```json\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let root = SecretKey::from_seed(&seed.try_into().unwrap()).unwrap();
    let file = sign_bytes(&root, Kind::Product, example.as_bytes());
    let file = Product::from_file(file.as_bytes()).unwrap();
    assert_eq!((file.keys().len(), file.settings().count()), (2, 3));
}

#[test]
fn what_may_be_left_out_may_be_null_too() {
    for name in ["/product/name", "/product/settings", "/product/settings/vendor"] {
        for claims in [without(name), with(name, Value::Null)] {
            let file = Product::from_file(sign(&claims).as_bytes()).unwrap();
            assert_eq!(file.name().is_none(), name == "/product/name");
            assert!(file.settings().all(|(setting, _)| !name.ends_with(setting)), "{name}");
        }
    }
}

#[test]
fn its_settings_are_those_of_the_product() {
    let set = |settings: Value| product(&with("/product/settings", settings));
    let other = set(json!({"issuer": "acme"}));
    other.verify(&license(&vendor(), "acme")).unwrap();
    let error = other.verify(&license(&vendor(), "other")).unwrap_err();
    assert_eq!(error.code(), Code::WrongIssuer);
    assert_eq!(set(json!({"clock": "2027-01-01"})).fixed_clock(), Some(1_798_761_600));
    assert_eq!(set(json!({"clock": "system"})).fixed_clock(), None);

    let status = |settings: Value| {
        let folder = tempfile::tempdir().unwrap();
        let installation = set(settings).open(folder.path()).unwrap();
        let status: Value = serde_json::from_str(&installation.status(None).unwrap()).unwrap();
        status
    };
    let (plain, saas) = (status(json!({})), status(json!({"deployment": "saas"})));
    assert_ne!(plain["state"], saas["state"], "{plain}\n{saas}");
}

#[test]
fn every_setting_is_judged_once() {
    for setting in SETTINGS {
        let value = match setting.name {
            "machine_exclude" => "nic",
            "deployment" => "saas",
            "grace_days" | "warning_days" | "clock" => "31",
            "installation" => "6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c",
            "server" => "https://licenses.acme.example",
            _ => "text",
        };
        let claims = with("/product/settings", json!({ setting.name: value }));
        match setting.name {
            "installation" | "instance" => {
                let error = refused(&sign(&claims));
                assert_eq!(error.code(), Code::Malformed, "{}", setting.name);
                assert!(error.detail().contains("the site's"), "{error}");
            }
            _ => drop(product(&claims)),
        }
        for bad in [json!(31), json!(true), json!([]), json!({}), json!(["31"])] {
            let claims = with("/product/settings", json!({ setting.name: bad }));
            assert_eq!(code(&claims), Code::Malformed, "{}", setting.name);
        }
    }
    // A vendor names his servers, and a site may name others.
    for setting in SITE_SETTINGS.iter().filter(|setting| setting.name != "server") {
        let error = refused(&sign(&with("/product/settings", json!({ setting.name: "" }))));
        assert_eq!(error.code(), Code::Malformed);
        assert!(error.detail().contains(setting.name), "{error}");
    }
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    for (settings, wanted, named) in [
        (json!({"grace_dayz": "31"}), Code::TooNew, "did you mean grace_days?"),
        (json!({"Clock": "1"}), Code::TooNew, "did you mean clock?"),
        (json!({"": "1"}), Code::TooNew, "no setting"),
        (json!({"grace_days": "99999"}), Code::Malformed, "0 to 3650"),
        (json!({"grace_days": "+31"}), Code::Malformed, "grace_days"),
        (json!({"grace_days": "-1"}), Code::Malformed, "grace_days"),
        (json!({"deployment": "Saas"}), Code::Malformed, "deployment"),
        (json!({"clock": "soon"}), Code::Malformed, "clock"),
        (json!({"monthly_meter": "A B"}), Code::Malformed, "monthly_meter"),
        (json!({"machine_exclude": "nic,soul"}), Code::Malformed, "soul"),
        (json!({"machine": "x".repeat(4097)}), Code::TooLarge, "string"),
        (json!({"machine": "a", "machine_file": "/b"}), Code::Malformed, "both"),
        (json!([]), Code::Malformed, "expected an object"),
        (json!("vendor=Acme"), Code::Malformed, "expected an object"),
    ] {
        let error = refused(&sign(&with("/product/settings", settings.clone())));
        assert_eq!(error.code(), wanted, "{settings}: {error}");
        assert!(error.detail().contains(named), "{settings}: {error}");
    }
    let many: BTreeMap<_, _> = (0..=SETTINGS_MAX).map(|n| (format!("n{n}"), "")).collect();
    assert_eq!(code(&with("/product/settings", json!(many))), Code::TooLarge);
}

#[test]
fn claims_of_another_shape_are_refused() {
    for member in ["/iss", "/aud", "/jti", "/iat", "/product", "/product/keys"] {
        assert_eq!(code(&without(member)), Code::Malformed, "{member}");
        for bad in [json!(null), json!(true), json!({}), json!([[]]), json!(-1), json!("")] {
            let error = refused(&sign(&with(member, bad.clone())));
            assert_eq!(error.code(), Code::Malformed, "{member} = {bad}: {error}");
        }
    }
    for (member, bad, wanted) in [
        ("/aud", json!("My App"), Code::Malformed),
        ("/aud", json!(["myapp"]), Code::Malformed),
        ("/iss", json!("x".repeat(257)), Code::Malformed),
        ("/jti", json!("x".repeat(65)), Code::Malformed),
        ("/iat", json!(253_402_300_800_i64), Code::Malformed),
        ("/iat", json!("now"), Code::Malformed),
        ("/product/name", json!(""), Code::Malformed),
        ("/product/name", json!("x".repeat(257)), Code::Malformed),
        ("/product/name", json!(1), Code::Malformed),
        ("/product/name", json!("a\u{0}b"), Code::Malformed),
        ("/must", json!(["escrow"]), Code::TooNew),
        ("/must", json!("escrow"), Code::Malformed),
        ("/must", json!(vec!["a"; 17]), Code::TooLarge),
        ("/deep", json!("x".repeat(4097)), Code::TooLarge),
    ] {
        let error = refused(&sign(&with(member, bad.clone())));
        assert_eq!(error.code(), wanted, "{member}: {error}");
    }
    product(&with("/must", json!([])));
    product(&with("/product/later", json!({"unknown": [1]})));
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    let text = claims().to_string();
    let twice = |name: &str, more: &str| {
        assert!(text.contains(name), "{name}");
        let payload = text.replacen(name, &format!("{more},{name}"), 1);
        let error = refused(&sign_bytes(&vendor(), Kind::Product, payload.as_bytes()));
        assert!(error.detail().contains("duplicate"), "{more}: {error}");
        assert_eq!(error.code(), Code::Malformed);
    };
    twice(r#""aud":"#, r#""aud":"other""#);
    twice(r#""product":"#, r#""product":{}"#);
    twice(r#""keys":"#, r#""keys":[]"#);
    twice(r#""keys":"#, r#""\u006beys":[]"#);
    twice(r#""settings":"#, r#""settings":{}"#);
    twice(r#""grace_days":"#, r#""grace\u005fdays":"3650""#);
    twice(r#""x":"#, r#""x":"""#);
    for payload in ["", "[]", "{}", "null", "{", &format!("{text}x"), &format!("\u{feff}{text}")] {
        let file = sign_bytes(&vendor(), Kind::Product, payload.as_bytes());
        assert_eq!(refused(&file).code(), Code::Malformed, "{payload}");
    }
    let file = sign_bytes(&vendor(), Kind::Product, b"{\"a\":\"\xff\"}");
    assert_eq!(refused(&file).code(), Code::Malformed);
}

#[test]
fn only_a_root_among_its_own_keys_signs_it() {
    let keys = |keys: Value| with("/product/keys", keys);
    for (what, set, wanted) in [
        ("another key", json!([jwk(&key(8))]), Code::UnknownKey),
        ("a license key", json!([own(json!({"roles": ["license"]}))]), Code::UnknownKey),
        ("a server key", json!([own(json!({"roles": ["server"]}))]), Code::UnknownKey),
        ("both", json!([own(json!({"roles": ["license", "server"]}))]), Code::UnknownKey),
        ("no role", json!([own(json!({"roles": []}))]), Code::UnknownKey),
        ("a later role", json!([own(json!({"roles": ["owner"]}))]), Code::UnknownKey),
        ("stolen", json!([own(json!({"state": "compromised"}))]), Code::KeyCompromised),
        ("retired", json!([own(json!({"state": "retired", "exp": NOW}))]), Code::KeyRetired),
        ("over", json!([own(json!({"exp": NOW}))]), Code::KeyRetired),
        ("not begun", json!([own(json!({"nbf": NOW + 1}))]), Code::KeyNotYetValid),
        ("no end", json!([own(json!({"state": "retired"}))]), Code::InvalidKey),
        ("no state", json!([own(json!({"state": "lost"}))]), Code::InvalidKey),
        ("no keys", json!([]), Code::InvalidKey),
        ("twice", json!([jwk(&vendor()), jwk(&vendor())]), Code::InvalidKey),
        ("65", (1..=65).map(|n| jwk(&key(n))).collect(), Code::InvalidKey),
        ("private", json!([own(json!({"d": "x"}))]), Code::InvalidKey),
        ("kid", json!([own(json!({"kid": key(8).public().kid()}))]), Code::InvalidKey),
        ("a set", json!({"keys": [jwk(&vendor())]}), Code::Malformed),
        ("a text", json!(vendor().public().to_short()), Code::Malformed),
    ] {
        let error = refused(&sign(&keys(set)));
        assert_eq!(error.code(), wanted, "{what}: {error}");
        assert_eq!(error.detail().contains("none of those in it"), what == "another key");
    }
    product(&keys(json!([own(json!({"roles": ["root"]})), jwk(&key(8))])));
    product(&keys(json!([own(json!({"nbf": NOW, "exp": NOW + 1}))])));
}

#[test]
fn a_weak_key_anywhere_refuses_the_file() {
    for (x, wanted) in [
        ([0; 32], Code::WeakKey),
        ([0xff; 32], Code::InvalidKey),
        (std::array::from_fn(|n| u8::from(n == 0)), Code::WeakKey),
    ] {
        let weak = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(x)});
        let claims = with("/product/keys", json!([jwk(&vendor()), weak]));
        assert_eq!(code(&claims), wanted);
    }
}

#[test]
fn the_roles_in_a_file_are_kept() {
    let online = {
        let mut online = jwk(&key(8));
        online["roles"] = json!(["server"]);
        online
    };
    let root = own(json!({"roles": ["root", "license"]}));
    let product = product(&with("/product/keys", json!([root, online])));
    product.verify(&license(&vendor(), "acme")).unwrap();
    assert_eq!(product.verify(&license(&key(8), "acme")).unwrap_err().code(), Code::UnknownKey);
}

#[test]
fn no_other_document_is_taken_for_one() {
    let payload = claims().to_string();
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Product) {
        let file = sign_bytes(&vendor(), kind, payload.as_bytes());
        let error = refused(&file);
        assert_eq!(error.code(), Code::WrongKind, "{error}");
        assert!(error.detail().contains(kind.name()), "{error}");
    }
    let license = license(&vendor(), "acme");
    assert_eq!(Product::from_file(&license).unwrap_err().code(), Code::WrongKind);

    let file = sign(&claims());
    let product = product(&claims());
    assert_eq!(product.verify(file.as_bytes()).unwrap_err().code(), Code::WrongKind);
    assert_eq!(product.clone().trust(&file).unwrap_err().code(), Code::WrongKind);
    let folder = tempfile::tempdir().unwrap();
    let installation = product.open(folder.path()).unwrap();
    assert_eq!(installation.apply(file.as_bytes()).unwrap_err().code(), Code::WrongKind);
}

#[test]
fn a_host_that_knows_its_vendor_takes_no_other() {
    let file = sign(&claims());
    let kid = vendor().public().kid().to_string();
    Product::from_file_of(file.as_bytes(), &kid).unwrap();
    let thief = key(8);
    let mut claims = claims();
    claims["product"]["keys"] = json!([jwk(&vendor()), jwk(&thief)]);
    let foreign = sign_bytes(&thief, Kind::Product, claims.to_string().as_bytes());
    let taken = Product::from_file(foreign.as_bytes()).unwrap();
    assert_eq!(taken.key_id(), thief.public().kid());
    for pin in [kid.as_str(), &kid[..42], "", &format!("{kid} ")] {
        let error = Product::from_file_of(foreign.as_bytes(), pin).unwrap_err();
        assert_eq!(error.code(), Code::UnknownKey, "{pin}");
        assert!(error.detail().contains(thief.public().kid()), "{error}");
    }
    // Naming another key in the header helps nobody.
    let [_, payload, signature] = parts(&foreign);
    let [header, ..] = parts(&file);
    let mixed = format!("{header}.{payload}.{signature}");
    let error = Product::from_file_of(mixed.as_bytes(), &kid).unwrap_err();
    assert_eq!(error.code(), Code::BadSignature);
}

fn parts(file: &str) -> [&str; 3] {
    file.split('.').collect::<Vec<_>>().try_into().unwrap()
}

#[test]
fn the_signature_comes_before_what_it_signs() {
    let mut later = claims();
    later["product"]["settings"] = json!({"unknown": 1});
    later["jti"] = json!(0);
    let [header, _, signature] = parts(&sign(&claims())).map(str::to_string);
    let payload = URL_SAFE_NO_PAD.encode(later.to_string());
    let error = refused(&format!("{header}.{payload}.{signature}"));
    assert_eq!(error.code(), Code::BadSignature);
}

#[test]
fn a_file_comes_in_every_coat_and_no_larger_than_any() {
    let file = sign(&claims());
    let folded =
        file.as_bytes().chunks(60).map(|line| [line, b"\r\n"].concat()).collect::<Vec<_>>();
    let coats = [
        format!("{file}\n").into_bytes(),
        STANDARD.encode(&file).into_bytes(),
        folded.concat(),
        format!("\u{feff}{file}").into_bytes(),
    ];
    for coat in coats {
        assert_eq!(Product::from_file(&coat).unwrap().product().code(), "myapp");
    }
    for (data, wanted) in [
        (vec![], Code::Malformed),
        (b"a.b".to_vec(), Code::Malformed),
        (claims().to_string().into_bytes(), Code::Malformed),
        (vendor().public().to_jwks().into_bytes(), Code::Malformed),
        (vec![b'a'; 2 * TOKEN_MAX + 1], Code::TooLarge),
    ] {
        assert_eq!(Product::from_file(&data).unwrap_err().code(), wanted);
    }
    let wide = json!(vec!["x".repeat(4000); 13]);
    assert_eq!(code(&with("/product/later", wide)), Code::TooLarge);
}

#[test]
fn no_byte_of_a_file_can_be_changed() {
    let file = sign(&claims());
    for at in 0..file.len() {
        for flip in [1, 0x20, 0x80] {
            let mut bytes = file.clone().into_bytes();
            bytes[at] ^= flip;
            Product::from_file(&bytes).expect_err(&format!("byte {at} ^ {flip}"));
        }
        Product::from_file(&file.as_bytes()[..at]).expect_err(&format!("cut at {at}"));
    }
}

#[test]
fn what_is_signed_can_be_read() {
    let file = Product::from_file(signed(&terms()).unwrap().as_bytes()).unwrap();
    assert_eq!((file.name(), file.issuer()), (Some("My Application"), "acme"));
    assert_eq!(file.settings().collect::<Vec<_>>(), [("grace_days", "31")]);
    assert_eq!((file.id().len(), file.issued_at()), (36, NOW));
    let bare = ProductTerms { name: None, settings: BTreeMap::new(), ..terms() };
    let file = Product::from_file(signed(&bare).unwrap().as_bytes()).unwrap();
    assert_eq!((file.name(), file.settings().count()), (None, 0));
}

#[test]
fn signing_keeps_all_that_is_said_of_the_keys() {
    let mut stolen = jwk(&key(8));
    stolen["state"] = json!("compromised");
    let mut retired = jwk(&key(9));
    retired["state"] = json!("retired");
    retired["exp"] = json!(NOW);
    retired["nbf"] = json!(NOW - 9);
    retired["roles"] = json!(["license"]);
    let mut idle = jwk(&key(10));
    idle["roles"] = json!([]);
    let set = json!({"keys": [own(json!({"roles": ["root"]})), stolen, retired, idle]});
    let keys = KeySet::parse(&set.to_string()).unwrap();
    let file = signed(&ProductTerms { keys: keys.clone(), ..terms() }).unwrap();
    let payload = URL_SAFE_NO_PAD.decode(parts(&file)[1]).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    let written = json!({"keys": payload["product"]["keys"]}).to_string();
    assert_eq!(KeySet::parse(&written).unwrap(), keys, "{written}");
}

#[test]
fn nothing_is_signed_that_nobody_could_read() {
    let settings = |name: &str, value: &str| {
        let settings = BTreeMap::from([(name.to_string(), value.to_string())]);
        ProductTerms { settings, ..terms() }
    };
    let keys = |set: Value| {
        let keys = KeySet::parse(&json!({ "keys": [set] }).to_string()).unwrap();
        ProductTerms { keys, ..terms() }
    };
    for (what, terms, wanted, named) in [
        (
            "code",
            ProductTerms { code: "My App".into(), ..terms() },
            Code::InvalidArgument,
            "My App",
        ),
        ("name", ProductTerms { name: Some("".into()), ..terms() }, Code::InvalidArgument, "name"),
        ("typo", settings("grace_day", "31"), Code::InvalidArgument, "did you mean grace_days?"),
        ("value", settings("grace_days", "many"), Code::InvalidArgument, "grace_days"),
        ("long", settings("vendor", &"x".repeat(4097)), Code::InvalidArgument, "string"),
        ("site", settings("license_file", "/a"), Code::InvalidArgument, "the site's"),
        ("place", settings("instance", "https://a"), Code::InvalidArgument, "the site's"),
        ("other key", keys(jwk(&key(8))), Code::InvalidArgument, "not among the keys"),
        ("role", keys(own(json!({"roles": ["license"]}))), Code::InvalidArgument, "root"),
        ("stolen", keys(own(json!({"state": "compromised"}))), Code::KeyCompromised, "key"),
        ("over", keys(own(json!({"exp": NOW}))), Code::KeyRetired, "retired"),
    ] {
        let error = signed(&terms).expect_err(what);
        assert_eq!(error.code(), wanted, "{what}: {error}");
        assert!(error.detail().contains(named), "{what}: {error}");
    }
    let error = sign_product_file(&vendor(), "", NOW, &terms()).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let error = sign_product_file(&vendor(), "acme", -1, &terms()).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever has no key of the file changes nothing in it.
    #[test]
    fn an_altered_payload_is_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let file = sign(&claims());
        let [header, payload, signature] = parts(&file);
        let mut bytes = URL_SAFE_NO_PAD.decode(payload).unwrap();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        let altered = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(bytes));
        prop_assert!(Product::from_file(altered.as_bytes()).is_err());
    }

    /// What is signed is read as it was meant, or not signed.
    #[test]
    fn settings_survive_or_are_refused(
        settings in prop::collection::btree_map(
            prop::sample::select(SETTINGS).prop_map(|setting| setting.name.to_string()),
            "[ -~]{0,12}|[0-9]{1,4}|[a-z]{1,8}",
            0..6,
        ),
        name in prop::option::of("\\PC{1,64}"),
    ) {
        let terms = ProductTerms { settings: settings.clone(), name: name.clone(), ..terms() };
        match signed(&terms) {
            Ok(file) => {
                let file = Product::from_file(file.as_bytes()).unwrap();
                let read: BTreeMap<String, String> =
                    file.settings().map(|(name, value)| (name.into(), value.into())).collect();
                prop_assert_eq!(read, settings);
                prop_assert_eq!(file.name(), name.as_deref());
            }
            Err(error) => prop_assert_eq!(error.code(), Code::InvalidArgument),
        }
    }

    #[test]
    fn no_bytes_do_harm(
        data in prop::collection::vec(any::<u8>(), 0..200),
        payload in "\\PC{0,200}",
    ) {
        prop_assert!(Product::from_file(&data).is_err());
        let file = sign_bytes(&vendor(), Kind::Product, payload.as_bytes());
        prop_assert!(Product::from_file(file.as_bytes()).is_err());
    }
}
