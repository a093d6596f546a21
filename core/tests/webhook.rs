//! Webhooks: the published vector, and everything that must not pass for one.

use licentia::webhook::{Headers, Secret, SigningKey, TOLERANCE, sign, verify};
use licentia::{Code, limits};
use proptest::prelude::*;

/// The vector that the libraries of Standard Webhooks are tested with.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

const GOOD: Headers<'_> = Headers { id: ID, timestamp: "1614265330", signature: SIGNATURE };

fn secret(text: &str) -> Secret {
    Secret::parse(text).unwrap()
}

fn code(body: &[u8], headers: &Headers<'_>, secrets: &[Secret], now: i64) -> Option<Code> {
    verify(body, headers, secrets, now).err().map(|error| error.code())
}

fn refused(headers: &Headers<'_>) -> Option<Code> {
    code(BODY, headers, &[secret(SECRET)], AT)
}

#[test]
fn the_published_vector_holds_both_ways() {
    let key = SigningKey::parse(SECRET).unwrap();
    assert_eq!(key.sign(ID, AT, BODY).unwrap(), SIGNATURE);
    assert_eq!(sign(&[key], ID, AT, BODY).unwrap(), SIGNATURE);
    assert_eq!(verify(BODY, &GOOD, &[secret(SECRET)], AT), Ok(AT));
}

#[test]
fn a_byte_more_or_less_anywhere_is_refused() {
    let secrets = [secret(SECRET)];
    for at in 0..BODY.len() {
        for bit in 0..8 {
            let mut bent = BODY.to_vec();
            bent[at] ^= 1 << bit;
            assert_eq!(code(&bent, &GOOD, &secrets, AT), Some(Code::BadSignature), "{at} {bit}");
        }
        assert_eq!(code(&BODY[..at], &GOOD, &secrets, AT), Some(Code::BadSignature));
    }
    let other = Headers { id: "msg_p5jXN8AQM9LWM0D4loKWxJeK", ..GOOD };
    assert_eq!(refused(&other), Some(Code::BadSignature));
    let later = Headers { timestamp: "1614265331", ..GOOD };
    assert_eq!(refused(&later), Some(Code::BadSignature));
    let foreign = SigningKey::generate_symmetric().unwrap().verifier();
    assert_eq!(code(BODY, &GOOD, &[secret(&foreign)], AT), Some(Code::BadSignature));
}

