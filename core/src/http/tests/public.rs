//! `GET /api/license`.

use super::*;
use crate::{Binding, Notice};

const STATUS: &str = "/api/license";

/// The members that everybody gets, and no other.
fn minimal(booleans: &str, message: &str, warning: Option<&str>) -> Value {
    let names = [
        "valid",
        "licensed",
        "ipv4_enabled",
        "ipv6_enabled",
        "support_valid",
        "license_valid",
        "automation_enabled",
        "llm_analysis_enabled",
        "strategic_analysis_enabled",
        "trial_expired",
        "support_expired",
        "warning_active",
    ];
    let mut all = json!({ "warning_days_before": 30, "message": message });
    assert_eq!(booleans.len(), names.len());
    for (name, is) in names.iter().zip(booleans.chars()) {
        all[name] = json!(is == '1');
    }
    if let Some(warning) = warning {
        all["warning_message"] = json!(warning);
    }
    all
}

const ATTENTION: Option<&str> = Some("The license needs attention: an administrator can see why.");

#[test]
fn strangers_are_told_whether_it_works() {
    let say = |site: &Site| site.get_as_stranger(STATUS);
    let needed = "A license is needed: an administrator can apply one.";
    assert_eq!(say(&Site::new()), minimal("000000000000", needed, None));
    let mut site = Site::licensed(|_| {});
    site.clock(NOW - DAY / 2);
    let good = "The license is valid.";
    // 30 days before its end, a warning is due.
    assert_eq!(say(&site), minimal("110111000001", good, ATTENTION));
    site.clock(NOW + 30 * DAY);
    assert_eq!(say(&site), minimal("110111000001", good, ATTENTION), "in grace");
    site.clock(NOW + 40 * DAY);
    let bad = "The license is not valid: an administrator can see why.";
    assert_eq!(say(&site), minimal("010010000000", bad, None), "only to be read");
    site.clock(NOW + 70 * DAY);
    assert_eq!(say(&site), minimal("010010000000", bad, None));
}

#[test]
fn where_no_license_is_needed_everything_works() {
    let free = "No license is needed now.";
    let site = Site::with(&[("deployment", "saas")]);
    assert_eq!(site.get_as_stranger(STATUS), minimal("101111111000", free, None));
    let mut site = Site::with(&[("grace_days", "40")]);
    assert_eq!(site.get_as_stranger(STATUS), minimal("101111111000", free, None));
    site.it.first_use(None).unwrap();
    assert_eq!(site.get_as_stranger(STATUS), minimal("101111111000", free, None));
    site.clock(NOW + 39 * DAY);
    assert_eq!(site.get_as_stranger(STATUS), minimal("101111111001", free, ATTENTION));
    // A license that is here, whatever became of it, is asked for nothing; nor is its support.
    let trial = license(|claims| {
        claims.license.kind = "trial".into();
        claims.license.valid_until = Some(NOW + 50 * DAY);
        claims.license.support_until = Some(NOW + 39 * DAY + 1);
        claims.license.stages = None;
    });
    site.it.apply(trial.as_bytes()).unwrap();
    let told = |site: &Site| {
        let told = site.get_as_stranger(STATUS);
        ["valid", "licensed", "support_valid", "support_expired", "trial_expired"]
            .map(|name| told[name] == true)
    };
    assert_eq!(told(&site), [true, true, true, false, false]);
    site.clock(NOW + 40 * DAY);
    assert_eq!(told(&site), [false, true, false, true, false], "in force, without support");
    site.clock(NOW + 50 * DAY);
    assert_eq!(told(&site), [false, true, false, true, true]);
    let site = Site::with(&[("deployment", "saas")]);
    site.it.apply(license(|claims| claims.license.support_until = Some(NOW)).as_bytes()).unwrap();
    assert_eq!(told(&site), [true, true, true, false, false]);
}

