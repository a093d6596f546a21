//! What the issuer says of a license: the answers to an activation, a renewal, a request code and
//! a deactivation, which are all sync answers.

mod http_support;
mod installation_support;

use http_support::{Server, Site, bytes_of, kept};
use installation_support::*;
use licentia::issue::{IssuerStatus, Request, SyncAnswer, read_request};
use licentia::{Claims, Code, Installation, Issuer, issue};
use serde_json::json;
use std::sync::Arc;

const OTHER: &str = "11111111-2222-4333-8444-555555555555";
const ACTIVATION: &str = "01932f0a-6d1c-7c3e-9a51-5f2c1e0b7d44";
const KEY: &str = "ABCD-EFGH-4711";

fn asked(it: &Installation, what: &str, argument: Option<&str>) -> Request {
    read_request(it.request(what, argument).unwrap().as_bytes()).unwrap()
}

/// What the server says to a request: all is well with the usual license, changed.
fn said(request: &Request, seq: u64, change: impl FnOnce(&mut SyncAnswer)) -> String {
    let mut answer = SyncAnswer {
        iat: NOW,
        nonce: request.nonce.clone(),
        license_id: claims().license.id,
        installation: request.installation.clone(),
        activation: Some(ACTIVATION.to_string()),
        seq,
        epoch: 0,
        server_time: NOW,
        status: IssuerStatus::Ok,
        message: None,
        license: None,
        keys: None,
        revocations: None,
        ack: None,
        sync_after: None,
        next_sync_by: None,
        machine: None,
    };
    change(&mut answer);
    issue::sign_sync(&vendor(), "myapp", ISSUER, &answer).unwrap()
}

/// Another license than the usual one.
fn other() -> String {
    license(|claims| {
        claims.license.id = OTHER.to_string();
        claims.jti = "other".to_string();
    })
}

fn brings(answer: &mut SyncAnswer, id: &str, license: String) {
    (answer.license_id, answer.license) = (id.to_string(), Some(license));
}

fn in_use(it: &Installation) -> String {
    status(it)["license"]["id"].as_str().unwrap_or("none").to_string()
}

/// Applies what has to be refused, and sees that nothing changes.
fn refused(it: &Site, data: &str, code: Code) {
    let (before, files) = (it.status(None).unwrap(), bytes_of(it.folder.path()));
    let error = it.apply(data.as_bytes()).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert_eq!(it.status(None).unwrap(), before, "{error}");
    assert!(bytes_of(it.folder.path()) == files, "{error}");
}

fn licensed() -> Site {
    let it = Site::new(&product());
    it.apply(license(|_| {}).as_bytes()).unwrap();
    it
}

#[test]
fn an_answer_brings_a_license_to_who_asked_for_one() {
    for (what, argument) in [("activation", Some(KEY)), ("license", None)] {
        let it = Site::new(&product());
        let request = asked(&it, what, argument);
        it.apply(said(&request, 1, |it| brings(it, OTHER, other())).as_bytes()).unwrap();
        let status = status(&it);
        assert_eq!(status["license"]["id"], OTHER, "{what}");
        assert_eq!(status["issuer"]["status"], "ok", "{what}");
        assert!(it.allows("reports"));
    }
    for (what, argument) in [("activation", None), ("renewal", None)] {
        let it = licensed();
        let request = asked(&it, what, argument);
        assert_eq!(request.license.as_ref().unwrap().id, claims().license.id);
        it.apply(said(&request, 1, |it| brings(it, OTHER, other())).as_bytes()).unwrap();
        assert_eq!(in_use(&it), OTHER, "{what}: the vendor gave another for it");
    }
    let it = licensed();
    let request = asked(&it, "activation", None);
    let bound = license(|claims| (claims.iat, claims.jti) = (NOW + 1, "bound".into()));
    let id = claims().license.id;
    it.apply(said(&request, 1, |it| brings(it, &id, bound)).as_bytes()).unwrap();
    assert_eq!(status(&it)["license"]["token_id"], "bound");
}

