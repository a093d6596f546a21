//! What holds of every page: who sees it, what it is sent with, and what it never has in it.

use super::kit::{Browser, attribute, encoded, resolved, tags};
use crate::support::real::{ADMIN_KEY, Real};
use crate::support::{BEGIN, Site};
use licentia_server::listen::Network;
use serde_json::json;
use std::num::NonZeroU32;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Texts that break out of a page that does not escape them.
const HOSTILE: [&str; 5] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }} &lt;b&gt; </title></textarea>",
    "\u{202e}gnp.exe \u{5e9}\u{5dc}\u{5d5}\u{5dd}",
];

/// Asserts that nobody is signed in: a page leads to where one does, and back.
#[track_caller]
fn is_out(browser: &mut Browser) {
    let answer = browser.ask("GET", "/products?cursor=a&b=%22", None);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let to = "./sign-in?to=%2Fproducts%3Fcursor%3Da%26b%3D%2522";
    assert_eq!(answer.header("location"), Some(to));
}

#[track_caller]
fn is_in(browser: &mut Browser) {
    browser.open("/products").says("Sign out");
}

both! {
    fn nobody_sees_a_page_before_they_sign_in(site: &Site) {
        let mut nobody = Browser::new(site.nobody());
        is_out(&mut nobody);
        let answer = nobody.ask("POST", "/sign-out", Some("csrf=a"));
        assert_eq!((answer.status, answer.header("location")), (303, Some("./sign-in")));
        let page = nobody.get("/products");
        assert_eq!((page.at.as_str(), page.h1().as_str()), ("/sign-in?to=%2Fproducts", "Sign in"));
        let page = nobody.send(&page, "/sign-in", &[("api_key", &site.key)]);
        assert_eq!((page.at.as_str(), page.h1().as_str()), ("/products", "Products"));
        page.says("Acme").says("Signed in with admin");
    }

    fn a_key_that_is_not_good_opens_nothing(site: &Site) {
        let over = site.api_key_until(site.organization, "admin", Some(BEGIN));
        let unknown = format!("{}x", site.key);
        let mut told = Vec::new();
        for key in ["", "lic_wrong", " ", "a b", "a\r\nb", "\u{e4}", &unknown, &over] {
            let mut browser = Browser::new(site.nobody());
            let page = browser.get("/sign-in?to=%2Fproducts");
            let page = browser.send(&page, "/sign-in", &[("api_key", key)]);
            page.is(401);
            assert_eq!(page.form("/sign-in").value("to"), "/products", "it is not forgotten");
            assert_eq!(page.form("/sign-in").value("api_key"), "", "it is not written back");
            assert!(browser.cookies.is_empty(), "{key:?}");
            told.push(page.alert());
            is_out(&mut browser);
        }
        assert!(told.iter().all(|sentence| !sentence.is_empty()), "{told:?}");
        assert_eq!(told[1], told[7], "nobody learns that a key was one");
    }

    fn a_key_that_may_not_read_is_told_so(site: &Site) {
        for scopes in ["sync", "issue", "catalog", "sync issue"] {
            let mut browser = Browser::new(site.nobody());
            let answer = browser.sign_in(&site.api_key(site.organization, scopes), "/");
            assert_eq!(answer.status, 403, "{scopes}");
            assert!(answer.text().contains("use one with the scope read"), "{}", answer.text());
            assert!(browser.cookies.is_empty(), "{scopes}");
        }
        is_in(&mut Browser::with_scopes(site, "read"));
    }

    fn a_session_ends_with_its_key(site: &Site) {
        let key = site.api_key(site.organization, "read");
        let (mut browser, mut other) = (Browser::of(site.nobody(), &key), Browser::admin(site));
        is_in(&mut browser);
        let keys = site.admin().get("/api/v1/api-keys").good();
        let keys = keys["api_keys"].as_array().unwrap();
        let id = keys.iter().find(|it| it["name"] == "read").unwrap()["id"].as_str().unwrap();
        site.admin().delete(&format!("/api/v1/api-keys/{id}")).good();
        is_out(&mut browser);
        is_in(&mut other);

        let key = site.api_key_until(site.organization, "read", Some(BEGIN + 60));
        let mut browser = Browser::of(site.nobody(), &key);
        is_in(&mut browser);
        site.clock.set(Some(BEGIN + 60));
        is_out(&mut browser);
    }

    fn whoever_does_nothing_is_signed_out(site: &Site) {
        let mut browser = Browser::admin(site);
        site.clock.set(Some(BEGIN + 12 * HOUR - 1));
        is_in(&mut browser);
        // That was one more half of a day.
        site.clock.set(Some(BEGIN + 24 * HOUR - 2));
        is_in(&mut browser);
        site.clock.set(Some(BEGIN + 36 * HOUR - 2));
        is_out(&mut browser);
        site.clock.set(Some(BEGIN));
        is_in(&mut Browser::admin(site));
    }

    fn everybody_signs_in_again_after_a_week(site: &Site) {
        let mut browser = Browser::admin(site);
        for hour in (6..7 * 24).step_by(6) {
            site.clock.set(Some(BEGIN + hour * HOUR));
            is_in(&mut browser);
        }
        site.clock.set(Some(BEGIN + 7 * DAY - 1));
        is_in(&mut browser);
        site.clock.set(Some(BEGIN + 7 * DAY));
        is_out(&mut browser);
    }

    fn signing_out_ends_the_session_and_no_other(site: &Site) {
        let (mut browser, mut other) = (Browser::admin(site), Browser::admin(site));
        let mut thief = browser.clone();
        let page = browser.open("/products");
        assert_eq!(browser.send(&page, "/sign-out", &[]).at, "/sign-in");
        assert!(browser.cookies.is_empty(), "the browser forgets it");
        is_out(&mut thief);
        is_in(&mut other);
    }

    fn a_session_is_never_one_that_somebody_else_chose(site: &Site) {
        let mut browser = Browser::new(site.nobody());
        browser.cookies.insert("licentia".into(), "chosen-by-somebody-else-0123456789".into());
        is_out(&mut browser);
        assert_eq!(browser.sign_in(&site.key, "/").status, 303);
        let first = browser.cookies["licentia"].clone();
        assert!(first.len() == 43 && first != "chosen-by-somebody-else-0123456789", "{first}");
        is_in(&mut browser);
        assert_eq!(browser.sign_in(&site.key, "/").status, 303);
        assert_ne!(browser.cookies["licentia"], first, "each has its own");
    }
}

