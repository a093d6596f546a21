//! What a reader who knows nothing of it must not misunderstand.

use super::*;
use crate::claims::Binding;

/// The page of a state of the kit.
fn kit_page(name: &str) -> String {
    let kit = kit();
    let states = kit["states"].as_array().unwrap();
    let one = states.iter().find(|state| state["name"] == name).unwrap();
    page(&state(&kit, one).0)
}

#[test]
fn what_asks_for_something_is_not_green() {
    for (name, class) in [
        ("active", "hero good"),
        ("clock_set_back", "hero look"),
        ("over_limit", "hero look"),
        ("limit_reached", "hero look"),
        ("state_recovered", "hero look"),
    ] {
        assert!(kit_page(name).contains(class), "{name}");
    }
}

#[test]
fn a_time_that_no_clock_shows_is_not_called_today() {
    let html = kit_page("clock_set_back");
    assert!(!html.contains("Today"));
    let shows = "The clock of this machine shows 5 Jun 2026, 12:00 UTC";
    assert!(text(&html, "<li class=\"today\"", "</li>").ends_with(shows));
    let foot = text(&html, "<footer>", "</footer>");
    assert!(foot.contains("reckoned from times that were seen before: the clock"), "{foot}");
    let html = kit_page("active");
    assert_eq!(html.matches("Today").count(), 2);
    assert!(!html.contains("reckoned"));
}

#[test]
fn a_license_for_another_address_is_not_for_another_installation() {
    const OWN: &str = "0b6e7c4e-3a51-4f0c-9d58-6f2f1c1b7a10";
    const OTHER: &str = "1b6e7c4e-3a51-4f0c-9d58-6f2f1c1b7a10";
    let folder = tempfile::tempdir().unwrap();
    let mut it = product(&[("installation", OWN)]).open(folder.path()).unwrap();
    let bound = |installation: Option<&str>| {
        let installation = installation.map(String::from);
        license(|claims| {
            let instance = Some("https://one.example".to_string());
            claims.license.binding = Some(Binding { machine: None, installation, instance });
        })
    };
    it.set("license", &bound(Some(OWN))).unwrap();
    let title = |html: &str| text(html, "<h1 id=\"state\">", "</h1>");
    let todo = |html: &str| text(html, "<dt>What to do</dt>", "</dl>");
    let here = |html: &str| text(html, "id=\"installation\"", "</section>");
    // Not set, and set wrong.
    let html = page(&it);
    assert_eq!(title(&html), "The license is for another address (instance)");
    assert!(here(&html).contains("Instance Not set"), "{}", here(&html));
    it.set("instance", "https://two.example").unwrap();
    let html = page(&it);
    assert_eq!(title(&html), "The license is for another address (instance)");
    assert!(here(&html).contains("Instance https://two.example"), "{}", here(&html));
    assert!(todo(&html).starts_with("If the setting instance is wrong here"), "{}", todo(&html));
    // Both differ: then a new license is needed anyway.
    it.set("license", &bound(Some(OTHER))).unwrap();
    let html = page(&it);
    assert_eq!(title(&html), "The license is for another installation");
    assert!(!todo(&html).contains("setting instance"), "{}", todo(&html));
    it.set("license", &bound(None)).unwrap();
    it.set("instance", "https://one.example/").unwrap();
    let html = page(&it);
    assert_eq!(title(&html), "The license is in force until 13 Sep 2026");
}

#[test]
fn nothing_is_advised_that_this_version_cannot_do() {
    for name in ["renew_due", "token_expired", "sync_due", "sync_overdue"] {
        let html = kit_page(name);
        assert!(!html.contains("Connect") && !html.contains("cannot reach"), "{name}");
    }
}

