//! The page of `status` for everything that may hold.

use crate::place::{DAY, Place};
use licentia::issue::{IssuerStatus, sign_revocations};
use licentia::{Claims, Customer, Feature, Stage, Stages};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;

/// The state in words.
fn head(page: &str) -> &str {
    page.lines().next().unwrap()
}

/// What follows a heading, on one line.
fn part(page: &str, heading: &str) -> String {
    let (_, rest) = page.split_once(heading).unwrap_or_else(|| panic!("no {heading}: {page}"));
    let mut lines = rest.lines();
    let mut words = lines.next().unwrap().trim().to_string();
    for line in lines.take_while(|line| line.starts_with("  ")) {
        words += &format!(" {}", line.trim());
    }
    words.trim().to_string()
}

fn days(claims: &mut Claims, days: i64) {
    claims.license.kind = "subscription".into();
    claims.license.valid_until = Some(claims.iat + days * DAY);
}

/// Read only after 10 days, nothing after 40.
fn staged(claims: &mut Claims) {
    days(claims, 100);
    let stage = Stage { warn: None, read_only: Some(10), deny: Some(40) };
    claims.license.stages = Some(Stages { ended: Some(stage), ..Stages::default() });
    claims.license.features = vec![Feature::new("audit"), Feature::new("export")];
}

#[test]
fn without_a_license_the_vendors_terms_decide() {
    let place = Place::new();
    let page = place.page("status");
    assert_eq!(head(&page), "Stopped: there is no license");
    let ask = "licentia request --dir state --keys keys/key.jwks --product myapp";
    assert!(page.contains(&format!("\n      {ask}\n")), "it can be pasted: {page}");
    assert!(page.contains("\n      licentia apply --dir state"), "{page}");
    assert!(part(&page, "Settings: ").contains("see --set"), "{page}");
    assert_eq!(part(&page, "Next change: "), "none by the passing of time.");
    assert_eq!(place.json("status")["code"], "not_licensed");
    let set = place.page("status --set vendor=Acme --set license_file=none.lic");
    assert!(!set.contains("Settings: "), "{set}");
    let whole = "myapp \\\n        --set vendor=Acme --set license_file=none.lic FILE\n";
    assert!(set.contains(whole), "{set}");

    let page = place.page("status --set grace_days=31");
    assert_eq!(head(&page), "Works: no license is needed yet");
    assert_eq!(part(&page, "What to do: "), "nothing.");
    let page = place.page("status --set deployment=saas");
    assert_eq!(head(&page), "Works: no license is asked for here");

    let first = place.start - 10 * DAY;
    place.run(&format!("first-use --at {first}")).good();
    let page = place.page("status --set grace_days=31");
    assert!(head(&page).starts_with("Works, but only until 20"), "{page}");
    assert!(head(&page).contains(" UTC, in 2") && head(&page).ends_with("no license is in force"));
    assert!(part(&page, "What to do:").contains(" --set grace_days=31 FILE"), "{page}");
    assert!(page.contains("the product was first used"), "{page}");
    let at = first + 32 * DAY;
    let page = place.page(&format!("simulate --set grace_days=31 --at {at}"));
    assert!(page.contains("\nStopped since 20") && page.contains(", 1 day ago: there is no"));
    let works = place.json("status --set grace_days=31");
    assert_eq!((&works["code"], &works["reason"]), (&json!("ok"), &json!("unlicensed_grace")));
    assert_eq!(works["in_force"], json!(false), "no license is, and none is needed");
}