both! {
    fn a_form_of_no_page_of_this_session_does_nothing(site: &Site) {
        let (mut browser, mut other) = (Browser::admin(site), Browser::admin(site));
        let page = browser.open("/products");
        let others = other.open("/products").form("/sign-out").value("csrf").to_string();
        let own = page.form("/sign-out").value("csrf").to_string();
        assert_ne!(own, others);
        for csrf in ["", "a", &others, &own[1..], &own.to_lowercase()] {
            let answer = browser.send_raw("/sign-out", &encoded(&[("csrf", csrf)]));
            assert_eq!(answer.status, 403, "{csrf}");
            assert!(answer.text().contains("This form is of an earlier session"));
        }
        assert_eq!(browser.send_raw("/sign-out", "").status, 403);
        // Where it is in the address it is not in the form.
        let in_query = format!("/sign-out?{}", encoded(&[("csrf", &own)]));
        assert_eq!(browser.send_raw(&in_query, "").status, 403);
        is_in(&mut browser);
        assert_eq!(browser.send_form(&page.form("/sign-out")).at, "/sign-in");
    }

    fn a_page_elsewhere_asks_for_nothing(site: &Site) {
        let browser = Browser::admin(site);
        let form = browser.clone().open("/products").form("/sign-out").encoded();
        let host = site.address.to_string();
        let own = format!("http://{host}");
        let tries = [
            (Some("cross-site"), None),
            (Some("same-site"), None),
            (Some("cross-site"), Some(own.as_str())),
            (Some("surprise"), None),
            (None, Some("https://evil.example")),
            (None, Some("null")),
            (None, Some("http://127.0.0.1.evil.example")),
        ];
        for (site, origin) in tries {
            let mut there = browser.clone();
            for (name, value) in [("Sec-Fetch-Site", site), ("Origin", origin)] {
                there.client = value.map_or(there.client.clone(), |it| there.client.with(name, it));
            }
            let answer = there.send_raw("/sign-out", &form);
            assert_eq!(answer.status, 403, "{site:?} {origin:?}");
            assert!(answer.text().contains("A page elsewhere asked for this"));
            assert_eq!(there.sign_in("lic_wrong", "/").status, 403, "{site:?} {origin:?}");
            assert_eq!(there.ask("GET", "/exports/licenses", None).status, 403, "{site:?}");
        }
        is_in(&mut browser.clone());
        let mut here = browser.clone();
        here.client = here.client.with("Sec-Fetch-Site", "same-origin").with("Origin", &own);
        // It is noted who took what, once for each time that they did.
        assert_eq!(here.ask("GET", "/exports/licenses?status=active", None).status, 200);
        let taken = site.admin().get("/api/v1/audit?action=data.exported").good();
        assert_eq!(taken["entries"].as_array().unwrap().len(), 1);
        assert_eq!(taken["entries"][0]["detail"]["filters"], "status=active");
        assert_eq!(here.send_raw("/sign-out", &form).status, 303);
    }

    fn what_is_only_read_changes_nothing(site: &Site) {
        let mut browser = Browser::admin(site);
        let csrf = browser.open("/products").form("/sign-out").value("csrf").to_string();
        for path in ["/sign-out", "/sign-in?api_key=a", "/products", "/"] {
            let joint = if path.contains('?') { '&' } else { '?' };
            let path = format!("{path}{joint}{}", encoded(&[("csrf", &csrf), ("once", "1")]));
            let answer = browser.ask("GET", &path, None);
            assert_eq!(answer.header("set-cookie"), None, "{path}");
        }
        is_in(&mut browser);
        let answer = browser.ask("GET", "/sign-out", None);
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
        for method in ["PUT", "DELETE", "PATCH"] {
            let answer = browser.ask(method, "/products", None);
            assert_eq!(answer.status, 405, "{method}");
        }
    }

    fn nobody_is_led_elsewhere(site: &Site) {
        for to in [
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example/",
            "https:evil.example",
            "javascript:alert(1)",
            "data:text/html,a",
            "evil.example",
            ".evil.example",
            "@evil.example",
            "/a\r\nSet-Cookie: a=b",
            "/\t/evil.example",
            "/a b",
            "/\u{e4}",
            "",
        ] {
            let mut browser = Browser::new(site.nobody());
            let answer = browser.sign_in(&site.key, to);
            assert_eq!((answer.status, answer.header("location")), (303, Some("./")), "{to:?}");
            assert_eq!(browser.cookies.len(), 1, "{to:?}");
            let path = format!("/sign-in?{}", encoded(&[("to", to)]));
            let asked = Browser::new(site.nobody()).get(&path);
            assert_eq!(asked.form("/sign-in").value("to"), "/", "{to:?}");
        }
        // What begins well stays here, whatever else it says.
        for to in ["/products?a=https://evil.example", "/.//evil.example", "/..//evil.example"] {
            let answer = Browser::new(site.nobody()).sign_in(&site.key, to);
            let there = resolved("/sign-in", answer.header("location").unwrap());
            assert!(there.starts_with('/'), "{to}: {there}");
        }
    }
}

