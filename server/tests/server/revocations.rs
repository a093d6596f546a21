//! Revocation lists: signed, versioned, and never forgotten.

use crate::place::Place;
use crate::shop::{Shop, events, path};
use crate::support::client::{Answer, Client};
use crate::support::{BEGIN, Site};
use licentia_server::outbox::Outbox;
use licentia_server::store::{documents, licenses, products, withdrawn};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::sync::Arc;

fn list_path(shop: &Shop) -> String {
    format!("/api/v1/products/{}/revocations", shop.id())
}

fn list(shop: &Shop, client: &Client) -> Answer {
    let answer = client.get(&list_path(shop));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/jwt")));
    answer
}

fn version(answer: &Answer) -> i64 {
    answer.header("licentia-version").unwrap().parse().unwrap()
}

fn revoke(shop: &Shop, license: &Value) {
    shop.admin.delete(&path(license)).good();
}

/// Sets the licenses of a product back to what a backup without revocations has.
fn restore_older(site: &Site, gone: Option<&Value>) {
    use sea_orm::sea_query::Expr;
    site.wait(async {
        let tx = site.server.store.begin().await.unwrap();
        licenses::Entity::update_many()
            .col_expr(licenses::Column::RevokedAt, Expr::value(Option::<i64>::None))
            .exec(&tx)
            .await
            .unwrap();
        products::Entity::update_many()
            .col_expr(products::Column::RevocationsVersion, Expr::value(0_i64))
            .exec(&tx)
            .await
            .unwrap();
        documents::Entity::delete_many().exec(&tx).await.unwrap();
        if let Some(license) = gone {
            let id: Uuid = license["id"].as_str().unwrap().parse().unwrap();
            licenses::Entity::delete_by_id(id).exec(&tx).await.unwrap();
        }
        tx.commit().await.unwrap();
    });
}

