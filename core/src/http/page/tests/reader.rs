//! What a reader who knows nothing of it must not misunderstand.

use super::*;

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
