//! An installation: what it takes, what it refuses, and what is left of either.

mod installation_support;

use installation_support::*;
use licentia::{Access, Code, Installation, Kind, Product, UNLIMITED, issue};
use serde_json::json;
use std::fs;

fn open(product: &Product, folder: &tempfile::TempDir) -> Installation {
    product.open(folder.path()).unwrap()
}

#[test]
fn a_new_folder_knows_itself_again() {
    let (product, folder) = (product(), folder());
    let id = status(&open(&product, &folder))["state"]["installation"].clone();
    assert!(id.as_str().is_some_and(|id| id.len() == 36), "{id}");
    let again = status(&open(&product, &folder));
    assert_eq!(again["state"]["installation"], id);
    assert_eq!(again["state"]["ok"], true);
    assert_eq!((&again["in_force"], &again["reason"]), (&json!(false), &json!("not_licensed")));
    assert_eq!(again["license"], json!(null));
}

#[test]
fn a_license_is_applied_kept_and_removed() {
    let (product, folder) = (product(), folder());
    let it = open(&product, &folder);
    assert!(!it.allows("reports"));
    it.apply(license(|_| {}).as_bytes()).unwrap();
    for it in [&it, &open(&product, &folder)] {
        assert!(it.allows("reports") && it.allows("exports") && !it.allows("admin"));
        assert_eq!(it.access("reports"), Access::Allow);
        assert!(it.gate("reports").is_none());
        let status = status(it);
        assert_eq!(status["reason"], "ok");
        assert_eq!(status["license"]["source"], "installed");
        assert_eq!(status["license"]["valid_until"], NOW + 30 * DAY);
    }
    assert!(it.remove().unwrap());
    assert!(!it.remove().unwrap());
    assert!(!it.allows("reports") && !open(&product, &folder).allows("reports"));
}

#[test]
fn what_is_refused_changes_nothing() {
    let (product, folder) = (product(), folder());
    let it = open(&product, &folder);
    let good = license(|_| {});
    it.apply(good.as_bytes()).unwrap();
    let before = (status(&it), kept(&folder));
    let altered = good.replace("eyJ", "eyK");
    let stranger = licentia::SecretKey::from_seed(&[8; 32]).unwrap();
    let foreign = issue::sign(&stranger, &claims()).unwrap();
    let file = issue::sign_bytes(&vendor(), Kind::Product, b"{}");
    let lease = issue::sign_bytes(&vendor(), Kind::Lease, b"{}");
    let cases = [
        (Code::Malformed, String::new()),
        (Code::Malformed, "hello".into()),
        (Code::Malformed, good.split_at(100).0.into()),
        (Code::Malformed, altered),
        (Code::UnknownKey, foreign),
        (Code::WrongProduct, license(|it| it.aud = "other".into())),
        (
            Code::Expired,
            license(|it| {
                it.iat = NOW - 90 * DAY;
                it.license.valid_from = NOW - 90 * DAY;
                it.license.valid_until = Some(NOW - 60 * DAY);
            }),
        ),
        (Code::OlderThanInstalled, license(|it| it.iat = NOW - 1)),
        (
            Code::WrongInstallation,
            license(|it| {
                let id = Some("7c9e6679-7425-40de-944b-e07fc1f90ae7".to_string());
                it.license.binding =
                    Some(licentia::Binding { installation: id, ..Default::default() });
            }),
        ),
        (Code::WrongKind, file),
        (Code::Malformed, lease),
        (Code::TooLarge, "a".repeat(20_000_000)),
    ];
    for (code, bad) in cases {
        let error = it.apply(bad.as_bytes()).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!((status(&it), kept(&folder)), before, "{code}");
        assert!(it.allows("reports"));
    }
    it.apply_older(license(|it| it.iat = NOW - 1).as_bytes()).unwrap();
    it.apply(good.as_bytes()).unwrap();
}