both! {
    fn every_page_is_sent_with_what_guards_it(site: &Site) {
        let mut browser = Browser::admin(site);
        browser.client = browser.client.with("Accept", "text/html");
        for path in ["/", "/products", "/sign-in", "/no/such/page"] {
            let page = browser.get(path);
            let policy = page.answer.header("content-security-policy").unwrap_or_default();
            for part in [
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "form-action 'self'",
                "base-uri 'none'",
                "frame-ancestors 'none'",
            ] {
                assert!(policy.split("; ").any(|it| it == part), "{path}: {part} in {policy:?}");
            }
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(page.answer.header("x-frame-options"), Some("DENY"), "{path}");
            assert_eq!(page.answer.header("referrer-policy"), Some("same-origin"), "{path}");
            assert_eq!(page.answer.header("content-type"), Some("text/html; charset=utf-8"));
        }
    }

    fn no_page_has_a_script_or_a_style_of_its_own(site: &Site) {
        let mut browser = Browser::admin(site);
        for path in ["/", "/products", "/sign-in"] {
            let html = browser.open(path).html();
            for (tag, rest) in tags(&html, "script") {
                assert!(attribute(tag, "src").is_some() && rest.starts_with("</script>"), "{tag}");
            }
            let own = [" style=", "<style", "javascript:", " onclick=", " hx-on", " onload="];
            own.into_iter().for_each(|it| assert!(!html.contains(it), "{path}: {it}"));
        }
    }

    fn every_address_of_a_page_is_relative(site: &Site) {
        let mut browser = Browser::admin(site);
        for path in ["/", "/products", "/sign-in"] {
            let html = browser.open(path).html();
            let names = ["href", "src", "action", "formaction", "hx-get", "hx-post"];
            let mut found = 0;
            for tag in html.split('<').filter_map(|piece| piece.split('>').next()) {
                let Some((_, rest)) = tag.split_once(' ') else { continue };
                for to in names.iter().filter_map(|name| attribute(rest, name)) {
                    let good = to.starts_with("./") || to.starts_with("../") || to.starts_with('#');
                    assert!(good, "{path}: {to}");
                    found += 1;
                }
            }
            assert!(found > 2, "{path}: {found}");
        }
    }

    fn no_page_has_the_key(site: &Site) {
        let mut browser = Browser::admin(site);
        let cookie = browser.cookies["licentia"].clone();
        let wrong = "lic_live_thisisnokeyatall";
        let page = browser.get("/sign-in");
        for html in [
            browser.open("/").html(),
            browser.open("/products").html(),
            browser.send(&page, "/sign-in", &[("api_key", wrong)]).html(),
        ] {
            for secret in [site.key.as_str(), wrong, &cookie] {
                assert!(!html.contains(secret));
            }
        }
        assert!(!cookie.contains(&site.key));
        // Nor does the database have what the cookie has.
        if let Some(folder) = site.database().folder() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let bytes = std::fs::read(entry.unwrap().path()).unwrap();
                for secret in [&site.key, &cookie] {
                    assert!(!bytes.windows(secret.len()).any(|it| it == secret.as_bytes()));
                }
            }
        }
    }

    fn what_people_call_things_is_never_part_of_a_page(site: &Site) {
        let long = "x".repeat(255);
        for (at, name) in HOSTILE.into_iter().chain([long.as_str()]).enumerate() {
            let body = json!({"name": name, "code": format!("p{at}")});
            let answer = site.admin().post("/api/v1/products", body);
            assert_eq!(answer.status, 201, "{name:?}: {}", answer.text());
        }
        let (_, key) = site.organization("<b>Other&Co</b>");
        let mut other = Browser::of(site.nobody(), &key);
        other.open("/products").says("<b>Other&Co</b>").hides("<b>Other");
        let mut browser = Browser::admin(site);
        let page = browser.open("/products");
        for name in HOSTILE.into_iter().chain([long.as_str()]) {
            page.says(&name.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        for broken in ["<script>alert", "<img", "onmouseover='", "</title></textarea>"] {
            page.hides(broken);
        }
        let page = browser.get("/sign-in?to=%2F%22%3E%3Cimg%3E");
        page.hides("<img");
    }

    fn what_is_somebody_elses_is_not_there(site: &Site) {
        let (_, key) = site.organization("Other");
        let body = json!({"name": "Theirs alone", "code": "theirs"});
        site.nobody().with_key(&key).post("/api/v1/products", body).good();
        Browser::admin(site).open("/products").hides("Theirs alone").hides("Other");
        Browser::of(site.nobody(), &key).open("/products").says("Theirs alone");
    }

    fn a_cookie_is_no_key_of_the_api(site: &Site) {
        let mut browser = Browser::admin(site);
        browser.ask("GET", "/api/v1/products", None).refused(401, "unauthorized");
        let answer = browser.ask("POST", "/api/v1/products", Some("{}"));
        assert_eq!(answer.status, 401);
        let key = site.nobody().with_key(&site.key);
        assert_eq!(key.get("/products").status, 303, "nor is a key a cookie");
    }
}

both! {
    fn a_page_that_is_not_there_says_so_to_people(site: &Site) {
        let mut browser = Browser::admin(site);
        let program = browser.ask("GET", "/no/such/page", None);
        program.refused(404, "not_found");
        browser.client = browser.client.with("Accept", "text/html,application/xhtml+xml");
        let page = browser.get("/no/such/page");
        page.is(404).says("There is nothing at this path");
        assert_eq!(page.link("To the first page"), "/");
        browser.get("/products/").is(404).says("There is nothing at this path");
        browser.ask("GET", "/api/v1/no-such", None).refused(404, "not_found");
        assert_eq!(browser.ask("GET", "/assets/../desk.css", None).status, 404);
    }

    fn files_are_kept_for_as_long_as_they_are_what_was_asked_for(site: &Site) {
        let mut browser = Browser::new(site.nobody());
        let html = Browser::admin(site).open("/products").html();
        let named = html.split(['"', '\'']).filter(|it| it.starts_with("./assets/"));
        let named: Vec<_> = named.map(|to| resolved("/products", to)).collect();
        let kinds = [
            ("icon.svg", "image/svg+xml"),
            ("uplot.css", "text/css; charset=utf-8"),
            ("desk.css", "text/css; charset=utf-8"),
            ("htmx.js", "text/javascript; charset=utf-8"),
            ("uplot.js", "text/javascript; charset=utf-8"),
            ("desk.js", "text/javascript; charset=utf-8"),
            ("licenses.txt", "text/plain; charset=utf-8"),
        ];
        assert_eq!(named.len(), kinds.len(), "{named:?}");
        for ((name, kind), path) in kinds.into_iter().zip(&named) {
            let bare = format!("/assets/{name}");
            assert!(path.starts_with(&format!("{bare}?v=")), "{path}");
            let answer = browser.ask("GET", path, None);
            assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)));
            let keep = Some("public, max-age=31536000, immutable");
            assert_eq!(answer.header("cache-control"), keep, "{path}");
            for other in [bare.clone(), format!("{bare}?v=1"), format!("{path}&w=1")] {
                let answer = browser.ask("GET", &other, None);
                let found = (answer.status, answer.header("cache-control"));
                assert_eq!(found, (200, Some("no-cache")));
            }
            let mut again = browser.clone();
            again.client = again.client.with("If-None-Match", answer.header("etag").unwrap());
            let answer = again.ask("GET", &bare, None);
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{bare}");
        }
        let licenses = browser.ask("GET", "/assets/licenses.txt", None).text();
        for part in ["Zero-Clause BSD", "Leon Sorokin"] {
            assert!(licenses.contains(part), "{part}: {licenses}");
        }
    }
}

