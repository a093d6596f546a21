//! What holds for every request, whatever it is about.

use super::*;
use crate::http::routes::ROUTES;
use crate::limits::{BODY_MAX, TARGET_MAX};

const METHODS: &[&str] = &[
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "Post",
    "PROPFIND", "X-M",
];

/// The writes, with a body that they take.
fn writes() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROUTES.iter().filter(|it| it.method != "GET").map(|it| (it.method, it.path))
}

#[test]
fn a_path_takes_its_methods_and_names_them() {
    let site = Site::new();
    for route in ROUTES {
        let own: Vec<&str> =
            ROUTES.iter().filter(|it| it.path == route.path).map(|it| it.method).collect();
        for method in METHODS {
            let exchange = request(method, route.path).json(&json!({}));
            let answer = ask(&site.it, exchange);
            let is_own = own.contains(method) || (*method == "HEAD" && own.contains(&"GET"));
            assert_eq!(answer.status() == 405, !is_own, "{method} {}", route.path);
            if is_own {
                continue;
            }
            let allow: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
            assert!(own.iter().all(|method| allow.contains(method)), "{allow:?}");
            assert_eq!(allow.contains(&"HEAD"), own.contains(&"GET"), "{allow:?}");
            assert_eq!(allow.len(), own.len() + usize::from(own.contains(&"GET")));
            if *method != "HEAD" && route.path != "/license" {
                assert_eq!(code(&answer), "method_not_allowed");
            }
        }
    }
}

#[test]
fn there_is_nothing_beside_the_routes() {
    let mut site = Site::licensed(|_| {});
    let nothing = [
        "/",
        "*",
        "/api",
        "/api/",
        "/api/license/",
        "/api/license//expiration",
        "//api/license",
        "/api/../api/license",
        "/api/./license",
        "/API/LICENSE",
        "/api/licens%65",
        "/api%2Flicense",
        "/api/license%00",
        "/api/license/assign/",
        "/api/license/assign;a=b",
        "/api/license\\assign",
        "/api/v1/license/",
        "/api/v2/license",
        "/api/licensing",
        "/api/licensing/token/renew/",
        "/licensing/check",
        "/license/",
        "/licenses",
        "/api/license/openapi.yaml",
        "/api/license/%2e%2e/license",
        "/%61pi/license",
        "/\u{e4}",
        "/api/license\u{202e}",
        "http://evil.example/api/license/x",
        "http://",
        "https://evil",
    ];
    for target in nothing {
        for method in ["GET", "HEAD", "POST", "DELETE"] {
            let answer = ask(&site.it, request(method, target).by(7).json(&json!({})));
            assert_eq!(answer.status(), 404, "{method} {target}");
            assert_eq!(answer.body().is_empty(), method == "HEAD", "{method} {target}");
        }
        assert!(!site.it.serves(target), "{target}");
    }
    for mount in ["", "/admin", "/a/b/c"] {
        site.it.set("mount", mount).unwrap();
        for route in ROUTES {
            let target = format!("{mount}{}?x=/nothing#y", route.path);
            assert!(site.it.serves(&target), "{target}");
            assert!(site.it.serves(&format!("https://acme.example{target}")), "{target}");
            let answer = ask(&site.it, request(route.method, &target));
            assert_ne!(answer.status(), 404, "{target}");
            for beside in
                [route.path.to_string(), format!("/x{target}"), format!("{mount}x{target}")]
            {
                let beside_it = !mount.is_empty() || beside != route.path;
                assert_eq!(site.it.serves(&beside), !beside_it, "{mount} {beside}");
            }
        }
    }
    // A part of a name is not the name of the mount.
    site.it.set("mount", "/adm").unwrap();
    for target in ["/admin/api/license", "/admapi/license", "/adm", "/adm/", "/api/license"] {
        assert_eq!(ask(&site.it, request("GET", target)).status(), 404, "{target}");
    }
}

#[test]
fn a_whole_url_is_taken_as_its_path() {
    let site = Site::new();
    for target in [
        "http://acme.example/api/license",
        "HTTPS://acme.example:8443/api/license?a=b",
        "http://[::1]:80/api/license",
    ] {
        assert_eq!(ask(&site.it, request("GET", target)).status(), 200, "{target}");
    }
    assert_eq!(ask(&site.it, request("GET", "/http://a/api/license")).status(), 404);
}

