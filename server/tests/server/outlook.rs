//! What a license would be before it is made, and what comes of one: held against what is made,
//! and against what an installation then does.

use crate::place::Place;
use crate::shop::{Shop, events, path};
use crate::support::Site;
use crate::support::dice::{Dice, seed, times};
use licentia::{Access, parse_time};
use serde_json::{Map, Value, json};

const DAY: i64 = 86_400;

/// What each new license has of its own.
const OWN: [&str; 12] = [
    "id",
    "serial",
    "license_key",
    "license_key_hint",
    "license_blob",
    "created_at",
    "updated_at",
    "suspended_at",
    "revoked_at",
    "reason",
    "turns",
    "silence",
];

fn maybe(dice: &mut Dice, into: &mut Map<String, Value>, name: &str, values: &[Value]) {
    if dice.chance(45) {
        into.insert(name.into(), dice.pick(values).clone());
    }
}

/// Terms as somebody may want them, or not: few of them contradict each other.
fn terms(dice: &mut Dice) -> Value {
    let mut terms = Map::new();
    maybe(dice, &mut terms, "sync_days", &[3.into(), 14.into(), 0.into()]);
    if dice.chance(40) {
        terms.insert("refresh_days".into(), 2.into());
        maybe(dice, &mut terms, "token_days", &[9.into(), 30.into(), 1.into()]);
    }
    maybe(dice, &mut terms, "notice", &[json!({ "license": 7 }), json!({ "license": 0 })]);
    maybe(dice, &mut terms, "tier", &["Gold".into(), "".into()]);
    maybe(dice, &mut terms, "support_until", &["2026-03-01T00:00:00Z".into()]);
    let mut stages = Map::new();
    let all = [
        json!({}),
        json!({ "deny": 5 }),
        json!({ "read_only": 2 }),
        json!({ "warn": 1, "read_only": 4, "deny": 11 }),
        json!({ "read_only": 0, "deny": 3 }),
        json!({ "deny": 0 }),
        json!({ "read_only": 5, "deny": 4 }),
    ];
    for cause in ["ended", "overdue", "suspended"] {
        maybe(dice, &mut stages, cause, &all);
    }
    if !stages.is_empty() {
        terms.insert("stages".into(), stages.into());
    }
    terms.into()
}

/// What somebody asks for, also what no license can be.
fn wish(dice: &mut Dice, policies: &[Value], products: &[Value]) -> Value {
    let mut wish = Map::new();
    wish.insert("product_id".into(), dice.pick(products).clone());
    maybe(dice, &mut wish, "policy_id", policies);
    let kinds = ["perpetual", "subscription", "trial", "node_locked", "floating"];
    maybe(dice, &mut wish, "license_type", &kinds.map(Value::from));
    maybe(dice, &mut wish, "valid_days", &[0.into(), 30.into(), 36_526.into()]);
    let until = ["2026-02-01T00:00:00Z", "2025-01-01T00:00:00Z"].map(Value::from);
    maybe(dice, &mut wish, "valid_until", &until);
    maybe(dice, &mut wish, "valid_from", &["2026-01-20T00:00:00Z".into()]);
    let names = ["A <b> & \"c\"".into(), "".into(), "two\nlines".into(), "n".repeat(255).into()];
    maybe(dice, &mut wish, "customer_name", &names);
    maybe(dice, &mut wish, "customer_email", &["a@b.example".into()]);
    maybe(dice, &mut wish, "max_seats", &[1.into(), 9.into(), 0.into()]);
    maybe(dice, &mut wish, "max_machines", &[1.into(), 9.into()]);
    maybe(dice, &mut wish, "features", &[json!([]), json!(["a", "b"]), json!(["a", "a"])]);
    let meter = json!([{ "id": "m", "meter": "count", "per": "month", "max": 5, "over": 10 }]);
    let long: Vec<Value> =
        (0..900).map(|n| json!({ "id": format!("f{n}"), "name": "n".repeat(250) })).collect();
    let entitlements = [meter, json!([{ "id": "m", "meter": "week" }]), long.into()];
    maybe(dice, &mut wish, "entitlements", &entitlements);
    let bindings = [json!({ "fingerprint": "host 1" }), json!({ "instance": "ftp://x" })];
    maybe(dice, &mut wish, "hardware_binding", &bindings);
    if dice.chance(50) {
        wish.insert("terms".into(), terms(dice));
    }
    wish.into()
}

