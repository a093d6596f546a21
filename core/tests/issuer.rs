//! What the issuer is asked on line: renewals, and licenses for keys that people type.

mod http_support;
mod installation_support;

use http_support::*;
use installation_support::*;
use licentia::issue::{Request, read_request, sign_bytes};
use licentia::{Claims, Code, Error, Installation, Issuer, Kind, SecretKey, issue};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

const RENEW: &str = "/api/licensing/token/renew";
const KEY: &str = "ABCD-EFGH-4711";
const MASKED: &str = "xxxx-xxxx-4711";

fn renew(it: &Installation) -> Reply {
    post(it, RENEW, &json!({}))
}

/// A newer token of the license that a request is about, with another end each time.
fn renewed(request: &Request, days: i64) -> String {
    assert_eq!((request.what.as_str(), request.product.as_str()), ("renewal", "myapp"));
    license(|claims| {
        claims.license.id = request.license.as_ref().unwrap().id.clone();
        claims.iat = NOW + days;
        claims.license.valid_until = Some(NOW + days * DAY);
    })
}

/// An issuer that renews, each time by a day more.
fn vendor_server() -> Arc<Server> {
    let days = AtomicI64::new(60);
    Arc::new(Server::new(move |request| {
        Ok(renewed(request, days.fetch_add(1, Ordering::Relaxed)).into_bytes())
    }))
}

/// An installation with a license, and an issuer.
fn connected(server: &Arc<Server>) -> Site {
    let mut it = Site::new(&product());
    it.apply(license(|_| {}).as_bytes()).unwrap();
    it.connect(Arc::clone(server) as Arc<dyn Issuer>);
    it
}

#[test]
fn a_renewal_is_applied_and_shown() {
    let server = vendor_server();
    let it = connected(&server);
    let reply = renew(&it);
    assert_eq!((reply.status, reply.media.as_str()), (200, "application/json"));
    let claims = reply.json();
    assert_eq!((&claims["status"], &claims["lexp"]), (&json!(0), &json!(NOW + 60 * DAY)));
    assert_eq!(claims.as_object().unwrap().len(), 24);
    assert_eq!(status(&it)["license"]["valid_until"], NOW + 60 * DAY);
    let asked = server.asked.lock().unwrap().remove(0);
    assert_eq!(asked.license.unwrap().id, installation_support::claims().license.id);
    assert!(asked.machine.is_some() && asked.key.is_none());
}

#[test]
fn without_a_license_or_an_issuer_it_says_which_is_missing() {
    let it = Site::new(&product());
    let (status, code, _) = renew(&it).refusal();
    assert_eq!((status, code.as_str()), (400, "not_licensed"));
    assert_eq!(it.request("renewal", None).unwrap_err().code(), Code::NotLicensed);
    it.apply(license(|_| {}).as_bytes()).unwrap();
    let (status, code, detail) = renew(&it).refusal();
    assert_eq!((status, code.as_str()), (502, "no_transport"));
    assert_eq!(detail, it.renew().unwrap_err().to_string());
    assert!(detail.contains("no license server is configured"), "{detail}");
    for (body, status) in [("", 400), ("[]", 400), ("x", 400), ("{}", 502)] {
        assert_eq!(send(&it, "POST", RENEW, body).status, status, "{body}");
    }
    assert_eq!(it.activate(KEY).unwrap_err().code(), Code::NoTransport);
    let gone = product().open(folder().path().join("nowhere")).unwrap();
    let (status, code, _) = renew(&gone).refusal();
    assert_eq!((status, code.as_str()), (503, "state_unavailable"), "there may be a license");
}

