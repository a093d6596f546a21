//! The example `desk`: the same business twice from one seed, and nothing in it that is not so.

#[path = "../../examples/desk/year/mod.rs"]
#[allow(dead_code, reason = "the example itself needs more of it")]
mod year;

use crate::support::client::{Answer, Client};
use crate::support::{MASTER_KEY, Site};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use licentia_server::api::Server;
use licentia_server::store::status::Status;
use licentia_server::store::{deliveries, events, figures, licenses, products};
use licentia_server::vault::Vault;
use licentia_server::webhooks::{Guard, Sender};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use year::Plan;
use zeroize::Zeroizing;

/// 2026-11-22 16:00 UTC, a Sunday.
const END: i64 = 1_795_363_200;

/// Lives through it on the database of a site, until the end.
fn lived(site: &Site) {
    let key = site.api_key(site.organization, "admin operator");
    let done = site.wait(async {
        let vault = Vault::new(&Zeroizing::new(MASTER_KEY));
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()], false);
        let server = Server::new(site.database().open().await, vault, site.clock.clone());
        let server = Arc::new(server.with_webhooks(Sender::new(guard)));
        year::live(&server, &key, Plan::small(END), |_| ()).await
    });
    let made = done.unwrap();
    assert!(made.licenses > 60 && made.machines > 10, "{made:?}");
    assert_eq!(site.clock.now(), END);
}

type Figure = (String, String, String, i64, i64);

/// Every figure: what it is of, by names and not by ids.
fn figures(site: &Site) -> BTreeSet<Figure> {
    let store = site.server.store.read();
    site.wait(async {
        let products = products::Entity::find().all(store).await.unwrap();
        let codes: BTreeMap<_, _> = products.into_iter().map(|row| (row.id, row.code)).collect();
        let all = figures::Entity::find().all(store).await.unwrap();
        let all = all
            .into_iter()
            .map(|row| (row.metric, codes[&row.product_id].clone(), row.label, row.day, row.value));
        all.collect()
    })
}

fn verifies(admin: &Client, row: &licenses::Model) -> Answer {
    let blob = STANDARD.encode(&row.token);
    let body = json!({ "license_blob": blob, "product_id": row.product_id });
    admin.post("/api/v1/licenses/verify", body)
}

/// Whether a list of numbers says anything.
fn says(numbers: &Value) -> bool {
    numbers.as_array().unwrap().iter().any(|number| number.as_i64().is_some_and(|it| it > 0))
}

fn check_reports(admin: &Client) {
    let told = admin.get("/api/v1/reports/overview").good();
    for number in [
        "/licenses/active",
        "/licenses/suspended",
        "/licenses/expired",
        "/licenses/revoked",
        "/ending/days_7",
        "/ending/days_90",
        "/created_30_days",
        "/activations",
        "/seats/in_use",
        "/seats/granted",
        "/syncs/today",
        "/syncs/hours_24",
        "/syncs/days_7",
    ] {
        assert!(told.pointer(number).unwrap().as_i64().unwrap() > 0, "{number}: {told}");
    }
    assert_eq!(told["products"].as_array().unwrap().len(), 4);
    for metric in licentia_server::reports::Metric::ALL {
        let told = admin.get(&format!("/api/v1/reports/series?metric={}", metric.word())).good();
        assert!(says(&told["values"]), "{told}");
    }
    let told = admin.get("/api/v1/reports/expiring").good();
    assert!(says(&told["ending"]["licenses"]) && says(&told["not_renewed"]["licenses"]), "{told}");
    let told = admin.get("/api/v1/reports/usage").good();
    let meters = told["meters"].as_array().unwrap();
    assert!(meters.len() >= 4, "{told}");
    for meter in meters {
        let feature = meter["feature"].as_str().unwrap();
        let told = admin.get(&format!("/api/v1/reports/usage?feature={feature}")).good();
        assert!(says(&told["meters"][0]["values"]), "{told}");
    }
}

both! {
    fn business_that_is_made_up_is_true(site: &Site) {
        lived(site);
        let admin = site.admin();
        // The same on another database, of one kind or the other.
        let other = Site::sqlite();
        lived(&other);
        let (made, again) = (figures(site), figures(&other));
        assert!(made.len() > 1_000, "{}", made.len());
        let differ: Vec<_> = made.symmetric_difference(&again).take(9).collect();
        assert!(differ.is_empty(), "{differ:?}");
        check_reports(&admin);
        let chain = admin.get("/api/v1/audit/verification").good();
        assert_eq!(chain["intact"], true, "{chain}");
        assert!(chain["checked"].as_i64().unwrap() > 80, "{chain}");
        let store = site.server.store.read();
        let (rows, sent, events) = site.wait(async {
            let rows = licenses::Entity::find().all(store).await.unwrap();
            let sent = deliveries::Entity::find().all(store).await.unwrap();
            (rows, sent, events::Entity::find().all(store).await.unwrap())
        });
        let mut seen = BTreeSet::new();
        for row in &rows {
            let status = Status::of(row, END).word();
            seen.insert(status);
            let told = verifies(&admin, row).good();
            assert_eq!(told["valid"], status == "active", "{}: {told}", row.serial);
        }
        assert_eq!(seen.len(), 4, "{seen:?}");
        let states: BTreeSet<_> = sent.iter().map(|row| row.state.as_str()).collect();
        assert_eq!(states, BTreeSet::from(["dead", "delivered", "waiting"]));
        assert!(events.iter().all(|row| row.created_at <= END && row.delivered_at.is_some()));
        assert!(events.iter().any(|row| row.kind == "activation.forked"
            || row.kind == "activation.clone_suspected"));
    }
}
