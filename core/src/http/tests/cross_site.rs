//! Another site's page gets no write through.

use super::*;

/// The status of a write with these headers, on a site that is called so.
fn write(instance: &str, headers: &[(&str, &str)]) -> u16 {
    let mut site = Site::new();
    site.it.set("instance", instance).unwrap();
    let before = site.files();
    let mut exchange = request("POST", "/api/license/assign").by(7).json(&json!({}));
    for (name, value) in headers {
        exchange.add_header(name, value);
    }
    let answer = ask(&site.it, exchange);
    assert!(site.files() == before);
    let (status, code) = (answer.status(), code(&answer));
    match status {
        403 => assert_eq!(code, "cross_site"),
        _ => assert_eq!((status, &*code), (400, "malformed"), "it has no license in it"),
    }
    status
}

const OWN: &str = "https://play.acme.example/";

#[test]
fn by_the_word_of_the_browser() {
    for instance in ["", OWN] {
        for (site, status) in [
            ("same-origin", 400),
            ("same-site", 400),
            ("none", 400),
            ("cross-site", 403),
            ("same-origin, cross-site", 403),
            ("cross-site,same-origin", 403),
        ] {
            assert_eq!(write(instance, &[("sec-fetch-site", site)]), status, "{instance} {site}");
        }
        let both = [("Sec-Fetch-Site", "same-origin"), ("sec-fetch-site", "cross-site")];
        assert_eq!(write(instance, &both), 403);
        // It knows better than who only compares names.
        let other = [("sec-fetch-site", "same-origin"), ("origin", "https://proxy.example")];
        assert_eq!(write(instance, &other), 400);
    }
}

#[test]
fn by_the_name_of_the_instance() {
    for (origin, status) in [
        ("https://play.acme.example", 400),
        ("https://PLAY.acme.example:443", 400),
        ("http://play.acme.example", 400),
        ("https://play.acme.example:8443", 403),
        ("https://play.acme.example.evil.example", 403),
        ("https://evil.example/play.acme.example", 403),
        ("https://evil.example?play.acme.example", 403),
        ("https://play.acme.example@evil.example", 403),
        ("https://acme.example", 403),
        ("null", 403),
        ("", 403),
        ("file://", 403),
    ] {
        assert_eq!(write(OWN, &[("origin", origin)]), status, "{origin}");
        // Who has not said what the site is called leaves it to the rule that writes are JSON.
        assert_eq!(write("", &[("origin", origin)]), 400, "{origin}");
    }
    let two = [("origin", "https://play.acme.example"), ("origin", "https://evil.example")];
    assert_eq!(write(OWN, &two), 403);
    assert_eq!(write(OWN, &[]), 400, "no browser");
    for instance in ["https://play.acme.example:443", "https://PLAY.acme.example/sub?a#b"] {
        assert_eq!(write(instance, &[("origin", "https://play.acme.example")]), 400, "{instance}");
    }
    assert_eq!(write("not a url", &[("origin", "https://evil.example")]), 400);
}

#[test]
fn or_by_the_name_it_was_asked_by() {
    for (host, origin, status) in [
        (("host", "10.0.0.7:8080"), "http://10.0.0.7:8080", 400),
        (("x-forwarded-host", "license.corp, inner"), "https://license.corp", 400),
        (("x-forwarded-host", "license.corp:443"), "https://license.corp", 400),
        (("host", "10.0.0.7:8080"), "http://10.0.0.8:8080", 403),
        (("host", ""), "null", 403),
    ] {
        assert_eq!(write(OWN, &[host, ("origin", origin)]), status, "{host:?} {origin}");
    }
}
