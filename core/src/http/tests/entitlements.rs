//! `GET` and `POST /api/v1/license`.

use super::*;
use crate::feature::UNLIMITED;

const PATH: &str = "/api/v1/license";
const METER: &str = "monitored_monthly_requests";

fn data(site: &Site) -> Value {
    site.get(PATH)["data"].clone()
}

#[test]
fn it_shows_what_the_license_grants() {
    let site = Site::licensed(|claims| {
        let license = &mut claims.license;
        license.created_at = Some(1_700_212_830);
        license.updated_at = Some(1_701_769_928);
        license.machines = Some(1);
        license.policy = Some("enterprise".into());
        license.features.truncate(3);
    });
    let answer = ask(&site.it, request("GET", PATH).by(7));
    // As text: the order of the members is part of it.
    let wanted = concat!(
        r#"{"data":{"license":{"created":"2023-11-17T09:20:30.000Z","#,
        r#""customer_name":"Test License","delay_expiry_days":10,"delay_max_uses_perc":10,"#,
        r#""entitlements":{"monitored_monthly_requests":{"is_limited":true,"max_uses":3,"#,
        r#""name":"monitored_monthly_requests"},"ipv6":{"is_limited":false,"max_uses":null,"#,
        r#""name":"ipv6"},"hosts":{"is_limited":true,"max_uses":"unlimited","name":"hosts"}},"#,
        r#""expiry":"2027-02-14T08:00:00.000Z","id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","#,
        r#""key":null,"last_validated":null,"max_machines":1,"ordered_entitlements_keys":"#,
        r#"["monitored_monthly_requests","ipv6","hosts"],"policy":"enterprise","#,
        r#""status":"active","suspended":false,"updated":"2023-12-05T09:52:08.000Z"},"#,
        r#""monthly_tx_counter":0,"monthly_tx_limit_reached":false,"status":"active"},"#,
        r#""message":"License info","status":"ok"}"#
    );
    assert_eq!(std::str::from_utf8(answer.body()).unwrap(), wanted);
}

#[test]
fn without_a_license_there_are_the_counters() {
    let nothing = |count: u64| {
        json!({
            "license": null, "monthly_tx_counter": count, "monthly_tx_limit_reached": false,
            "status": "none",
        })
    };
    assert_eq!(data(&Site::new()), nothing(0));
    for settings in [("deployment", "saas"), ("grace_days", "31")] {
        assert_eq!(data(&Site::with(&[settings])), nothing(0), "{settings:?}");
    }
    let site = Site::licensed(|_| {});
    site.it.record(METER, 2).unwrap();
    site.it.remove().unwrap();
    assert_eq!(data(&site), nothing(2), "what was counted is still known");
}

#[test]
fn the_month_is_counted_to_its_limit_and_past_it() {
    let mut site = Site::licensed(|claims| {
        claims.license.valid_until = None;
        let meter = &mut claims.license.features[0];
        (meter.max, meter.over, meter.then) = (Some(10), Some(20), Some("count".into()));
    });
    let of = |site: &Site| {
        let data = data(site);
        (data["monthly_tx_counter"].clone(), data["monthly_tx_limit_reached"].clone())
    };
    for (amount, count, reached, works) in [
        (0, 0, false, true),
        (9, 9, false, true),
        (1, 10, true, true),
        (2, 12, true, true),
        (1, 13, true, false),
    ] {
        site.it.record(METER, amount).unwrap();
        assert_eq!(of(&site), (json!(count), json!(reached)), "{count}");
        assert_eq!(site.it.allows(METER), works, "{count}");
    }
    // 2027-02-01: the month begins anew.
    site.clock(1_801_440_000);
    assert_eq!(of(&site), (json!(0), json!(false)));
}

/// Another meter is the monthly one where the vendor says so.
#[test]
fn the_vendor_says_which_meter_it_is() {
    let mut product = Site::with(&[("monthly_meter", "exports")]);
    let token = license(|claims| {
        claims
            .license
            .features
            .push(Feature { over: Some(25), ..metered("exports", "count", Some(7)) });
    });
    product.it.apply(token.as_bytes()).unwrap();
    product.it.record("exports", 7).unwrap();
    product.it.record(METER, 1).unwrap();
    let told = data(&product);
    assert_eq!(told["monthly_tx_counter"], 7);
    assert_eq!(told["monthly_tx_limit_reached"], true);
    assert_eq!(told["license"]["delay_max_uses_perc"], 25);
    product.clock(NOW);
}

