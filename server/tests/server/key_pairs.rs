//! Key pairs: what a program that pinned the first keys accepts after each change of them.

use crate::shop::Shop;
use crate::support::client::Client;
use crate::support::{BEGIN, Site};
use licentia::{Code, Product, Role, SecretKey, issue};
use licentia_server::key_pair::NOTICE;
use licentia_server::store::signing_keys;
use serde_json::{Value, json};

const PAIRS: &str = "/api/v1/key-pairs";

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn path(pair: &Value) -> String {
    format!("{PAIRS}/{}", text(pair, "id"))
}

/// A shop, and a program of its product that was shipped now.
struct Shipped {
    shop: Shop,
    program: Product,
    pair: String,
}

impl Shipped {
    fn now(site: &Site) -> Shipped {
        Shipped::of(Shop::open(site))
    }

    fn of(shop: Shop) -> Shipped {
        let pair = format!("{PAIRS}/{}", text(&shop.product, "key_pair_id"));
        let keys = shop.admin.get(&format!("/api/v1/products/{}/public-key", shop.id())).good();
        let mut program = Product::new("myapp", &keys["keys"].to_string()).unwrap();
        program.set("clock", &(BEGIN + 1000).to_string()).unwrap();
        Shipped { shop, program, pair }
    }

    /// A new license.
    fn license(&self) -> String {
        let license = json!({"license_type": "perpetual", "customer_email": "a@b.example"});
        text(&self.shop.license(license), "license_blob").to_string()
    }

    /// The key set as everybody gets it.
    fn key_set(&self, site: &Site) -> String {
        let answer = site.nobody().get(&format!("/api/v1/products/{}/key-set", self.shop.id()));
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/jwt"));
        answer.text()
    }

    fn update(&mut self, site: &Site) {
        self.program.trust(&self.key_set(site)).unwrap();
    }

    #[track_caller]
    fn accepts(&self, license: &str) {
        self.program.verify(license.as_bytes()).unwrap();
    }

    #[track_caller]
    fn refuses(&self, license: &str, code: Code) {
        assert_eq!(self.program.verify(license.as_bytes()).unwrap_err().code(), code);
    }

    fn look(&self) -> Value {
        self.shop.admin.get(&self.pair).good()
    }

    /// The keys of a role in a state.
    fn keys(&self, role: &str, state: &str) -> Vec<Value> {
        let pair = self.look();
        let keys = pair["keys"].as_array().unwrap().iter();
        let is = |key: &&Value| {
            key["state"] == state && key["roles"].as_array().unwrap().contains(&json!(role))
        };
        keys.filter(is).cloned().collect()
    }

    fn tell(&self, role: &str, word: &str) -> Value {
        let key = self.keys(role, "active").pop().unwrap();
        let path = format!("{}/keys/{}/{word}", self.pair, text(&key, "id"));
        self.shop.admin.post(&path, json!({})).good()
    }

    fn rotate(&self) -> Value {
        self.shop.admin.post(&format!("{}/rotate", self.pair), json!({})).good()
    }
}

/// The private half of a key, as nobody outside can have it.
fn stolen(site: &Site, key: &Value) -> std::sync::Arc<SecretKey> {
    let named = signing_keys::named(site.server.store.read(), site.organization, text(key, "kid"));
    let row = site.wait(async { named.await.unwrap().unwrap() });
    site.server.signer.open(&row).unwrap()
}

fn pem(seed: u8) -> String {
    SecretKey::from_seed(&[seed; 32]).unwrap().to_pem().unwrap().to_string()
}

fn brought(site: &Site, seed: u8) -> Shipped {
    let admin = site.admin();
    let pair = json!({"name": "old", "private_key": pem(seed)});
    let pair = admin.post(PAIRS, pair).good();
    let product = json!({"name": "App", "code": "myapp", "key_pair_id": pair["id"]});
    let product = admin.post("/api/v1/products", product).good();
    Shipped::of(Shop { admin, product })
}

