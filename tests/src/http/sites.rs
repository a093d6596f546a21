//! A site in every state that a license can have.

use crate::case::{DAY, NOW, PRODUCT};
use crate::document::Doc;
use crate::folder::{Folder, INSTALLATION};
use crate::signer::{stranger, vendor};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The root URL of every site.
pub const INSTANCE: &str = "https://play.acme.example/";

/// The license of every site: its id.
pub const LICENSE: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

/// 2027-01-01: the month of [`NOW`] begins.
const MONTH: i64 = 1_798_761_600;

/// What must never be in an answer: parts of the license and of the state that are secret, or
/// that a stranger has no business with.
pub const PRIVATE: &[&str] =
    &["Test License", "customer@example.com", "cust_12345", "LIC-MYAPP-A1B2C3D4", INSTALLATION];

/// An installation before it is asked anything.
#[derive(Clone)]
pub struct Site {
    /// What state it is in, in a word.
    pub name: &'static str,
    /// What is in its folder; `None` = there is no folder.
    pub files: Option<BTreeMap<String, Vec<u8>>>,
    /// The settings of the product.
    pub set: BTreeMap<&'static str, String>,
    /// The settings of the site.
    pub site: BTreeMap<&'static str, String>,
}

impl Site {
    fn new(name: &'static str, folder: &Folder) -> Site {
        let set = [
            ("clock", NOW.to_string()),
            ("machine", "a-machine-for-vectors".to_string()),
            ("vendor", "Acme".to_string()),
            ("grace_days", "31".to_string()),
        ];
        let site = [("instance", INSTANCE.to_string())];
        Site {
            name,
            files: Some(folder.files()),
            set: BTreeMap::from(set),
            site: BTreeMap::from(site),
        }
    }

    fn at(self, clock: i64) -> Site {
        self.set("clock", clock.to_string())
    }

    fn set(mut self, name: &'static str, value: impl Into<String>) -> Site {
        self.set.insert(name, value.into());
        self
    }

    fn site(mut self, name: &'static str, value: impl Into<String>) -> Site {
        self.site.insert(name, value.into());
        self
    }

    /// The product's code.
    pub fn product(&self) -> &'static str {
        PRODUCT
    }

    /// The product's keys.
    pub fn keys(&self) -> String {
        vendor().short()
    }

    /// Writes its folder, which must not be there yet.
    ///
    /// # Panics
    /// If that fails.
    pub fn write(&self, folder: &Path) {
        let Some(files) = &self.files else { return };
        fs::create_dir_all(folder).expect("a folder");
        for (name, bytes) in files {
            fs::write(folder.join(name), bytes).expect("a file of a site");
        }
    }
}

/// A license with everything in it that a license can have.
pub fn full() -> Doc {
    Doc::license()
        .set("/sub", "cust_12345")
        .set("/license/serial", "LIC-MYAPP-A1B2C3D4")
        .set("/license/tier", "Enterprise")
        .set("/license/description", "Enterprise, three sites")
        .set("/license/policy", "enterprise-2027")
        .set("/license/product", json!({"id": "prod_1", "name": "My Application"}))
        .set("/license/customer", customer())
        .set("/license/created_at", 1_700_212_830)
        .set("/license/updated_at", NOW - 20 * DAY)
        .set("/license/support_until", NOW + 200 * DAY)
        .set("/license/seats", 5)
        .set("/license/machines", 1)
        .set("/license/binding", json!({"installation": INSTALLATION, "instance": INSTANCE}))
        .set("/license/notice", json!({"license": 30, "token": 2}))
        .set("/license/stages", stages())
        .set("/license/metadata", metadata())
        .features(features())
}

fn customer() -> Value {
    json!({
        "name": "Test License", "email": "customer@example.com", "account": "acme",
        "slug": "acme-labs",
    })
}

fn stages() -> Value {
    json!({
        "ended": {"read_only": 10, "deny": 40}, "overdue": {"warn": 0, "deny": 30},
        "suspended": {"warn": 0, "deny": 5},
    })
}

fn metadata() -> Value {
    json!({
        "limit_by": "users", "usage_billing": true, "anonymous_ratio": 3,
        "details_url": "https://acme.example/l/1",
    })
}

fn features() -> Value {
    json!([
        {"id": "monitored_monthly_requests", "name": "Monitored monthly requests",
         "meter": "count", "per": "month", "max": 900, "over": 10, "then": "count"},
        {"id": "monitored_hosts", "name": "Monitored hosts", "meter": "level"},
        {"id": "detection_inj", "name": "Detection - Injection"},
        {"id": "audit_logs", "name": "Audit logs"},
        {"id": "ipv4"}, {"id": "ipv6"}, {"id": "automation"}, {"id": "llm_analysis"},
        {"id": "users", "name": "Users", "meter": "level", "max": 15},
        {"id": "sessions", "meter": "level", "max": 3},
        {"id": "leases", "meter": "distinct", "days": 30, "max": 5000, "then": "count"},
    ])
}

/// A folder of a product that has been used for a year, with a license.
fn with(doc: Doc) -> Folder {
    Folder::new().state("/anchor", NOW - 400 * DAY).license(doc.sign())
}

