//! Whoever has not the right gets nothing: every route for every kind of caller.

use super::*;
use crate::http::routes::ROUTES;
use std::collections::BTreeSet;

/// Who may take each route. A column for every caller: a stranger, then persons with every
/// combination of rights, then services with them; the bits are read (1), write (2) and delete
/// (4). `.` = goes through, `1` = 401, `3` = 403.
const TABLE: &[(&str, &str, &str)] = &[
    //                                     - persons  services
    //                                       01234567 01234567
    ("GET", "/api/license", /*          */ ". ........ ........"),
    ("GET", "/api/license/openapi.json", /**/ ". ........ ........"),
    ("GET", "/api/license/expiration", /**/ "1 3333333. 3333333."),
    ("GET", "/api/license/request", /*  */ "1 3333333. 3333333."),
    ("POST", "/api/license/assign", /*  */ "1 3333333. 3333333."),
    ("GET", "/api/licensing/check", /*  */ "1 3.3.3.3. 33333333"),
    ("POST", "/api/licensing/token", /* */ "1 33..33.. 33333333"),
    ("POST", "/licensing/token", /*     */ "1 33..33.. 33333333"),
    ("POST", "/api/licensing/token/renew", "1 33..33.. 33333333"),
    ("DELETE", "/api/licensing/token", /**/ "1 3333.... 33333333"),
    ("GET", "/api/v1/license", /*       */ "3 3333333. 3333333."),
    ("POST", "/api/v1/license", /*      */ "3 3333333. 3333333."),
    ("GET", "/license", /*              */ "1 3.3.3.3. 3.3.3.3."),
];

/// The bits of each column; `None` = a stranger.
fn columns() -> impl Iterator<Item = Option<u32>> {
    std::iter::once(None).chain((0..8).map(Some)).chain((256..264).map(Some))
}

fn expected(row: &str) -> impl Iterator<Item = char> {
    row.chars().filter(|it| *it != ' ')
}

/// A request that lacks nothing but the right: a license to put in, or the instance to take it
/// from.
fn complete(method: &str, path: &str, license: &str) -> Exchange {
    let body = json!({
        "signed_license": license, "token": license, "license_key": license,
        "instance": "https://play.acme.example",
    });
    let exchange = request(method, path);
    if ["GET", "HEAD"].contains(&method) { exchange } else { exchange.json(&body) }
}

fn refused(answer: &Answer) -> char {
    match answer.status() {
        401 => '1',
        403 => '3',
        404 | 405 => panic!("no route"),
        _ => '.',
    }
}

#[test]
fn the_table_has_every_route() {
    let rows = TABLE.iter().map(|(method, path, _)| (*method, *path)).collect::<BTreeSet<_>>();
    let routes = ROUTES.iter().map(|route| (route.method, route.path)).collect();
    assert_eq!(rows, routes);
    assert_eq!(rows.len(), ROUTES.len());
    assert!(TABLE.iter().all(|(_, _, row)| expected(row).count() == columns().count()));
}

#[test]
fn every_route_for_every_kind_of_caller() {
    let license = license(|_| {});
    for (method, path, row) in TABLE {
        for (bits, expected) in columns().zip(expected(row)) {
            let mut site = Site::new();
            site.it.set("instance", "https://play.acme.example").unwrap();
            let before = site.files();
            let mut ways = vec![*method];
            ways.extend((*method == "GET").then_some("HEAD"));
            for method in ways {
                let mut exchange = complete(method, path, &license);
                exchange = bits.map_or(exchange.clone(), |bits| exchange.by(bits));
                let answer = ask(&site.it, exchange);
                let context = format!("{method} {path} by {bits:?}: {answer:?}");
                assert_eq!(refused(&answer), expected, "{context}");
            }
            if expected != '.' {
                assert!(site.files() == before, "{method} {path} by {bits:?} has written");
            }
        }
    }
}

#[test]
fn what_is_refused_is_said_in_the_words_of_its_family() {
    let site = Site::new();
    let say = |exchange: Exchange| {
        let answer = ask(&site.it, exchange.header("x-request-id", "id"));
        let media_type = answer.header("content-type").unwrap().to_string();
        (media_type, String::from_utf8(answer.body().to_vec()).unwrap())
    };
    let json = "application/json".to_string();
    let problem = "application/problem+json".to_string();
    let assign = "/api/license/expiration";
    let text = r#"{"code":"unauthorized","detail":"Not authenticated"}"#;
    assert_eq!(say(request("GET", assign)), (json.clone(), text.into()));
    let text = r#"{"code":"forbidden","detail":"Not enough permissions"}"#;
    assert_eq!(say(request("GET", assign).by(0)), (json.clone(), text.into()));
    let text = r#"{"data":null,"message":"Forbidden","status":"error"}"#;
    let entitlements = "/api/v1/license";
    assert_eq!(say(request("GET", entitlements)), (json.clone(), text.into()));
    assert_eq!(say(request("POST", entitlements).by(3)), (json, text.into()));
    let text = concat!(
        r#"{"type":"about:blank","title":"Forbidden","status":403,"#,
        r#""detail":"Not enough permissions","instance":"/api/licensing/check","#,
        r#""code":"forbidden","requestId":"id"}"#
    );
    assert_eq!(say(request("GET", "/api/licensing/check").by(2)), (problem, text.into()));
    let page = say(request("GET", "/license"));
    assert!(page.0.starts_with("text/html"), "{page:?}");
}

#[test]
fn a_bit_that_means_nothing_is_refused_and_a_name_has_to_be_one() {
    for bits in [8, 16, 128, 512, u32::MAX, 7 | 1 << 31] {
        assert!(Rights::from_bits(bits).is_err(), "{bits}");
    }
    assert_eq!(Rights::from_bits(263).unwrap(), Rights::ADMINISTRATOR | Rights::SERVICE);
    for name in ["", "a\nb", "\u{0}", &"x".repeat(257)] {
        assert!(Caller::new(name, Rights::ADMINISTRATOR).is_err(), "{name:?}");
    }
    let caller = Caller::new("Jörg", Rights::READ).unwrap();
    assert_eq!((caller.name(), caller.rights()), ("Jörg", Rights::READ));
}