#[test]
fn an_administrator_sees_everything() {
    let site = Site::new();
    let id = status(&site)["state"]["installation"].clone();
    assert_eq!(
        site.get(STATUS),
        json!({
            "valid": false, "licensed": false, "ipv4_enabled": false, "ipv6_enabled": false,
            "active_lease_count": 0, "lease_count_window": 30, "support_valid": false,
            "license_valid": false, "message": "There is no license: apply a license.",
            "installation_id": id, "warning_days_before": 30, "automation_enabled": false,
            "llm_analysis_enabled": false, "strategic_analysis_enabled": false,
            "trial_expired": false, "support_expired": false, "warning_active": false,
        })
    );
    let token = license(|claims| {
        let license = &mut claims.license;
        license.tier = Some("Enterprise".into());
        license.description = Some("Three sites".into());
        license.support_until = Some(NOW + 20 * DAY);
        license.notice = Some(Notice { license: Some(7), token: None });
        let installation = id.as_str().map(str::to_string);
        license.binding = Some(Binding { installation, ..Binding::default() });
    });
    site.it.apply(token.as_bytes()).unwrap();
    for key in ["a", "b", "c"] {
        site.it.record_key("leases", key).unwrap_or_default();
    }
    assert_eq!(
        site.get(STATUS),
        json!({
            "valid": true, "licensed": true, "license_id": ID, "customer_name": "Test License",
            "description": "Three sites", "tier": "Enterprise", "ipv4_enabled": false,
            "ipv6_enabled": true, "max_users": 15, "max_active_leases": 2,
            "support_expires": "2027-02-04", "active_lease_count": 2, "lease_count_window": 14,
            "license_expires": "2027-02-14", "support_valid": true, "license_valid": true,
            "days_remaining": 20, "message": "The license is in force until \
            2027-02-14T08:00:00Z: there is nothing to do.", "license_type": "subscription",
            "binding_mode": "bound", "bound_installation_id": id, "installation_id": id,
            "warning_days_before": 7, "automation_enabled": false, "llm_analysis_enabled": false,
            "strategic_analysis_enabled": false, "trial_expired": false, "support_expired": false,
            "warning_active": false,
        })
    );
}

fn status(site: &Site) -> Value {
    serde_json::from_str(&site.it.status(None).unwrap()).unwrap()
}

#[test]
fn its_members_are_in_their_order() {
    let site = Site::licensed(|claims| {
        claims.license.tier = Some("Pro".into());
        claims.license.support_until = Some(NOW + DAY);
    });
    let answer = ask(&site.it, request("GET", STATUS).by(7));
    let text = std::str::from_utf8(answer.body()).unwrap();
    let places: Vec<Option<usize>> = [
        "valid",
        "licensed",
        "license_id",
        "customer_name",
        "tier",
        "ipv4_enabled",
        "ipv6_enabled",
        "max_users",
        "max_active_leases",
        "support_expires",
        "active_lease_count",
        "lease_count_window",
        "license_expires",
        "support_valid",
        "license_valid",
        "days_remaining",
        "message",
        "license_type",
        "binding_mode",
        "installation_id",
        "warning_days_before",
        "automation_enabled",
        "llm_analysis_enabled",
        "strategic_analysis_enabled",
        "trial_expired",
        "support_expired",
        "warning_active",
        "warning_message",
    ]
    .map(|name| text.find(&format!("\"{name}\":")))
    .into();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
}

/// The last day is the one in which it is still in force, and the earlier end counts.
#[test]
fn dates_are_the_days_of_the_last_seconds() {
    let day = NOW - NOW % DAY;
    let site = |until: Option<i64>, support: Option<i64>| {
        Site::licensed(|claims| {
            claims.license.valid_until = until;
            claims.license.support_until = support;
        })
    };
    let dates = |told: &Value| {
        ["license_expires", "support_expires", "days_remaining"].map(|name| told[name].clone())
    };
    let cases = [
        (Some(day + DAY), None, json!(["2027-01-15", null, 1])),
        (Some(day + DAY + 1), None, json!(["2027-01-16", null, 1])),
        (Some(NOW + DAY + 1), None, json!(["2027-01-16", null, 2])),
        (None, Some(NOW + 3 * DAY), json!([null, "2027-01-18", 3])),
        (Some(NOW + 9 * DAY), Some(NOW + 3 * DAY), json!(["2027-01-24", "2027-01-18", 3])),
        (Some(NOW + 3 * DAY), Some(NOW + 9 * DAY), json!(["2027-01-18", "2027-01-24", 3])),
        (Some(NOW + 9 * DAY), Some(NOW), json!(["2027-01-24", "2027-01-15", null])),
        (None, None, json!([null, null, null])),
    ];
    for (until, support, wanted) in cases {
        let told = site(until, support).get(STATUS);
        assert_eq!(json!(dates(&told)), wanted, "{until:?} {support:?}");
    }
    let ended = site(Some(NOW + 9 * DAY), Some(NOW)).get(STATUS);
    let [valid, license, support, expired] =
        ["valid", "license_valid", "support_valid", "support_expired"].map(|it| &ended[it]);
    assert_eq!(json!([valid, license, support, expired]), json!([false, true, false, true]));
}

