//! The *token* family: what a token says, the door in, and the way out.

mod http_support;
mod installation_support;

use http_support::*;
use installation_support::*;
use licentia::issue::IssuerStatus;
use licentia::machine::{self, Options, Report};
use licentia::{
    Binding, Claims, Customer, Feature, Installation, Metadata, Notice, Product, Stage, Stages,
    issue,
};
use serde_json::{Value, json};

const CHECK: &str = "/api/licensing/check";
const TOKEN: &str = "/api/licensing/token";
const HERE: &str = "https://play.acme.example/";

fn opened(product: &Product) -> Site {
    let mut it = Site::new(product);
    it.set("instance", HERE).unwrap();
    it
}

fn put(it: &Installation, token: &str) -> Reply {
    post(it, TOKEN, &json!({ "token": token }))
}

fn delete(it: &Installation, body: &str) -> Reply {
    send(it, "DELETE", TOKEN, body)
}

/// Every claim that this family shows.
fn full(claims: &mut Claims) {
    claims.jti = "01932f0a-6d1c-7c3e-9a51-5f2c1e0b7d44".into();
    claims.exp = Some(NOW + DAY);
    let license = &mut claims.license;
    license.kind = "trial".into();
    license.customer = Some(Customer {
        name: Some("Test License".into()),
        email: Some("customer@example.com".into()),
        account: Some("acme".into()),
        slug: Some("acme-labs".into()),
    });
    license.features = vec![metered("users", "level", 15), metered("sessions", "level", 3)];
    license.refresh_days = Some(1);
    license.notice = Some(Notice { license: Some(20), token: Some(2) });
    let overdue = Some(Stage { warn: Some(0), deny: Some(7), ..Stage::default() });
    license.stages = Some(Stages { overdue, ..Stages::default() });
    let noted = [
        ("limit_by", Metadata::Text("users".into())),
        ("usage_billing", Metadata::Flag(true)),
        ("details_url", Metadata::Text("https://acme.example/l/1".into())),
        ("anonymous_ratio", Metadata::Integer(4)),
    ];
    license.metadata = Some(noted.map(|(name, value)| (name.to_string(), value)).into());
}

#[test]
fn whether_a_license_is_in_force_is_one_word() {
    let mut product = product();
    product.set("grace_days", "31").unwrap();
    let it = opened(&product);
    let check = |it: &Installation, wanted: &str| {
        let reply = get(it, CHECK);
        let json = "application/json".to_string();
        assert_eq!(reply, Reply { status: 200, media: json, text: wanted.into() });
    };
    check(&it, "false");
    it.first_use(None).unwrap();
    check(&it, "false");
    it.apply(license(|_| {}).as_bytes()).unwrap();
    check(&it, "true");
    set_clock(&mut product, NOW + 39 * DAY);
    check(&it, "true");
    set_clock(&mut product, NOW + 40 * DAY);
    check(&it, "false");
}

#[test]
fn a_token_is_shown_with_every_member_in_its_place() {
    let it = opened(&product());
    let reply = put(&it, &license(full));
    assert_eq!((reply.status, reply.media.as_str()), (200, "application/json"));
    let wanted = concat!(
        r#"{"status":0,"jti":"01932f0a-6d1c-7c3e-9a51-5f2c1e0b7d44","#,
        r#""iss":"https://licenses.acme.example","sub":"https://play.acme.example/","#,
        r#""iat":1800000000,"exp":1800086400,"nbf":1800000000,"lexp":1802592000,"#,
        r#""lid":"7c9e6679-7425-40de-944b-e07fc1f90ae7","limit_by":"users","#,
        r#""included_users":15,"lic_exp_warn_days":20,"tok_exp_warn_days":2,"#,
        r#""update_days":1,"prod":["myapp"],"company":"Test License","account":"acme","#,
        r#""slug":"acme-labs","usage_billing":true,"max_concurrent_user_sessions":3,"#,
        r#""details_url":"https://acme.example/l/1","trial":true,"trial_exp":1802592000,"#,
        r#""anonymousRatio":4}"#
    );
    assert_eq!(reply.text, wanted);
    assert_eq!(
        send(&it, "POST", "/licensing/token", &json!({"token": license(full)}).to_string()),
        reply
    );
}

