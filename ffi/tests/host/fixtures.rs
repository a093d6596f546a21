//! Keys and licenses for the hosts, signed anew for every run.

use crate::library::library;
use licentia_core::machine::{self, Report};
use licentia_core::{Binding, Claims, Customer, Feature, Lease, SecretKey, Stage, Stages, issue};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub const PRODUCT: &str = "myapp";

/// 2026-01-01T00:00:00Z, when the licenses begin.
pub const BEGIN: i64 = 1_767_225_600;

/// Days until they end.
const DAYS: i64 = 30;

/// Days until the renewed one ends.
const RENEWED_DAYS: i64 = 400;

/// The identity of the machine that `bound` is for.
pub const MACHINE: &str = "machine-1";

/// A folder of files: `keys`, and licenses named after what verifying them comes to.
pub fn fixtures() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = library().place("fixtures");
        fs::create_dir(&folder).unwrap();
        write(&folder);
        folder
    })
}

fn write(folder: &Path) {
    let save = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let key = SecretKey::from_seed(&[1; 32]).unwrap();
    let other_key = SecretKey::from_seed(&[2; 32]).unwrap();
    save("keys", &key.public().to_jwks());
    save("more_keys", &other_key.public().to_short());

    let sign = |claims: &Claims| issue::sign(&key, claims).unwrap();
    let good = claims(PRODUCT);
    let token = sign(&good);
    save("ok", &token);
    save("ok_too", &sign(&endless(good.clone())));
    save("bound", &sign(&bound(good.clone())));
    save("bad_signature", &altered(&token));
    save("expired", &sign(&later(good.clone(), -2 * DAYS)));
    save("not_yet_valid", &sign(&later(good.clone(), 2 * DAYS)));
    save("wrong_product", &sign(&claims("otherapp")));
    save("wrong_machine", &sign(&bound_to(good.clone(), "machine-2")));
    save("unknown_key", &issue::sign(&other_key, &good).unwrap());
    save("malformed", "not a license");

    let metered = metered(good);
    save("metered", &sign(&metered));
    save("metered_older", &sign(&later(metered.clone(), -1)));
    save("metered_renewed", &sign(&renewed(metered.clone())));
    let id = issue::license_id(&metered.license.id).unwrap();
    save("withdrawn", &withdrawn(&key, 1, &[id]));
    save("withdrawn_later", &withdrawn(&key, 2, &[]));
    save("lease", &lease(&key, &metered));
    let mut replaced = renewed(metered.clone());
    replaced.license.id = "01010101-0101-4101-8101-010101010101".into();
    replaced.iat += 1;
    save("replaced", &sign(&replaced));
    save("metered_today", &sign(&today(metered)));
}

/// A list of the licenses that the vendor has withdrawn.
fn withdrawn(key: &SecretKey, version: u64, ids: &[[u8; 16]]) -> String {
    let ids = ids.iter().copied().collect();
    let issuer = "https://licenses.acme.example";
    issue::sign_revocations(key, PRODUCT, issuer, version, BEGIN, &ids).unwrap()
}

/// A seat that somebody borrowed, as the vendor gives it by hand.
fn lease(key: &SecretKey, license: &Claims) -> String {
    let lease = Lease {
        jti: "by hand".into(),
        iat: BEGIN,
        exp: BEGIN + DAYS * 86_400,
        nonce: None,
        license_id: license.license.id.clone(),
        installation: None,
        holder: "ann".into(),
        seat: 1,
        borrowed: true,
    };
    issue::sign_lease(key, PRODUCT, &license.iss, &lease).unwrap()
}

fn claims(product: &str) -> Claims {
    let mut claims = issue::draft("https://licenses.acme.example", product, BEGIN).unwrap();
    claims.sub = Some("customer-7".into());
    let exports = Feature {
        meter: Some("count".into()),
        per: Some("month".into()),
        max: Some(500),
        ..Feature::new("exports")
    };
    let license = &mut claims.license;
    license.kind = "subscription".into();
    license.serial = Some("LIC-MYAPP-A1B2C3D4".into());
    license.customer = Some(Customer { name: Some("Exämple GmbH".into()), ..Customer::default() });
    license.valid_until = Some(BEGIN + DAYS * 86_400);
    license.features = vec![Feature::new("reports"), exports];
    claims
}

/// For an installation: a feature per kind of meter, and an end in stages.
fn metered(mut claims: Claims) -> Claims {
    let limited = |id: &str, meter: &str, max| Feature {
        meter: Some(meter.into()),
        max: Some(max),
        ..Feature::new(id)
    };
    let free = Feature { meter: Some("count".into()), ..Feature::new("hits") };
    claims.license.features.extend([
        Feature { per: Some("ever".into()), ..free },
        Feature { per: Some("ever".into()), ..limited("trials", "count", 3) },
        limited("users", "level", 15),
        Feature { days: Some(30), ..limited("hosts", "distinct", 3) },
    ]);
    let ended = Stage { warn: None, read_only: Some(10), deny: Some(40) };
    claims.license.stages = Some(Stages { ended: Some(ended), ..Stages::default() });
    claims
}

/// The same license, signed anew twenty days later, for longer.
fn renewed(mut claims: Claims) -> Claims {
    claims.jti.replace_range(0..8, "ffffffff");
    claims.iat += 20 * 86_400;
    claims.license.valid_until = Some(BEGIN + RENEWED_DAYS * 86_400);
    claims
}

/// Under the clock of this machine: it began an hour ago.
fn today(mut claims: Claims) -> Claims {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    claims.iat = now.as_secs() as i64 - 3600;
    claims.license.valid_from = claims.iat;
    claims.license.valid_until = Some(claims.iat + DAYS * 86_400);
    claims
}

/// Without end, without a limit, and for a customer who has an id only.
fn endless(mut claims: Claims) -> Claims {
    claims.license.kind = "perpetual".into();
    claims.license.valid_until = None;
    claims.license.customer = None;
    claims.license.features = vec![Feature::new("exports")];
    claims
}

fn later(mut claims: Claims, days: i64) -> Claims {
    let shift = days * 86_400;
    claims.iat += shift.min(0);
    claims.license.valid_from += shift;
    claims.license.valid_until = claims.license.valid_until.map(|until| until + shift);
    claims
}

fn bound(claims: Claims) -> Claims {
    bound_to(claims, MACHINE)
}

fn bound_to(mut claims: Claims, identity: &str) -> Claims {
    let report = Report::from_identity(PRODUCT, identity).unwrap();
    let options = machine::Options { allow_weak: true, ..machine::Options::default() };
    let machine = Some(machine::Binding::bind(&report, PRODUCT, &options).unwrap());
    claims.license.binding = Some(Binding { machine, ..Binding::default() });
    claims
}

/// The same token with one letter of its payload changed for another.
fn altered(token: &str) -> String {
    let at = token.find('.').unwrap() + 40;
    let letter = if &token[at..=at] == "A" { "B" } else { "A" };
    format!("{}{letter}{}", &token[..at], &token[at + 1..])
}