#[test]
fn its_type_is_one_of_three() {
    for (kind, until, wanted) in [
        ("trial", Some(NOW + DAY), "trial"),
        ("perpetual", None, "permanent"),
        ("subscription", Some(NOW + DAY), "subscription"),
        ("node_locked", None, "permanent"),
        ("node_locked", Some(NOW + DAY), "subscription"),
    ] {
        let site = Site::licensed(|claims| {
            claims.license.kind = kind.into();
            claims.license.valid_until = until;
        });
        let told = site.get(STATUS);
        assert_eq!((&told["license_type"], &told["binding_mode"]), (&json!(wanted), &json!("any")));
    }
}

/// A trial has expired when it stops something, not while it still works.
#[test]
fn a_trial_expires_when_it_stops() {
    let mut site = Site::licensed(|claims| claims.license.kind = "trial".into());
    for (days, expired) in [(0, false), (30, false), (39, false), (40, true), (70, true)] {
        site.clock(NOW + days * DAY);
        assert_eq!(site.get(STATUS)["trial_expired"], json!(expired), "{days}");
    }
    let mut other = Site::licensed(|_| {});
    other.clock(NOW + 70 * DAY);
    assert_eq!(other.get(STATUS)["trial_expired"], json!(false));
}

#[test]
fn leases_are_counted_within_their_window() {
    let counting = |claims: &mut Claims| {
        claims.license.valid_until = None;
        let leases = claims.license.features.iter_mut().find(|it| it.id == "leases").unwrap();
        leases.then = Some("count".into());
    };
    let mut site = Site::licensed(counting);
    let leases = |site: &Site| {
        let told = site.get(STATUS);
        ["active_lease_count", "lease_count_window", "lease_count_exceeded"]
            .map(|name| told[name].clone())
    };
    site.it.record_key("leases", "a").unwrap();
    site.it.record_key("leases", "a").unwrap();
    site.clock(NOW + 10 * DAY);
    site.it.record_key("leases", "b").unwrap();
    assert_eq!(json!(leases(&site)), json!([2, 14, null]));
    site.it.record_key("leases", "c").unwrap();
    assert_eq!(json!(leases(&site)), json!([3, 14, true]));
    site.clock(NOW + 14 * DAY);
    assert_eq!(json!(leases(&site)), json!([2, 14, null]), "the first has left the window");
    // Without a license, the site's window, else 30 days: what was counted is still known.
    site.it.remove().unwrap();
    assert_eq!(json!(leases(&site)), json!([3, 30, null]));
    site.it.set("lease_window", "7").unwrap();
    assert_eq!(json!(leases(&site)), json!([2, 7, null]));
}

#[test]
fn a_site_may_tell_everybody_everything() {
    let mut site = Site::licensed(|_| {});
    let minimal = site.get_as_stranger(STATUS);
    site.it.set("public_status", "full").unwrap();
    assert_eq!(site.get_as_stranger(STATUS), site.get(STATUS));
    assert_ne!(site.get(STATUS), minimal);
    site.it.set("public_status", "minimal").unwrap();
    assert_eq!(site.get_as_stranger(STATUS), minimal);
    for bits in [0, 1, 3, 5, 6, 256, 262] {
        let answer = ask(&site.it, request("GET", STATUS).by(bits));
        assert_eq!(to_json(&answer), minimal, "{bits}");
    }
    assert_ne!(to_json(&ask(&site.it, request("GET", STATUS).by(263))), minimal);
}

/// Whatever became of the folder, there is an answer, and nothing is granted.
#[test]
fn a_folder_that_is_damaged_is_no_license() {
    let site = Site::licensed(|_| {});
    for (path, _) in site.files() {
        std::fs::write(path, b"nonsense").unwrap();
    }
    let it = site.product.open(site.folder.path()).unwrap();
    let told = to_json(&ask(&it, request("GET", STATUS)));
    assert_eq!((&told["valid"], &told["licensed"]), (&json!(false), &json!(false)));
    let told = to_json(&ask(&it, request("GET", STATUS).by(7)));
    assert_eq!(told["installation_id"], "");
}