#[test]
fn a_license_is_followed_from_its_beginning_to_its_end() {
    let place = Place::new();
    place.license(|claims| {
        staged(claims);
        claims.license.customer =
            Some(Customer { name: Some("Acme".into()), email: None, account: None, slug: None });
    });
    let page = place.page("status");
    assert!(head(&page).starts_with("In force until 20"), "{page}");
    assert!(head(&page).ends_with(" UTC, in 100 days") || head(&page).ends_with("in 99 days"));
    assert_eq!(part(&page, "What to do: "), "nothing.");
    let next = part(&page, "Next change: ");
    let (soon, end) = next.split_once(". Then 20").unwrap();
    assert!(soon.ends_with("a warning begins: the license ends soon"), "{next}");
    assert!(end.ends_with("the license ends: everything works on, with a warning"), "{next}");
    assert!(page.contains("Acme") && page.contains("<- you are here"), "{page}");
    assert!(page.contains("\n  applied here: this one decides\n"), "{page}");
    assert!(page.lines().count() <= 30, "{page}");
    assert!(!page.contains("Warnings"), "{page}");

    let at = |days: i64| place.page(&format!("simulate --at {}", place.start + days * DAY));
    let second = |page: &str| page.lines().nth(1).unwrap().to_string();
    let soon = at(80);
    assert!(head(&soon).starts_with("As of 20") && head(&soon).contains(" UTC, if nothing else"));
    assert!(second(&soon).starts_with("Works, but the license ends soon: on 20"), "{soon}");
    assert!(second(&soon).ends_with("in 20 days"), "{soon}");
    assert!(part(&soon, "What to do: ").starts_with("Ask the vendor for a renewal"), "{soon}");

    let grace = at(105);
    assert!(second(&grace).starts_with("Works, but the license has ended: it stops on 20"));
    assert!(second(&grace).ends_with("in 5 days"), "{grace}");
    let next = part(&grace, "Next change: ");
    assert!(next.ends_with("in 5 days: what is there can only be read"), "{next}");
    assert!(grace.contains("audit    for now"), "{grace}");

    let reading = at(115);
    assert!(second(&reading).starts_with("Read only since 20"), "{reading}");
    assert!(second(&reading).ends_with("5 days ago: the license has ended"), "{reading}");
    assert!(part(&reading, "Next change: ").ends_with("in 25 days: everything stops"));
    assert!(reading.contains("audit    read only"), "{reading}");

    let over = at(150);
    assert!(second(&over).starts_with("Stopped since 20"), "{over}");
    assert!(second(&over).ends_with("10 days ago: the license has ended"), "{over}");
    assert_eq!(part(&over, "Next change: "), "none by the passing of time.");
    for (days, code) in [(0, "ok"), (80, "ok"), (105, "ok"), (115, "expired"), (150, "expired")] {
        let at = place.start + days * DAY;
        assert_eq!(place.json(&format!("simulate --at {at}"))["code"], code, "{days}");
    }
}

#[test]
fn an_end_without_grace_is_told_once() {
    let place = Place::new();
    place.license(|claims| days(claims, 20));
    let page = place.page("status");
    assert_eq!(page.matches("everything stops").count(), 1, "{page}");
    let page = place.page(&format!("simulate --at {}", place.start + 30 * DAY));
    assert!(!page.contains("The license ended on"), "the headline says it: {page}");
}

#[test]
fn a_license_without_an_end_has_none() {
    let place = Place::new();
    place.license(|_| ());
    let page = place.page("status");
    assert_eq!(head(&page), "In force without an end");
    assert_eq!(part(&page, "Next change: "), "none by the passing of time.");
}

#[test]
fn one_that_begins_later_says_when() {
    let place = Place::new();
    place.license(|claims| {
        days(claims, 90);
        claims.license.valid_from += 5 * DAY;
    });
    let page = place.page("status");
    assert!(head(&page).starts_with("Not yet in force: it begins on 20"), "{page}");
    assert!(part(&page, "Next change: ").ends_with(": the license begins: everything works"));
    assert!(!page.contains("4 days ago: a warning begins"), "{page}");
    let works = place.page("status --set grace_days=31");
    assert!(head(&works).starts_with("Works: no license is needed yet; LIC-MYAPP-"), "{works}");
    assert!(
        part(&works, "Works: ").ends_with(" UTC, in 5 days")
            || part(&works, "Works: ").ends_with(" UTC, in 4 days")
    );
    assert_eq!(part(&works, "What to do: "), "nothing.");
    place.run("first-use").good();
    let works = place.page("status --set grace_days=20");
    assert!(head(&works).starts_with("Works: no license is needed until LIC-MYAPP-"), "{works}");
    assert_eq!(part(&works, "What to do: "), "nothing.");
    assert!(part(&works, "Next change: ").contains("the license begins"), "{works}");
    let short = place.page("status --set grace_days=3");
    assert!(head(&short).starts_with("Works, but only until 20"), "{short}");
    assert!(part(&short, "Not covered: ").starts_with("from 20"), "{short}");
}