/// Whatever comes back, or does not: 502, and the token before stays.
#[test]
fn a_renewal_that_fails_leaves_the_token_as_it_was() {
    type Answering = fn(&Request) -> Result<Vec<u8>, Error>;
    fn text(text: String) -> Result<Vec<u8>, Error> {
        Ok(text.into_bytes())
    }
    let bad: &[(&str, Answering)] = &[
        ("unreachable", |_| Err(Error::new(Code::Unreachable, "no route"))),
        ("refused", |_| Err(Error::new(Code::Refused, "it is not paid for"))),
        ("unreachable", |_| Err(Error::new(Code::Io, "the socket"))),
        ("unreachable", |_| Err(Error::new(Code::NotLicensed, "odd"))),
        ("malformed", |_| Ok(Vec::new())),
        ("malformed", |_| Ok(b"<html>sign in</html>".to_vec())),
        ("malformed", |_| Ok(vec![0xff; 70_000])),
        ("too_large", |_| Ok(vec![b'a'; 9_000_000])),
        ("bad_signature", |request| text(renewed(request, 90) + "A")),
        ("unknown_key", |request| {
            let key = SecretKey::from_seed(&[8; 32]).unwrap();
            let mut claims = claims();
            claims.license.id = request.license.as_ref().unwrap().id.clone();
            text(issue::sign(&key, &claims).unwrap())
        }),
        ("wrong_installation", |_| {
            text(license(|claims| {
                claims.iat = NOW + 9;
                claims.license.id = "11111111-2222-4333-8444-555555555555".into();
            }))
        }),
        ("wrong_product", |_| text(license(|claims| claims.aud = "other".into()))),
        ("older_than_installed", |_| text(license(|claims| claims.iat = NOW - DAY))),
        ("expired", |_| {
            text(license(|claims| {
                claims.license.valid_from = NOW - 300 * DAY;
                claims.license.valid_until = Some(NOW - 100 * DAY);
            }))
        }),
        ("wrong_kind", |_| {
            text(issue::sign_revocations(&vendor(), "myapp", ISSUER, 1, NOW, &[].into()).unwrap())
        }),
        ("wrong_kind", |_| text(sign_bytes(&vendor(), Kind::Lease, b"{}"))),
    ];
    for (number, (code, answer)) in bad.iter().enumerate() {
        let server = Arc::new(Server::new(answer));
        let it = connected(&server);
        let (before, files) = (status(&it), kept(it.folder.path()));
        let reply = renew(&it);
        assert_eq!(reply.media, "application/problem+json");
        let (number_of_http, slug, detail) = reply.refusal();
        // One more letter on a signature is another format.
        let code = if *code == "bad_signature" { "malformed" } else { code };
        assert_eq!((number_of_http, slug.as_str()), (502, code), "{number}: {detail}");
        let after = status(&it);
        assert_eq!(after["issuer"]["failure"]["code"], *code, "{number}");
        assert_eq!(but_for_failure(after), but_for_failure(before), "{number}");
        assert!(kept(it.folder.path()) == files, "{number}: only why it failed is noted");
        // Whoever is a stranger is asked for newer keys.
        let asked = if code == "unknown_key" { 2 } else { 1 };
        assert_eq!(server.count(), asked, "{number}");
    }
}

/// Of a hundred who ask at once, and of whoever asks again within ten seconds, one is heard.
#[test]
fn of_a_hundred_renewals_one_reaches_the_issuer() {
    let server = Arc::new(Server::new(|request| {
        std::thread::sleep(Duration::from_millis(100));
        Ok(renewed(request, 60).into_bytes())
    }));
    let it = connected(&server);
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..100).map(|_| scope.spawn(|| renew(&it))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(server.count(), 1);
    assert!(replies.iter().all(|reply| reply == &replies[0] && reply.status == 200));
    assert_eq!(renew(&it), replies[0]);
    assert_eq!(server.count(), 1);

    let down = Arc::new(Server::new(|_| Err(Error::new(Code::Unreachable, "no route"))));
    let it = connected(&down);
    assert_eq!((renew(&it).status, renew(&it).status, down.count()), (502, 502, 1));
}

/// An answer is for one license: another one is renewed at once, and one that is gone is not.
#[test]
fn the_last_answer_is_that_of_the_same_license() {
    let server = vendor_server();
    let it = connected(&server);
    assert_eq!(renew(&it).status, 200);
    it.remove().unwrap();
    assert_eq!(renew(&it).status, 400);
    let other = license(|claims| claims.license.id = "11111111-2222-4333-8444-555555555555".into());
    it.apply(other.as_bytes()).unwrap();
    assert_eq!(renew(&it).json()["lid"], "11111111-2222-4333-8444-555555555555");
    assert_eq!(server.count(), 2);
}

/// A license for a key, as it is typed.
fn activated(claims: &mut Claims) {
    claims.jti = "activated".into();
    claims.license.serial = None;
    claims.iat = NOW + 1;
    claims.license.id = "11111111-2222-4333-8444-555555555555".into();
}