/// The files of a folder, but for the lock.
fn kept(folder: &tempfile::TempDir) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .filter(|(name, _)| name != "lock")
        .collect();
    files.sort();
    files
}

#[test]
fn a_renewal_ahead_of_time_waits_beside_the_license_in_force() {
    let (mut product, folder) = (product(), folder());
    let it = open(&product, &folder);
    it.apply(license(|_| {}).as_bytes()).unwrap();
    let next = license(|it| {
        it.iat = NOW + 1;
        it.license.valid_from = NOW + 30 * DAY;
        it.license.valid_until = Some(NOW + 60 * DAY);
    });
    it.apply(next.as_bytes()).unwrap();
    assert!(it.allows("reports"), "the one before is still in force");
    for (at, wanted) in [(29, true), (30, true), (59, true), (99, true), (100, false)] {
        set_clock(&mut product, NOW + at * DAY);
        let found = status(&it);
        // Past day 60, ten days of grace and thirty of reading follow.
        let access = if at < 70 { wanted } else { false };
        assert_eq!(it.allows("reports"), access, "day {at}: {found}");
    }
    set_clock(&mut product, NOW + 31 * DAY);
}

#[test]
fn every_source_is_verified_and_the_losers_are_named() {
    let (product, folder) = (product(), folder());
    let file = folder.path().join("vendor.lic");
    let mut it = open(&product, &folder);
    it.apply(license(|_| {}).as_bytes()).unwrap();
    it.set("license_file", file.to_str().unwrap()).unwrap();
    assert!(it.allows("reports"), "a file that is not there yet takes nothing away");
    // The same license, renewed: the newest wins, wherever it is.
    let renewed = license(|it| {
        it.iat = NOW + 10;
        it.license.valid_until = Some(NOW + 90 * DAY);
    });
    fs::write(&file, &renewed).unwrap();
    it.set("license", "rubbish").unwrap();
    let found = status(&it);
    assert_eq!(found["license"]["source"], "file");
    let sources = found["sources"].as_array().unwrap();
    let named: Vec<_> = sources
        .iter()
        .map(|it| (it["source"].as_str().unwrap(), it["used"] == true, it["result"].clone()))
        .collect();
    assert_eq!(
        named,
        [
            ("installed", false, json!("ok")),
            ("file", true, json!("ok")),
            ("text", false, json!("malformed")),
        ]
    );
    fs::write(&file, "spoiled").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(it.allows("reports"));
    assert_eq!(status(&it)["license"]["source"], "installed");
    for (name, value) in [("licens", "x"), ("server", "x"), ("grace_days", "99999")] {
        let error = it.set(name, value).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "nobody grants himself grace: {error}");
    }
}

#[test]
fn another_process_is_followed_within_a_second() {
    let (product, folder) = (product(), folder());
    let held = open(&product, &folder);
    let other = open(&product.clone(), &folder);
    let wait = |wanted: bool| {
        std::thread::sleep(std::time::Duration::from_millis(1100));
        assert_eq!(held.allows("reports"), wanted);
    };
    other.apply(license(|_| {}).as_bytes()).unwrap();
    wait(true);
    other.remove().unwrap();
    wait(false);
    other.apply(license(|_| {}).as_bytes()).unwrap();
    wait(true);
    let id = issue::license_id(&claims().license.id).unwrap();
    let list = issue::sign_revocations(&vendor(), "myapp", ISSUER, 1, NOW, &[id].into()).unwrap();
    other.apply(list.as_bytes()).unwrap();
    wait(false);
    assert_eq!(status(&held)["reason"], "revoked");
}

