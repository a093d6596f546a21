//! Products and policies on the desk.

use super::kit::{Browser, Page, encoded};
use crate::shop::{Shop, path};
use crate::support::Site;
use licentia::Product;
use serde_json::{Value, json};

/// Names that do harm where somebody is careless.
pub const HOSTILE: [&str; 4] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>' autofocus onfocus='alert(1)",
    "\u{202e}gpj.exe \u{2066}{{7*7}} ${x}",
    "&lt;b&gt; &amp;",
];

/// Asserts that a name stands on a page as a text, and as nothing else.
#[track_caller]
pub fn is_text(page: &Page, name: &str) {
    page.is(200).says(&name.split_whitespace().collect::<Vec<_>>().join(" "));
    page.hides("<script>alert").hides("<img").hides("' autofocus onfocus='");
}

/// What is sent where no form is offered: as somebody does who writes it by hand.
pub fn by_hand(page: &Page) -> String {
    let csrf = page.form("/sign-out").value("csrf").to_string();
    encoded(&[("csrf", csrf.as_str()), ("name", "By hand"), ("code", "hand"), ("scopes", "read")])
}

fn pair(site: &Site) -> String {
    let pair = site.admin().post("/api/v1/key-pairs", json!({ "name": "Main" })).good();
    pair["id"].as_str().unwrap().to_string()
}

fn id_of(page: &Page) -> String {
    page.at.split(['/', '?']).nth(2).unwrap().to_string()
}

fn total(site: &Site, what: &str) -> Value {
    site.admin().get(&format!("/api/v1/{what}")).good()["total"].clone()
}