#[test]
fn what_a_token_does_not_say_is_zero() {
    let mut it = opened(&product());
    it.set("instance", "").unwrap();
    let least = license(|claims| {
        claims.jti = "t".into();
        claims.license.kind = "perpetual".into();
        claims.license.valid_until = None;
        claims.license.stages = None;
        claims.license.features = vec![Feature::new("users")];
        let odd =
            [("limit_by", Metadata::Integer(1)), ("usage_billing", Metadata::Text("x".into()))];
        claims.license.metadata = Some(odd.map(|(name, it)| (name.to_string(), it)).into());
    });
    let wanted = concat!(
        r#"{"status":0,"jti":"t","iss":"https://licenses.acme.example","sub":"","#,
        r#""iat":1800000000,"exp":0,"nbf":1800000000,"lexp":0,"#,
        r#""lid":"7c9e6679-7425-40de-944b-e07fc1f90ae7","limit_by":"","included_users":0,"#,
        r#""lic_exp_warn_days":30,"tok_exp_warn_days":0,"update_days":0,"prod":["myapp"],"#,
        r#""company":"","account":"","slug":"","usage_billing":false,"#,
        r#""max_concurrent_user_sessions":0,"details_url":"","trial":false,"trial_exp":0,"#,
        r#""anonymousRatio":0}"#
    );
    assert_eq!(put(&it, &least).text, wanted);
    let ends = put(&it, &license(|claims| claims.iat = NOW + 1)).json();
    assert_eq!((&ends["lexp"], &ends["trial_exp"]), (&json!(NOW + 30 * DAY), &json!(0)));
    let bound = license(|claims| {
        claims.iat = NOW + 2;
        claims.license.binding =
            Some(Binding { instance: Some("https://bound.example".into()), ..Binding::default() });
    });
    it.set("instance", "https://bound.example/").unwrap();
    assert_eq!(put(&it, &bound).json()["sub"], "https://bound.example");
}

/// Without a license, all is zero but the word for that.
#[test]
fn what_is_no_token_shows_the_one_in_use() {
    let it = opened(&product());
    let list = issue::sign_revocations(&vendor(), "myapp", ISSUER, 1, NOW, &[].into()).unwrap();
    let wanted = concat!(
        r#"{"status":1,"jti":"","iss":"","sub":"","iat":0,"exp":0,"nbf":0,"lexp":0,"lid":"","#,
        r#""limit_by":"","included_users":0,"lic_exp_warn_days":0,"tok_exp_warn_days":0,"#,
        r#""update_days":0,"prod":null,"company":"","account":"","slug":"","#,
        r#""usage_billing":false,"max_concurrent_user_sessions":0,"details_url":"","#,
        r#""trial":false,"trial_exp":0,"anonymousRatio":0}"#
    );
    let reply = put(&it, &list);
    assert_eq!((reply.status, reply.text.as_str()), (200, wanted));
    assert_eq!(put(&it, &license(full)).status, 200);
    let list = issue::sign_revocations(&vendor(), "myapp", ISSUER, 2, NOW, &[].into()).unwrap();
    assert_eq!(put(&it, &list).json()["status"], 0);
    assert_eq!(put(&it, &list).json()["company"], "Test License");
}

/// What is shown of the license in use after something else was applied.
fn standing(it: &Installation, version: u64, ids: &[&str]) -> Value {
    let ids = ids.iter().map(|id| issue::license_id(id).unwrap()).collect();
    let list = issue::sign_revocations(&vendor(), "myapp", ISSUER, version, NOW, &ids).unwrap();
    put(it, &list).json()["status"].clone()
}

#[test]
fn every_standing_has_its_number() {
    let mut product = product();
    let set = |product: &mut Product, days: i64| set_clock(product, NOW + days * DAY);
    let it = opened(&product);
    assert_eq!(standing(&it, 1, &[]), 1);
    it.apply(license(full).as_bytes()).unwrap();
    for (days, number) in [(0, 0), (7, 0), (8, 3), (30, 2)] {
        set(&mut product, days);
        assert_eq!(standing(&it, 2 + days as u64, &[]), number, "{days} days");
    }
    set(&mut product, 0);
    let it = opened(&product);
    it.apply(license(|_| {}).as_bytes()).unwrap();
    it.apply(answer(&it, 1, |answer| answer.status = IssuerStatus::Suspended).as_bytes()).unwrap();
    assert_eq!(standing(&it, 1, &[]), 0, "for seven days");
    set(&mut product, 7);
    assert_eq!(standing(&it, 2, &[]), 5);
    assert_eq!(standing(&it, 3, &["7c9e6679-7425-40de-944b-e07fc1f90ae7"]), 4);
    set(&mut product, 0);
    let later = license(|claims| {
        claims.license.valid_from = NOW + DAY;
        claims.license.valid_until = Some(NOW + 90 * DAY);
        claims.jti = "later".into();
    });
    let it = opened(&product);
    let reply = put(&it, &later).json();
    assert_eq!((&reply["status"], &reply["jti"]), (&json!(7), &json!("later")));
    let now = license(|claims| claims.jti = "now".into());
    assert_eq!(put(&it, &now).json()["status"], 0, "of one license two tokens");
    assert_eq!(standing(&it, 1, &[]), 0, "another one is in use");
    assert_eq!(put(&it, &later).json()["jti"], "later", "the one that was sent is shown");

    for binding in [
        Binding {
            machine: Some({
                let other = Report::from_identity("myapp", "other").unwrap();
                machine::Binding::bind(&other, "myapp", &Options::default()).unwrap()
            }),
            ..Binding::default()
        },
        Binding { instance: Some("https://other.example".into()), ..Binding::default() },
    ] {
        let mut it = opened(&product);
        let elsewhere = license(|claims| claims.license.binding = Some(binding));
        it.set("license", &elsewhere).unwrap();
        assert_eq!(standing(&it, 1, &[]), 6);
        let reply = put(&it, &elsewhere);
        assert_eq!((reply.status, reply.media.as_str()), (400, "application/problem+json"));
    }
}