#[test]
fn what_the_vendors_server_says_is_told() {
    let place = Place::new();
    let claims = place.license(staged);
    place.sync(&claims, |answer| {
        answer.status = IssuerStatus::Suspended;
        answer.message = Some("Your \u{1b}[2Jinvoice is open.".into());
    });
    let page = place.page("status");
    assert!(!page.contains("a warning begins"), "nothing works any more: {page}");
    assert!(head(&page).starts_with("Stopped since 20"), "{page}");
    assert!(part(&page, "Stopped since ").ends_with(": the vendor has put the license on hold"));
    assert!(part(&page, "What to do: ").starts_with("Ask the vendor to take"), "{page}");
    assert_eq!(part(&page, "The vendor says: "), r"Your \u{1b}[2Jinvoice is open.");
    assert_eq!(place.json("status")["code"], "suspended");

    let place = Place::new();
    let claims = place.license(staged);
    place.sync(&claims, |answer| answer.next_sync_by = Some(place.start + 5 * DAY));
    let page = place.page("status");
    let next = part(&page, "Next change: ");
    assert!(
        next.ends_with("the latest time to ask the vendor's server: everything stops"),
        "{next}"
    );
    let page = place.page(&format!("simulate --at {}", place.start + 6 * DAY));
    assert!(page.contains("\nStopped since 20"), "{page}");
    assert!(page.contains(": the vendor's server was not\n  reached for too long\n"), "{page}");
    assert_eq!(part(&page, "Next change: "), "none by the passing of time.");
    assert!(part(&page, "What to do: ").ends_with("--product myapp FILE"), "{page}");
    assert!(page.contains("--product myapp sync\n"), "{page}");
}

#[test]
fn a_withdrawn_license_stops() {
    let place = Place::new();
    let claims = place.license(staged);
    let ids = BTreeSet::from([licentia::issue::license_id(&claims.license.id).unwrap()]);
    let list = sign_revocations(&place.key(), "myapp", "acme", 1, place.start, &ids).unwrap();
    place.folder.write("list", list);
    assert_eq!(place.json("apply list")["applied"], "revocation list");
    let page = place.page("status");
    assert_eq!(head(&page), "Stopped: the vendor has withdrawn the license");
    assert_eq!(part(&page, "What to do: "), "Ask the vendor why, or for another license.");
    assert_eq!(place.json("status")["code"], "revoked");
    assert_eq!(place.fails("apply a.lic"), "revoked");
}

#[test]
fn another_machine_and_a_changed_one_are_told_apart() {
    let place = Place::new();
    for machine in ["server-dell", "server-dell-two", "server-dell-new-cards"] {
        place.folder.machine(machine);
    }
    place.folder.issue("--feature a --days 300 --bind-this-machine --machine-root server-dell");
    assert_eq!(place.fails("apply --machine-root server-dell-two a.lic"), "wrong_machine");
    place.run("apply --machine-root server-dell a.lic").good();
    let page = place.page("status --machine-root server-dell-two");
    assert_eq!(head(&page), "Stopped: the license is for another machine");
    assert!(part(&page, "What to do: ").contains("--machine-root server-dell-two"), "{page}");
    assert!(part(&page, "machine\n").contains(" root_fs do not match."), "{page}");
    let page = place.page("status --machine-root server-dell-new-cards");
    assert!(head(&page).ends_with("; 1 warning") && page.contains("(nic)"), "{page}");
}