/// A folder in which the monthly counter stands at `used`.
fn counted(used: u64) -> Folder {
    with(full())
        .usage("/features", json!(["monitored_monthly_requests", "users"]))
        .usage("/seq", 5)
        .usage(
            "/meters",
            json!([
                {"feature": 0, "kind": "month", "periods": [[MONTH, used, 5]]},
                {"feature": 1, "kind": "level", "level": 12, "periods": [[MONTH, 14, 4]]},
            ]),
        )
}

fn issuer(status: &str, since: i64) -> Value {
    json!({
        "license_id": LICENSE, "status": status, "since": since, "last_contact": NOW - DAY,
        "next_contact": NOW + DAY, "next_sync_by": NOW + 7 * DAY, "message": null,
    })
}

fn unlicensed() -> Vec<Site> {
    let used = |days: i64| Folder::new().state("/anchor", NOW - days * DAY);
    let mut closed = Site::new("not_licensed", &Folder::new());
    closed.set.remove("grace_days");
    let mut nowhere = Site::new("no_folder", &Folder::new());
    nowhere.files = None;
    vec![
        closed,
        nowhere,
        Site::new("not_needed", &Folder::new()),
        Site::new("unlicensed_grace", &used(1)),
        Site::new("unlicensed_grace_ends_soon", &used(12)),
        Site::new("unlicensed_last_second", &used(31).state("/anchor", NOW - 31 * DAY + 1)),
        Site::new("unlicensed_over", &used(31)),
        Site::new("saas", &used(400)).set("deployment", "saas"),
        Site::new("first_use_to_come", &used(-1)),
    ]
}

fn dated() -> Vec<Site> {
    let end = NOW + 365 * DAY;
    let licensed = || with(full());
    let token = || with(full().set("/exp", NOW + 10 * DAY).set("/license/refresh_days", 5));
    vec![
        Site::new("active", &counted(345)),
        Site::new("perpetual", &with(Doc::license().set("/license/valid_until", Value::Null))),
        Site::new("trial", &with(full().set("/license/type", "trial"))),
        Site::new("trial_over", &with(full().set("/license/type", "trial"))).at(end + 100 * DAY),
        Site::new("ends_soon", &licensed()).at(end - 10 * DAY),
        Site::new("in_grace", &licensed()).at(end + 5 * DAY),
        Site::new("read_only", &licensed()).at(end + 20 * DAY),
        Site::new("expired", &licensed()).at(end + 40 * DAY),
        Site::new("expired_at_once", &with(Doc::license())).at(end),
        Site::new("not_yet_valid", &with(full().set("/license/valid_from", NOW + 5 * DAY))),
        Site::new("support_ended", &licensed()).at(NOW + 201 * DAY),
        Site::new("token_due", &token()).at(NOW + 9 * DAY),
        Site::new("renew_due", &token()).at(NOW + 12 * DAY),
        Site::new("token_expired", &token()).at(NOW + 41 * DAY),
    ]
}

fn judged() -> Vec<Site> {
    let said = |status, since| with(full()).state("/issuer", issuer(status, since));
    let elsewhere =
        json!({"v": 1, "need": 1, "parts": {"explicit": [crate::signer::b64([7; 16])]}});
    vec![
        Site::new("sync_due", &said("ok", NOW - 9 * DAY)).at(NOW + 8 * DAY),
        Site::new("sync_overdue", &said("ok", NOW - 9 * DAY)).at(NOW + 38 * DAY),
        Site::new("on_hold", &said("suspended", NOW - 2 * DAY)),
        Site::new("suspended", &said("suspended", NOW - 6 * DAY)),
        Site::new("revoked", &said("revoked", NOW - 2 * DAY)),
        Site::new("issuer_expired", &said("expired", NOW - 2 * DAY)),
        Site::new("wrong_machine", &with(full().set("/license/binding/machine", elsewhere))),
        Site::new("wrong_instance", &with(full())).site("instance", "https://other.example"),
        Site::new("limit_reached", &counted(900)),
        Site::new("over_limit", &counted(991)),
    ]
}

fn odd() -> Vec<Site> {
    let mut damaged = Site::new("state_corrupt", &with(full()));
    if let Some(state) = damaged.files.as_mut().and_then(|files| files.get_mut("state.b")) {
        state[100] ^= 1;
    }
    let seen = with(full()).state("/floors/signed", NOW + 20 * DAY);
    let forged = full().sign_by(&stranger());
    let other = full().set("/license/id", "11111111-7425-40de-944b-e07fc1f90ae7").sign();
    vec![
        damaged,
        Site::new("clock_set_back", &seen),
        Site::new("forged_text", &Folder::new().state("/anchor", NOW - 40 * DAY))
            .site("license", forged),
        Site::new("two_sources", &with(full())).site("license", other),
        Site::new("public_full", &counted(345)).site("public_status", "full"),
        Site::new("no_instance", &with(Doc::license())).site("instance", ""),
    ]
}

/// One that was used yesterday and has no license, for whoever is named.
pub fn unused(name: &'static str) -> Site {
    Site::new(name, &Folder::new().state("/anchor", NOW - DAY))
}

/// Every one.
pub fn all() -> Vec<Site> {
    [unlicensed(), dated(), judged(), odd()].concat()
}