both! {
    fn a_new_pair_has_three_keys_and_shows_their_public_halves(site: &Site) {
        let admin = site.admin();
        let made = admin.post(PAIRS, json!({"name": "Main"}));
        assert_eq!(made.status, 201);
        let pair = made.good();
        let keys = pair["keys"].as_array().unwrap().iter();
        let roles: Vec<&Value> = keys.map(|it| &it["roles"]).collect();
        assert_eq!(roles, [&json!(["root"]), &json!(["license"]), &json!(["server"])]);
        for key in pair["keys"].as_array().unwrap() {
            assert_eq!(key["state"], "active");
            let public = licentia::KeySet::parse(text(key, "public_key")).unwrap();
            assert_eq!(public.keys()[0].key().kid(), text(key, "kid"));
        }
        assert_eq!(admin.get(&path(&pair)).good(), pair);
        assert_eq!(admin.get(PAIRS).good()["key_pairs"], json!([pair]));
        assert!(!made.text().contains("sealed") && !made.text().contains("PRIVATE"));
    }

    fn licenses_go_on_over_a_rotation(site: &Site) {
        let mut shipped = Shipped::now(site);
        let first = shipped.license();
        let old_set = shipped.key_set(site);
        shipped.accepts(&first);
        let before = shipped.look();
        site.clock.set(Some(BEGIN + 10));
        let pair = shipped.rotate();
        assert!(pair["epoch"].as_i64() > before["epoch"].as_i64());
        assert_eq!(pair["keys"].as_array().unwrap().len(), 5);
        let second = shipped.license();
        shipped.refuses(&second, Code::UnknownKey);
        shipped.accepts(&first);
        shipped.update(site);
        shipped.accepts(&first);
        shipped.accepts(&second);
        let refused = shipped.program.trust(&old_set).unwrap_err();
        assert_eq!(refused.code(), Code::OlderThanInstalled);
        // A program that is shipped now has all of them.
        let product = shipped.shop.product.clone();
        let later = Shipped::of(Shop { admin: site.admin(), product });
        later.accepts(&first);
        later.accepts(&second);
        let path = format!("/api/v1/products/{}/public-key", later.shop.id());
        let key = site.admin().get(&path).good();
        let active = later.keys("license", "active");
        assert_eq!((active.len(), &key["kid"]), (1, &active[0]["kid"]));
        assert_eq!(key["short"], active[0]["public_key"]);
        let of_pem = Product::new("myapp", text(&key, "public_key")).unwrap();
        assert!(of_pem.inspect(second.as_bytes()).is_ok());
    }

    fn a_key_set_is_the_same_until_the_keys_change(site: &Site) {
        let shipped = Shipped::now(site);
        let path = format!("/api/v1/products/{}/key-set", shipped.shop.id());
        let first = site.nobody().get(&path);
        site.clock.set(Some(BEGIN + 100));
        let again = site.nobody().get(&path);
        assert_eq!(first.body, again.body);
        let known = site.nobody().with("If-None-Match", first.header("etag").unwrap());
        assert_eq!(known.get(&path).status, 304);
        shipped.rotate();
        assert_eq!(known.get(&path).status, 200);
        // All who ask for a new one at once get the same.
        shipped.rotate();
        let sets: Vec<String> = std::thread::scope(|scope| {
            let asked: Vec<_> =
                (0..8).map(|_| scope.spawn(|| site.nobody().get(&path).text())).collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(sets.iter().all(|set| *set == sets[0]));
    }

    fn a_retired_key_signs_nothing_new(site: &Site) {
        let mut shipped = Shipped::now(site);
        let old = shipped.keys("license", "active").remove(0);
        let key = stolen(site, &old);
        site.clock.set(Some(BEGIN + 10));
        shipped.tell("license", "retire");
        shipped.update(site);
        let signed = |at: i64| {
            let claims = issue::draft("https://acme.example", "myapp", at).unwrap();
            issue::sign(&key, &claims).unwrap()
        };
        shipped.accepts(&signed(BEGIN));
        shipped.accepts(&signed(BEGIN + 10 + NOTICE - 1));
        shipped.refuses(&signed(BEGIN + 10 + NOTICE), Code::KeyRetired);
        let again = shipped.license();
        shipped.accepts(&again);
        let retired = shipped.keys("license", "retired");
        assert_eq!(retired[0]["kid"], old["kid"]);
        let path = format!("{}/keys/{}/retire", shipped.pair, text(&retired[0], "id"));
        let epoch = shipped.look()["epoch"].clone();
        assert_eq!(site.admin().post(&path, json!({})).good()["epoch"], epoch, "it was");
    }

    fn nothing_is_believed_that_a_stolen_key_has_signed(site: &Site) {
        let mut shipped = Shipped::now(site);
        let (first, key) = (shipped.license(), shipped.keys("license", "active").remove(0));
        let thief = stolen(site, &key);
        let pair = shipped.tell("license", "compromise");
        let second = shipped.license();
        shipped.update(site);
        shipped.refuses(&first, Code::KeyCompromised);
        shipped.accepts(&second);
        let claims = issue::draft("https://acme.example", "myapp", BEGIN).unwrap();
        shipped.refuses(&issue::sign(&thief, &claims).unwrap(), Code::KeyCompromised);
        let path = format!("{}/keys/{}", shipped.pair, text(&key, "id"));
        for word in ["compromise", "retire"] {
            let again = site.admin().post(&format!("{path}/{word}"), json!({})).good();
            assert_eq!(again, pair, "for ever");
        }
    }

    fn a_stolen_root_ends_what_programs_learn(site: &Site) {
        let mut shipped = Shipped::now(site);
        let first = shipped.license();
        let thief = stolen(site, &shipped.keys("root", "active")[0]);
        shipped.tell("root", "compromise");
        shipped.update(site);
        let (second, admin) = (shipped.license(), site.admin());
        shipped.accepts(&first);
        shipped.accepts(&second);
        // The thief signs a set with a key of his own.
        let own = SecretKey::from_seed(&[9; 32]).unwrap();
        let own = licentia::KeySet::parse(&own.public().to_short()).unwrap();
        let set = issue::sign_keys(&thief, "myapp", "x", BEGIN, 1 << 52, &own).unwrap();
        assert_eq!(shipped.program.trust(&set).unwrap_err().code(), Code::KeyCompromised);
        // What no program would learn of is not done.
        let sentence = admin.post(&format!("{}/rotate", shipped.pair), json!({}));
        assert!(sentence.refused(409, "conflict").contains("new key pair"));
        let key = shipped.keys("license", "active").remove(0);
        let path = format!("{}/keys/{}/retire", shipped.pair, text(&key, "id"));
        admin.post(&path, json!({})).refused(409, "conflict");
        shipped.accepts(&shipped.license());
        // No new key takes the place of this one, and it signs nothing any more.
        shipped.tell("license", "compromise");
        let license = json!({"license_type": "perpetual", "customer_email": "a@b.example"});
        shipped.shop.sell(license).refused(422, "no_key_pair");
        let path = format!("/api/v1/products/{}/public-key", shipped.shop.id());
        admin.get(&path).refused(422, "no_key_pair");
        // Another key pair is the way out; none is not.
        let product = format!("/api/v1/products/{}", shipped.shop.id());
        admin.put(&product, json!({"key_pair_id": null})).refused(409, "conflict");
        let pair = admin.post("/api/v1/key-pairs", json!({"name": "Second"})).good();
        admin.put(&product, json!({"key_pair_id": pair["id"]})).good();
        shipped.license();
        admin.put(&product, json!({"key_pair_id": null})).refused(409, "conflict");
    }

    fn a_key_that_was_brought_along_stays_the_root(site: &Site) {
        let mut shipped = brought(site, 3);
        let keys = shipped.look()["keys"].clone();
        assert_eq!(keys.as_array().unwrap().len(), 1);
        assert_eq!(keys[0]["roles"], json!(["root", "license", "server"]));
        let first = shipped.license();
        // The oldest programs have nothing but its PEM.
        let public = SecretKey::from_seed(&[3; 32]).unwrap().public().to_pem().unwrap();
        shipped.program = Product::new("myapp", &public).unwrap();
        shipped.program.set("clock", &(BEGIN + 1000).to_string()).unwrap();
        site.clock.set(Some(BEGIN + 10));
        shipped.rotate();
        assert_eq!(shipped.keys("root", "active").len(), 1);
        let second = shipped.license();
        shipped.refuses(&second, Code::UnknownKey);
        shipped.update(site);
        shipped.accepts(&first);
        shipped.accepts(&second);
        shipped.rotate();
        let third = shipped.license();
        shipped.update(site);
        for license in [&first, &second, &third] {
            shipped.accepts(license);
        }
        let root = shipped.keys("root", "active").remove(0);
        let path = format!("{}/keys/{}", shipped.pair, text(&root, "id"));
        site.admin().post(&format!("{path}/retire"), json!({})).refused(409, "conflict");
        site.admin().post(&format!("{path}/compromise"), json!({})).good();
        shipped.update(site);
        shipped.refuses(&first, Code::KeyCompromised);
        shipped.accepts(&second);
        shipped.accepts(&third);
        let fourth = shipped.license();
        shipped.accepts(&fourth);
    }

    fn what_is_no_private_key_is_refused_and_not_repeated(site: &Site) {
        let admin = site.admin();
        let public = SecretKey::from_seed(&[4; 32]).unwrap().public().to_pem().unwrap();
        let good = pem(4);
        let cut = good.replace("K2Vw", "K2Vu");
        assert_ne!(cut, good, "the algorithm is another");
        for wrong in [public.as_str(), &cut, "04040404", &good[..60], ""] {
            let body = json!({"name": "a", "private_key": wrong});
            let answer = admin.post(PAIRS, body);
            answer.refused(422, "invalid_argument");
            assert!(wrong.is_empty() || !answer.text().contains(&wrong[..8]), "{}", answer.text());
        }
        for wrong in [json!(5), json!([good]), json!({"pem": good})] {
            let answer = admin.post(PAIRS, json!({"name": "a", "private_key": wrong}));
            answer.refused(400, "malformed");
            assert!(!answer.text().contains("K2Vw"), "{}", answer.text());
        }
        admin.post(PAIRS, json!({"name": "a", "private_key": good})).good();
        let twice = admin.post(PAIRS, json!({"name": "b", "private_key": pem(4)}));
        twice.refused(409, "conflict");
        let (_, other) = site.organization("Other");
        let other = site.nobody().with_key(&other);
        other.post(PAIRS, json!({"name": "a", "private_key": pem(4)})).good();
        for body in [json!({}), json!({"name": ""}), json!({"name": "a", "keys": []})] {
            assert!((400..500).contains(&admin.post(PAIRS, body).status));
        }
        assert_eq!(admin.get(PAIRS).good()["total"], 1);
    }

    fn an_epoch_never_comes_again_over_a_restored_backup(site: &Site) {
        let mut shipped = Shipped::now(site);
        site.clock.set(Some(BEGIN + 10));
        let before = site.wait(async {
            let keys = site.server.store.read();
            signing_keys::after(keys, uuid::Uuid::nil(), 100).await.unwrap()
        });
        let old = shipped.look()["epoch"].as_i64().unwrap();
        shipped.rotate();
        shipped.update(site);
        // Everything is again as it was before the rotation, and the new keys are lost.
        site.wait(async {
            use licentia_server::store::key_pairs;
            let tx = site.server.store.begin().await.unwrap();
            let pair = before[0].key_pair_id;
            signing_keys::clear(&tx, pair).await.unwrap();
            signing_keys::insert(&tx, before).await.unwrap();
            let mut row = key_pairs::lock(&tx, site.organization, pair).await.unwrap().unwrap();
            row.epoch = old;
            key_pairs::keep_epoch(&tx, &row).await.unwrap();
            tx.commit().await.unwrap();
        });
        site.clock.set(Some(BEGIN + 20));
        shipped.rotate();
        let license = shipped.license();
        shipped.update(site);
        shipped.accepts(&license);
    }

    fn a_pair_is_deleted_when_nothing_uses_it(site: &Site) {
        let shipped = Shipped::now(site);
        let admin = site.admin();
        assert!(admin.delete(&shipped.pair).refused(409, "conflict").contains("product"));
        let free = path(&admin.post(PAIRS, json!({"name": "b"})).good());
        assert_eq!(admin.delete(&free).status, 204);
        admin.get(&free).refused(404, "not_found");
        admin.delete(&free).refused(404, "not_found");
        assert_eq!(shipped.look()["keys"].as_array().unwrap().len(), 3);
        let keys = site.wait(async {
            signing_keys::after(site.server.store.read(), uuid::Uuid::nil(), 100).await.unwrap()
        });
        assert_eq!(keys.len(), 3, "the private halves are gone");
    }

    fn many_rotations_at_once_are_one_after_the_other(site: &Site) {
        let mut shipped = Shipped::now(site);
        let mut epochs: Vec<i64> = std::thread::scope(|scope| {
            let one = || shipped.rotate()["epoch"].as_i64().unwrap();
            let all: Vec<_> = (0..6).map(|_| scope.spawn(one)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        epochs.sort_unstable();
        epochs.dedup();
        assert_eq!(epochs.len(), 6);
        for role in ["root", "license", "server"] {
            assert_eq!(shipped.keys(role, "active").len(), 1, "{role}");
        }
        shipped.update(site);
        shipped.accepts(&shipped.license());
    }

    fn more_keys_than_fit_are_not_made(site: &Site) {
        let mut shipped = Shipped::now(site);
        let first = shipped.license();
        let rotate = format!("{}/rotate", shipped.pair);
        let mut count = 0;
        let last = loop {
            let answer = site.admin().post(&rotate, json!({}));
            if answer.status != 200 {
                break answer;
            }
            count += 1;
        };
        assert!(last.refused(409, "conflict").contains("new key pair"));
        assert!(count > 20, "{count}");
        // There is room for the day when one is stolen.
        shipped.tell("license", "compromise");
        shipped.update(site);
        shipped.accepts(&first);
        shipped.accepts(&shipped.license());
    }

    fn those_of_others_are_unknown(site: &Site) {
        let shipped = Shipped::now(site);
        let key = shipped.keys("license", "active").remove(0);
        let (_, theirs) = site.organization("Other");
        let theirs = site.nobody().with_key(&theirs).with("X-Request-Id", "same");
        let own = path(&theirs.post(PAIRS, json!({"name": "x"})).good());
        let unknown = format!("{PAIRS}/0197a000-0000-7000-8000-000000000000");
        let ask = |by: &Client, pair: &str, key: &str| {
            let post = |path: String| by.post(&path, json!({}));
            [
                by.get(pair),
                by.delete(pair),
                post(format!("{pair}/rotate")),
                post(format!("{pair}/keys/{key}/retire")),
                post(format!("{pair}/keys/{key}/compromise")),
            ]
            .map(|answer| (answer.status, answer.text()))
        };
        let of_nobody = ask(&theirs, &unknown, text(&key, "id"));
        assert_eq!(ask(&theirs, &shipped.pair, text(&key, "id")), of_nobody);
        assert_eq!(ask(&theirs, &format!("{PAIRS}/x"), "y"), of_nobody);
        assert!(of_nobody.iter().all(|(status, _)| *status == 404));
        let foreign = format!("{own}/keys/{}/compromise", text(&key, "id"));
        theirs.post(&foreign, json!({})).refused(404, "not_found");
        assert_eq!(shipped.keys("license", "active").len(), 1);
        for scopes in ["read", "catalog issue sync revoke"] {
            let caller = site.caller(scopes);
            caller.post(PAIRS, json!({"name": "x"})).refused(403, "forbidden");
            caller.post(&format!("{}/rotate", shipped.pair), json!({})).refused(403, "forbidden");
            caller.delete(&shipped.pair).refused(403, "forbidden");
        }
        assert_eq!(site.caller("read").get(&shipped.pair).good(), shipped.look());
    }

    fn a_product_without_keys_says_so(site: &Site) {
        let admin = site.admin();
        let product = admin.post("/api/v1/products", json!({"name": "a", "code": "a"})).good();
        let path = format!("/api/v1/products/{}", text(&product, "id"));
        admin.get(&format!("{path}/public-key")).refused(422, "no_key_pair");
        site.nobody().get(&format!("{path}/key-set")).refused(422, "no_key_pair");
        site.nobody().get("/api/v1/products/x/key-set").refused(404, "not_found");
        site.nobody().get(&format!("{path}/public-key")).refused(401, "unauthorized");
    }

    fn who_signs_knows_its_role(site: &Site) {
        let shipped = Shipped::now(site);
        let set = shipped.key_set(site);
        let header = set.split('.').next().unwrap();
        use base64::Engine;
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header["kid"], shipped.keys(Role::Root.word(), "active")[0]["kid"]);
    }
}