#[test]
fn what_comes_is_told_until_everything_stops() {
    let next = |name: &str| text(&kit_page(name), "<dt>Next</dt>", "<dt>");
    for (name, wanted) in [
        ("ends_soon", ["The license ends: everything works on", "can only be read", "stops"]),
        ("in_grace", ["27 Sep 2026", "What is there can only be read.", "Everything stops."]),
        ("active", ["Warnings begin", "The license ends", "can only be read"]),
    ] {
        let told = next(name);
        let places: Vec<_> = wanted.iter().map(|it| told.find(it)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{name}: {told}");
        assert!(told.matches("UTC").count() <= 3, "{name}: {told}");
    }
}

/// The colors of the line, in order.
fn colors(html: &str) -> Vec<&str> {
    let (_, line) = html.split_once("<svg class=\"line\"").unwrap();
    let (line, _) = line.split_once("</svg>").unwrap();
    let fills = line.split("<rect class=\"fill ").skip(1);
    fills.map(|it| it.split('"').next().unwrap()).collect()
}

#[test]
fn the_past_is_drawn_as_it_was_or_as_unknown() {
    for name in ["revoked", "wrong_machine"] {
        assert_eq!(colors(&kit_page(name)), ["unknown", "bad"], "{name}");
    }
    assert_eq!(colors(&kit_page("expired")), ["good", "look", "read", "bad"]);
    // Five days without a license, ten that nobody knows of, and then the license.
    let began = |claims: &mut Claims| claims.license.valid_from = NOON - 5 * DAY;
    let (it, _folder) = licensed(&[("grace_days", "5")], began);
    it.first_use(Some(NOON - 20 * DAY)).unwrap();
    let html = page(&it);
    assert_eq!(colors(&html), ["good", "unknown", "good", "bad"]);
    assert!(html.contains("<li class=\"unknown\">Not known</li>"));
}

#[test]
fn the_end_of_the_days_without_a_license_is_told_where_it_matters() {
    const END: &str = "The days without a license end";
    for (days, told) in [(10, true), (90, false)] {
        let ends = |claims: &mut Claims| claims.license.valid_until = Some(NOON + days * DAY);
        let (it, _folder) = licensed(&[("grace_days", "30")], ends);
        it.first_use(None).unwrap();
        let html = page(&it);
        assert_eq!(html.contains(END), told, "{days}");
    }
}

#[test]
fn the_first_button_does_what_is_to_be_done_first() {
    for (name, first) in [
        ("not_licensed", "Request code"),
        ("token_expired", "Request code"),
        ("sync_overdue", "Sync request"),
        ("expired", "Apply a license"),
        ("revoked", "Apply a license"),
    ] {
        let html = kit_page(name);
        assert_eq!(text(&html, "<a class=\"button first\"", "</a>"), first, "{name}");
        assert!(text(&html, "<p class=\"jump\">", "</p>").starts_with(first), "{name}");
    }
}

#[test]
fn facts_that_do_not_matter_any_more_are_left_out() {
    for (name, there) in [("active", true), ("revoked", false), ("wrong_machine", false)] {
        let html = kit_page(name);
        let facts = text(&html, "id=\"license\"", "</section>");
        assert!(facts.contains("Customer") || facts.contains("Begins"), "{name}");
        assert_eq!(facts.contains("Grace period until"), there, "{name}: {facts}");
    }
}

#[test]
fn one_is_one_and_a_day_that_has_begun_counts() {
    let ends = |claims: &mut Claims| {
        claims.license.valid_until = Some(NOON + 29 * DAY + DAY / 2);
        claims.license.valid_from = NOON - 300 * DAY;
    };
    let (it, _folder) = licensed(&[("grace_days", "9")], ends);
    it.first_use(Some(NOON - 290 * DAY)).unwrap();
    let html = page(&it);
    assert!(text(&html, "</h1>", "<dl").contains("in 30 days"));
    assert!(text(&html, "id=\"license\"", "</section>").contains("in 30 days"));
    assert!(!html.contains("in 29 days"));
    assert_eq!(text(&html, "<summary>", "</summary>"), "1 earlier date");
}

#[test]
fn the_product_is_called_as_its_license_calls_it() {
    let named = |claims: &mut Claims| {
        let name = serde_json::json!({ "name": "MyApp Server" });
        claims.license.product = serde_json::from_value(name).unwrap();
        claims.license.valid_from = NOON + DAY;
    };
    let (it, _folder) = licensed(&[("grace_days", "30")], named);
    it.first_use(None).unwrap();
    assert!(page(&it).contains("MyApp Server license</title>"));
}
