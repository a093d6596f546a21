//! The words `keys` and `revocations`: what is signed for everybody, by the way of requests; and
//! products that were shipped with keys that are over.

use crate::activations::{forged, seed, token_id};
use crate::place::Place;
use crate::shop::{Shop, events, path};
use crate::support::client::{Answer, Client};
use crate::support::real::Real;
use crate::support::{BEGIN, Site};
use licentia::{Code, Error, Issuer, Message};
use licentia_server::store::{activations, documents, signing_keys};
use sea_orm::EntityTrait;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};
use std::num::NonZeroU32;
use std::sync::Arc;

/// The way of a product to this server.
struct Line(Client);

impl Issuer for Line {
    fn ask(&self, message: &Message<'_>) -> licentia::Result<Vec<u8>> {
        let answer = self.0.post("/api/v1/requests", json!({ "request": message.request }));
        let said = answer.json();
        match said["answer"].as_str() {
            Some(signed) => Ok(signed.as_bytes().to_vec()),
            None => Err(Error::new(Code::Refused, said["code"].to_string())),
        }
    }
}

/// What a product does over a connection. It fails as that does.
fn call(place: &Place, what: &str, argument: Option<&str>) -> licentia::Result<()> {
    let mut installation = place.open();
    installation.connect(Arc::new(Line(place.nobody.clone())));
    installation.call(what, argument)
}

fn code(done: licentia::Result<()>) -> Code {
    done.unwrap_err().code()
}