#[test]
fn use_and_limits_are_a_table() {
    let place = Place::new();
    let meter =
        |id: &str, meter: &str, max| Feature { meter: Some(meter.into()), max, ..Feature::new(id) };
    place.license(|claims| {
        claims.license.features = vec![
            Feature { name: Some("Audit\u{1b} logs".into()), ..Feature::new("audit") },
            Feature {
                per: Some("month".into()),
                over: Some(10),
                ..meter("requests", "count", Some(100))
            },
            meter("users", "level", Some(15)),
            Feature { days: Some(30), ..meter("hosts", "distinct", None) },
            Feature { meter: Some("weigh".into()), ..Feature::new("odd") },
        ];
    });
    place.run("record requests 105").good();
    place.run("record users --level 3").good();
    place.run("record hosts --key a").good();
    let page = place.page("status");
    let row = |id: &str| {
        let row = page.lines().find(|line| line.starts_with(id)).unwrap();
        row.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect::<Vec<_>>()
    };
    assert_eq!(row("Feature "), ["Feature", "allowed", "used of limit", "resets"]);
    assert_eq!(row("audit "), ["audit", "yes", "not measured", r"(Audit\u{1b} logs)"]);
    assert_eq!(row("requests ")[..3], ["requests", "for now", "105 of 100 a month (+10 %)"]);
    assert!(row("requests ")[3].starts_with("in "), "{page}");
    assert_eq!(row("users "), ["users", "yes", "3 of 15 at a time"]);
    assert_eq!(row("hosts ")[..3], ["hosts", "yes", "1 in 30 days, no limit"]);
    assert_eq!(row("odd ")[..2], ["odd", "no, too new"]);
    assert!(part(&page, "Next change: ").contains("requests starts from zero"), "{page}");
    assert!(page.contains("105 of 100") && page.contains("stops at 110"), "{page}");
    assert_eq!(place.fails("record requests 10"), "limit_exceeded");
    place.run("record requests 5").good();
    let page = place.page("status");
    assert!(page.contains("requests  no, limit"), "{page}");
    let head = part(&page, "In force");
    assert!(head.starts_with("without an end, but requests has stopped until 20"), "{page}");
    place.run("record users --level 15").good();
    assert!(place.page("status").contains("users     yes, full"), "{page}");
    place.run("record users --level 14").good();
    assert!(place.page("status").contains("users     yes, 1 left"), "{page}");
    assert_eq!(place.json("status")["code"], "ok", "the license itself is in force");
}

#[test]
fn a_usual_license_fits_a_terminal() {
    let place = Place::new();
    place.license(|claims| {
        days(claims, 400);
        let count = |id: &str, max| Feature {
            meter: Some("count".into()),
            per: Some("month".into()),
            max: Some(max),
            over: Some(10),
            ..Feature::new(id)
        };
        let plain = ["detection_inj", "audit_logs", "ipv4", "ipv6", "automation", "pro", "sso"];
        claims.license.features = plain.iter().map(|id| Feature::new(*id)).collect();
        claims.license.features.push(count("monitored_monthly_requests", 90_000));
        claims.license.features.push(count(&"a".repeat(64), 12));
        claims.license.tier = Some("Enterprise".into());
        claims.license.support_until = claims.license.valid_until;
    });
    place.run("record monitored_monthly_requests 95000").good();
    let page = place.page("status");
    assert!(page.lines().count() <= 40 && page.contains("95000 of 90000 a month (+10 %)"));
    let next = part(&page, "Next change: ");
    assert!(next.contains(": monitored_monthly_requests and aaaa"), "{next}");
    assert!(next.contains("a start again. Then 20"), "{next}");
}

#[test]
fn many_features_still_fit_a_screen() {
    let place = Place::new();
    place.license(|claims| {
        let names = (0..60).map(|number| Feature::new(format!("feature_{number}")));
        claims.license.features = names.collect();
    });
    let page = place.page("status");
    assert!(page.lines().count() <= 40 && page.contains("feature_59"), "{page}");
    assert!(page.contains("\nFeatures that are not measured\n  yes: feature_0, "), "{page}");
}

#[test]
fn a_clock_that_was_set_back_is_told_with_both_times() {
    let place = Place::new();
    place.license(|claims| days(claims, 300));
    let page = place.page(&format!("status --set clock={}", place.start - 40 * DAY));
    assert!(head(&page).starts_with("In force until") && head(&page).ends_with("; 1 warning"));
    let todo = part(&page, "What to do: ");
    assert!(todo.starts_with("Set the clock of this machine right. If it is right, "), "{page}");
    assert!(page.contains(" clock\n"), "{page}");
    assert!(part(&page, "Warnings\n").contains("The clock shows 20"), "{page}");
    let state = place.json(&format!("status --set clock={}", place.start - 40 * DAY));
    assert_eq!(state["time"]["suspect"], json!(true));
}