fn policies(site: &Site, shop: &Shop) -> Vec<Value> {
    let all = [
        json!({ "name": "team", "license_type": "floating", "max_seats": 5, "features": ["x"],
            "terms": { "sync_days": 14, "stages": { "ended": { "deny": 3 } } } }),
        json!({ "name": "try", "license_type": "trial", "valid_days": 14 }),
        json!({ "name": "mine", "product_id": shop.id() }),
    ];
    let make = |policy: &Value| {
        let made = site.admin().post("/api/v1/policies", policy.clone()).good();
        made["id"].clone()
    };
    let mut ids: Vec<Value> = all.iter().map(make).collect();
    ids.push("00000000-0000-7000-8000-000000000000".into());
    ids
}

/// What may be done, where a warning is no difference.
fn level(access: Access) -> &'static str {
    match access {
        Access::Deny => "deny",
        Access::ReadOnly => "read_only",
        _ => "full",
    }
}

#[track_caller]
fn does(place: &mut Place, at: i64, wanted: &str, what: &Value) {
    place.at = at;
    let found = level(place.open().access("basic"));
    assert_eq!(found, wanted, "at {}: {what}", licentia::rfc3339(at));
}

fn time(text: &Value) -> Option<i64> {
    text.as_str().map(|text| parse_time(text).unwrap())
}

/// What is left at a time of one that hears nothing more. `tight` = to the second; else it may
/// have stopped before.
#[track_caller]
fn holds(place: &mut Place, limit: &Value, tight: bool, what: &Value) {
    let now = place.at;
    let (works, stops) = (time(&limit["works_until"]), time(&limit["stops_at"]));
    let end = now + 20_000 * DAY;
    match works {
        Some(at) if tight && at > now => does(place, at - 1, "full", what),
        None => does(place, end, "full", what),
        Some(_) => {}
    }
    if let Some(at) = works {
        place.at = at.max(now);
        let found = place.open().access("basic");
        assert!(found < Access::Warn, "at {at}: {found:?}: {what}");
    }
    match stops {
        Some(at) if tight && at > now && works != Some(at) => {
            does(place, at - 1, "read_only", what);
        }
        None if works.is_some() => does(place, end, "read_only", what),
        _ => {}
    }
    if let Some(at) = stops {
        does(place, at.max(now), "deny", what);
    }
}

