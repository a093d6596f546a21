//! Floating seats: as many as there are, to whoever asked first, and back again.

use crate::place::Place;
use crate::shop::{Shop, events, path};
use crate::support::client::{Answer, Client};
use crate::support::dice::times;
use crate::support::{BEGIN, Site};
use licentia::{parse_time, rfc3339};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Barrier;

/// A license with so many seats and these terms.
fn floating(shop: &Shop, seats: u64, terms: Value) -> Value {
    shop.license(json!({
        "license_type": "floating", "max_seats": seats, "valid_days": 30, "terms": terms,
    }))
}

fn take(client: &Client, license: &Value, holder: &str) -> Answer {
    client.post(&format!("{}/seats", path(license)), json!({ "holder": holder }))
}

fn seat(answer: &Value) -> String {
    format!("/api/v1/seats/{}", answer["id"].as_str().unwrap())
}

fn until(answer: &Value) -> i64 {
    parse_time(answer["expires_at"].as_str().unwrap()).unwrap()
}

/// What is in a lease.
fn claims(answer: &Value) -> Value {
    let seen = licentia::peek::peek(answer["lease"].as_str().unwrap().as_bytes()).unwrap();
    serde_json::from_str(&seen.payload).unwrap()
}

both! {
    fn seats_are_taken_renewed_given_back_and_taken_again(site: &Site) {
        let shop = Shop::open(site);
        let client = site.caller("sync read");
        let license = floating(&shop, 2, json!({ "seat_seconds": 60 }));
        let first = take(&client, &license, "anna");
        assert_eq!((first.status, first.header("location")), (201, Some(&*seat(&first.good()))));
        let first = first.good();
        assert_eq!((&first["seat"], until(&first)), (&json!(1), BEGIN + 60));
        let lease = claims(&first);
        assert_eq!(lease["license_id"], license["id"]);
        assert_eq!((&lease["holder"], &lease["exp"]), (&json!("anna"), &json!(BEGIN + 60)));
        assert_eq!((&lease["nonce"], &lease["borrowed"]), (&Value::Null, &json!(false)));
        site.clock.set(Some(BEGIN + 20));
        // The same one has one seat, however often he asks.
        let again = take(&client, &license, "anna");
        assert_eq!((again.status, &again.good()["id"]), (200, &first["id"]));
        assert_eq!(until(&again.good()), BEGIN + 80);
        let other = take(&client, &license, "bert").good();
        assert_eq!(other["seat"], 2);
        let sentence = take(&client, &license, "carl").refused(409, "no_seat");
        let next = rfc3339(BEGIN + 80);
        assert!(sentence.contains("All 2 seats") && sentence.contains(&next), "{sentence}");
        site.clock.set(Some(BEGIN + 70));
        let beat = client.put(&seat(&other), json!({})).good();
        assert_eq!((until(&beat), &beat["id"]), (BEGIN + 130, &other["id"]));
        let list = client.get(&format!("{}/seats", path(&license))).good();
        assert_eq!((&list["total"], &list["seats"][0]["holder"]), (&json!(2), &json!("bert")));
        // Given back, and given back again: the same, and one event.
        let back = client.delete(&seat(&first)).good();
        assert_eq!(until(&back), BEGIN + 70);
        assert!(claims(&back)["exp"].as_i64() <= claims(&back)["iat"].as_i64());
        assert_eq!(until(&client.delete(&seat(&first)).good()), BEGIN + 70);
        client.put(&seat(&first), json!({})).refused(404, "not_found");
        let third = take(&client, &license, "carl").good();
        assert_eq!(third["seat"], 1);
        assert_ne!(third["id"], first["id"]);
        // The one who had it has nothing to say about it any more.
        client.delete(&seat(&first)).refused(404, "not_found");
        client.get(&seat(&first)).refused(404, "not_found");
        assert_eq!(client.get(&seat(&third)).good()["holder"], "carl");
        let kinds: Vec<_> =
            events(site).into_iter().filter(|kind| kind.starts_with("seat.")).collect();
        assert_eq!(kinds, ["seat.acquired", "seat.acquired", "seat.released", "seat.acquired"]);
    }

    fn seats_come_back_when_their_holders_are_gone(site: &Site) {
        let shop = Shop::open(site);
        let license = floating(&shop, 100, json!({}));
        let client = site.caller("sync");
        let lost: Vec<Value> =
            (0..100).map(|name| take(&client, &license, &name.to_string()).good()).collect();
        assert_eq!(until(&lost[0]), BEGIN + 600, "ten minutes, where nothing is said");
        site.clock.set(Some(BEGIN + 599));
        take(&client, &license, "next").refused(409, "no_seat");
        site.clock.set(Some(BEGIN + 600));
        for (at, lost) in lost.iter().enumerate() {
            let next = take(&client, &license, &format!("next {at}")).good();
            assert_eq!(next["seat"], at + 1);
            client.put(&seat(lost), json!({})).refused(404, "not_found");
        }
        take(&client, &license, "next").refused(409, "no_seat");
    }

    fn holders_of_one_name_on_two_machines_are_two(site: &Site) {
        let shop = Shop::open(site);
        let license = floating(&shop, 2, json!({}));
        let (client, where_) = (site.caller("sync"), format!("{}/seats", path(&license)));
        let at = |number: u8| {
            let installation = format!("00000000-0000-4000-8000-00000000000{number}");
            let body = json!({ "holder": "worker", "installation": installation, "nonce": "n" });
            client.post(&where_, body)
        };
        let (one, two) = (at(1).good(), at(2).good());
        assert_ne!(one["seat"], two["seat"]);
        assert_eq!(claims(&one)["installation"], one["installation"]);
        assert_eq!(claims(&one)["nonce"], "n");
        assert_eq!(at(1).good()["seat"], one["seat"]);
        at(3).refused(409, "no_seat");
        let body = json!({ "holder": "worker", "nonce": "n" });
        client.post(&where_, body).refused(422, "invalid_argument");
        for holder in ["", " a", "a\nb", &"x".repeat(129)] {
            let body = json!({ "holder": holder });
            client.post(&where_, body).refused(422, "invalid_argument");
        }
    }

    fn seats_are_borrowed_for_as_long_as_the_license_says(site: &Site) {
        let shop = Shop::open(site);
        let client = site.caller("sync");
        let borrow = |license: &Value, holder: &str, days: u32| {
            let body = json!({ "holder": holder, "borrow_days": days });
            client.post(&format!("{}/seats", path(license)), body)
        };
        let none = floating(&shop, 1, json!({}));
        borrow(&none, "anna", 1).refused(422, "invalid_argument");
        let license = floating(&shop, 2, json!({ "borrow_days": 7 }));
        borrow(&license, "anna", 0).refused(422, "invalid_argument");
        let sentence = borrow(&license, "anna", 8).refused(422, "invalid_argument");
        assert!(sentence.contains("1 to 7 days"), "{sentence}");
        let borrowed = borrow(&license, "anna", 7).good();
        assert_eq!((&borrowed["borrowed"], until(&borrowed)), (&json!(true), BEGIN + 7 * 86_400));
        // A heartbeat makes it no shorter: it was signed for that long.
        let beat = take(&client, &license, "anna").good();
        assert_eq!((&beat["borrowed"], until(&beat)), (&json!(true), BEGIN + 7 * 86_400));
        let back = client.delete(&seat(&borrowed)).good();
        assert_eq!(until(&back), BEGIN);
        // Not longer than there is a license.
        let short = shop.license(json!({
            "license_type": "floating", "max_seats": 1, "valid_days": 3,
            "terms": { "borrow_days": 7 },
        }));
        let end = borrow(&short, "anna", 7).good();
        assert_eq!(claims(&end)["exp"], BEGIN + 3 * 86_400);
        assert_eq!(until(&end), BEGIN + 3 * 86_400);
    }

    fn a_license_that_is_not_in_force_has_no_seats(site: &Site) {
        let shop = Shop::open(site);
        let client = site.caller("sync");
        let license = floating(&shop, 2, json!({}));
        let held = take(&client, &license, "anna").good();
        shop.admin.post(&format!("{}/suspend", path(&license)), json!({})).good();
        take(&client, &license, "bert").refused(409, "suspended");
        client.put(&seat(&held), json!({})).refused(409, "suspended");
        // It can be given back whatever became of the license.
        client.delete(&seat(&held)).good();
        shop.admin.post(&format!("{}/reinstate", path(&license)), json!({})).good();
        let held = take(&client, &license, "anna").good();
        shop.admin.delete(&path(&license)).good();
        take(&client, &license, "anna").refused(409, "revoked");
        client.put(&seat(&held), json!({})).refused(409, "revoked");
        let license = floating(&shop, 2, json!({}));
        site.clock.set(Some(BEGIN + 30 * 86_400));
        take(&client, &license, "anna").refused(409, "expired");
    }

    fn fewer_seats_let_those_who_have_one_go_on_to_its_end(site: &Site) {
        let shop = Shop::open(site);
        let client = site.caller("sync");
        let license = floating(&shop, 3, json!({}));
        let held: Vec<Value> =
            ["a", "b", "c"].iter().map(|name| take(&client, &license, name).good()).collect();
        shop.admin.put(&path(&license), json!({ "max_seats": 2 })).good();
        site.clock.set(Some(BEGIN + 60));
        client.put(&seat(&held[0]), json!({})).good();
        client.put(&seat(&held[2]), json!({})).refused(409, "no_seat");
        take(&client, &license, "d").refused(409, "no_seat");
        // One of the others goes: now there is room for the third, where he sits.
        client.delete(&seat(&held[1])).good();
        assert_eq!(client.put(&seat(&held[2]), json!({})).good()["seat"], 3);
        let sentence = take(&client, &license, "d").refused(409, "no_seat");
        assert!(sentence.contains(&rfc3339(BEGIN + 660)), "{sentence}");
        client.delete(&seat(&held[2])).good();
        assert_eq!(take(&client, &license, "d").good()["seat"], 2);
    }

    fn a_vendor_takes_a_seat_away(site: &Site) {
        let shop = Shop::open(site);
        let client = site.caller("sync");
        let license = floating(&shop, 1, json!({}));
        let held = take(&client, &license, "anna").good();
        let id = held["id"].as_str().unwrap();
        let where_ = format!("{}/seats/{id}", path(&license));
        client.delete(&where_).refused(403, "forbidden");
        let other = floating(&shop, 1, json!({}));
        let elsewhere = format!("{}/seats/{id}", path(&other));
        site.caller("revoke").delete(&elsewhere).refused(404, "not_found");
        site.caller("revoke").delete(&where_).good();
        client.put(&seat(&held), json!({})).refused(404, "not_found");
        take(&client, &license, "bert").good();
        assert!(events(site).contains(&"seat.freed".to_string()));
    }

    fn a_seat_of_somebody_else_is_no_seat(site: &Site) {
        let shop = Shop::open(site);
        let license = floating(&shop, 1, json!({}));
        let held = take(&site.admin(), &license, "anna").good();
        let (_, key) = site.organization("Other");
        let other = site.nobody().with_key(&key);
        let unknown = "/api/v1/seats/00000000-0000-4000-8000-000000000000";
        let ask = |method: &str, path: &str| {
            let body = json!({});
            let body = (method == "PUT").then_some(&body);
            let answer = other.with("X-Request-Id", "r").ask(method, path, body);
            answer.refused(404, "not_found");
            answer.body
        };
        for method in ["GET", "PUT", "DELETE"] {
            assert_eq!(ask(method, &seat(&held)), ask(method, unknown), "{method}");
            assert_eq!(ask(method, "/api/v1/seats/x"), ask(method, unknown), "{method}");
        }
        take(&other, &license, "anna").refused(404, "not_found");
        other.get(&format!("{}/seats", path(&license))).refused(404, "not_found");
        assert_eq!(other.get("/api/v1/seats").good()["total"], 0);
        let mine = site.admin().get("/api/v1/seats?holder=anna").good();
        assert_eq!(mine["total"], 1, "{mine}");
        assert_eq!(site.admin().get("/api/v1/seats?holder=bert").good()["total"], 0);
        site.admin().get("/api/v1/seats?holder=%00").refused(400, "malformed");
    }

    fn a_product_has_its_seat_with_a_signed_request(site: &Site) {
        let shop = Shop::open(site);
        let license = floating(&shop, 1, json!({ "borrow_days": 5 }));
        let mut place = Place::new(site, &shop, "one");
        place.install(&license);
        place.do_it("activation", None);
        place.do_it("seat", Some("anna"));
        let lease = place.open().lease("anna").unwrap();
        assert_eq!((lease.exp, lease.seat, lease.borrowed), (BEGIN + 600, 1, false));
        place.pass(site, 300);
        place.do_it("seat", Some("anna"));
        assert_eq!(place.open().lease("anna").unwrap().exp, BEGIN + 900);
        place.ask("seat", Some("bert")).refused(409, "no_seat");
        place.do_it("borrow", Some("5 anna"));
        assert!(place.open().lease("anna").unwrap().borrowed);
        place.pass(site, 86_400);
        // The first answer is lost: the second says the same, though nobody has the seat by then.
        place.ask("release", Some("anna")).good();
        place.do_it("release", Some("anna"));
        assert!(place.open().lease("anna").is_none());
        place.do_it("seat", Some("bert"));
        assert_eq!(place.open().lease("bert").unwrap().seat, 1);
    }

    fn a_machine_that_is_given_back_gives_back_its_seats(site: &Site) {
        let shop = Shop::open(site);
        let license = floating(&shop, 1, json!({ "borrow_days": 5 }));
        let places: Vec<Place> =
            ["one", "two", "three"].map(|name| Place::new(site, &shop, name)).into();
        for place in &places {
            place.install(&license);
        }
        places[0].do_it("activation", None);
        places[0].do_it("borrow", Some("5 anna"));
        places[0].do_it("deactivation", None);
        let two = places[1].do_it("activation", None);
        places[1].do_it("seat", Some("bert"));
        // The vendor takes the machine: the seat with it, unless it is borrowed.
        let free = |answer: &Value| {
            let id = answer["activation_id"].as_str().unwrap();
            shop.admin.delete(&format!("/api/v1/activations/{id}")).good();
        };
        free(&two);
        let three = places[2].do_it("activation", None);
        places[2].do_it("borrow", Some("5 carl"));
        free(&three);
        places[1].do_it("activation", None);
        places[1].ask("seat", Some("bert")).refused(409, "no_seat");
        let ended = events(site).into_iter().filter(|kind| kind == "seat.released").count();
        assert_eq!(ended, 2);
    }

    fn a_seat_is_borrowed_and_given_back_once_with_one_request(site: &Site) {
        let shop = Shop::open(site);
        let license = floating(&shop, 1, json!({ "borrow_days": 5 }));
        let mut place = Place::new(site, &shop, "one");
        place.install(&license);
        place.do_it("activation", None);
        let borrow = place.request("borrow", Some("5 anna"));
        place.post(&borrow).good();
        let release = place.request("release", Some("anna"));
        place.post(&release).good();
        place.pass(site, 60);
        // Somebody has kept them, and sends them again.
        place.post(&borrow).refused(409, "conflict");
        place.do_it("borrow", Some("2 anna"));
        place.post(&release).good();
        let taken = site.admin().get(&format!("{}/seats", path(&license))).good();
        assert_eq!(taken["total"], 1, "{taken}");
        place.do_it("release", Some("anna"));
        place.do_it("seat", Some("bert"));
    }

    fn in_a_race_exactly_as_many_win_as_there_are_seats(site: &Site) {
        const CALLERS: usize = 64;
        const SEATS: usize = 5;
        let shop = Shop::open(site);
        let license = floating(&shop, SEATS as u64, json!({}));
        let client = site.caller("sync");
        // A thousand where somebody has the time.
        let rounds = if times(1) > 1 { 1_000 } else { 20 };
        for round in 0..rounds {
            let start = Barrier::new(CALLERS);
            let answers: Vec<Answer> = std::thread::scope(|scope| {
                let ask = |number: usize| {
                    let (client, license, start) = (&client, &license, &start);
                    scope.spawn(move || {
                        start.wait();
                        take(client, license, &format!("{round}-{number}"))
                    })
                };
                let asking: Vec<_> = (0..CALLERS).map(ask).collect();
                asking.into_iter().map(|it| it.join().unwrap()).collect()
            });
            let won: Vec<Value> =
                answers.iter().filter(|it| it.status == 201).map(Answer::good).collect();
            assert_eq!(won.len(), SEATS, "round {round}");
            for lost in answers.iter().filter(|it| it.status != 201) {
                lost.refused(409, "no_seat");
            }
            let seats: BTreeSet<u64> =
                won.iter().map(|it| it["seat"].as_u64().unwrap()).collect();
            assert_eq!(seats, (1..=SEATS as u64).collect(), "round {round}");
            for seat_ in &won {
                client.delete(&seat(seat_)).good();
            }
        }
    }
}