#[test]
fn a_damaged_or_missing_folder_is_told_with_what_to_do() {
    let place = Place::new();
    place.license(|claims| days(claims, 300));
    // The copy before has the license too.
    place.run("first-use").good();
    let damage = |name: &str| {
        let path = place.folder.path("state").join(name);
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(path, bytes).unwrap();
    };
    damage("state.a");
    let page = place.page("status");
    let told = part(&page, "Warnings\n");
    assert!(told.starts_with("state.a is damaged, and the copy beside it is used"), "{page}");
    assert!(!page.contains("made good"), "nothing was written: {page}");
    assert_eq!(part(&page, "What to do: "), "Check the disk that the folder is on.");
    assert_eq!(part(&page, "State: "), "kept in the folder state, with a warning");
    damage("state.b");
    let page = place.page("status");
    assert!(head(&page).starts_with("Stopped: what was kept in the folder is damaged: "), "{page}");
    assert!(part(&page, "Stopped: ").contains("licenses, first use and times seen are lost"));
    let todo = part(&page, "What to do: ");
    assert!(todo.starts_with("Put back a backup of the whole folder; or apply"), "{page}");
    assert!(todo.contains("empty the folder to begin again"), "{page}");
    assert!(part(&page, "State: ").contains("cannot be used"), "{page}");
    assert_eq!(place.json("status")["code"], "state_corrupt");
    let file = place.page("status --set license_file=a.lic");
    assert!(head(&file).starts_with("In force until") && head(&file).ends_with("; 1 warning"));
    assert!(file.contains("\n  the file a.lic: this one decides\n"), "{file}");
    assert_eq!(place.json("status --set license_file=a.lic")["code"], "ok");

    fs::remove_dir_all(place.folder.path("state")).unwrap();
    for terms in ["", "--set grace_days=31", "--set deployment=saas"] {
        let page = place.page(&format!("status {terms}"));
        assert!(page.contains("`mkdir state`"), "{page}");
        assert_eq!(place.json(&format!("status {terms}"))["code"], "state_unavailable");
        assert!(!place.folder.path("state").exists());
    }
    assert_eq!(place.json("status --set license_file=a.lic")["code"], "ok");
}

#[test]
fn a_renewal_ahead_of_time_goes_on_and_a_gap_is_told() {
    let named = |serial: &str, from: i64, until: i64| {
        let serial = serial.to_string();
        move |claims: &mut Claims| {
            days(claims, until);
            claims.iat += from;
            claims.license.valid_from += from * DAY;
            claims.license.serial = Some(serial);
        }
    };
    for gap in [0, 3] {
        let place = Place::new();
        place.license(named("LIC-A", 0, 50));
        place.issue(named("LIC-B", 50 + gap, 400));
        let said = place.run("apply a.lic");
        assert!(said.err.contains("note: LIC-B waits until 20"), "{said:?}");
        let page = place.page("status");
        if gap == 0 {
            assert!(head(&page).contains(", in 400 days") || head(&page).contains(", in 399 days"));
            assert!(part(&page, "In force").ends_with("(LIC-A, then LIC-B)"), "{page}");
            let next = part(&page, "Next change: ");
            assert!(!next.contains("a warning begins"), "{next}");
            let ends = "LIC-A ends, and LIC-B takes over 20";
            let timeline = part(&page, "Timeline\n");
            assert!(timeline.contains(ends) && !timeline.contains("warning"), "{page}");
            assert!(timeline.ends_with("LIC-B ends: everything stops"), "{page}");
            assert_eq!(part(&page, "What to do: "), "nothing.");
            assert!(!page.contains("Not covered"), "{page}");
        } else {
            assert!(head(&page).contains(", in 50 days") || head(&page).contains(", in 49 days"));
            assert!(part(&page, "Not covered: ").starts_with("from 20"), "{page}");
            assert!(part(&page, "Timeline\n").contains("LIC-B begins: everything works"));
        }
        assert!(part(&page, "Sources of licenses\n").contains("applied here, LIC-B: waits from"));
    }
}

#[test]
fn a_license_says_which_one_it_took_the_place_of() {
    let place = Place::new();
    place.license(|claims| {
        days(claims, 50);
        claims.license.serial = Some("LIC-A".into());
    });
    place.issue(|claims| {
        days(claims, 20);
        claims.iat += 1;
        claims.license.serial = Some("LIC-B".into());
    });
    let said = place.run("apply a.lic").err;
    assert!(said.contains("note: LIC-B is in place of LIC-A, which was good until 20"), "{said}");
    assert!(said.contains("--older") && said.contains("it ends sooner"), "{said}");
    assert!(place.run("apply a.lic").err.is_empty(), "it is there already");
}