#[test]
fn a_revocation_list_is_never_taken_back_by_an_older_one() {
    let (product, folder) = (product(), folder());
    let it = open(&product, &folder);
    let id = issue::license_id(&claims().license.id).unwrap();
    let list = |version, ids: &[[u8; 16]]| {
        let ids = ids.iter().copied().collect();
        issue::sign_revocations(&vendor(), "myapp", ISSUER, version, NOW, &ids).unwrap()
    };
    it.apply(license(|_| {}).as_bytes()).unwrap();
    it.apply(list(5, &[id]).as_bytes()).unwrap();
    it.apply(list(5, &[id]).as_bytes()).unwrap();
    let error = it.apply(list(4, &[]).as_bytes()).unwrap_err();
    assert_eq!(error.code(), Code::OlderThanInstalled);
    assert!(!it.allows("reports") && !open(&product, &folder).allows("reports"));
    let error = it.apply(license(|it| it.iat = NOW + 1).as_bytes()).unwrap_err();
    assert_eq!(error.code(), Code::Revoked);
    it.apply(list(6, &[]).as_bytes()).unwrap();
    for name in ["revocations.a", "revocations.b"] {
        let _ = fs::remove_file(folder.path().join(name));
    }
    let found = status(&open(&product, &folder));
    assert_eq!(found["state"]["code"], "state_corrupt", "a list that is gone is reported");
}

/// A vendor that restored an old backup signs lists that have forgotten what was withdrawn since.
#[test]
fn a_license_that_was_withdrawn_stays_so_whatever_later_lists_leave_out() {
    let (product, folder) = (product(), folder());
    let it = open(&product, &folder);
    let id = issue::license_id(&claims().license.id).unwrap();
    let list = |version, ids: &[[u8; 16]]| {
        let ids = ids.iter().copied().collect();
        issue::sign_revocations(&vendor(), "myapp", ISSUER, version, NOW, &ids).unwrap()
    };
    it.apply(license(|_| {}).as_bytes()).unwrap();
    it.apply(list(5, &[id, [255; 16]]).as_bytes()).unwrap();
    for version in 6..9 {
        it.apply(list(version, &[]).as_bytes()).unwrap();
        it.apply(list(version, &[]).as_bytes()).unwrap();
        assert_eq!(status(&it)["reason"], "revoked", "{version}");
        assert_eq!(status(&open(&product, &folder))["reason"], "revoked", "{version}");
    }
    it.remove().unwrap();
    let error = it.apply(license(|it| it.iat = NOW + 1).as_bytes()).unwrap_err();
    assert_eq!(error.code(), Code::Revoked);
    let other = license(|it| it.license.id = "ffffffff-ffff-ffff-ffff-ffffffffffff".to_string());
    it.apply(other.as_bytes()).unwrap();
    assert!(it.allows("reports"), "of a license that was not here nothing is kept");
}

/// Whoever steals a key withdraws nothing for ever.
#[test]
fn what_a_stolen_key_withdrew_comes_back_when_the_key_is_taken_back() {
    let (product, folder) = (product(), folder());
    let it = open(&product, &folder);
    let stolen = licentia::SecretKey::from_seed(&[9; 32]).unwrap();
    let set = |epoch, keys: Vec<licentia::TrustedKey>| {
        let keys = licentia::KeySet::of(keys).unwrap();
        issue::sign_keys(&vendor(), "myapp", ISSUER, NOW, epoch, &keys).unwrap()
    };
    let key = || licentia::TrustedKey::new(stolen.public().clone(), &[licentia::Role::Server]);
    let id = issue::license_id(&claims().license.id).unwrap();
    it.apply(license(|_| {}).as_bytes()).unwrap();
    it.apply(set(1, vec![key()]).as_bytes()).unwrap();
    let list = issue::sign_revocations(&stolen, "myapp", ISSUER, 1, NOW, &[id].into()).unwrap();
    it.apply(list.as_bytes()).unwrap();
    let own = issue::sign_revocations(&vendor(), "myapp", ISSUER, 2, NOW, &[].into()).unwrap();
    it.apply(own.as_bytes()).unwrap();
    assert_eq!(status(&it)["reason"], "revoked");
    it.apply(set(2, vec![key().compromised()]).as_bytes()).unwrap();
    assert!(it.allows("reports"));
    let next = licentia::SecretKey::from_seed(&[10; 32]).unwrap();
    let next = licentia::TrustedKey::new(next.public().clone(), &[licentia::Role::Server]);
    it.apply(set(3, vec![next]).as_bytes()).unwrap();
    assert!(it.allows("reports") && open(&product, &folder).allows("reports"));
}

