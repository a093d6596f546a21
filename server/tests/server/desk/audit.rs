//! The audit log on the desk.

use super::kit::Browser;
use crate::shop::{Shop, path};
use crate::support::Site;
use licentia_server::store::audit::{Column, Entity, open};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

/// Writes into an entry past the server.
fn tamper(site: &Site, seq: i64) {
    let change = Entity::update_many()
        .col_expr(Column::ActorName, Expr::value("somebody else"))
        .filter(Column::Seq.eq(seq));
    site.wait(async {
        let tx = site.server.store.begin().await.unwrap();
        open(&tx).await.unwrap();
        change.exec(&tx).await.unwrap();
        tx.commit().await.unwrap();
    });
}

both! {
    fn who_did_what_is_listed_and_searched(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let serial = license["serial"].as_str().unwrap();
        shop.admin.delete(&path(&license)).good();
        let mut admin = Browser::admin(site);
        let page = admin.open("/audit");
        page.says("license.revoked").says("product.created").says(serial).says("admin");
        page.says("Each entry is chained");
        let page = admin.open("/audit?action=license.revoked");
        page.says(serial).hides("product.created");
        assert!(page.link("Export as CSV").ends_with("/exports/audit?action=license.revoked"));
        let found = admin.open(&format!("/audit?search={}", serial.to_lowercase()));
        found.says("license.revoked").hides("product.created");
        admin.open("/audit?search=nothing-like-it").says("None is like that");
        // The last day is on the list.
        admin.open("/audit?from=2026-01-15&to=2026-01-15").says("license.revoked");
        admin.open("/audit?to=2026-01-14").says("None is like that");
        let wrong = admin.open("/audit?from=x&actor=a%20b");
        assert!(!wrong.alert().is_empty());
        assert_eq!(wrong.form("/audit").value("actor"), "a b");
    }

    fn after_a_last_page_that_is_full_no_next_one_is_offered(site: &Site) {
        let mut admin = Browser::admin(site);
        let count = || {
            let all = site.admin().get("/api/v1/audit?per_page=100").good();
            all["entries"].as_array().unwrap().len()
        };
        let make = || {
            let pair = json!({ "name": format!("pair {}", count()) });
            site.admin().post("/api/v1/key-pairs", pair).good();
        };
        while count() < 20 {
            make();
        }
        admin.open("/audit").says("desk.signed_in").hides("Next page");
        make();
        let page = admin.open("/audit");
        page.hides("desk.signed_in");
        let last = admin.open(&page.link("Next page"));
        last.says("desk.signed_in").says("First page").hides("Next page");
    }

    fn an_entry_says_what_was_before(site: &Site) {
        let shop = Shop::open(site);
        let product = format!("/api/v1/products/{}", shop.id());
        shop.admin.put(&product, json!({ "name": "<b>New</b>" })).good();
        let mut admin = Browser::admin(site);
        let page = admin.open("/audit?action=product.updated");
        let entry = page.links().into_iter().find(|to| {
            to.strip_prefix("/audit/").is_some_and(|seq| seq.parse::<u32>().is_ok())
        });
        let page = admin.open(&entry.unwrap());
        page.says("My Application").says("<b>New</b>").hides("<b>");
        let before = admin.open(&page.link("Entry before"));
        before.says("product.created");
        for none in ["/audit/0", "/audit/999", "/audit/x", "/audit/-1"] {
            assert!(admin.get(none).answer.status >= 400, "{none}");
        }
        let (_, key) = site.organization("Other");
        let mut other = Browser::of(site.nobody(), &key);
        assert!(!other.open("/audit").html().contains("My Application"));
    }

    fn the_chain_is_verified_and_a_break_is_shown(site: &Site) {
        let shop = Shop::open(site);
        for _ in 0..3 {
            shop.license(json!({}));
        }
        let mut admin = Browser::admin(site);
        let log = admin.open("/audit");
        let verify = log.link("Verify the chain");
        admin.open(&verify).says("Intact up to no. 6: 6 entries were checked");
        tamper(site, 3);
        let page = admin.open(&verify);
        page.says("Broken at no. 3").hides("Intact");
        assert_eq!(page.link("Look at the entry"), "/audit/3");
    }
}
