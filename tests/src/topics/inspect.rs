//! `inspect` shows a license that is not in force here; it then allows nothing.

use crate::case::{Case, DAY, Facts, NOW, OFF, ON, upto};
use crate::document::{Doc, sign_header, sign_payload};
use crate::signer::{b64, second, stranger, vendor};
use serde_json::json;

pub fn cases() -> Vec<Case> {
    let mut cases = shown();
    cases.extend(refused());
    cases
}

fn shown() -> Vec<Case> {
    let plain = Doc::license().sign();
    let end = NOW + 365 * DAY;
    let nothing = Facts::nothing;
    let machine = json!({"v": 1, "need": 1, "parts": {"identity": ["AAAAAAAAAAAAAAAAAAAAAA"]}});
    let on = |binding| Doc::license().set("/license/binding", binding).sign();
    let id = "6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c";
    let grace = Doc::license().set("/license/stages", json!({"ended": {"read_only": 10}})).sign();
    let unknown = Doc::license().features(json!([{"id": "x", "meter": "rolling"}, {"id": "pro"}]));
    let early = Doc::license().set("/license/valid_from", NOW + DAY).sign();
    let exp = Doc::license().set("/exp", NOW - DAY).sign();
    let retired = vendor().jwks(&format!(r#""state":"retired","exp":{NOW}"#));
    vec![
        Case::inspect("in force", &*plain),
        Case::inspect("ended", &*plain).at(end).says(nothing()),
        Case::inspect("ended long ago", &*plain).at(253_402_300_799).says(nothing()),
        Case::inspect("in its grace period", &*grace).at(end + 9 * DAY),
        Case::inspect("after its grace period", grace).at(end + 10 * DAY).says(nothing()),
        Case::inspect("not begun", early)
            .says(nothing())
            .later(NOW + DAY, &[("pro", ON), ("users", upto(15)), ("other", OFF)]),
        Case::inspect("overdue", exp).says(nothing()),
        Case::inspect("for another machine", on(json!({"machine": machine})))
            .set("machine", "host-1")
            .says(nothing())
            .later(NOW - DAY, &[("pro", OFF)]),
        Case::inspect("for another installation", on(json!({"installation": id}))).says(nothing()),
        Case::inspect("for another instance", on(json!({"instance": "https://a.example"})))
            .says(nothing()),
        Case::inspect("with a binding that is too new", on(json!({"machine": {"v": 2}})))
            .says(nothing()),
        Case::inspect("with a feature that is too new", unknown.sign())
            .grants(&[("x", OFF), ("pro", ON)]),
        Case::inspect("by a key that has retired since", &*plain).keys(retired),
        Case::inspect("as a blob", plain.replace('.', ".\n")),
    ]
}

fn refused() -> Vec<Case> {
    let plain = Doc::license().sign();
    let (head, _) = plain.rsplit_once('.').expect("a signature");
    let forged = format!("{head}.{}", b64([1; 64]));
    let kid = vendor().kid();
    let none = sign_header(format!(r#"{{"alg":"none","kid":"{kid}","typ":"lic+jwt"}}"#));
    let must = Doc::license().set("/must", vec!["x"]).sign();
    vec![
        Case::inspect("empty", "").fails("malformed"),
        Case::inspect("forged", forged).fails("bad_signature"),
        Case::inspect("altered", plain.replacen("eyJ", "eyK", 2)).fails("malformed"),
        Case::inspect("alg none", none).fails("malformed"),
        Case::inspect("another vendor's", Doc::license().sign_by(&stranger())).fails("unknown_key"),
        Case::inspect("a key set", Doc::key_set(1, &[second().jwk("")]).sign()).fails("wrong_kind"),
        Case::inspect("another product's", &*plain).of("otherapp").fails("wrong_product"),
        Case::inspect("another issuer's", &*plain).set("issuer", "Acme").fails("wrong_issuer"),
        Case::inspect("by a compromised key", &*plain)
            .keys(vendor().jwks(r#""state":"compromised""#))
            .fails("key_compromised"),
        Case::inspect("signed after its key retired", &*plain)
            .keys(vendor().jwks(r#""state":"retired","exp":5"#))
            .fails("key_retired"),
        Case::inspect("too new", must).fails("too_new"),
        Case::inspect("without claims", sign_payload("{}")).fails("malformed"),
        Case::inspect("too large", plain).spaces(140_000).fails("too_large"),
    ]
}