#[test]
fn a_signed_key_set_is_kept() {
    let (product, folder) = (product(), folder());
    let it = open(&product, &folder);
    let second = licentia::SecretKey::from_seed(&[9; 32]).unwrap();
    let new = issue::sign(&second, &claims()).unwrap();
    assert_eq!(it.apply(new.as_bytes()).unwrap_err().code(), Code::UnknownKey);
    let set = |epoch: u64, state: &str| {
        let jwks: serde_json::Value = serde_json::from_str(&second.public().to_jwks()).unwrap();
        let mut key = jwks["keys"][0].clone();
        key["state"] = json!(state);
        let claims =
            json!({"iss": ISSUER, "aud": "myapp", "iat": NOW, "epoch": epoch, "keys": [key]});
        issue::sign_key_set(&vendor(), "myapp", claims.to_string().as_bytes()).unwrap()
    };
    it.apply(set(2, "active").as_bytes()).unwrap();
    it.apply(set(2, "active").as_bytes()).unwrap();
    it.apply(new.as_bytes()).unwrap();
    assert!(open(&product, &folder).allows("reports"));
    let error = it.apply(set(1, "active").as_bytes()).unwrap_err();
    assert_eq!(error.code(), Code::OlderThanInstalled);
    it.apply(set(3, "compromised").as_bytes()).unwrap();
    assert!(!it.allows("reports"));
    assert_eq!(status(&it)["reason"], "key_compromised");
}

#[test]
fn the_unlicensed_grace_ends_to_the_second_and_starts_once() {
    let (mut product, folder) = (product(), folder());
    product.set("grace_days", "31").unwrap();
    let it = open(&product, &folder);
    assert!(it.allows("anything"), "no license is needed before the first use");
    it.first_use(None).unwrap();
    set_clock(&mut product, NOW + 31 * DAY - 1);
    assert!(it.allows("anything") && it.gate("anything").is_none());
    set_clock(&mut product, NOW + 31 * DAY);
    assert!(!it.allows("anything"));
    let refusal = it.gate("anything").unwrap();
    assert_eq!(refusal.status, 400);
    assert!(refusal.body.contains("A license is required after 31 days"), "{}", refusal.body);
    it.first_use(None).unwrap();
    assert!(!it.allows("anything"), "it starts once");
    it.apply(license(|it| it.license.valid_until = Some(NOW + 99 * DAY)).as_bytes()).unwrap();
    assert!(it.allows("reports") && !it.allows("anything"));
    it.remove().unwrap();
    assert!(!it.allows("anything"), "deleting the license does not start it again");
    let error = it.first_use(Some(NOW + 99 * DAY)).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);

    // The folder is gone; the host knows the date of its own database.
    let folder = self::folder();
    let it = open(&product, &folder);
    it.first_use(Some(NOW)).unwrap();
    assert!(!it.allows("anything"));
    it.first_use(Some(NOW + 30 * DAY)).unwrap();
    assert!(!it.allows("anything"), "the earliest holds");
}

