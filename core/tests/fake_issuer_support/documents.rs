//! Lies that are documents of another kind, for somebody else, or older ones.

use super::*;
use crate::installation_support::DAY;
use licentia::issue::{license_id, machine_of, sign_clock_reset, sign_keys, sign_lease};
use licentia::issue::{sign, sign_revocations};
use licentia::{KeySet, Lease};
use std::collections::BTreeSet;

const KINDS: [Kind; 6] =
    [Kind::License, Kind::KeySet, Kind::Revocations, Kind::Lease, Kind::Clock, Kind::Product];

fn text(text: impl Into<String>) -> Told {
    Ok(text.into().into_bytes())
}

/// Documents of another kind than what was asked for.
pub fn of_kind() -> Vec<Lie> {
    use Code::WrongKind;
    let mut all: Vec<Lie> = KINDS
        .map(|kind| {
            lie("sync", "its claims as another kind", WrongKind, move |house, request, _| {
                let answer = house.said(request);
                let claims = payload(&house.sign(&answer));
                text(sign_bytes(&key(ANSWERS), kind, claims.as_bytes()))
            })
        })
        .into();
    let license = |house: &mut House, _: &Request, _: &Record| text(house.usual());
    let set = |_: &mut House, _: &Request, record: &Record| text(record.sets[2].clone());
    let list = |_: &mut House, _: &Request, record: &Record| text(record.lists[2].clone());
    let answer = |house: &mut House, request: &Request, _: &Record| said(house, request, |_| {});
    all.extend([
        lie("sync", "the license", WrongKind, license),
        lie("sync", "the keys", WrongKind, set),
        lie("sync", "the list", WrongKind, list),
        lie("renewal", "the keys for a license", WrongKind, set),
        lie("activation", "the list for a license", WrongKind, list),
        lie("keys", "the list for the keys", WrongKind, list),
        lie("revocations", "the keys for the list", WrongKind, set),
        lie("keys", "an answer for the keys", WrongKind, answer),
        lie("revocations", "an answer for the list", WrongKind, answer),
        lie("clock", "an answer for the time", WrongKind, answer),
    ]);
    all
}

/// Answers to somebody or something else.
pub fn of_person() -> Vec<Lie> {
    use Code::*;
    let others = |word: &'static str| {
        lie(
            word,
            "what another installation got",
            WrongInstallation,
            move |_, _, record: &Record| record.of_others(word),
        )
    };
    let to = |word: &'static str| {
        lie("sync", "an answer to another word", WrongInstallation, move |house, _, record| {
            let request = record.asked(word).clone();
            said(house, &request, |_| {})
        })
    };
    vec![
        others("sync"),
        others("activation"),
        others("renewal"),
        others("deactivation"),
        others("clock"),
        to("clock"),
        to("seat"),
        to("activation"),
        to("renewal"),
        lie("sync", "the last answer", AlreadyUsed, |_, _, record| text(record.old.clone())),
        lie("sync", "an answer to what was asked before", AlreadyUsed, |house, _, record| {
            let request = record.asked("sync").clone();
            said(house, &request, |_| {})
        }),
        lie("sync", "a nonce of its own", WrongInstallation, |house, request, _| {
            said(house, request, |it| it.nonce = "A".repeat(43))
        }),
        lie("sync", "another product", WrongProduct, |house, request, _| {
            signed(house, request, (ANSWERS, "other", ISSUER))
        }),
        lie("sync", "another issuer with the same key", WrongIssuer, |house, request, _| {
            signed(house, request, (ANSWERS, "myapp", "https://licenses.other.example"))
        }),
        lie("sync", "a license that is not here", WrongInstallation, |house, request, _| {
            said(house, request, |it| it.license_id = OTHER.to_string())
        }),
        lie("sync", "another machine", WrongMachine, |house, request, _| {
            let mut asking = request.clone();
            asking.machine = product_at("elsewhere", NOW).machine().ok();
            said(house, request, |it| it.machine = machine_of(&asking))
        }),
    ]
}

/// Licenses, keys, lists, seats and times that are not what was asked for.
pub fn of_documents() -> Vec<Lie> {
    let mut all = of_licenses();
    all.extend(of_sets());
    all.extend(of_lists());
    all.extend(of_seats());
    all
}