both! {
    fn one_is_made_looked_at_changed_and_deleted(site: &Site) {
        let pair = pair(site);
        let mut admin = Browser::admin(site);
        let list = admin.open("/products");
        list.says("No products yet");
        let page = admin.open(&list.link("New product"));
        let mut form = page.form("/products/new");
        assert_eq!(form.value("default_valid_days"), "365");
        for (name, value) in [
            ("name", "My Application"),
            ("code", "myapp"),
            ("key_pair_id", pair.as_str()),
            ("description", "Two\nlines"),
            ("default_features", "basic, help\n export"),
            ("default_valid_days", "30"),
        ] {
            form.set(name, value);
        }
        let made = admin.send_form(&form);
        made.is(200).says("The product is made.").says("30 days").says("Main");
        assert_eq!(made.h1(), "My Application");
        let one = format!("/products/{}", id_of(&made));
        let known = site.admin().get(&format!("/api/v1{one}")).good();
        assert_eq!(known["default_features"], json!(["basic", "help", "export"]));
        assert_eq!((&known["description"], &known["revocations_version"]),
            (&json!("Two\nlines"), &json!(0)));
        // Pressed twice, there is one.
        assert_eq!(id_of(&admin.send_form(&form)), id_of(&made));
        assert_eq!(total(site, "products"), 1);
        // What it has to be built with is what the API says, and a program takes it.
        let keys = site.admin().get(&format!("/api/v1{one}/public-key")).good();
        made.says(keys["kid"].as_str().unwrap()).says(keys["short"].as_str().unwrap());
        let file = admin.ask("GET", &format!("{one}/keys.json"), None);
        assert_eq!(file.header("content-disposition"),
            Some("attachment; filename=\"myapp-keys.json\""));
        assert_eq!(serde_json::from_slice::<Value>(&file.body).unwrap(), keys["keys"]);
        Product::new("myapp", &file.text()).unwrap();
        for link in made.links().iter().filter(|link| link.starts_with("/api/")) {
            assert_eq!(admin.ask("GET", link, None).status, 200, "{link}");
        }
        let page = admin.open(&format!("{one}/edit"));
        let same = admin.send(&page, &format!("{one}/edit"), &[]);
        same.is(200).says("The product was changed.");
        let now = site.admin().get(&format!("/api/v1{one}")).good();
        assert_eq!(now, known, "a form that nobody touched changes nothing");
        let page = admin.open(&format!("{one}/edit"));
        let typed = [("name", "Other"), ("description", ""), ("default_features", "")];
        admin.send(&page, &format!("{one}/edit"), &typed).is(200).says("Other");
        let now = site.admin().get(&format!("/api/v1{one}")).good();
        assert_eq!((&now["name"], &now["description"]), (&json!("Other"), &Value::Null));
        assert_eq!(now["default_features"], json!([]));
        let page = admin.open(&format!("{one}/delete"));
        page.says("gone for ever");
        let list = admin.send(&page, &format!("{one}/delete"), &[]);
        list.is(200).says("The product was deleted.").says("No products yet");
        admin.get(&one).is(404);
    }

    fn what_is_refused_is_still_in_the_form(site: &Site) {
        let shop = Shop::open(site);
        let mut admin = Browser::admin(site);
        let page = admin.open("/products/new");
        let typed =
            [("name", "A & B <i>"), ("description", "</textarea>x"), ("code", "Not a code")];
        let days = "Valid for is a whole number";
        for (more, status, sentence) in [
            (("default_valid_days", "365"), 422, "code has 1 to 100"),
            (("default_valid_days", "ten"), 422, days),
            (("default_valid_days", "36526"), 422, "code has 1 to 100"),
            (("default_features", "ok NOT-OK"), 422, "code has 1 to 100"),
            (("code", "myapp"), 422, "a product with the code myapp"),
            (("key_pair_id", "019b0000-0000-7000-8000-000000000000"), 422, "code has"),
        ] {
            let mut typed = typed.to_vec();
            typed.push(more);
            let again = admin.send(&page, "/products/new", &typed);
            again.is(status).hides("</textarea>x").hides("<i>");
            assert!(again.alert().contains(sentence), "{}", again.alert());
            let form = again.form("/products/new");
            for (name, value) in typed.iter().rev().take(1).chain(&typed[..2]) {
                let kept = form.value(name);
                assert!(kept == *value || *name == "key_pair_id", "{name}: {kept}");
            }
            // Another press is another try.
            assert_ne!(form.value("once"), page.form("/products/new").value("once"));
        }
        assert_eq!(total(site, "products"), 1, "{}", shop.product);
    }

    fn one_with_licenses_stays_and_so_do_its_code_and_keys(site: &Site) {
        let shop = Shop::open(site);
        shop.license(json!({}));
        let one = format!("/products/{}", shop.id());
        let mut admin = Browser::admin(site);
        let page = admin.open(&one);
        let active = format!("/licenses?product_id={}&status=active", shop.id());
        assert!(page.links().contains(&active));
        let page = admin.open(&format!("{one}/delete"));
        page.says("has 1 license, and stays");
        assert!(!page.has_form(&format!("{one}/delete")));
        let body = by_hand(&page);
        let answer = admin.send_raw(&format!("{one}/delete"), &body);
        assert_eq!(answer.status, 409);
        assert!(answer.text().contains("The product has 1 licenses"), "{}", answer.text());
        let page = admin.open(&format!("{one}/edit"));
        page.says("the programs that are out know the product by it");
        let again = admin.send(&page, &format!("{one}/edit"), &[("code", "other")]);
        assert!(again.is(422).alert().contains("both stay"), "{}", again.alert());
        assert_eq!(again.form(&format!("{one}/edit")).value("code"), "other");
        assert_eq!(site.admin().get(&format!("/api/v1{one}")).good(), shop.product);
    }

    fn names_are_texts(site: &Site) {
        let long = "ÄÖ😀".repeat(85);
        let mut admin = Browser::admin(site);
        for (at, name) in HOSTILE.into_iter().chain([long.as_str()]).enumerate() {
            let page = admin.open("/products/new");
            let code = format!("hostile-{at}");
            let typed = [("name", name), ("code", code.as_str()), ("description", name)];
            let made = admin.send(&page, "/products/new", &typed);
            is_text(&made, name);
            assert_eq!(made.h1(), name);
            let one = format!("/products/{}", id_of(&made));
            let edit = format!("{one}/edit");
            assert_eq!(admin.open(&edit).form(&edit).value("name"), name);
            for path in ["/products", &format!("{one}/delete")] {
                is_text(&admin.open(path), name);
            }
            let policy = json!({ "name": name, "product_id": id_of(&made) });
            let policy = site.admin().post("/api/v1/policies", policy).good();
            is_text(&admin.open("/policies"), name);
            is_text(&admin.open(&one), name);
            let delete = format!("/policies/{}/delete", policy["id"].as_str().unwrap());
            is_text(&admin.open(&delete), name);
        }
    }

    fn whoever_may_only_read_is_offered_nothing(site: &Site) {
        let shop = Shop::open(site);
        let policy = json!({ "name": "Trial", "product_id": shop.id() });
        let policy = site.admin().post("/api/v1/policies", policy).good();
        let (one, policy) = (
            format!("/products/{}", shop.id()),
            format!("/policies/{}", policy["id"].as_str().unwrap()),
        );
        let mut reader = Browser::with_scopes(site, "read issue revoke sync");
        let pages = ["/products", &one, "/policies", &policy];
        for path in pages {
            let page = reader.open(path);
            for offer in ["New product", "New policy", ">Change<", ">Delete<", ">Save<"] {
                page.hides(offer);
            }
        }
        let body = by_hand(&reader.open("/products"));
        for path in ["/products/new", &format!("{one}/edit"), &format!("{one}/delete"),
            "/policies/new", &policy, &format!("{policy}/delete")]
        {
            let answer = reader.send_raw(path, &body);
            assert_eq!(answer.status, 403, "{path}");
            assert!(answer.text().contains("use one with the scope catalog"), "{path}");
        }
        assert_eq!((total(site, "products"), total(site, "policies")), (json!(1), json!(1)));
        assert_eq!(site.admin().get(&format!("/api/v1{one}")).good(), shop.product);
    }

    fn what_is_another_organizations_is_not_there(site: &Site) {
        let (_, key) = site.organization("Other");
        let theirs = Shop::of(site.nobody().with_key(&key), "theirs");
        let policy = json!({ "name": "Secret policy", "product_id": theirs.id() });
        let policy = theirs.admin.post("/api/v1/policies", policy).good();
        let mut admin = Browser::admin(site);
        let (one, policy) = (
            format!("/products/{}", theirs.id()),
            format!("/policies/{}", policy["id"].as_str().unwrap()),
        );
        let edit = format!("{one}/edit");
        let delete = format!("{one}/delete");
        let keys = format!("{one}/keys.json");
        for path in [&one, &edit, &delete, &keys, &policy, &format!("{policy}/delete")] {
            admin.get(path).is(404).hides("theirs").hides("Secret policy");
        }
        for path in ["/products", "/policies", "/products/new", "/policies/new"] {
            admin.open(path).hides("theirs").hides("Secret policy");
        }
        let body = by_hand(&admin.open("/products"));
        for path in [&edit, &delete, &policy, &format!("{policy}/delete")] {
            assert_eq!(admin.send_raw(path, &body).status, 404, "{path}");
        }
        assert_eq!(theirs.admin.get(&format!("/api/v1{one}")).good(), theirs.product);
        // What is no id leads nowhere else.
        for path in ["/products/x", "/products/..%2Flicenses", "/policies/a%3Fb", "/seats/x/free"] {
            admin.get(path).is(404);
        }
    }

    fn a_policy_is_what_its_form_says(site: &Site) {
        let shop = Shop::open(site);
        let mut admin = Browser::admin(site);
        let page = admin.open(&format!("/products/{}", shop.id()));
        let page = admin.open(&page.link("New policy"));
        let mut form = page.form("/policies/new");
        assert_eq!(form.value("product_id"), shop.id());
        for (name, value) in [
            ("do", "save"), ("name", "Site"), ("license_type", "floating"), ("valid_days", "90"),
            ("max_seats", "50"), ("max_machines", "60"), ("features", "pro, api"), ("tier", "Gold"),
            ("sync_days", "14"), ("refresh_days", "7"), ("token_days", "30"),
            ("borrow_days", "10"), ("ended_read_only", "5"), ("ended_deny", "15"),
            ("overdue_then", "never"), ("notice_license", "30"), ("bind", "installation"),
            ("metadata", "plan = gold\ncount = 5"),
        ] {
            form.set(name, value);
        }
        form.fields.retain(|(name, _)| !name.starts_with("f_"));
        for (name, value) in [
            ("f_id", "exports"), ("f_name", "Exports"), ("f_meter", "month"), ("f_days", ""),
            ("f_max", "100"), ("f_over", "10"), ("f_then", "count"),
        ] {
            form.fields.push((name.into(), value.into()));
        }
        let made = admin.send_form(&form);
        made.is(200).says("The policy is made.").says("Site").says("90 days");
        let all = site.admin().get("/api/v1/policies").good()["policies"].clone();
        let policy = &all[0];
        assert_eq!(policy["entitlements"][0], json!({ "id": "exports", "name": "Exports",
            "meter": "count", "per": "month", "max": 100, "over": 10, "then": "count" }));
        assert_eq!(policy["features"], json!(["pro", "api"]));
        assert_eq!(policy["terms"], json!({
            "tier": "Gold", "sync_days": 14, "refresh_days": 7, "token_days": 30,
            "borrow_days": 10, "notice": { "license": 30 }, "bind": { "to": "installation" },
            "stages": { "ended": { "read_only": 5, "deny": 15 }, "overdue": {} },
            "metadata": { "plan": "gold", "count": 5 },
        }));
        assert_eq!((&policy["license_type"], &policy["max_machines"]),
            (&json!("floating"), &json!(60)));
        // Licenses are made from it, and stay as they are.
        let license = shop.license(json!({ "policy_id": policy["id"] }));
        let one = format!("/policies/{}", policy["id"].as_str().unwrap());
        let page = admin.open(&one);
        admin.send(&page, &one, &[("do", "save")]).is(200).says("The policy was changed.");
        assert_eq!(&site.admin().get(&format!("/api/v1{one}")).good(), policy);
        let page = admin.open(&one);
        let refused = admin.send(&page, &one, &[("do", "save"), ("token_days", "3")]);
        assert!(refused.is(422).alert().contains("terms.token_days"), "{}", refused.alert());
        assert_eq!(refused.form(&one).value("token_days"), "3");
        let empty = [("do", "save"), ("features", ""), ("tier", ""), ("ended_read_only", ""),
            ("ended_deny", ""), ("overdue_then", ""), ("max_machines", ""), ("product_id", "")];
        let list = admin.send(&page, &one, &empty);
        list.is(200).says("The policy was changed.").says("any product");
        let now = site.admin().get(&format!("/api/v1{one}")).good();
        assert_eq!((&now["product_id"], now.get("features"), now.get("max_machines")),
            (&Value::Null, None, None));
        assert_eq!((now["terms"].get("tier"), now["terms"].get("stages")), (None, None));
        assert_eq!(now["terms"]["sync_days"], 14);
        let page = admin.open(&format!("{one}/delete"));
        page.says("stay exactly as they are");
        let list = admin.send(&page, &format!("{one}/delete"), &[]);
        list.is(200).says("The policy was deleted.").says("No policies");
        let after = site.admin().get(&path(&license)).good();
        assert_eq!(after["terms"], license["terms"]);
    }

    fn products_of_a_key_pair_are_found(site: &Site) {
        let (one, other) = (Shop::open(site), Shop::of(site.admin(), "other"));
        let pair = one.product["key_pair_id"].as_str().unwrap();
        let found = site.admin().get(&format!("/api/v1/products?key_pair_id={pair}")).good();
        assert_eq!(found["products"], json!([one.product]));
        assert_eq!((&found["total"], total(site, "products")), (&json!(1), json!(2)));
        let nobodys = "019b0000-0000-7000-8000-000000000000";
        let found = site.admin().get(&format!("/api/v1/products?key_pair_id={nobodys}")).good();
        assert_eq!((&found["total"], &found["products"]), (&json!(0), &json!([])));
        assert_ne!(other.product["key_pair_id"], one.product["key_pair_id"]);
    }
}