/// A browser at a server with all that is before its routes.
fn at(server: &Real) -> Browser {
    Browser::new(server.nobody())
}

#[test]
fn a_cookie_is_for_this_host_and_for_no_script() {
    let server = Real::with(|config| {
        config.trusted_proxies = vec!["127.0.0.1/32".parse::<Network>().unwrap()];
    });
    let plain = at(&server).sign_in(ADMIN_KEY, "/");
    let cookie = plain.header("set-cookie").unwrap().to_string();
    let (pair, rest) = cookie.split_once("; ").unwrap();
    assert_eq!(
        pair.split_once('=').map(|(name, value)| (name, value.len())),
        Some(("licentia", 43))
    );
    assert_eq!(rest, "Path=/; HttpOnly; SameSite=Lax; Max-Age=604800");

    let mut browser = at(&server);
    browser.client = browser.client.with("X-Forwarded-Proto", "https");
    browser.client = browser.client.with("X-Forwarded-For", "192.0.2.7");
    let secure = browser.sign_in(ADMIN_KEY, "/");
    let cookie = secure.header("set-cookie").unwrap().to_string();
    assert!(cookie.starts_with("__Host-licentia="), "{cookie}");
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800; Secure"),
        "{cookie}"
    );
    is_in(&mut browser);
    // Over TLS the other name is nobody's: anybody on the way could have set it.
    let token = browser.cookies.remove("__Host-licentia").unwrap();
    browser.cookies.insert("licentia".into(), token);
    is_out(&mut browser);

    let direct = Real::new();
    let mut browser = at(&direct);
    browser.client = browser.client.with("X-Forwarded-Proto", "https");
    let answer = browser.sign_in(ADMIN_KEY, "/");
    assert!(answer.header("set-cookie").unwrap().starts_with("licentia="), "nobody is trusted");
}