fn get(shop: &Shop, what: &str) -> String {
    let answer = shop.admin.get(&format!("/api/v1/products/{}/{what}", shop.id()));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

/// Everything that is not the documents themselves.
fn rest(site: &Site) -> String {
    let read = site.server.store.read();
    let rows = site.wait(async { activations::Entity::find().all(read).await.unwrap() });
    format!("{rows:?} {:?}", events(site))
}

fn kept(site: &Site) -> usize {
    let read = site.server.store.read();
    site.wait(async { documents::Entity::find().all(read).await.unwrap().len() })
}

/// Says something of the key of a role: retire or compromise.
fn tell(shop: &Shop, role: &str, word: &str) {
    let pair = format!("/api/v1/key-pairs/{}", shop.product["key_pair_id"].as_str().unwrap());
    let keys = shop.admin.get(&pair).good()["keys"].clone();
    let is = |key: &&Value| key["roles"] == json!([role]) && key["state"] == "active";
    let key = keys.as_array().unwrap().iter().find(is).unwrap()["id"].clone();
    let path = format!("{pair}/keys/{}/{word}", key.as_str().unwrap());
    shop.admin.post(&path, json!({})).good();
}

fn rotate(shop: &Shop) {
    let pair = shop.product["key_pair_id"].as_str().unwrap();
    shop.admin.post(&format!("/api/v1/key-pairs/{pair}/rotate"), json!({})).good();
}

/// An answer as bytes, without what is of one request alone.
fn bare(answer: &Answer) -> (u16, Value) {
    let mut said = answer.json();
    said.as_object_mut().unwrap().remove("request_id");
    (answer.status, said)
}

both! {
    fn everybody_who_has_a_license_gets_the_newest_keys_and_list(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let key = license["license_key"].as_str().unwrap();
        let place = Place::new(site, &shop, "one");
        place.install(&license);
        let before = rest(site);
        for (word, named) in [("keys", "key-set"), ("revocations", "revocations")] {
            let first = place.ask(word, None).good();
            let wanted = json!({
                "answer": get(&shop, named), "what": word, "status": null, "message": null,
                "license_id": license["id"], "activation_id": null,
            });
            assert_eq!(first, wanted);
            assert_eq!(place.ask(word, None).good(), first, "it is signed once");
            place.open().apply(first["answer"].as_str().unwrap().as_bytes()).unwrap();
        }
        // Whoever has a license key, and no license yet.
        let empty = Place::new(site, &shop, "two");
        assert_eq!(empty.ask("keys", Some(key)).good()["answer"], get(&shop, "key-set"));
        // It takes no machine, raises no number and tells nobody.
        assert_eq!(rest(site), before);
        assert_eq!(kept(site), 2);
        let answer = place.do_it("activation", None);
        let seq = Place::said(&answer)["seq"].clone();
        assert_eq!(place.ask("keys", None).good()["activation_id"], answer["activation_id"]);
        let read = site.server.store.read();
        let rows = site.wait(async { activations::Entity::find().all(read).await.unwrap() });
        assert_eq!(json!(rows[0].seq), seq);
    }

    fn the_list_has_what_was_revoked_before_it_was_asked_for(site: &Site) {
        let shop = Shop::open(site);
        let (good, bad) = (shop.license(json!({})), shop.license(json!({})));
        let places = [&good, &bad].map(|license| {
            let place = Place::new(site, &shop, "one");
            place.install(license);
            place.do_it("revocations", None);
            place
        });
        shop.admin.delete(&path(&bad)).good();
        // A revoked license still proves that somebody has it: its list is what tells him.
        for (place, allows) in places.iter().zip([true, false]) {
            place.do_it("revocations", None);
            assert_eq!(place.open().allows("basic"), allows);
        }
        // Nobody takes it back: neither an older list nor the file.
        let file = base64(&bad);
        assert_eq!(code(places[1].open().apply(&file)), Code::Revoked);
        assert_eq!(kept(site), 1, "one list is kept");
    }

    fn nobody_learns_which_licenses_there_are(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let token = token_id(&shop, &license);
        let (_, admin) = site.organization("Other");
        let theirs = Shop::of(site.nobody().with_key(&admin), "theirs");
        let foreign = theirs.license(json!({}));
        let nobody = site.nobody();
        let ask = |request: licentia::issue::Request| {
            let text = request.to_signed_text(&seed(1)).unwrap();
            nobody.post("/api/v1/requests", json!({ "request": text }))
        };
        let here = Uuid::new_v4();
        for word in ["keys", "revocations", "clock"] {
            let mut unknown = license.clone();
            unknown["id"] = json!(Uuid::new_v4());
            let missing = bare(&ask(forged(&unknown, &token, here, word)));
            assert_eq!((missing.0, &missing.1["code"]), (404, &json!("not_found")));
            // A token that is none, another's token, and another product's name for it.
            let wrong = forged(&license, &Uuid::new_v4().to_string(), here, word);
            let other = forged(&foreign, &token, here, word);
            let mut named = license.clone();
            named["product_code"] = json!("theirs");
            let product = forged(&named, &token, here, word);
            for request in [wrong, other, product] {
                assert_eq!(bare(&ask(request)), missing, "{word}");
            }
            ask(forged(&license, &token, here, word)).good();
        }
        let mut keyed = forged(&license, &token, here, "keys");
        let key = foreign["license_key"].as_str().unwrap();
        for key in [key, "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA", "no such key"] {
            keyed.key = Some(key.into());
            ask(keyed.clone()).refused(404, "not_found");
        }
        let none = licentia::issue::Request { license: None, ..keyed };
        let none = licentia::issue::Request { key: None, what: "revocations".into(), ..none };
        ask(none).refused(422, "invalid_argument");
    }

    fn a_product_whose_keys_are_gone_is_told_so(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let place = Place::new(site, &shop, "one");
        place.install(&license);
        // As after a backup that was taken by hand, and lacks the keys.
        site.wait(async {
            let tx = site.server.store.begin().await.unwrap();
            signing_keys::Entity::delete_many().exec(&tx).await.unwrap();
            tx.commit().await.unwrap();
        });
        for word in ["keys", "revocations"] {
            place.ask(word, None).refused(422, "no_key_pair");
            assert_eq!(code(call(&place, word, None)), Code::Refused);
        }
        assert!(place.open().allows("basic"), "that is no fault of the license");
    }

    fn an_answer_that_is_carried_to_another_machine_is_wrong_there(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "max_seats": 5 }));
        let place = Place::new(site, &shop, "one");
        place.install(&license);
        for word in ["activation", "sync", "renewal"] {
            let answer = place.ask(word, None).good();
            let said = Place::said(&answer);
            assert!(said["machine"]["parts"]["identity"].is_array(), "{said}");
            let text = answer["answer"].as_str().unwrap().as_bytes();
            let stolen = Place { machine: "two".into(), ..place.copy() };
            assert_eq!(code(stolen.open().apply(text)), Code::WrongMachine, "{word}");
            place.open().apply(text).unwrap();
        }
    }

    fn a_product_of_long_ago_gets_on_after_a_rotation(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "max_seats": 5, "terms": { "sync_days": 30 } }));
        let key = license["license_key"].as_str().unwrap();
        let [old, empty] = ["one", "two"].map(|machine| Place::new(site, &shop, machine));
        old.install(&license);
        call(&old, "activation", None).unwrap();
        for times in 1..=3 {
            site.clock.set(Some(BEGIN + 10 * times));
            rotate(&shop);
        }
        let text = old.request("sync", None);
        let answer = old.post(&text).good();
        let unknown = old.open().apply(answer["answer"].as_str().unwrap().as_bytes());
        assert_eq!(code(unknown), Code::UnknownKey, "that is what a connection gets over");
        call(&old, "sync", None).unwrap();
        old.open().apply(answer["answer"].as_str().unwrap().as_bytes()).unwrap_err();
        // By a license key, where nothing is installed.
        call(&empty, "activation", Some(key)).unwrap();
        assert!(old.open().allows("basic") && empty.open().allows("basic"));
        // The same by hand: keys, and then what they have signed.
        let carried = Place::new(site, &shop, "three");
        let carried = Place { keys: old.keys.clone(), ..carried };
        carried.do_it("keys", Some(key));
        carried.do_it("activation", Some(key));
        assert!(carried.open().allows("basic"));
    }

    fn keys_that_are_over_are_heard_of_by_the_next_sync(site: &Site) {
        for (at, (role, word)) in [
            ("license", "retire"), ("server", "retire"),
            ("license", "compromise"), ("server", "compromise"),
        ].into_iter().enumerate() {
            let shop = Shop::of(site.admin(), &format!("app{at}"));
            let license = shop.license(json!({ "max_seats": 5 }));
            let place = Place::new(site, &shop, "one");
            place.install(&license);
            call(&place, "sync", None).unwrap();
            let stolen = base64(&license);
            site.clock.set(Some(site.clock.now() + 10));
            tell(&shop, role, word);
            call(&place, "sync", None).unwrap();
            assert!(place.open().allows("basic"), "{role} {word}");
            // Nobody had to fetch them by hand, and what a stolen key has signed is over.
            let other = Place { folder: tempfile::tempdir().unwrap(), ..place.copy() };
            let set = get(&shop, "key-set");
            other.open().apply(set.as_bytes()).unwrap();
            let fate = other.open().apply(&stolen).map_err(|error| error.code());
            let spoiled = role == "license" && word == "compromise";
            assert_eq!(fate.err(), spoiled.then_some(Code::KeyCompromised), "{role} {word}");
            place.open().apply(set.as_bytes()).unwrap();
            let status: Value = serde_json::from_str(&place.open().status(None).unwrap()).unwrap();
            assert_eq!(status["issuer"]["failure"], Value::Null, "{role} {word}");
        }
    }

    fn a_stolen_root_is_heard_of_and_the_product_goes_on(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let place = Place::new(site, &shop, "one");
        place.install(&license);
        call(&place, "sync", None).unwrap();
        site.clock.set(Some(BEGIN + 10));
        tell(&shop, "root", "compromise");
        call(&place, "sync", None).unwrap();
        call(&place, "sync", None).unwrap();
        assert!(place.open().allows("basic"));
        // From now on it takes no set that the thief could have signed, later ones of ours neither.
        let keys = place.ask("keys", None).good();
        place.open().apply(keys["answer"].as_str().unwrap().as_bytes()).unwrap();
        shop.admin.delete(&path(&license)).good();
        assert_eq!(call(&place, "sync", None), Ok(()));
        assert!(!place.open().allows("basic"));
    }

    fn all_who_ask_at_once_after_a_rotation_get_one_set(site: &Site) {
        let shop = Shop::open(site);
        let places: Vec<Place> = (0..8).map(|number| {
            let place = Place::new(site, &shop, &format!("machine {number}"));
            place.install(&shop.license(json!({})));
            call(&place, "sync", None).unwrap();
            place
        }).collect();
        site.clock.set(Some(BEGIN + 10));
        rotate(&shop);
        std::thread::scope(|scope| {
            for place in &places {
                scope.spawn(|| call(place, "sync", None).unwrap());
            }
        });
        let set = get(&shop, "key-set");
        for place in &places {
            assert_eq!(place.ask("keys", None).good()["answer"], set);
            assert!(place.open().allows("basic"));
        }
    }
}

#[test]
fn whoever_asks_for_them_too_often_waits() {
    let server = Real::with(|config| config.rates.address = NonZeroU32::new(3));
    let license = json!({ "product_code": "myapp", "id": Uuid::new_v4() });
    let ask = |word: &str| {
        let request = forged(&license, "none", Uuid::new_v4(), word);
        let text = request.to_signed_text(&seed(1)).unwrap();
        server.nobody().post("/api/v1/requests", json!({ "request": text }))
    };
    for word in ["keys", "revocations", "keys"] {
        ask(word).refused(404, "not_found");
    }
    let waits = ask("revocations");
    waits.refused(429, "too_many_requests");
    assert!(waits.header("retry-after").is_some());
}

fn base64(license: &Value) -> Vec<u8> {
    use base64::Engine;
    let blob = license["license_blob"].as_str().unwrap();
    base64::engine::general_purpose::STANDARD.decode(blob).unwrap()
}