#[test]
fn a_clock_that_was_ahead_and_is_right_now_has_a_way_out() {
    let place = Place::new();
    place.license(|claims| days(claims, 30));
    let ahead = place.start + 100 * DAY;
    place.run(&format!("first-use --set clock={ahead}")).good();
    let page = place.page("status");
    assert!(head(&page).starts_with("Stopped: the clock of this machine once showed 20"), "{page}");
    let todo = part(&page, "What to do: ");
    assert!(todo.starts_with("Set the clock of this machine right. If it is right, "), "{page}");
    assert!(page.contains(" --product myapp clock\n") && !todo.contains("renewal"), "{page}");
    let why = place.run("explain").out;
    assert!(why.contains("clock reset (request") && !why.contains("for a renewal"), "{why}");
}

#[test]
fn the_wrong_call_is_told_from_a_product_that_stopped() {
    let place = Place::new();
    place.license(|claims| days(claims, 30));
    let line = place.line("status").replace("myapp", "other");
    let page = place.folder.run(&line).out;
    assert!(head(&page).starts_with("This call does not fit: "), "{page}");
    assert!(page.contains("Look at --product, --keys and --dir"), "{page}");
}

#[test]
fn the_sources_are_told_with_what_became_of_them() {
    let place = Place::new();
    place.license(|claims| days(claims, 50));
    let installed = place.folder.read("a.lic");
    place.issue(|claims| days(claims, 60));
    place.folder.write("b.lic", place.folder.read("a.lic"));
    place.folder.write("bad.lic", "nonsense");
    let page = place.page("status --set license_file=b.lic --set license_env=LICENTIA_NOTHING");
    assert!(page.contains("\n  applied here, LIC-MYAPP-"), "{page}");
    let sources = part(&page, "Sources of licenses\n");
    assert!(sources.contains(": good until 20") && sources.contains(" UTC, and not needed"));
    let (_, second) = page.split_once("\n  the file b.lic, LIC-MYAPP-").unwrap();
    assert!(second.lines().next().unwrap().ends_with(": this one decides"), "{page}");
    assert!(page.contains("\n  the variable LICENTIA_NOTHING: refused: "), "{page}");
    let page = place.page("status --set license_file=bad.lic");
    assert!(page.contains("\n  the file bad.lic: refused: "), "{page}");
    assert!(part(&page, "What to do: ").starts_with("Put right or take away"), "{page}");
    let text = format!("status --set license={installed}");
    assert!(place.page(&text).contains("\n  given by the product, LIC-MYAPP-"));
}

#[test]
fn foreign_text_cannot_speak_to_the_terminal() {
    let place = Place::new();
    let evil = "A\u{1b}[2J\u{9b}31m\u{202e}B\r\nStopped";
    place.license(|claims| {
        days(claims, 30);
        let name = Some(evil.to_string());
        claims.license.customer =
            Some(Customer { name: name.clone(), email: None, account: None, slug: None });
        (claims.license.tier, claims.license.serial) = (name.clone(), name.clone());
        let (meter, per) = (Some("count".to_string()), Some("ever".to_string()));
        let spent = Feature { name, meter, per, max: Some(0), ..Feature::new("a") };
        claims.license.features = vec![spent];
    });
    // Every run is held to it: see run.rs.
    let page = place.page("status");
    assert!(page.contains(r"A\u{1b}[2J"), "{page}");
    assert!(!page.lines().any(|line| line.starts_with("Stopped")), "{page}");
    assert_eq!(place.json("status")["license"]["customer"]["name"], evil);
    place.run("usage").good();
    place.run("explain").good();
    let words = ["status", "--dir", evil, "--keys", "keys/key.jwks", "--product", "myapp"];
    assert_eq!(place.folder.run_words(&words, b"").status, 3);
}

#[test]
fn colors_are_for_terminals() {
    let place = Place::new();
    let line = place.line("status");
    let mut command = place.folder.command(&line.split_whitespace().collect::<Vec<_>>());
    command.env("CLICOLOR_FORCE", "1");
    let run = place.folder.finish(command, b"");
    assert!(run.out.starts_with("\u{1b}[1m\u{1b}[31mStopped\u{1b}[0m: there is no license\n"));
}