#[test]
fn what_belongs_to_one_part_is_not_another_s() {
    // The same bytes are signed by both: only the parts are others.
    let key = SigningKey::parse(SECRET).unwrap();
    let signature = key.sign("a", 1_614_265_330, b"7.b").unwrap();
    let secrets = [secret(SECRET)];
    let moved = Headers { id: "a.1614265330", timestamp: "7", signature: &signature };
    assert_eq!(code(b"b", &moved, &secrets, 7), Some(Code::Malformed));
    assert_eq!(key.sign("a.b", AT, BODY).unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn five_minutes_are_allowed_on_either_side_and_no_second_more() {
    let secrets = [secret(SECRET)];
    for apart in [-TOLERANCE, -1, 0, 1, TOLERANCE] {
        assert_eq!(code(BODY, &GOOD, &secrets, AT + apart), None, "{apart}");
    }
    for now in [AT - TOLERANCE - 1, AT + TOLERANCE + 1, 0, i64::MIN, i64::MAX] {
        assert_eq!(code(BODY, &GOOD, &secrets, now), Some(Code::BadTimestamp), "{now}");
        // Who does not have the secret does not hear of the time.
        let forged = Headers { signature: "v1,AAAA", ..GOOD };
        assert_eq!(code(BODY, &forged, &secrets, now), Some(Code::BadSignature), "{now}");
    }
}

#[test]
fn one_secret_follows_another() {
    let old = SigningKey::parse(SECRET).unwrap();
    let new = SigningKey::generate_ed25519().unwrap();
    let third = SigningKey::generate_symmetric().unwrap();
    let texts: Vec<_> = [&old, &new, &third].map(|key| key.verifier()).into();
    let list = sign(&[new, old], ID, AT, BODY).unwrap();
    assert!(list.starts_with("v1a,") && list.ends_with(SIGNATURE), "{list}");
    let headers = Headers { signature: &list, ..GOOD };
    let secrets: Vec<_> = texts.iter().map(|text| secret(text)).collect();
    for (secrets, found) in [
        (&secrets[..1], None),
        (&secrets[1..2], None),
        (&secrets[1..], None),
        (&secrets[2..], Some(Code::BadSignature)),
        (&[], Some(Code::InvalidArgument)),
    ] {
        assert_eq!(code(BODY, &headers, secrets, AT), found);
    }
    let many = vec![secret(SECRET); limits::WEBHOOK_SECRETS_MAX + 1];
    assert_eq!(code(BODY, &headers, &many, AT), Some(Code::InvalidArgument));
    assert_eq!(code(BODY, &headers, &many[1..], AT), None);
}

#[test]
fn a_signature_of_one_kind_is_not_taken_for_the_other() {
    let pair = SigningKey::generate_ed25519().unwrap();
    let public = pair.verifier();
    // Who has the public key, which is no secret, signs with it as if it were one.
    let bytes = public.strip_prefix("whpk_").unwrap();
    let forger = SigningKey::parse(&format!("whsec_{bytes}")).unwrap();
    let forged = forger.sign(ID, AT, BODY).unwrap();
    for signature in [forged.clone(), forged.replace("v1,", "v1a,")] {
        let headers = Headers { signature: &signature, ..GOOD };
        assert_eq!(code(BODY, &headers, &[secret(&public)], AT), Some(Code::BadSignature));
    }
    let signature = pair.sign(ID, AT, BODY).unwrap().replace("v1a,", "v1,");
    let headers = Headers { signature: &signature, ..GOOD };
    assert_eq!(code(BODY, &headers, &[secret(&public)], AT), Some(Code::BadSignature));
}

#[test]
fn headers_that_no_webhook_has_are_malformed() {
    let long = "a".repeat(limits::WEBHOOK_ID_MAX + 1);
    for id in ["", " ", "a b", "a.b", "é", "a\n", "a\0", &long] {
        assert_eq!(refused(&Headers { id, ..GOOD }), Some(Code::Malformed), "{id:?}");
    }
    for timestamp in [
        "",
        " 1614265330",
        "+1614265330",
        "-1614265330",
        "01614265330",
        "1614265330.0",
        "1.6e9",
        "0x6037c0f2",
        "１６１４２６５３３０",
        "2021-02-25T15:02:10Z",
        "9999999999999999999999",
        "nan",
    ] {
        let headers = Headers { timestamp, ..GOOD };
        assert_eq!(refused(&headers), Some(Code::Malformed), "{timestamp:?}");
    }
    for signature in ["", " ", "v1", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "v1,a b"] {
        let headers = Headers { signature, ..GOOD };
        assert_eq!(refused(&headers), Some(Code::Malformed), "{signature:?}");
    }
}

#[test]
fn headers_are_found_in_any_case_and_only_once() {
    let pairs = |names: &[&'static str]| {
        let names = names.to_vec();
        names.into_iter().zip([ID, "1614265330", SIGNATURE, "other"]).collect::<Vec<_>>()
    };
    let good = ["Webhook-Id", "WEBHOOK-TIMESTAMP", "webhook-signature", "host"];
    assert_eq!(Headers::find(pairs(&good)), Ok(GOOD));
    for missing in 0..3 {
        let mut names = good;
        names[missing] = "svix-id";
        let error = Headers::find(pairs(&names)).unwrap_err();
        assert_eq!(error.code(), Code::Malformed, "{error}");
        names[missing] = good[missing];
        names[3] = good[missing];
        let error = Headers::find(pairs(&names)).unwrap_err();
        assert_eq!(error.code(), Code::Malformed, "{error}");
        assert!(error.to_string().contains("twice"), "{error}");
    }
}

#[test]
fn signatures_that_cannot_be_read_are_passed_over() {
    for start in ["v2,", "v1,", "v1a,", "V1,", "v1,AAAA ", "v3,x v1,*** ", ",", ",,, v1,= "] {
        let with = format!("{start} {SIGNATURE}");
        assert_eq!(refused(&Headers { signature: &with, ..GOOD }), None, "{start}");
        let headers = Headers { signature: start, ..GOOD };
        assert_eq!(refused(&headers), Some(Code::BadSignature), "{start}");
    }
    let spelled = SIGNATURE.trim_end_matches('=');
    assert_eq!(refused(&Headers { signature: spelled, ..GOOD }), Some(Code::BadSignature));
    let loose = SIGNATURE.replace("1OE=", "1OF=");
    assert_eq!(refused(&Headers { signature: &loose, ..GOOD }), Some(Code::BadSignature));
}

#[test]
fn what_is_larger_than_any_is_refused_before_it_is_read() {
    let most = [SIGNATURE].repeat(limits::WEBHOOK_SIGNATURES_MAX).join(" ");
    assert_eq!(refused(&Headers { signature: &most, ..GOOD }), None);
    let more = format!("{most} {SIGNATURE}");
    let headers = Headers { signature: &more, ..GOOD };
    assert_eq!(refused(&headers), Some(Code::TooLarge));
    let wide = format!("{SIGNATURE}{}", " ".repeat(limits::WEBHOOK_SIGNATURES_TEXT_MAX));
    let headers = Headers { signature: &wide, ..GOOD };
    assert_eq!(refused(&headers), Some(Code::TooLarge));
    let body = vec![b' '; limits::WEBHOOK_MAX + 1];
    assert_eq!(code(&body, &GOOD, &[secret(SECRET)], AT), Some(Code::TooLarge));
    let key = SigningKey::parse(SECRET).unwrap();
    assert_eq!(key.sign(ID, AT, &body).unwrap_err().code(), Code::InvalidArgument);
    let body = &body[1..];
    let signature = key.sign(ID, AT, body).unwrap();
    let headers = Headers { signature: &signature, ..GOOD };
    assert_eq!(code(body, &headers, &[secret(SECRET)], AT), None);
}

#[test]
fn what_is_no_secret_is_refused_and_not_told() {
    let short = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let private = SigningKey::generate_ed25519().unwrap().to_text();
    let identity = "whpk_AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let far = "whpk_7f///////////////////////////////////////38=";
    let long = format!("whsec_{}", "A".repeat(88));
    for text in [
        "",
        "whsec_",
        short,
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa*w",
        "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        &private,
        identity,
        far,
        &long,
        &"whsec_A".repeat(100),
    ] {
        let error = Secret::parse(text).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{text}");
        assert!(!error.to_string().contains("MfKQ9r8"), "{error}");
    }
    for text in ["whsk_AAAA", identity, "whsk_", &private.replace("whsk_", "whsk_AAAA")] {
        assert_eq!(SigningKey::parse(text).unwrap_err().code(), Code::InvalidArgument, "{text}");
    }
    let key = SigningKey::parse(SECRET).unwrap();
    assert_eq!(format!("{key:?} {:?}", secret(SECRET)), "SigningKey(whsec_) Secret(whsec_)");
}

#[test]
fn keys_are_what_they_were_once_written_and_read() {
    for key in [SigningKey::generate_symmetric().unwrap(), SigningKey::generate_ed25519().unwrap()]
    {
        let again = SigningKey::parse(&key.to_text()).unwrap();
        assert_eq!(*again.to_text(), *key.to_text());
        assert_eq!(again.sign(ID, AT, BODY), key.sign(ID, AT, BODY));
        let bare = key.verifier().trim_end_matches('=').to_string();
        let signature = key.sign(ID, AT, BODY).unwrap();
        let headers = Headers { signature: &signature, ..GOOD };
        assert_eq!(verify(BODY, &headers, &[secret(&format!(" {bare}\n"))], AT), Ok(AT));
    }
    // Halves of two pairs: what they would sign together gives the private half away.
    let [one, two] = [(); 2].map(|()| SigningKey::generate_ed25519().unwrap().to_text());
    let mixed = format!("{}{}", &one[..one.len() / 2], &two[one.len() / 2..]);
    assert_eq!(SigningKey::parse(&mixed).unwrap_err().code(), Code::InvalidArgument);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        256 * std::env::var("LICENTIA_SOAK").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
    ))]

    #[test]
    fn what_is_signed_is_verified_and_nothing_beside_it(
        seed in any::<[u8; 32]>(),
        id in "[!-\\-/-~]{1,40}",
        at in 0_i64..99_999_999_999,
        body in proptest::collection::vec(any::<u8>(), 0..300),
        bent in any::<(prop::sample::Index, u8)>(),
    ) {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(seed);
        for start in ["whsec_", "whsk_"] {
            let key = SigningKey::parse(&format!("{start}{text}")).unwrap();
            let secrets = [secret(&key.verifier())];
            let signature = key.sign(&id, at, &body).unwrap();
            let timestamp = at.to_string();
            let headers = Headers { id: &id, timestamp: &timestamp, signature: &signature };
            prop_assert_eq!(verify(&body, &headers, &secrets, at), Ok(at));
            let mut other = body.clone();
            other.push(bent.1);
            let place = bent.0.index(other.len());
            other[place] ^= 1;
            prop_assert_eq!(code(&other, &headers, &secrets, at), Some(Code::BadSignature));
            let mut other = signature.clone().into_bytes();
            let place = bent.0.index(other.len());
            other[place] ^= 1 + (bent.1 & 3);
            if let Ok(other) = String::from_utf8(other) {
                let headers = Headers { signature: &other, ..headers };
                prop_assert!(verify(&body, &headers, &secrets, at).is_err());
            }
        }
    }

    #[test]
    fn nothing_panics(
        id in ".{0,20}", timestamp in ".{0,20}", signature in ".{0,90}", text in ".{0,90}",
        now in any::<i64>(),
    ) {
        let headers = Headers { id: &id, timestamp: &timestamp, signature: &signature };
        prop_assert!(verify(BODY, &headers, &[secret(SECRET)], now).is_err());
        for start in ["", "whsec_", "whpk_", "whsk_"] {
            let _ = Secret::parse(&format!("{start}{text}"));
            let _ = SigningKey::parse(&format!("{start}{text}"));
        }
    }
}