#[test]
fn use_is_recorded_up_to_the_limit() {
    let (mut product, folder) = (product(), folder());
    let it = open(&product, &folder);
    assert_eq!(it.record("exports", 1).unwrap_err().code(), Code::NotLicensed);
    it.apply(license(|_| {}).as_bytes()).unwrap();
    it.record("exports", 2).unwrap();
    it.record_later("exports", 1).unwrap();
    assert!(!it.allows("exports") && it.allows("reports"));
    assert_eq!(it.record("exports", 1).unwrap_err().code(), Code::LimitExceeded);
    let usage = it.usage("exports").unwrap();
    assert_eq!((usage.used, usage.limit), (3, 3));
    let again = open(&product, &folder);
    assert!(!again.allows("exports"));
    let next_month = usage.resets_at.unwrap();
    set_clock(&mut product, next_month);
    assert!(it.allows("exports") && again.allows("exports"));
    assert_eq!(again.usage("exports").unwrap().used, 0);
    set_clock(&mut product, NOW);

    it.record_level("users", 2).unwrap();
    assert_eq!(it.record_level("users", 3).unwrap_err().code(), Code::LimitExceeded);
    it.record_level("users", 1).unwrap();
    it.record_key("devices", "a").unwrap();
    it.record_key("devices", "b").unwrap();
    it.record_key("devices", "a").unwrap();
    assert_eq!(it.record_key("devices", "c").unwrap_err().code(), Code::LimitExceeded);
    it.record("reports", 1).unwrap();
    assert_eq!(
        it.usage("reports").unwrap().limit,
        UNLIMITED,
        "what is not measured is not counted"
    );
    for (feature, code) in [("admin", Code::NotGranted), ("Admin", Code::InvalidArgument)] {
        assert_eq!(it.record(feature, 1).unwrap_err().code(), code);
        assert_eq!(it.usage(feature).unwrap_err().code(), code);
    }
    for result in
        [it.record_level("exports", 1), it.record("users", 1), it.record_key("users", "a")]
    {
        assert_eq!(result.unwrap_err().code(), Code::InvalidArgument);
    }
    assert_eq!(it.record_key("devices", "").unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn whoever_records_all_the_time_follows_the_others_too() {
    let (product, folder) = (product(), folder());
    let busy = open(&product, &folder);
    busy.apply(license(|_| {}).as_bytes()).unwrap();
    let other = open(&product, &folder);
    other.record("exports", 2).unwrap();
    busy.record("exports", 1).unwrap();
    assert!(!busy.allows("exports"), "it has read what the other recorded");
    let more = |claims: &mut licentia::Claims| {
        claims.iat += 1;
        claims.license.features[1].max = Some(1_000_000);
    };
    busy.apply(license(more).as_bytes()).unwrap();
    other.remove().unwrap();
    let began = std::time::Instant::now();
    let refused = loop {
        let recorded = busy.record("exports", 1);
        assert!(began.elapsed().as_secs() < 5, "it never looked again");
        if let Err(refused) = recorded {
            break refused;
        }
    };
    assert_eq!(refused.code(), Code::NotLicensed);
}

#[test]
fn a_folder_that_is_not_there_takes_nothing_but_what_is_kept_in_it() {
    let (product, folder) = (product(), folder());
    let mut it = product.open(folder.path().join("missing")).unwrap();
    let found = status(&it);
    assert_eq!(found["state"]["code"], "state_unavailable", "{found}");
    it.set("license", &license(|_| {})).unwrap();
    assert!(it.allows("reports"), "a license that the host brings along works");
    for error in [
        it.apply(license(|_| {}).as_bytes()).unwrap_err(),
        it.record("exports", 1).unwrap_err(),
        it.remove().unwrap_err(),
        it.first_use(None).unwrap_err(),
        it.request("license", None).unwrap_err(),
    ] {
        assert_eq!(error.code(), Code::StateUnavailable, "{error}");
    }
    assert!(it.allows("reports"));
    assert_eq!(product.open("").unwrap_err().code(), Code::InvalidArgument);
    fs::create_dir(folder.path().join("missing")).unwrap();
    it.apply(license(|_| {}).as_bytes()).unwrap();
    assert_eq!(status(&it)["state"]["ok"], true, "it is made good as soon as it is there");
}

#[test]
fn whoever_only_looks_writes_nothing() {
    let (product, folder) = (product(), folder());
    let it = product.open_to_read(folder.path()).unwrap();
    let _ = (status(&it), it.explain(None).unwrap(), it.allows("reports"));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    let error = it.apply(license(|_| {}).as_bytes()).unwrap_err();
    assert_eq!(error.code(), Code::StateUnavailable);
    open(&product, &folder).apply(license(|_| {}).as_bytes()).unwrap();
    let before = kept(&folder);
    assert!(product.open_to_read(folder.path()).unwrap().allows("reports"));
    assert_eq!(kept(&folder), before);
}

#[test]
fn damage_is_reported_and_a_license_makes_it_good() {
    let (product, folder) = (product(), folder());
    let it = open(&product, &folder);
    it.apply(license(|_| {}).as_bytes()).unwrap();
    let id = status(&it)["state"]["installation"].clone();
    let spoil = |name: &str| {
        let path = folder.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
    };
    spoil("state.b");
    let found = status(&open(&product, &folder));
    assert_eq!(found["state"]["installation"], id, "the other generation is there");
    let warnings = found["warnings"].to_string();
    assert!(warnings.contains("state_recovered"), "{warnings}");
    // A write mends it: the damaged one is replaced, then the other is damaged too.
    let it = open(&product, &folder);
    spoil("state.a");
    let path = folder.path().join("state.b");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let it2 = open(&product, &folder);
    let found = status(&it2);
    assert_eq!(found["state"]["code"], "state_corrupt", "{found}");
    assert_eq!(found["reason"], "state_corrupt");
    for error in [it2.remove().unwrap_err(), it2.first_use(None).unwrap_err()] {
        assert_eq!(error.code(), Code::StateCorrupt);
    }
    assert!(it2.apply(b"rubbish").is_err());
    it2.apply(license(|it| it.iat = NOW + 1).as_bytes()).unwrap();
    let found = status(&it2);
    assert_eq!((&found["state"]["ok"], &found["reason"]), (&json!(true), &json!("ok")));
    assert_ne!(found["state"]["installation"], id);
    drop(it);
}

#[test]
fn a_folder_belongs_to_one_product() {
    let (product, folder) = (product(), folder());
    open(&product, &folder).apply(license(|_| {}).as_bytes()).unwrap();
    let other = Product::new("other", &vendor().public().to_short()).unwrap();
    let it = open(&other, &folder);
    assert_eq!(status(&it)["reason"], "wrong_product");
    let theirs = license(|it| it.aud = "other".into());
    for error in [it.apply(theirs.as_bytes()).unwrap_err(), it.remove().unwrap_err()] {
        assert_eq!(error.code(), Code::WrongProduct, "{error}");
    }
    assert!(open(&product, &folder).allows("reports"), "nothing was taken away");
}

#[test]
fn another_list_of_the_same_version_is_refused() {
    let (product, folder) = (product(), folder());
    let it = open(&product, &folder);
    let list = |ids: &[[u8; 16]]| {
        let ids = ids.iter().copied().collect();
        issue::sign_revocations(&vendor(), "myapp", ISSUER, 1, NOW, &ids).unwrap()
    };
    let id = issue::license_id(&claims().license.id).unwrap();
    it.apply(list(&[[1; 16]]).as_bytes()).unwrap();
    it.apply(list(&[[1; 16]]).as_bytes()).unwrap();
    let error = it.apply(list(&[id]).as_bytes()).unwrap_err();
    assert_eq!(error.code(), Code::OlderThanInstalled, "{error}");
}

#[test]
fn where_nothing_is_counted_no_folder_is_needed() {
    let (mut product, folder) = (product(), folder());
    product.set("deployment", "saas").unwrap();
    let it = product.open(folder.path().join("missing")).unwrap();
    it.record("exports", 1).unwrap();
    it.record_level("users", 99).unwrap();
    it.record_key("devices", "a").unwrap();
    assert_eq!(it.record_key("devices", "").unwrap_err().code(), Code::InvalidArgument);
}