#[test]
fn what_no_server_lets_through_is_no_request() {
    for (method, target) in [
        ("", "/"),
        ("GET ", "/"),
        ("G\u{e4}T", "/"),
        ("GET\n", "/"),
        ("G\0T", "/"),
        (&"X".repeat(33), "/"),
        ("GET", ""),
        ("GET", "api/license"),
        ("GET", "/a b"),
        ("GET", "/a\0"),
        ("GET", "/a\r\nx: y"),
        ("GET", "/\u{7f}"),
        ("GET", "ftp://a/b"),
        ("CONNECT", "acme.example:443"),
        ("GET", "http:/a"),
    ] {
        let error = Exchange::new(method, target).unwrap_err();
        assert_eq!(error.code(), crate::errors::Code::InvalidArgument, "{method:?} {target:?}");
    }
}

#[test]
fn a_target_that_is_too_long_is_said_to_be() {
    let site = Site::new();
    let fits = format!("/api/license?{}", "x".repeat(TARGET_MAX - "/api/license?".len()));
    assert_eq!(ask(&site.it, request("GET", &fits)).status(), 200);
    for target in [format!("{fits}x"), format!("/{}", "x".repeat(1 << 20))] {
        for bits in [0, 7] {
            let answer = ask(&site.it, request("GET", &target).by(bits));
            assert_eq!((answer.status(), &*code(&answer)), (414, "uri_too_long"));
            assert!(answer.body().len() < 2 * TARGET_MAX, "it is not given back");
        }
    }
}

#[test]
fn a_write_is_json() {
    let site = Site::licensed(|_| {});
    let before = site.files();
    for (method, path) in writes() {
        for (headers, refused) in [
            (&[][..], true),
            (&[("content-type", "application/json")], false),
            (&[("Content-Type", "Application/JSON; charset=utf-8")], false),
            (&[("content-type", " application/json ")], false),
            (&[("content-type", "application/json"), ("content-encoding", "identity")], false),
            (&[("content-type", "")], true),
            (&[("content-type", "text/plain")], true),
            (&[("content-type", "application/x-www-form-urlencoded")], true),
            (&[("content-type", "multipart/form-data; boundary=application/json")], true),
            (&[("content-type", "text/plain; application/json")], true),
            (&[("content-type", "application/jsonp")], true),
            (&[("content-type", "application/json, text/plain")], true),
            (&[("content-type", "application/problem+json")], true),
            (&[("content-type", "application/json"), ("content-type", "text/plain")], true),
            (&[("content-type", "text/plain"), ("content-type", "application/json")], true),
            (&[("content-type", "application/json"), ("content-encoding", "gzip")], true),
            (&[("accept", "application/json")], true),
        ] {
            let mut exchange = request(method, path).by(7).bytes(b"[]");
            for (name, value) in headers {
                exchange.add_header(name, value);
            }
            let answer = ask(&site.it, exchange);
            assert_eq!(answer.status() == 415, refused, "{method} {path} {headers:?}");
            assert!((400..500).contains(&answer.status()), "[] is nothing to any of them");
        }
    }
    assert!(site.files() == before);
}

#[test]
fn a_header_too_many_is_one_that_is_wrong() {
    let site = Site::new();
    let path = "/api/license/assign";
    let long = format!("application/json;{}", "x".repeat(2000));
    let answer = ask(&site.it, request("POST", path).by(7).header("content-type", &long));
    assert_eq!(answer.status(), 415);
    let mut exchange = request("POST", path).by(7);
    for _ in 0..1000 {
        exchange.add_header("content-type", "application/json");
        exchange.add_header("accept", "x");
    }
    exchange.add_header("content-type", "text/plain");
    assert_eq!(ask(&site.it, exchange).status(), 415);
    // Others can be any number, and hide nothing.
    let mut exchange = request("POST", path).by(7);
    (0..1000).for_each(|n| exchange.add_header(&format!("x-{n}"), "x"));
    (0..1000).for_each(|_| exchange.add_header("accept", "x"));
    exchange.add_header("sec-fetch-site", "cross-site");
    exchange.add_header("content-type", "application/json");
    assert_eq!(ask(&site.it, exchange).status(), 403);
}