both! {
    fn a_product_takes_the_list_and_never_unlearns_it(site: &Site) {
        let shop = Shop::open(site);
        let (one, two) = (shop.license(json!({})), shop.license(json!({})));
        let nobody = site.nobody();
        let empty = list(&shop, &nobody);
        assert_eq!(version(&empty), 1);
        let place = Place::new(site, &shop, "one");
        place.install(&one);
        place.open().apply(&empty.body).unwrap();
        assert!(place.open().allows("basic"));
        revoke(&shop, &two);
        let other = list(&shop, &nobody);
        place.open().apply(&other.body).unwrap();
        assert!(place.open().allows("basic"), "another license was revoked");
        site.clock.set(Some(BEGIN + 1));
        revoke(&shop, &one);
        let both = list(&shop, &nobody);
        assert!(version(&both) > version(&other) && version(&other) > version(&empty));
        place.open().apply(&both.body).unwrap();
        assert!(!place.open().allows("basic"));
        // An older list takes nothing back.
        place.open().apply(&other.body).unwrap_err();
        assert!(!place.open().allows("basic"));
        // It is the same for everybody, until it changes.
        let again = list(&shop, &nobody);
        assert_eq!((again.header("etag"), &again.body), (both.header("etag"), &both.body));
        let known = nobody.with("If-None-Match", both.header("etag").unwrap());
        let same = known.get(&list_path(&shop));
        assert_eq!((same.status, same.body.len()), (304, 0));
        assert_eq!(known.with("If-None-Match", "\"x\"").get(&list_path(&shop)).status, 200);
        nobody.get("/api/v1/products/x/revocations").refused(404, "not_found");
        // One is kept, and not one for each version.
        let kept = documents::Entity::find()
            .filter(documents::Column::Kind.eq(documents::REVOCATIONS));
        let kept = site.wait(async { kept.all(site.server.store.read()).await.unwrap() });
        assert_eq!(kept.len(), 1);
    }

    fn a_restored_backup_brings_nothing_back_to_life(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let (gone, good) = (shop.license(json!({})), shop.license(json!({})));
        revoke(&shop, &license);
        site.clock.set(Some(BEGIN + 1));
        revoke(&shop, &gone);
        let before = list(&shop, &site.nobody());
        let mut place = Place::new(site, &shop, "one");
        place.install(&good);
        place.open().apply(&before.body).unwrap();
        restore_older(site, Some(&gone));
        assert_eq!(shop.look(&license)["status"], "active", "that is what was restored");
        // A product that has a newer list says so, and the vendor hears of it once.
        let count = || events(site).iter().filter(|it| *it == "server.older_than_clients").count();
        place.do_it("sync", None);
        assert_eq!(count(), 1);
        place.pass(site, 60);
        place.do_it("sync", None);
        assert_eq!(count(), 1);
        let post = |client: &Client, body: &[u8]| {
            client.with("Content-Type", "application/jwt").raw("POST", &list_path(&shop), body)
        };
        post(&site.caller("issue sync read"), &before.body).refused(403, "forbidden");
        shop.admin.post(&list_path(&shop), json!({})).refused(415, "unsupported_media_type");
        let mut broken = before.body.clone();
        let middle = broken.len() / 2;
        broken[middle] ^= 1;
        post(&shop.admin, &broken).refused(422, "invalid_argument");
        let file = license["license_blob"].as_str().unwrap().as_bytes();
        post(&shop.admin, file).refused(422, "invalid_argument");
        let adopted = post(&shop.admin, &before.body).good();
        let counts = ["licenses", "revoked", "unknown"].map(|name| adopted[name].as_u64().unwrap());
        assert_eq!(counts, [2, 1, 1], "{adopted}");
        assert_eq!(shop.look(&license)["status"], "revoked");
        assert_eq!(shop.look(&good)["status"], "active");
        let after = list(&shop, &site.nobody());
        assert!(version(&after) > version(&before));
        assert_eq!(version(&after), adopted["version"].as_i64().unwrap());
        place.open().apply(&after.body).unwrap();
        let fresh = Place::new(site, &shop, "two");
        fresh.install(&gone);
        fresh.open().apply(&after.body).unwrap();
        assert!(!fresh.open().allows("basic"), "it is in the list, though not in the database");
        // Again it changes nothing.
        let again = post(&shop.admin, &after.body).good();
        assert_eq!((&again["revoked"], &again["version"]), (&json!(0), &adopted["version"]));
        let twice = events(site);
        assert_eq!(twice.iter().filter(|it| *it == "product.revocations_adopted").count(), 1);
    }

    fn lists_of_other_products_are_refused(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        revoke(&shop, &license);
        let mine = list(&shop, &site.nobody());
        let other = Shop::of(site.admin(), "other");
        let answer = site.admin().with("Content-Type", "application/jwt");
        answer.raw("POST", &list_path(&other), &mine.body).refused(422, "invalid_argument");
        let (_, key) = site.organization("Other");
        let stranger = site.nobody().with_key(&key).with("Content-Type", "application/jwt");
        stranger.raw("POST", &list_path(&shop), &mine.body).refused(404, "not_found");
    }

    fn a_stolen_key_has_the_list_signed_anew(site: &Site) {
        let shop = Shop::open(site);
        revoke(&shop, &shop.license(json!({})));
        let before = list(&shop, &site.nobody());
        let pair = shop.product["key_pair_id"].as_str().unwrap();
        let pair = shop.admin.get(&format!("/api/v1/key-pairs/{pair}")).good();
        let has = |key: &&Value| key["roles"].to_string().contains("server");
        let key = pair["keys"].as_array().unwrap().iter().find(has).unwrap();
        let (pair, key) = (pair["id"].as_str().unwrap(), key["id"].as_str().unwrap());
        // Also where the clock was ahead when the list was signed.
        site.clock.set(Some(BEGIN - 5));
        let path = format!("/api/v1/key-pairs/{pair}/keys/{key}/compromise");
        shop.admin.post(&path, json!({})).good();
        let after = list(&shop, &site.nobody());
        assert!(version(&after) > version(&before));
        let header = |answer: &Answer| answer.text().split_once('.').unwrap().0.to_string();
        assert_ne!(header(&after), header(&before));
    }

    fn a_list_is_signed_before_anybody_asks(site: &Site) {
        let shop = Shop::open(site);
        revoke(&shop, &shop.license(json!({})));
        let kept = || {
            let all = documents::Entity::find()
                .filter(documents::Column::Kind.eq(documents::REVOCATIONS));
            site.wait(async { all.all(site.server.store.read()).await.unwrap() })
        };
        assert!(kept().is_empty());
        let outbox = Outbox::new(Arc::clone(&site.server), 0);
        site.wait(outbox.sign_lists()).unwrap();
        assert_eq!(kept().len(), 1);
        assert_eq!(list(&shop, &site.nobody()).body, kept()[0].token.as_bytes());
    }

    fn a_hundred_thousand_fit_into_a_list(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let count = 100_000_u128;
        let product: Uuid = shop.id().parse().unwrap();
        site.wait(async {
            let tx = site.server.store.begin().await.unwrap();
            for start in (0..count).step_by(1000) {
                let rows = (start..(start + 1000).min(count)).map(|number| withdrawn::Model {
                    organization_id: site.organization,
                    product_id: product,
                    license_id: Uuid::from_u128(number << 64 | 7),
                    created_at: BEGIN,
                });
                withdrawn::add(&tx, rows.collect()).await.unwrap();
            }
            tx.commit().await.unwrap();
        });
        revoke(&shop, &license);
        let long = list(&shop, &site.nobody());
        assert!(long.body.len() > 2_500_000, "{}", long.body.len());
        let place = Place::new(site, &shop, "one");
        place.install(&license);
        place.open().apply(&long.body).unwrap();
        assert!(!place.open().allows("basic"));
        let admin = shop.admin.with("Content-Type", "application/jwt");
        let again = admin.raw("POST", &list_path(&shop), &long.body).good();
        assert_eq!(again["licenses"], 100_001);
    }
}