#[test]
fn a_license_that_was_not_asked_for_does_not_come() {
    let it = licensed();
    for what in ["sync", "deactivation"] {
        let request = asked(&it, what, None);
        let answer = said(&request, 1, |it| brings(it, OTHER, other()));
        refused(&it, &answer, Code::WrongInstallation);
    }
    let request = asked(&it, "activation", Some(KEY));
    let missing = said(&request, 1, |it| it.license_id = OTHER.to_string());
    refused(&it, &missing, Code::WrongInstallation);
    // It speaks of one and brings another.
    let two = said(&request, 1, |it| it.license = Some(other()));
    refused(&it, &two, Code::WrongInstallation);
    let own = claims().license.id;
    let two = said(&request, 1, |it| brings(it, OTHER, license(|it| it.iat = NOW + 1)));
    refused(&it, &two, Code::WrongInstallation);
    type Changing = Box<dyn Fn(&mut Claims)>;
    let bad: [(Code, Changing); 4] = [
        (Code::WrongProduct, Box::new(|it| it.aud = "elsewhere".to_string())),
        (Code::Expired, Box::new(|it| it.license.valid_until = Some(NOW - 1))),
        (Code::OlderThanInstalled, Box::new(|it| it.iat = NOW - DAY)),
        (
            Code::WrongInstallation,
            Box::new(|it| {
                let installation = Some(OTHER.to_string());
                it.license.binding = Some(licentia::Binding { installation, ..Default::default() });
            }),
        ),
    ];
    for (code, change) in bad {
        let license = license(|claims| {
            (claims.license.id, claims.license.valid_from) = (OTHER.to_string(), NOW - 90 * DAY);
            claims.license.stages = None;
            change(claims);
        });
        refused(&it, &said(&request, 1, |it| brings(it, OTHER, license)), code);
    }
    let garbage = said(&request, 1, |it| brings(it, &own, "a.b.c".to_string()));
    refused(&it, &garbage, Code::Malformed);
    // An older token of the license that is here: the rest of the answer holds.
    let older = license(|it| (it.iat, it.jti) = (NOW - DAY, "older".into()));
    it.apply(said(&request, 1, |it| brings(it, &own, older)).as_bytes()).unwrap();
    assert_eq!((in_use(&it), status(&it)["issuer"]["status"].as_str()), (own, Some("ok")));
}

#[test]
fn an_answer_is_good_once_here_and_to_its_own_word() {
    let it = licensed();
    let key = asked(&it, "activation", Some(KEY));
    let (sync, clock) = (asked(&it, "sync", None), asked(&it, "clock", None));
    let answer = said(&key, 1, |_| {});
    refused(&it, &said(&clock, 1, |_| {}), Code::WrongInstallation);
    refused(&it, &said(&asked(&it, "seat", Some("ann")), 1, |_| {}), Code::WrongInstallation);
    refused(&it, &said(&key, 1, |it| it.nonce = "n".to_string()), Code::Malformed);
    refused(&it, &said(&key, 1, |it| it.installation = OTHER.to_string()), Code::WrongInstallation);
    let stranger = licensed();
    refused(&stranger, &answer, Code::WrongInstallation);
    let theirs = said(&asked(&stranger, "activation", Some(KEY)), 1, |answer| {
        answer.installation = key.installation.clone();
    });
    refused(&it, &theirs, Code::WrongInstallation);
    it.apply(answer.as_bytes()).unwrap();
    refused(&it, &answer, Code::AlreadyUsed);
    refused(&it, &said(&key, 2, |_| {}), Code::AlreadyUsed);
    // They share a counter: what was asked before is answered.
    refused(&it, &said(&sync, 2, |_| {}), Code::AlreadyUsed);
    let again = asked(&it, "renewal", None);
    refused(&it, &said(&again, 1, |_| {}), Code::AlreadyUsed);
    it.apply(said(&again, 2, |_| {}).as_bytes()).unwrap();
}

#[test]
fn a_machine_that_the_server_has_freed_has_no_license() {
    let it = licensed();
    it.record("exports", 2).unwrap();
    it.apply(answer(&it, 1, |_| {}).as_bytes()).unwrap();
    let request = asked(&it, "deactivation", None);
    assert_eq!(request.license.as_ref().unwrap().id, claims().license.id);
    assert!(request.signer.is_some());
    let answer = said(&request, 2, |_| {});
    it.apply(answer.as_bytes()).unwrap();
    let after = status(&it);
    assert_eq!((&after["license"], &after["issuer"]["status"]), (&json!(null), &json!(null)));
    assert!(!it.allows("reports"));
    assert_eq!(it.request("deactivation", None).unwrap_err().code(), Code::NotLicensed);
    // Again, it has nothing to take away from what came since.
    it.apply(license(|_| {}).as_bytes()).unwrap();
    refused(&it, &answer, Code::AlreadyUsed);
    assert!(it.allows("reports"));
    assert_eq!(it.usage("exports").unwrap().used, 2, "what was used stays");
}

