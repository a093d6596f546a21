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
