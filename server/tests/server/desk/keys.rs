//! Keys on the desk: those to ask with, and those that sign.

use super::kit::{Browser, Page};
use super::products::{HOSTILE, by_hand, is_text};
use crate::place::Place;
use crate::shop::{Shop, events};
use crate::support::Site;
use serde_json::{Value, json};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn api_keys(site: &Site) -> Vec<Value> {
    let all = site.admin().get("/api/v1/api-keys?per_page=100").good();
    all["api_keys"].as_array().unwrap().clone()
}

fn pair(site: &Site, id: &str) -> Value {
    site.admin().get(&format!("/api/v1/key-pairs/{id}")).good()
}

fn signing(pair: &Value, role: &str) -> Value {
    let mut all = pair["keys"].as_array().unwrap().iter();
    let found = all.find(|key| key["state"] == "active" && key["roles"][0] == role);
    found.unwrap_or_else(|| panic!("no {role} in {pair}")).clone()
}

/// What is shown once.
fn secret(page: &Page) -> String {
    let html = page.html();
    let (_, after) = html.split_once("id=\"secret\">").unwrap_or_else(|| panic!("{html}"));
    after.split_once('<').unwrap().0.to_string()
}

/// An Ed25519 key: the first test vector of RFC 8032, section 7.1.
const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
    -----END PRIVATE KEY-----\n";