#[test]
fn a_deactivation_takes_its_own_license_and_no_other() {
    let it = licensed();
    let request = asked(&it, "deactivation", None);
    refused(&it, &said(&request, 1, |it| it.license_id = OTHER.into()), Code::WrongInstallation);
    // One that begins later waits beside it.
    let later = license(|claims| {
        (claims.license.id, claims.license.valid_from) = (OTHER.to_string(), NOW + 30 * DAY);
        claims.license.valid_until = Some(NOW + 60 * DAY);
    });
    it.apply(later.as_bytes()).unwrap();
    it.apply(said(&request, 1, |_| {}).as_bytes()).unwrap();
    assert_eq!(in_use(&it), OTHER);
}

#[test]
fn a_license_that_was_revoked_does_not_come_back_by_a_deactivation() {
    let it = licensed();
    it.apply(answer(&it, 1, |it| it.status = IssuerStatus::Revoked).as_bytes()).unwrap();
    let request = asked(&it, "deactivation", None);
    it.apply(said(&request, 2, |it| it.status = IssuerStatus::Revoked).as_bytes()).unwrap();
    assert_eq!(status(&it)["license"], json!(null));
    refused(&it, &license(|it| it.iat = NOW + 1), Code::Revoked);
}

#[test]
fn the_activation_is_kept_with_what_the_issuer_said() {
    let kept = |it: &Site| {
        let file = std::fs::read(it.folder.path().join("state.a")).unwrap();
        let file = [file, std::fs::read(it.folder.path().join("state.b")).unwrap()].concat();
        String::from_utf8_lossy(&file).contains(ACTIVATION)
    };
    let it = licensed();
    it.apply(said(&asked(&it, "activation", None), 1, |_| {}).as_bytes()).unwrap();
    assert!(kept(&it));
    for seq in 2..4 {
        it.apply(answer(&it, seq, |_| {}).as_bytes()).unwrap();
        assert!(kept(&it), "an answer that does not say goes on from there");
    }
    for seq in 4..6 {
        let request = asked(&it, "deactivation", None);
        it.apply(said(&request, seq, |_| {}).as_bytes()).unwrap();
        it.apply(license(|_| {}).as_bytes()).unwrap();
    }
    assert!(!kept(&it));
}

fn answering(give: impl Fn(&Request) -> String + Send + 'static) -> (Site, Arc<Server>) {
    let server = Arc::new(Server::new(move |request| Ok(give(request).into_bytes())));
    let mut it = licensed();
    it.connect(Arc::clone(&server) as Arc<dyn Issuer>);
    (it, server)
}

#[test]
fn an_issuer_answers_on_line_in_the_same_words() {
    let (it, _) = answering(|request| said(request, 1, |it| brings(it, OTHER, other())));
    it.activate(KEY).unwrap();
    assert_eq!(in_use(&it), OTHER);
    assert!(
        bytes_of(it.folder.path())
            .iter()
            .any(|(_, file)| { String::from_utf8_lossy(file).contains("xxxx-xxxx-4711") }),
        "the key is shown by its last group"
    );
    let (it, _) = answering(|request| said(request, 1, |_| {}));
    it.activate(KEY).unwrap();
    let kept = bytes_of(it.folder.path());
    assert!(kept.iter().any(|(_, file)| String::from_utf8_lossy(file).contains("xxxx-xxxx-4711")));
    let own = claims().license.id;
    let (it, _) = answering(|request| {
        let license = license(|it| (it.iat, it.jti) = (NOW + 1, "renewed".into()));
        said(request, 1, |it| brings(it, &claims().license.id, license))
    });
    it.renew().unwrap();
    assert_eq!(status(&it)["license"]["token_id"], "renewed");
    let (it, _) = answering(|request| said(request, 1, |_| {}));
    it.renew().unwrap();
    assert_eq!(in_use(&it), own, "there is nothing newer, and all is well");
}

