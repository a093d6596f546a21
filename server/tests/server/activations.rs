//! Activations: one machine each, never more than there are, whoever asks and however often.

use crate::place::Place;
use crate::shop::{Shop, events, path};
use crate::support::Site;
use licentia::issue::{InstallationKey, Licensed, Request};
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

/// A request that no folder stands behind: for what an honest product does not do.
pub fn forged(license: &Value, token_id: &str, installation: Uuid, what: &str) -> Request {
    Request {
        what: what.into(),
        product: license["product_code"].as_str().unwrap().into(),
        installation: installation.to_string(),
        nonce: "nonce".into(),
        sdk: "test/1".into(),
        at: crate::support::BEGIN,
        machine: None,
        license: Some(Licensed {
            id: license["id"].as_str().unwrap().into(),
            token_id: token_id.into(),
        }),
        key: None,
        seat: None,
        sync: None,
        signer: None,
    }
}

pub fn seed(number: u8) -> InstallationKey {
    InstallationKey::from_seed(&[number; 32]).unwrap()
}

pub fn token_id(shop: &Shop, license: &Value) -> String {
    shop.claims(license)["jti"].as_str().unwrap().to_string()
}

both! {
    fn a_license_key_becomes_a_license_that_is_bound_here(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "license_type": "subscription", "max_seats": 2 }));
        let key = license["license_key"].as_str().unwrap();
        let place = Place::new(site, &shop, "one");
        let answer = place.do_it("activation", Some(&key.to_lowercase()));
        assert_eq!((&answer["status"], &answer["what"]), (&json!("ok"), &json!("activation")));
        assert!(place.open().allows("basic"));
        let said = Place::said(&answer);
        assert_eq!(said["activation"], answer["activation_id"]);
        assert_eq!(said["license_id"], license["id"]);
        // Asked again, it is the same one, with the same token.
        let again = place.do_it("activation", Some(key));
        assert_eq!(again["activation_id"], answer["activation_id"]);
        assert_eq!(Place::said(&again)["license"], said["license"]);
        assert!(Place::said(&again)["seq"].as_u64() > said["seq"].as_u64());
        let list = shop.admin.get("/api/v1/activations").good();
        assert_eq!(list["total"], 1, "{list}");
        let seen = events(site);
        let count = |kind: &str| seen.iter().filter(|it| *it == kind).count();
        assert_eq!((count("activation.created"), count("license.activated")), (1, 1));
        // What it has is good nowhere else.
        let other = Place::new(site, &shop, "two");
        let token: String = said["license"].as_array().unwrap().iter()
            .map(|piece| piece.as_str().unwrap()).collect();
        assert!(other.open().apply(token.as_bytes()).is_err());
    }

    fn the_same_license_by_mail_is_activated_and_renewed(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({
            "license_type": "node_locked", "valid_days": 30,
            "terms": { "refresh_days": 10, "token_days": 20 },
        }));
        let mut place = Place::new(site, &shop, "one");
        place.install(&license);
        let answer = place.do_it("activation", None);
        let first = Place::said(&answer)["license"].clone();
        assert!(first.is_array());
        assert_eq!(Place::said(&place.do_it("license", None))["license"], first);
        place.pass(site, 3600);
        let renewed = place.do_it("renewal", None);
        assert_eq!(renewed["activation_id"], answer["activation_id"]);
        assert_ne!(Place::said(&renewed)["license"], first);
        // It is not lost to whoever has only an earlier token.
        let old = Place { folder: tempfile::tempdir().unwrap(), ..place.copy() };
        old.install(&license);
        assert_eq!(old.ask("renewal", None).status, 200, "the same machine");
    }

    fn only_as_many_machines_as_the_license_has(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "max_seats": 2 }));
        let key = license["license_key"].as_str().unwrap();
        let places: Vec<Place> =
            ["one", "two", "three"].map(|name| Place::new(site, &shop, name)).into();
        places[0].do_it("activation", Some(key));
        places[1].do_it("activation", Some(key));
        let sentence = places[2].ask("activation", Some(key)).refused(409, "no_machine");
        assert!(sentence.contains("All 2 machines"), "{sentence}");
        // A new folder on a machine that has it takes over, and takes no machine.
        let anew = Place::new(site, &shop, "two");
        let answer = anew.do_it("activation", Some(key));
        assert!(events(site).contains(&"activation.replaced".to_string()));
        let all = shop.admin.get(&format!("{}/activations", path(&license))).good();
        assert_eq!(all["total"], 3);
        let active = shop.admin.get(&format!("{}/activations?active=true", path(&license))).good();
        assert_eq!(active["total"], 2, "{active}");
        places[2].ask("activation", Some(key)).refused(409, "no_machine");
        // The vendor frees one.
        let one = format!("/api/v1/activations/{}", answer["activation_id"].as_str().unwrap());
        let freed = site.caller("revoke").delete(&one).good();
        assert_eq!((&freed["active"], &freed["deactivated_by"]), (&json!(false), &json!("vendor")));
        assert_eq!(shop.admin.delete(&one).good(), freed);
        assert_eq!(shop.admin.get(&one).good(), freed);
        places[2].do_it("activation", Some(key));
        let kinds = events(site);
        assert_eq!(kinds.iter().filter(|kind| *kind == "activation.deactivated").count(), 1);
        site.caller("read sync issue catalog").delete(&one).refused(403, "forbidden");
        site.nobody().delete(&one).refused(401, "unauthorized");
    }

    fn a_machine_gives_its_license_back_so_often_and_no_oftener(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "terms": { "max_transfers": 2 } }));
        let key = license["license_key"].as_str().unwrap();
        for (at, name) in ["one", "two", "three"].into_iter().enumerate() {
            let place = Place::new(site, &shop, name);
            place.do_it("activation", Some(key));
            let request = place.request("deactivation", None);
            if at == 2 {
                place.post(&request).refused(409, "no_transfer");
                assert!(place.open().allows("basic"));
                continue;
            }
            // The first answer is lost: the same request gets another, and counts once.
            place.post(&request).good();
            let answer = place.post(&request).good();
            place.open().apply(answer["answer"].as_str().unwrap().as_bytes()).unwrap();
            assert!(!place.open().allows("basic"));
            place.open().request("deactivation", None).unwrap_err();
        }
    }

    fn a_request_that_freed_a_machine_does_not_free_it_again(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let key = license["license_key"].as_str().unwrap();
        let place = Place::new(site, &shop, "one");
        place.do_it("activation", Some(key));
        let first = place.request("deactivation", None);
        place.post(&first).good();
        place.do_it("activation", Some(key));
        // Somebody has kept what the customer sent, and sends it again.
        let sentence = place.post(&first).refused(409, "conflict");
        assert!(sentence.contains("make a new one"), "{sentence}");
        assert!(place.open().allows("basic"));
        let active = shop.admin.get(&format!("{}/activations?active=true", path(&license))).good();
        assert_eq!(active["total"], 1, "{active}");
        let second = place.request("deactivation", None);
        place.post(&second).good();
        place.do_it("activation", Some(key));
        for kept in [&first, &second] {
            place.post(kept).refused(409, "conflict");
        }
    }

    fn a_report_from_another_machine_does_not_move_the_license_there(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "terms": { "max_transfers": 0 } }));
        let key = license["license_key"].as_str().unwrap();
        let one = Place::new(site, &shop, "one");
        one.do_it("activation", Some(key));
        // The same folder somewhere else: it may report, and is not at home there.
        let two = Place { machine: "two".into(), ..one.copy() };
        two.ask("sync", None).good();
        two.ask("activation", Some(key)).refused(409, "no_transfer");
        one.ask("sync", None).good();
        one.do_it("activation", Some(key));
    }

    fn a_license_that_was_mailed_around_speaks_for_no_installation(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "max_seats": 2 }));
        let place = Place::new(site, &shop, "one");
        place.install(&license);
        let answer = place.do_it("activation", None);
        let said = Place::said(&answer);
        let installation: Uuid = said["installation"].as_str().unwrap().parse().unwrap();
        let token_id = token_id(&shop, &license);
        for what in ["deactivation", "renewal", "sync", "clock", "activation", "license"] {
            let forged = forged(&license, &token_id, installation, what);
            let text = forged.to_signed_text(&seed(9)).unwrap();
            place.post(&text).refused(403, "bad_signature");
            place.post(&forged.to_text().unwrap()).refused(403, "bad_signature");
        }
        // An installation of its own has nothing to end.
        let own = forged(&license, &token_id, Uuid::new_v4(), "deactivation");
        place.post(&own.to_signed_text(&seed(9)).unwrap()).refused(404, "not_found");
        let list = shop.admin.get("/api/v1/activations?active=true").good();
        assert_eq!(list["total"], 1);
        assert_eq!(list["activations"][0]["installation"], said["installation"]);
    }

    fn a_machine_that_is_activated_needs_no_token_that_is_still_known(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let (here, token_id) = (Uuid::new_v4(), token_id(&shop, &license));
        let ask = |installation: Uuid, token_id: &str, what: &str, key: u8| {
            let request = forged(&license, token_id, installation, what);
            let text = request.to_signed_text(&seed(key)).unwrap();
            site.nobody().post("/api/v1/requests", json!({ "request": text }))
        };
        ask(here, &token_id, "activation", 1).good();
        // A token that was signed under a master key that is gone: its id proves nothing any more.
        for what in ["renewal", "activation", "deactivation"] {
            ask(here, "of long ago", what, 2).refused(404, "not_found");
            ask(Uuid::new_v4(), "of long ago", what, 1).refused(404, "not_found");
            ask(here, "of long ago", what, 1).good();
        }
        // The machine is free: it proves nothing either.
        ask(here, "of long ago", "activation", 1).refused(404, "not_found");
        ask(here, &token_id, "activation", 1).good();
    }

    fn nobody_is_told_which_licenses_there_are(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let other = Shop::of(site.nobody().with_key(&site.organization("Other").1), "other");
        let foreign = other.license(json!({}));
        let good = token_id(&shop, &license);
        let ask = |license: &Value, token_id: &str, product: Option<&str>| {
            let mut request = forged(license, token_id, Uuid::new_v4(), "activation");
            if let Some(product) = product {
                request.product = product.into();
            }
            let text = request.to_signed_text(&seed(1)).unwrap();
            let asked = site.nobody().with("X-Request-Id", "same");
            asked.post("/api/v1/requests", json!({ "request": text }))
        };
        let mut unknown = license.clone();
        unknown["id"] = json!(Uuid::new_v4());
        let wanted = ask(&unknown, &good, None);
        wanted.refused(404, "not_found");
        for answer in [
            ask(&license, "guess", None),
            ask(&license, &good, Some("other")),
            ask(&foreign, &good, None),
            ask(&foreign, "guess", None),
        ] {
            assert_eq!(answer.body, wanted.body, "{}", answer.text());
        }
        let mut key = forged(&license, &good, Uuid::new_v4(), "activation");
        for typed in ["wrong", "0000-0000-0000-0000-0000-0000-0000"] {
            (key.license, key.key) = (None, Some(typed.into()));
            let asked = site.nobody().with("X-Request-Id", "same");
            let text = key.to_signed_text(&seed(1)).unwrap();
            let answer = asked.post("/api/v1/requests", json!({ "request": text }));
            assert_eq!(answer.body, wanted.body, "{}", answer.text());
        }
        assert_eq!(ask(&license, &good, None).status, 200);
        // Nor which activations.
        let id = shop.admin.get("/api/v1/activations").good()["activations"][0]["id"].clone();
        let path = format!("/api/v1/activations/{}", id.as_str().unwrap());
        let asked = other.admin.with("X-Request-Id", "same");
        let foreign = asked.get(&path);
        foreign.refused(404, "not_found");
        assert_eq!(asked.delete(&path).body, foreign.body);
        assert_eq!(asked.get("/api/v1/activations/x").body, foreign.body);
        assert_eq!(other.admin.get("/api/v1/activations").good()["total"], 0);
        let of = format!("{}/activations", crate::shop::path(&license));
        other.admin.get(&of).refused(404, "not_found");
    }

    fn a_license_that_is_not_good_is_told_so_and_takes_no_machine(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "valid_days": 1 }));
        let key = license["license_key"].as_str().unwrap();
        let mut place = Place::new(site, &shop, "one");
        let suspended = format!("{}/suspend", path(&license));
        shop.admin.post(&suspended, json!({})).good();
        let answer = place.ask("activation", Some(key)).good();
        assert_eq!(answer["status"], "suspended");
        assert_eq!(answer["activation_id"], Value::Null);
        assert_eq!(Place::said(&answer)["license"], Value::Null);
        shop.admin.post(&format!("{}/reinstate", path(&license)), json!({})).good();
        place.pass(site, 2 * 86_400);
        assert_eq!(place.ask("activation", Some(key)).good()["status"], "expired");
        shop.admin.delete(&path(&license)).good();
        let answer = place.ask("activation", Some(key)).good();
        assert_eq!(answer["status"], "revoked");
        assert!(answer["message"].as_str().unwrap().contains("revoked"));
        assert_eq!(shop.admin.get("/api/v1/activations").good()["total"], 0);
    }

    fn a_request_by_hand_gets_the_answer_of_a_connected_product(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "max_seats": 2 }));
        let place = Place::new(site, &shop, "one");
        place.install(&license);
        let request = place.request("activation", None);
        let by_hand = site.nobody().post("/api/v1/activations", json!({ "request": request }));
        assert_eq!(by_hand.status, 201, "{}", by_hand.text());
        let id = by_hand.good()["activation_id"].as_str().unwrap().to_string();
        assert_eq!(by_hand.header("location"), Some(&*format!("/api/v1/activations/{id}")));
        // Lines broken by a mail program, as a text.
        let broken: String = request.as_bytes().chunks(60)
            .map(|line| format!("{}\r\n", std::str::from_utf8(line).unwrap())).collect();
        let text = site.nobody().with("Content-Type", "text/plain; charset=utf-8");
        let again = text.raw("POST", "/v1/requests", broken.as_bytes()).good();
        let (mut one, mut two) = (Place::said(&by_hand.good()), Place::said(&again));
        for said in [&mut one, &mut two] {
            said.as_object_mut().unwrap().remove("seq").unwrap();
        }
        assert_eq!(one, two);
        place.open().apply(again["answer"].as_str().unwrap().as_bytes()).unwrap();
        let wrong = place.request("clock", None);
        site.nobody().post("/api/v1/activations", json!({ "request": wrong }))
            .refused(422, "invalid_argument");
        site.nobody().post("/api/v1/requests", json!({ "request": "eJnonsense" }))
            .refused(422, "invalid_argument");
        site.nobody().post("/api/v1/requests", json!({})).refused(400, "malformed");
    }

    fn the_time_is_told_to_who_has_the_license(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let place = Place::new(site, &shop, "one");
        place.install(&license);
        let answer = place.do_it("clock", None);
        assert_eq!(Place::said(&answer)["server_time"], site.clock.now());
        assert_eq!((&answer["status"], &answer["what"]), (&Value::Null, &json!("clock")));
    }

    fn sixty_four_ask_for_five_machines_and_five_get_them(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "max_seats": 50, "max_machines": 5 }));
        let token_id = token_id(&shop, &license);
        let ask = |number: u8| {
            let mut request = forged(&license, &token_id, Uuid::new_v4(), "activation");
            request.nonce = format!("nonce-{number}");
            let text = request.to_signed_text(&seed(number)).unwrap();
            site.nobody().post("/api/v1/requests", json!({ "request": text }))
        };
        let answers: Vec<_> = std::thread::scope(|threads| {
            let tasks = (1..=64).map(|number| threads.spawn(move || ask(number)));
            let tasks: Vec<_> = tasks.collect();
            tasks.into_iter().map(|task| task.join().unwrap()).collect()
        });
        let got = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(got, 5);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.refused(409, "no_machine");
        }
        assert_eq!(shop.admin.get("/api/v1/activations?active=true").good()["total"], 5);
    }
}