#[test]
fn a_body_is_as_long_as_a_license_in_its_coat() {
    let site = Site::new();
    let body = |length: usize| vec![b' '; length];
    for (method, path) in writes() {
        let send = |length: usize, bits: u32| {
            let exchange = request(method, path).by(bits).bytes(&body(length));
            ask(&site.it, exchange.header("content-type", "application/json"))
        };
        let fits = send(BODY_MAX, 7).status();
        assert!([400, 422].contains(&fits), "{method} {path}: {fits}");
        let answer = send(BODY_MAX + 1, 7);
        assert_eq!((answer.status(), &*code(&answer)), (413, "too_large"), "{method} {path}");
        assert_eq!(send(BODY_MAX + 1, 0).status(), 403, "who may not is told first");
    }
    // What reads does not look at a body.
    let read = request("GET", "/api/license").bytes(&body(BODY_MAX + 1));
    assert_eq!(ask(&site.it, read).status(), 200);
}

#[test]
fn a_head_is_a_get_without_its_body() {
    let site = Site::licensed(|_| {});
    let all = ROUTES.iter().map(|route| route.path).chain(["/nothing"]);
    for (path, bits) in all.flat_map(|path| [(path, None), (path, Some(1)), (path, Some(7))]) {
        let of = |method: &str| {
            let exchange = request(method, path).header("x-request-id", "id");
            let answer = ask(&site.it, bits.map_or(exchange.clone(), |bits| exchange.by(bits)));
            let headers: Vec<(String, String)> =
                answer.headers().map(|(a, b)| (a.to_string(), b.to_string())).collect();
            (answer.status(), headers, answer.body().len())
        };
        let (get, head) = (of("GET"), of("HEAD"));
        assert_eq!((get.0, &get.1), (head.0, &head.1), "{path} {bits:?}");
        assert_eq!(head.2, 0, "{path} {bits:?}");
    }
}

#[test]
fn nothing_may_be_kept_or_guessed_at() {
    let site = Site::licensed(|_| {});
    let long = format!("/{}", "x".repeat(9000));
    let paths = ROUTES.iter().map(|route| route.path).chain(["/nothing", &long]);
    let mut seen = std::collections::BTreeSet::new();
    for path in paths {
        for (method, bits) in
            METHODS.iter().flat_map(|it| [(it, None), (it, Some(0)), (it, Some(7))])
        {
            let exchange = request(method, path).json(&json!({}));
            let exchange = bits.map_or(exchange.clone(), |bits| exchange.by(bits));
            let answer = ask(&site.it, exchange);
            seen.insert(answer.status());
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{method} {path}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            let mut names: Vec<&str> = answer.headers().map(|(name, _)| name).collect();
            assert!(names.iter().all(|it| *it == it.to_lowercase()), "{names:?}");
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), answer.headers().len(), "{method} {path}: one twice");
            let challenge = answer.header("www-authenticate").is_some();
            assert_eq!(challenge, answer.status() == 401, "{method} {path}");
        }
    }
    assert!(
        [200, 400, 401, 403, 404, 405, 414, 422].iter().all(|it| seen.contains(it)),
        "{seen:?}"
    );
}

#[test]
fn a_request_is_found_again_by_its_id() {
    let site = Site::new();
    let of = |id: &str| {
        let answer = ask(&site.it, request("GET", "/nothing").header("X-Request-ID", id));
        to_json(&answer)["requestId"].as_str().unwrap().to_string()
    };
    assert_eq!(of("0af7651916cd43dd8448eb211c80319c"), "0af7651916cd43dd8448eb211c80319c");
    for bad in ["", "a b", "\u{e4}", "a\nb", &"x".repeat(129), &"x".repeat(2000)] {
        let made = of(bad);
        assert!(uuid::Uuid::try_parse(&made).is_ok_and(|id| !id.is_nil()), "{bad:?}: {made}");
        assert_ne!(made, of(bad));
    }
}