#[test]
fn what_an_issuer_refuses_in_signed_words_is_refused_and_known() {
    let no = |message: Option<&'static str>| {
        move |request: &Request| {
            said(request, 1, |it| {
                it.status = IssuerStatus::Suspended;
                it.message = message.map(str::to_string);
            })
        }
    };
    for (message, wanted) in [(Some("call us"), "call us"), (None, "suspended")] {
        let (it, _) = answering(no(message));
        let error = it.renew().unwrap_err();
        assert_eq!(error.code(), Code::Refused);
        assert!(error.detail().contains(wanted), "{error}");
        assert_eq!(status(&it)["issuer"]["status"], "suspended");
        let (it, _) = answering(no(message));
        assert_eq!(it.activate(KEY).unwrap_err().code(), Code::Refused);
    }
}

/// Whoever starts on a new machine with the key of a license that was put on hold is told so.
#[test]
fn a_license_that_is_not_here_is_refused_in_the_words_of_the_issuer() {
    for status in [IssuerStatus::Suspended, IssuerStatus::Expired, IssuerStatus::Revoked] {
        let no = move |request: &Request| {
            said(request, 1, |it| {
                (it.license_id, it.status) = (OTHER.to_string(), status);
                it.message = Some("call us".to_string());
            })
        };
        let server = Arc::new(Server::new(move |request| Ok(no(request).into_bytes())));
        let mut fresh = Site::new(&product());
        fresh.connect(Arc::clone(&server) as Arc<dyn Issuer>);
        let mut here = licensed();
        here.connect(server);
        for it in [fresh, here] {
            let (before, known) = (bytes_of(it.folder.path()), it.status(None).unwrap());
            let error = it.activate(KEY).unwrap_err();
            assert_eq!((error.code(), error.detail()), (Code::Refused, "call us"));
            refused(&it, &no(&asked(&it, "activation", Some(KEY))), Code::Refused);
            refused(&it, &no(&asked(&it, "license", None)), Code::Refused);
            refused(&it, &no(&asked(&it, "sync", None)), Code::WrongInstallation);
            assert!(bytes_of(it.folder.path()) == before, "nothing is noted");
            assert_eq!(it.status(None).unwrap(), known);
        }
    }
}

/// Word, license and installation have to be those of the question.
#[test]
fn what_an_issuer_says_to_another_question_is_no_answer() {
    let (it, _) = answering(|request| {
        said(request, 1, |it| {
            brings(it, OTHER, other());
            it.nonce = request.nonce.clone();
        })
    });
    let files = kept(it.folder.path());
    assert_eq!(it.renew().unwrap_err().code(), Code::WrongInstallation, "another license");
    let asking = Arc::new(licensed());
    let sync = asked(&asking, "sync", None);
    let mut other = Site::new(&product());
    other.apply(license(|_| {}).as_bytes()).unwrap();
    other.connect(Arc::new(Server::new(move |_| Ok(said(&sync, 1, |_| {}).into_bytes()))));
    assert_eq!(other.renew().unwrap_err().code(), Code::WrongInstallation);
    for (what, argument) in [("sync", None), ("activation", None), ("renewal", None)] {
        let mut own = licensed();
        let other = asked(&own, what, argument);
        own.connect(Arc::new(Server::new(move |_| Ok(said(&other, 1, |_| {}).into_bytes()))));
        let said = own.renew().map_err(|error| error.code());
        let good = if what == "renewal" { Ok(()) } else { Err(Code::WrongInstallation) };
        assert_eq!(said, good, "the answer to {what}");
        assert_eq!(own.activate(KEY).is_ok(), what == "activation", "{what}");
    }
    assert!(kept(it.folder.path()) == files);
}

#[test]
fn an_activation_by_the_license_in_use_needs_one() {
    let it = Site::new(&product());
    for argument in [None, Some("")] {
        let error = it.request("activation", argument).unwrap_err();
        assert_eq!(error.code(), Code::NotLicensed);
    }
    it.apply(license(|_| {}).as_bytes()).unwrap();
    let request = asked(&it, "activation", None);
    assert_eq!((request.key, request.license.unwrap().id), (None, claims().license.id));
    assert_eq!(asked(&it, "activation", Some(KEY)).key.as_deref(), Some(KEY));
}