#[test]
fn pages_are_not_kept_and_not_guessed_at() {
    let server = Real::new();
    let mut browser = Browser::of(server.nobody(), ADMIN_KEY);
    for path in ["/", "/products", "/sign-in", "/no/such"] {
        let answer = browser.get(path).answer;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert!(answer.header("x-request-id").is_some_and(|id| !id.is_empty()), "{path}");
    }
    let asset = browser.ask("GET", "/assets/desk.css", None);
    assert_eq!(asset.header("x-content-type-options"), Some("nosniff"));
}

#[test]
fn whoever_guesses_keys_at_the_door_waits_as_at_the_api() {
    let server = Real::with(|config| config.rates.wrong = NonZeroU32::new(3));
    let mut browser = at(&server);
    for turn in 0..3 {
        assert_eq!(browser.sign_in(&format!("lic_wrong_{turn}"), "/").status, 401);
    }
    let answer = browser.sign_in("lic_wrong_3", "/");
    assert_eq!(answer.status, 429, "{}", answer.text());
    server.nobody().with_key("lic_wrong_4").get("/v1/products").refused(429, "too_many_requests");
}

#[test]
fn a_form_has_an_end() {
    let server = Real::new();
    let mut browser = Browser::of(server.nobody(), ADMIN_KEY);
    let page = browser.open("/products");
    let mut form = page.form("/sign-out");
    form.set("more", &"x".repeat(256 * 1024));
    let answer = browser.send_raw("/sign-out", &form.encoded());
    assert_eq!(answer.status, 413, "{}", answer.text());
    form.set("more", &"x".repeat(2 * 1024 * 1024));
    assert_eq!(browser.send_raw("/sign-out", &form.encoded()).status, 413);
    is_in(&mut browser);
}