both! {
    fn a_preview_is_what_is_made(site: &Site) {
        let shop = Shop::open(site);
        let bare = json!({ "name": "No keys", "code": "bare" });
        let bare = shop.admin.post("/api/v1/products", bare).good();
        let policies = policies(site, &shop);
        let products =
            [shop.product["id"].clone(), shop.product["id"].clone(), bare["id"].clone()];
        let mut dice = Dice(seed());
        let (mut made, mut refused) = (0, 0);
        for _ in 0..times(60) {
            let wish = wish(&mut dice, &policies, &products);
            let (before, signed) = (events(site).len(), site.server.signer.count());
            let preview = shop.admin.post("/api/v1/licenses/preview", wish.clone());
            assert_eq!(events(site).len(), before, "a preview leaves no event: {wish}");
            assert_eq!(site.server.signer.count(), signed, "a preview signs nothing: {wish}");
            let license = shop.admin.post("/api/v1/licenses", wish.clone());
            if license.status != 201 {
                let told = |it: &Value| (it["code"].clone(), it["detail"].clone());
                assert_eq!(preview.status, license.status, "{wish}: {}", license.text());
                assert_eq!(told(&preview.json()), told(&license.json()), "{wish}");
                refused += 1;
                continue;
            }
            let (preview, license) = (preview.good(), license.json());
            let all = |it: &Value| {
                let mut all = it.as_object().unwrap().clone();
                all.retain(|name, _| !OWN.contains(&name.as_str()));
                Value::from(all)
            };
            assert_eq!(all(&preview), all(&license), "{wish}");
            let outlook = shop.admin.get(&format!("{}/outlook", path(&license))).good();
            assert_eq!(preview["turns"], outlook["turns"], "{wish}");
            assert_eq!(preview["silence"], outlook["silence"], "{wish}");
            made += 1;
        }
        assert!(made > 5 && refused > 5, "{made} made, {refused} refused");
        let total = shop.admin.get("/api/v1/licenses?per_page=1").good()["total"].clone();
        assert_eq!(total, made, "a preview makes no license");
    }

    fn whoever_has_the_file_does_what_the_outlook_says(site: &Site) {
        let shop = Shop::open(site);
        let mut dice = Dice(seed());
        let (mut edges, mut sold_already) = (0, 0);
        while sold_already < times(14) {
            let mut wish = json!({ "valid_days": *dice.pick(&[0, 40]), "terms": terms(&mut dice) });
            if dice.chance(30) {
                wish["valid_from"] = licentia::rfc3339(site.clock.now() + 3 * DAY).into();
            }
            let sold = shop.sell(wish.clone());
            if sold.status != 201 {
                continue;
            }
            sold_already += 1;
            let license = sold.json();
            let outlook = shop.admin.get(&format!("{}/outlook", path(&license))).good();
            let mut place = Place::new(site, &shop, "host");
            place.install(&license);
            let file = &outlook["file"];
            // The token may end before the license does: that is the file's affair.
            let token = time(&file["works_until"]).filter(|_| file["reason"] != "end");
            let said = json!({ "wish": wish, "outlook": outlook });
            for turn in outlook["turns"].as_array().unwrap() {
                let at = time(&turn["at"]).unwrap();
                if at < place.at || token.is_some_and(|token| at >= token) {
                    continue;
                }
                let mode = turn["mode"].as_str().unwrap();
                let wanted = if mode == "warn" { "full" } else { mode };
                if turn["what"] == "begins" && at > place.at {
                    does(&mut place, at - 1, "deny", &said);
                }
                does(&mut place, at, wanted, &said);
                edges += 1;
            }
            let mut other = Place::new(site, &shop, "host");
            other.install(&license);
            other.at = time(&outlook["turns"][0]["at"]).unwrap().max(other.at);
            holds(&mut other, file, true, &said);
        }
        assert!(edges > 10, "{edges}");
    }

    fn whoever_hears_nothing_more_does_what_the_outlook_says(site: &Site) {
        let shop = Shop::open(site);
        let mut dice = Dice(seed() + 1);
        let mut reasons = Vec::new();
        while reasons.len() < times(14) {
            site.clock.set(Some(crate::support::BEGIN.max(site.clock.now())));
            let days = *dice.pick(&[0, 40]);
            let wish = json!({ "valid_days": days, "terms": terms(&mut dice) });
            let sold = shop.sell(wish.clone());
            if sold.status != 201 {
                continue;
            }
            let license = sold.json();
            let mut place = Place::new(site, &shop, "host");
            place.do_it("activation", license["license_key"].as_str());
            place.pass(site, DAY + 7);
            place.do_it("sync", None);
            if dice.chance(30) {
                let suspend = format!("{}/suspend", path(&license));
                shop.admin.post(&suspend, json!({})).good();
                place.pass(site, DAY / 2);
                if dice.chance(60) {
                    place.do_it("sync", None);
                }
            }
            let outlook = shop.admin.get(&format!("{}/outlook", path(&license))).good();
            let limit = &outlook["out_of_reach"];
            let tight = limit["reason"] != "token" && outlook["status"] == "active";
            let said = json!({ "wish": wish, "outlook": outlook });
            assert_eq!(outlook["machines"]["active"], 1, "{said}");
            if outlook["status"] == "active" {
                holds(&mut place, limit, tight, &said);
            } else if let Some(at) = time(&limit["stops_at"]) {
                let at = at.max(place.at);
                does(&mut place, at, "deny", &said);
            }
            reasons.push(limit["reason"].as_str().unwrap_or("none").to_string());
        }
        for reason in ["contact", "end", "none"] {
            assert!(reasons.iter().any(|it| it == reason), "no {reason} in {reasons:?}");
        }
    }

    fn machines_are_counted_as_they_were_heard_of(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "max_machines": 5 }));
        let key = license["license_key"].as_str();
        let mut places: Vec<Place> = Vec::new();
        for (number, days) in [10, 20, 3].into_iter().enumerate() {
            let mut place = Place::new(site, &shop, &format!("host {number}"));
            place.at = site.clock.now();
            place.do_it("activation", key);
            place.pass(site, days * DAY);
            places.push(place);
        }
        places[1].at = site.clock.now();
        places[1].do_it("deactivation", None);
        let change = json!({ "customer_name": "Other" });
        shop.admin.put(&path(&license), change).good();
        let heard = || {
            let outlook = shop.admin.get(&format!("{}/outlook", path(&license))).good();
            outlook["machines"].clone()
        };
        let counts = |it: &Value| {
            let names = ["ever", "active", "day", "week", "month", "older"];
            names.map(|name| it[name].as_i64().unwrap())
        };
        assert_eq!(counts(&heard()), [3, 2, 0, 1, 1, 2]);
        places[0].at = site.clock.now();
        places[0].do_it("sync", None);
        let last = heard();
        assert_eq!(counts(&last), [3, 2, 1, 2, 2, 1]);
        assert_eq!(last["last_seen_at"], licentia::rfc3339(site.clock.now()));
    }
}