/// The answer to a request that brings it.
fn brought(request: &Request) -> Vec<u8> {
    static SEQ: AtomicU64 = AtomicU64::new(1);
    let token = license(activated);
    let mut answer = answer_to(request.clone(), SEQ.fetch_add(1, Ordering::Relaxed));
    answer.license_id = "11111111-2222-4333-8444-555555555555".into();
    answer.license = Some(token);
    issue::sign_sync(&vendor(), "myapp", ISSUER, &answer).unwrap().into_bytes()
}

/// Whoever stands in between has a license, too, that the vendor signed: for himself.
#[test]
fn a_license_alone_is_no_answer_to_a_key() {
    let stranger = |claims: &mut Claims| {
        activated(claims);
        claims.license.valid_until = Some(NOW + DAY);
    };
    let server = Arc::new(Server::new(move |_| Ok(license(stranger).into_bytes())));
    let it = connected(&server);
    let before = status(&it)["license"].clone();
    for word in ["activation", "license"] {
        let key = (word == "activation").then_some(KEY);
        assert_eq!(it.call(word, key).unwrap_err().code(), Code::WrongKind, "{word}");
        assert_eq!(status(&it)["license"], before, "{word}");
    }
    assert_eq!((server.count(), key_kept(&it)), (2, None));
    it.apply(license(stranger).as_bytes()).unwrap();
}

/// An issuer that knows one key.
fn key_server() -> Arc<Server> {
    Arc::new(Server::new(|request| match request.what.as_str() {
        "renewal" => Ok(renewed(request, 60).into_bytes()),
        "activation" if request.key.as_deref() == Some(KEY) => Ok(brought(request)),
        _ => {
            let key = request.key.clone().unwrap_or_default();
            Err(Error::new(Code::Refused, format!("there is no key {key}")))
        }
    }))
}

fn key_kept(it: &Site) -> Option<String> {
    let mut kept = None;
    forge(it.folder.path(), |state| {
        kept = state["activation"]["key"].as_str().map(str::to_string);
    });
    kept
}

#[test]
fn a_key_brings_a_license_and_only_its_last_group_is_kept() {
    let server = key_server();
    let it = connected(&server);
    it.activate(&format!(" {KEY}\n")).unwrap();
    assert_eq!(status(&it)["license"]["id"], "11111111-2222-4333-8444-555555555555");
    assert_eq!(key_kept(&it).as_deref(), Some(MASKED));
    let asked = server.asked.lock().unwrap()[0].clone();
    assert_eq!((asked.what.as_str(), asked.key.as_deref()), ("activation", Some(KEY)));
    assert!(asked.machine.is_some() && asked.license.is_some());
    // Nowhere else is it, and not in what a log gets.
    for (name, bytes) in bytes_of(it.folder.path()) {
        assert!(!String::from_utf8_lossy(&bytes).contains("EFGH"), "{name}");
    }
    let texts = [
        it.status(None).unwrap(),
        it.explain(None).unwrap(),
        format!("{:?} {asked:?}", *it),
        get(&it, "/api/v1/license").text,
        get(&it, "/api/license").text,
        get(&it, "/license").text,
    ];
    for text in texts {
        assert!(!text.contains("EFGH"), "{text}");
    }
    assert_eq!(it.request("activation", Some(KEY)).map(drop), Ok(()), "as a text it is asked");
}