fn of_licenses() -> Vec<Lie> {
    use Code::*;
    let brings = |what, code, license: fn(&House) -> String| {
        lie("renewal", what, code, move |house, request, _| {
            let license = license(house);
            said(house, request, |it| it.license = Some(license))
        })
    };
    vec![
        brings("another license", WrongInstallation, |_| other_license(LICENSES)),
        brings("a license of the answering key", UnknownKey, |_| {
            sign(&key(ANSWERS), &claims()).unwrap()
        }),
        brings("no license", Malformed, |_| "a.b.c".to_string()),
        brings("a license that is over", Expired, |_| {
            let mut claims = claims();
            (claims.iat, claims.license.stages) = (NOW + 1, None);
            claims.license.valid_from = NOW - 90 * DAY;
            claims.license.valid_until = Some(NOW - DAY);
            sign(&key(LICENSES), &claims).unwrap()
        }),
        brings("a license of another product", WrongProduct, |_| {
            let mut claims = claims();
            claims.aud = "other".to_string();
            sign(&key(LICENSES), &claims).unwrap()
        }),
        lie("renewal", "the older license by itself", OlderThanInstalled, |_, _, _| {
            let mut claims = claims();
            claims.iat = NOW - DAY;
            text(sign(&key(LICENSES), &claims).unwrap())
        }),
    ]
}

fn of_sets() -> Vec<Lie> {
    use Code::*;
    let set = |signer: u8, product: &str, epoch: u64| {
        let listed = TrustedKey::new(key(90).public().clone(), &[Role::License, Role::Server]);
        let keys = KeySet::of(vec![listed]).unwrap();
        sign_keys(&key(signer), product, ISSUER, NOW, epoch, &keys).unwrap()
    };
    vec![
        lie("keys", "an older set", OlderThanInstalled, |_, _, record| {
            text(record.sets[0].clone())
        }),
        lie("keys", "other keys of the same epoch", OlderThanInstalled, move |_, _, _| {
            text(set(ROOT, "myapp", 2))
        }),
        lie("keys", "keys of another product", WrongProduct, move |_, _, _| {
            text(set(ROOT, "other", 9))
        }),
        lie("keys", "keys by the answering key", UnknownKey, move |_, _, _| {
            text(set(ANSWERS, "myapp", 9))
        }),
        lie("keys", "keys by a stranger", UnknownKey, move |_, _, _| text(set(99, "myapp", 9))),
    ]
}

fn of_lists() -> Vec<Lie> {
    use Code::*;
    let list = |signer: u8, product: &str, version: u64| {
        let ids: BTreeSet<_> = [license_id(&claims().license.id).unwrap()].into();
        sign_revocations(&key(signer), product, ISSUER, version, NOW, &ids).unwrap()
    };
    vec![
        lie("revocations", "an older list", OlderThanInstalled, |_, _, record| {
            text(record.lists[0].clone())
        }),
        lie("revocations", "another list of the same version", OlderThanInstalled, {
            move |_, _, _| text(list(ANSWERS, "myapp", 5))
        }),
        lie("revocations", "a list of another product", WrongProduct, move |_, _, _| {
            text(list(ANSWERS, "other", 9))
        }),
        lie("revocations", "a list by the key of licenses", UnknownKey, move |_, _, _| {
            text(list(LICENSES, "myapp", 9))
        }),
        lie("revocations", "a list in no order", Malformed, move |_, _, _| {
            let claims = payload(&list(ANSWERS, "myapp", 9)).replace("\"ids\":[", "\"ids\":[\"\",");
            text(sign_bytes(&key(ANSWERS), Kind::Revocations, claims.as_bytes()))
        }),
    ]
}

fn of_seats() -> Vec<Lie> {
    use Code::*;
    let leased = |house: &House, request: &Request, change: fn(&mut Lease)| -> Told {
        let mut lease = house.lease(request);
        change(&mut lease);
        text(sign_lease(&key(ANSWERS), "myapp", ISSUER, &lease)?)
    };
    vec![
        lie("seat", "a seat of somebody else's installation", WrongInstallation, {
            move |house, request, _| {
                leased(house, request, |it| it.installation = Some(OTHER.to_string()))
            }
        }),
        lie("seat", "a seat of another license", WrongInstallation, move |house, request, _| {
            leased(house, request, |it| it.license_id = OTHER.to_string())
        }),
        lie("seat", "the end of a seat", WrongInstallation, move |house, request, _| {
            leased(house, request, |it| it.exp = it.iat)
        }),
        lie("seat", "a seat of another holder", WrongInstallation, move |house, request, _| {
            leased(house, request, |it| it.holder = "bob".to_string())
        }),
        lie("clock", "the time of another request", WrongInstallation, |_, _, record| {
            text(sign_clock_reset(
                &key(ANSWERS),
                &{
                    let mut request = record.asked("clock").clone();
                    request.nonce = "A".repeat(43);
                    request
                },
                ISSUER,
                NOW,
                NOW,
            )?)
        }),
        lie("clock", "the time by the key of licenses", UnknownKey, |_, request, _| {
            text(sign_clock_reset(&key(LICENSES), request, ISSUER, NOW, NOW)?)
        }),
    ]
}