#[test]
fn a_token_that_is_refused_is_a_problem_and_the_one_before_stays() {
    let it = opened(&product());
    it.apply(license(|_| {}).as_bytes()).unwrap();
    let before = it.status(None).unwrap();
    for (body, code) in [
        ("{}", "malformed"),
        (r#"{"token":7}"#, "malformed"),
        (r#"{"token":""}"#, "malformed"),
        (r#"{"signed_license":"a"}"#, "malformed"),
        ("[]", "malformed"),
        ("hello", "malformed"),
        ("", "malformed"),
    ] {
        let reply = send(&it, "POST", TOKEN, body);
        assert_eq!(reply.media, "application/problem+json");
        let (status, slug, detail) = reply.refusal();
        assert_eq!((status, slug.as_str()), (400, code), "{body}: {detail}");
    }
    let (status, code, _) = put(&it, &license(|claims| claims.iat = NOW - 1)).refusal();
    assert_eq!((status, code.as_str()), (400, "older_than_installed"));
    let problem = put(&it, "a").json();
    assert_eq!(problem["title"], "Bad Request");
    assert_eq!(
        (&problem["instance"], &problem["requestId"]),
        (&json!(TOKEN), &json!("the-request"))
    );
    assert_eq!(it.status(None).unwrap(), before);
    let gone = product().open(folder().path().join("nowhere")).unwrap();
    let (status, code, _) = put(&gone, &license(|_| {})).refusal();
    assert_eq!((status, code.as_str()), (503, "state_unavailable"));
}

#[test]
fn a_license_is_removed_by_whoever_names_the_instance() {
    let it = opened(&product());
    it.apply(license(|_| {}).as_bytes()).unwrap();
    let before = it.status(None).unwrap();
    for (body, code) in [
        ("{}", "malformed"),
        (r#"{"instance":null}"#, "malformed"),
        (r#"{"instance":["https://play.acme.example/"]}"#, "malformed"),
        ("[]", "malformed"),
        ("hello", "malformed"),
        ("", "malformed"),
        (r#"{"instance":""}"#, "wrong_installation"),
        (r#"{"instance":"play.acme.example"}"#, "wrong_installation"),
        (r#"{"instance":"http://play.acme.example/"}"#, "wrong_installation"),
        (r#"{"instance":"https://play.acme.example/other"}"#, "wrong_installation"),
        (r#"{"instance":"https://play.acme.example.evil.example/"}"#, "wrong_installation"),
    ] {
        let (status, slug, detail) = delete(&it, body).refusal();
        assert_eq!((status, slug.as_str()), (422, code), "{body}: {detail}");
    }
    assert_eq!(it.status(None).unwrap(), before);
    for named in ["https://play.acme.example/", "HTTPS://Play.Acme.example:443", HERE] {
        let reply = delete(&it, &json!({ "instance": named }).to_string());
        assert_eq!(
            (reply.status, reply.text.as_str()),
            (202, "{}"),
            "whether there was one or not"
        );
        assert_eq!(status(&it)["in_force"], false);
    }
    let mut nameless = Site::new(&product());
    let (status, code, detail) = delete(&nameless, r#"{"instance":"https://a.example"}"#).refusal();
    assert_eq!((status, code.as_str()), (422, "invalid_argument"));
    assert!(detail.contains("set `instance`"), "{detail}");
    nameless.set("instance", "https://a.example/").unwrap();
    assert_eq!(delete(&nameless, r#"{"instance":"https://a.example"}"#).status, 202);
    let mut read = product().open_to_read(it.folder.path()).unwrap();
    read.set("instance", HERE).unwrap();
    assert_eq!(delete(&read, &json!({ "instance": HERE }).to_string()).status, 503);
}