#[test]
fn days_after_the_end_are_those_of_the_stages() {
    let stage = |read_only, deny| Some(Stage { warn: Some(0), read_only, deny });
    for (ended, days) in [
        (None, json!(0)),
        (stage(Some(5), Some(9)), json!(5)),
        (stage(None, Some(9)), json!(9)),
        (stage(Some(5), None), json!(5)),
        (stage(None, None), json!(null)),
    ] {
        let site = Site::licensed(|claims| {
            claims.license.stages = Some(Stages { ended, ..Stages::default() });
        });
        assert_eq!(data(&site)["license"]["delay_expiry_days"], days);
    }
    let site = Site::licensed(|claims| claims.license.stages = None);
    assert_eq!(data(&site)["license"]["delay_expiry_days"], 0);
}

/// A license that works is active, whatever was said of it.
#[test]
fn its_status_is_one_of_five() {
    let words = |site: &Site| {
        let data = data(site);
        assert_eq!(data["status"], data["license"]["status"]);
        (data["status"].as_str().unwrap().to_string(), data["license"]["suspended"] == true)
    };
    let mut site = Site::licensed(|_| {});
    for (days, word) in [(0, "active"), (30, "active"), (40, "expired"), (70, "expired")] {
        site.clock(NOW + days * DAY);
        assert_eq!(words(&site), (word.into(), false), "{days}");
    }
    let mut site = Site::licensed(|_| {});
    site.hear(IssuerStatus::Suspended, |answer| answer.server_time = NOW + 1);
    assert_eq!(data(&site)["license"]["last_validated"], "2027-01-15T08:00:01.000Z");
    assert_eq!(words(&site), ("active".into(), true));
    site.clock(NOW + 8 * DAY);
    assert_eq!(words(&site), ("suspended".into(), true));
    let site = Site::licensed(|_| {});
    site.hear(IssuerStatus::Revoked, |_| {});
    assert_eq!(words(&site), ("revoked".into(), false));
    let site = Site::licensed(|claims| claims.license.valid_from = NOW + DAY);
    assert_eq!(words(&site), ("none".into(), false), "it has not begun");
    // Where none is needed, the license is what it is all the same.
    let mut site = Site::with(&[("deployment", "saas")]);
    site.it.apply(license(|_| {}).as_bytes()).unwrap();
    assert_eq!(words(&site), ("active".into(), false));
    site.clock(NOW + 70 * DAY);
    assert_eq!(words(&site), ("expired".into(), false));
}

#[test]
fn what_is_put_in_is_shown() {
    let mut site = Site::new();
    let token = license(|_| {});
    let (status, told) = site.send("POST", PATH, &json!({ "license_key": token }));
    assert_eq!((status, &told["message"]), (200, &json!("License succesfully inserted")));
    assert_eq!(told["data"], data(&site));
    assert_eq!(told["data"]["license"]["key"], json!(null), "a license came without one");
    let newer = license(|claims| claims.iat = NOW + 1);
    site.connect(Ok(newer.into_bytes()));
    let key = json!({ "license_key": " 72AC94-0F3B5D-278A8B \n", "more": 1 });
    let (status, told) = site.send("POST", PATH, &key);
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["data"]["license"]["key"], "xxxxxx-xxxxxx-278A8B");
    let older = json!({ "license_key": license(|claims| claims.iat = NOW - 1) });
    let (status, told) = site.send("POST", PATH, &older);
    assert_eq!(
        (status, &told["message"], &told["code"]),
        (400, &json!("Error inserting license key"), &json!("older_than_installed"))
    );
    assert_eq!((&told["data"], &told["status"]), (&json!(null), &json!("error")));
}

#[test]
fn what_has_no_limit_has_no_number() {
    assert_eq!(Feature::new("a").limit(), UNLIMITED);
    let site = Site::licensed(|_| {});
    let told = data(&site)["license"]["entitlements"].clone();
    let of = |id: &str| (told[id]["is_limited"].clone(), told[id]["max_uses"].clone());
    assert_eq!(of("hosts"), (json!(true), json!("unlimited")));
    assert_eq!(of("audit_logs"), (json!(false), json!(null)));
    assert_eq!(of("users"), (json!(true), json!(15)));
    assert_eq!(told["audit_logs"]["name"], "Audit logs");
}