both! {
    fn an_api_key_is_shown_once_and_does_what_it_is_for(site: &Site) {
        let mut admin = Browser::admin(site);
        let page = admin.open("/keys");
        page.says("No key pairs").says("you");
        let mut form = admin.open(&page.link("New API key")).form("/keys/api/new");
        assert_eq!(form.value("scopes"), "read");
        form.set("name", HOSTILE[0]);
        form.set("expires_at", "2026-03-01");
        form.fields.push(("scopes".into(), "issue".into()));
        let shown = admin.send_form(&form);
        shown.says("shown this once");
        is_text(&shown, HOSTILE[0]);
        assert_eq!(shown.answer.header("cache-control"), Some("no-store"));
        let key = secret(&shown);
        // Pressed twice, there is one, and it is not lost.
        assert_eq!(secret(&admin.send_form(&form)), key);
        let made = &api_keys(site)[0];
        assert_eq!((&made["name"], &made["scopes"]),
            (&json!(HOSTILE[0]), &json!(["read", "issue"])));
        assert_eq!((api_keys(site).len(), &made["expires_at"]),
            (2, &json!("2026-03-01T00:00:00Z")));
        let client = site.nobody().with_key(&key);
        client.get("/api/v1/products").good();
        client.get("/api/v1/api-keys").refused(403, "forbidden");
        let list = admin.open("/keys");
        is_text(&list, HOSTILE[0]);
        list.says("read, issue").says("2026-03-01 00:00").hides(&key[8..]);
        admin.open("/audit").hides(&key[8..]);
    }

    fn what_is_refused_of_an_api_key_is_still_in_the_form(site: &Site) {
        let mut admin = Browser::admin(site);
        let page = admin.open("/keys/api/new");
        page.hides("value=\"operator\"");
        for (typed, sentence) in [
            ([("name", " "), ("scopes", "read"), ("expires_at", "")], "name has 1 to 255"),
            ([("name", "a"), ("scopes", ""), ("expires_at", "")], "cannot be read"),
            ([("name", "a"), ("scopes", "sync"), ("expires_at", "2020-01-01")], "has passed"),
            ([("name", "a"), ("scopes", "sync"), ("expires_at", "soon")], "expires_at is a time"),
        ] {
            let again = admin.send(&page, "/keys/api/new", &typed);
            let status = again.answer.status;
            assert!(status == 422 && again.alert().contains(sentence), "{}", again.alert());
            let form = again.form("/keys/api/new");
            assert_eq!(form.value("name"), typed[0].1.trim());
            assert_eq!(form.value("expires_at"), typed[2].1);
        }
        let mut form = page.form("/keys/api/new");
        form.remove("scopes");
        form.set("name", "nothing");
        let again = admin.send_form(&form);
        assert!(again.alert().contains("at least one thing"), "{}", again.alert());
        // Nobody gives what they have not, also by hand.
        form.set("scopes", "operator");
        let again = admin.send_form(&form);
        again.is(403).says("has not the scope operator itself");
        assert_eq!(api_keys(site).len(), 1);
    }

    fn revoking_signs_out_whoever_has_signed_in_with_it(site: &Site) {
        let mut admin = Browser::admin(site);
        let other = site.api_key(site.organization, "admin");
        let mut second = Browser::of(site.nobody(), &other);
        second.open("/products");
        let rows = api_keys(site);
        let revoke = |row: &Value| format!("/keys/api/{}/revoke", text(&row["id"]));
        let page = admin.open(&revoke(&rows[0]));
        page.says("for ever").hides("You are signed in with it");
        let list = admin.send(&page, &revoke(&rows[0]), &[]);
        list.is(200).says("The API key is revoked").says("revoked 2026-01-15");
        assert!(!list.links().contains(&revoke(&rows[0])));
        assert!(second.get("/products").at.starts_with("/sign-in"));
        site.nobody().with_key(&other).get("/api/v1/products").refused(401, "unauthorized");
        // The last administrator's stays.
        let page = admin.open(&revoke(&rows[1]));
        page.says("You are signed in with it");
        let again = admin.send(&page, &revoke(&rows[1]), &[]);
        assert!(again.is(409).alert().contains("make another first"), "{}", again.alert());
        admin.open("/keys");
        site.api_key(site.organization, "admin");
        let page = admin.open(&revoke(&rows[1]));
        let out = admin.send(&page, &revoke(&rows[1]), &[]);
        assert!(out.at.starts_with("/sign-in"), "{}", out.at);
        assert!(admin.get("/keys").at.starts_with("/sign-in"));
    }

    fn a_key_pair_is_made_renamed_and_deleted(site: &Site) {
        let mut admin = Browser::admin(site);
        let page = admin.open("/keys/pairs/new");
        let made = admin.send(&page, "/keys/pairs/new", &[("name", HOSTILE[1])]);
        made.says("The key pair is made.").says("None: give it to a product");
        is_text(&made, HOSTILE[1]);
        let one = made.at.split('?').next().unwrap().to_string();
        let id = one.rsplit('/').next().unwrap();
        let before = pair(site, id);
        assert_eq!(before["keys"].as_array().unwrap().len(), 3);
        for key in before["keys"].as_array().unwrap() {
            made.says(text(&key["public_key"])).says(text(&key["kid"]));
        }
        is_text(&admin.open("/keys"), HOSTILE[1]);
        is_text(&admin.open("/products/new"), HOSTILE[1]);
        let page = admin.open(&one);
        let again = admin.send(&page, &one, &[("name", &"x".repeat(256))]);
        assert!(again.is(422).alert().contains("name has 1 to 255"), "{}", again.alert());
        assert_eq!(again.form(&one).value("name").len(), 256);
        site.clock.set(Some(site.clock.now() + 5));
        let renamed = admin.send(&page, &one, &[("name", "Main")]);
        renamed.is(200).says("has another name");
        assert_eq!(renamed.h1(), "Main");
        let after = pair(site, id);
        assert_eq!((&after["name"], &after["keys"], &after["epoch"]),
            (&json!("Main"), &before["keys"], &before["epoch"]));
        assert_ne!(after["updated_at"], before["updated_at"]);
        // What it is called already changes nothing.
        admin.send(&admin.clone().open(&one), &one, &[]).is(200);
        let kinds = events(site);
        assert_eq!(kinds.iter().filter(|kind| *kind == "key_pair.updated").count(), 1);
        let page = admin.open(&format!("{one}/delete"));
        page.says("its private keys are gone");
        admin.send(&page, &format!("{one}/delete"), &[]).is(200).says("The key pair was deleted.");
        admin.get(&one).is(404);
    }

    fn a_private_key_that_was_brought_is_never_sent_back(site: &Site) {
        let mut admin = Browser::admin(site);
        let page = admin.open("/keys/pairs/new");
        let typed = [("name", ""), ("private_key", PEM)];
        let again = admin.send(&page, "/keys/pairs/new", &typed);
        again.is(422).says("paste it once more").hides("MC4CAQ");
        let typed = [("name", "Old"), ("private_key", "-----BEGIN NONSENSE")];
        let again = admin.send(&page, "/keys/pairs/new", &typed);
        assert!(again.is(422).alert().contains("private_key"), "{}", again.alert());
        again.hides("BEGIN NONSENSE");
        assert_eq!(again.form("/keys/pairs/new").value("name"), "Old");
        let typed = [("name", "Old"), ("private_key", PEM)];
        let made = admin.send(&page, "/keys/pairs/new", &typed);
        made.is(200).says("key sets (root), licenses, what the server says").hides("MC4CAQ");
        let used = admin.send(&page, "/keys/pairs/new", &[("name", "B"), ("private_key", PEM)]);
        assert_eq!(used.answer.status, 422, "the same form with another body: {}", used.text());
    }

    fn what_is_done_to_keys_is_what_the_page_says(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        shop.license(json!({}));
        let id = text(&shop.product["key_pair_id"]).to_string();
        let one = format!("/keys/pairs/{id}");
        let place = Place::new(site, &shop, "one");
        place.do_it("activation", Some(text(&license["license_key"])));
        let mut admin = Browser::admin(site);
        admin.open(&one).says("My Application").says("signs");
        // In use, it stays.
        let page = admin.open(&format!("{one}/delete"));
        page.says("signs for 1 product, and stays");
        assert!(!page.has_form(&format!("{one}/delete")));
        let answer = admin.send_raw(&format!("{one}/delete"), &by_hand(&page));
        assert_eq!(answer.status, 409, "{}", answer.text());
        let before = pair(site, &id);
        let page = admin.open(&format!("{one}/rotate"));
        page.says("1 product with 2 active licenses").says("no customer has to do anything");
        admin.send(&page, &format!("{one}/rotate"), &[]).is(200).says("New keys sign from now on");
        let rotated = pair(site, &id);
        assert_eq!(rotated["keys"].as_array().unwrap().len(), 5);
        assert_ne!(signing(&rotated, "license"), signing(&before, "license"));
        assert_eq!(signing(&rotated, "root"), signing(&before, "root"));
        assert!(place.open().allows("basic"));
        let deed = |key: &Value, word: &str| format!("{one}/keys/{}/{word}", text(&key["id"]));
        let server = signing(&rotated, "server");
        let page = admin.open(&deed(&server, "retire"));
        page.says("a new key takes its place");
        admin.send(&page, &deed(&server, "retire"), &[]).is(200).says("signs nothing new");
        assert_ne!(signing(&pair(site, &id), "server"), server);
        let old = signing(&before, "license");
        let page = admin.open(&deed(&old, "compromise"));
        page.says("cannot be taken back").says("reissue the license").hides("It is the root");
        admin.send(&page, &deed(&old, "compromise"), &[]).is(200).says("in other hands");
        // Whoever is connected has one that is signed anew, and goes on.
        let token = |site: &Site| {
            let all = site.admin().get("/api/v1/activations").good();
            let one = text(&all["activations"][0]["id"]).to_string();
            site.admin().get(&format!("/api/v1/activations/{one}")).good()["token"].clone()
        };
        let signed = token(site);
        site.clock.set(Some(site.clock.now() + 60));
        place.do_it("keys", None);
        assert!(!place.open().allows("basic"));
        place.do_it("sync", None);
        assert_ne!(token(site), signed);
        assert!(place.open().allows("basic"));
        let root = signing(&rotated, "root");
        let page = admin.open(&one);
        assert!(!page.links().contains(&deed(&root, "retire")));
        let answer = admin.send_raw(&deed(&root, "retire"), &by_hand(&page));
        assert_eq!(answer.status, 409, "{}", answer.text());
        let page = admin.open(&deed(&root, "compromise"));
        page.says("It is the root").says("They learn of no new keys any more");
        admin.send(&page, &deed(&root, "compromise"), &[]).is(200).says("root in other hands");
        let page = admin.open(&format!("{one}/rotate"));
        let again = admin.send(&page, &format!("{one}/rotate"), &[]);
        assert!(again.is(409).alert().contains("take no new keys"), "{}", again.alert());
    }

    fn whoever_may_not_sees_what_is_public_and_can_do_nothing(site: &Site) {
        let shop = Shop::open(site);
        let id = text(&shop.product["key_pair_id"]).to_string();
        let one = format!("/keys/pairs/{id}");
        let key = signing(&pair(site, &id), "server");
        let key = format!("{one}/keys/{}", text(&key["id"]));
        let before = (pair(site, &id), api_keys(site).len());
        let mut reader = Browser::with_scopes(site, "read issue revoke sync catalog");
        let list = reader.open("/keys");
        list.says("keys of myapp").says("has the scope admin").hides("New API key");
        list.hides("New key pair").hides("Administrator");
        let page = reader.open(&one);
        for offer in [">Rotate<", ">Retire<", ">In other hands<", ">Delete<", ">Rename<"] {
            page.hides(offer);
        }
        let own = api_keys(site)[0]["id"].clone();
        let revoke = format!("/keys/api/{}/revoke", text(&own));
        reader.get(&revoke).is(403);
        let (retire, accuse) = (format!("{key}/retire"), format!("{key}/compromise"));
        let (rotate, delete) = (format!("{one}/rotate"), format!("{one}/delete"));
        let all = [&one, &rotate, &delete, &retire, &accuse, &revoke];
        let body = by_hand(&page);
        let more = ["/keys/api/new", "/keys/pairs/new"];
        for path in all.into_iter().map(String::as_str).chain(more) {
            let answer = reader.send_raw(path, &body);
            assert_eq!(answer.status, 403, "{path}: {}", answer.text());
        }
        let (_, theirs) = site.organization("Other");
        let mut other = Browser::of(site.nobody(), &theirs);
        other.open("/keys").hides("keys of myapp");
        let body = by_hand(&other.open("/keys"));
        for path in all {
            other.get(path).is(404).hides("keys of myapp");
            assert_eq!(other.send_raw(path, &body).status, 404, "{path}");
        }
        let after = (pair(site, &id), api_keys(site).len());
        assert_eq!((after.0, after.1), (before.0, before.1 + 1), "the reader's own key is new");
    }
}