/// The key stays with its license over renewals, and goes with it, or with a token that was pasted.
#[test]
fn a_key_is_kept_for_as_long_as_what_it_brought() {
    let server = key_server();
    let it = connected(&server);
    it.activate(KEY).unwrap();
    assert_eq!(renew(&it).status, 200);
    assert_eq!(key_kept(&it).as_deref(), Some(MASKED), "renewed");
    let pasted = license(|claims| {
        activated(claims);
        claims.iat = NOW + 200;
    });
    it.apply(pasted.as_bytes()).unwrap();
    assert_eq!(key_kept(&it), None, "pasted");

    let it = connected(&server);
    it.activate(KEY).unwrap();
    let waits = license(|claims| {
        claims.license.valid_from = NOW + 20 * DAY;
        claims.license.valid_until = Some(NOW + 90 * DAY);
    });
    it.apply(waits.as_bytes()).unwrap();
    assert_eq!(key_kept(&it).as_deref(), Some(MASKED), "another stands beside it");
    it.apply(license(|claims| claims.iat = NOW + 300).as_bytes()).unwrap();
    assert_eq!(key_kept(&it), None, "another took its place");

    let it = connected(&server);
    it.activate(KEY).unwrap();
    it.remove().unwrap();
    assert_eq!(key_kept(&it), None, "removed");
    it.activate(KEY).unwrap();
    assert_eq!(key_kept(&it).as_deref(), Some(MASKED), "again");

    let it = connected(&server);
    it.apply(license(activated).as_bytes()).unwrap();
    assert_eq!(key_kept(&it), None);
    it.activate(KEY).unwrap();
    assert_eq!(key_kept(&it).as_deref(), Some(MASKED), "the same token, now by its key");
}

#[test]
fn what_is_no_key_is_not_asked_for() {
    let server = key_server();
    let it = connected(&server);
    let before = (it.status(None).unwrap(), bytes_of(it.folder.path()));
    for bad in ["", " ", "a\tb", "ä", &"x".repeat(129)] {
        assert_eq!(it.activate(bad).unwrap_err().code(), Code::InvalidArgument, "{bad}");
    }
    assert_eq!(server.count(), 0);
    for (what, argument) in [("activation", Some(" ")), ("license", Some(KEY))] {
        let code = it.request(what, argument).unwrap_err().code();
        assert_eq!(code, Code::InvalidArgument, "{what}");
    }
    assert_eq!((it.status(None).unwrap(), bytes_of(it.folder.path())), before);
}

/// Five keys in a row that nobody knows, and no sixth reaches the issuer.
#[test]
fn whoever_guesses_keys_is_slowed() {
    let server = key_server();
    let it = connected(&server);
    let before = it.status(None).unwrap();
    for number in 0..5 {
        let guess = format!("AAAA-BBBB-000{number}");
        let error = it.activate(&guess).unwrap_err();
        assert_eq!(error.code(), Code::Refused);
        let masked = format!("there is no key xxxx-xxxx-000{number}");
        assert_eq!(error.detail(), masked, "the reason does not repeat the key");
    }
    let error = it.activate(KEY).unwrap_err();
    assert_eq!(error.code(), Code::Refused);
    assert!(error.detail().contains("a minute later"), "{error}");
    assert_eq!(server.count(), 5);
    assert_eq!(it.status(None).unwrap(), before);
    assert_eq!(key_kept(&it), None);

    let it = connected(&server);
    for round in 0..3 {
        for number in 0..4 {
            it.activate(&format!("AAAA-{round}-{number}")).unwrap_err();
        }
        it.activate(KEY).unwrap();
    }
    let down = Arc::new(Server::new(|_| Err(Error::new(Code::Unreachable, "no route"))));
    let it = connected(&down);
    (0..9).for_each(|_| assert_eq!(it.activate(KEY).unwrap_err().code(), Code::Unreachable));
    assert_eq!(down.count(), 9, "nobody has judged the key");
}

/// Who has waited for the same key gets its answer.
#[test]
fn of_many_who_give_one_key_at_once_one_is_heard() {
    let server = Arc::new(Server::new(|request| {
        std::thread::sleep(Duration::from_millis(300));
        Ok(brought(request))
    }));
    let it = connected(&server);
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| it.activate(KEY).unwrap());
        }
    });
    assert!(server.count() < 20, "{}", server.count());
    assert_eq!(key_kept(&it).as_deref(), Some(MASKED));
}

/// A text that went another way than on line is answered by a license all the same.
#[test]
fn a_request_for_a_renewal_is_read_by_the_vendor() {
    let it = connected(&vendor_server());
    let text = it.request("renewal", None).unwrap();
    let request = read_request(text.as_bytes()).unwrap();
    it.apply(renewed(&request, 70).as_bytes()).unwrap();
    assert_eq!(status(&it)["license"]["valid_until"], NOW + 70 * DAY);
    assert_eq!(
        issue::sign_clock_reset(&vendor(), &request, ISSUER, NOW, NOW).unwrap_err().code(),
        Code::WrongKind
    );
}
