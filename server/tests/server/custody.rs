//! Where private keys are: sealed, under a master key that can change, and nowhere else.

use crate::shop::Shop;
use crate::support::{BEGIN, MASTER_KEY, Site};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use licentia::{Role, SecretKey};
use licentia_server::api::{Server, Shared};
use licentia_server::clock::Clock;
use licentia_server::config::{Config, MasterKey};
use licentia_server::error::{Code, Error};
use licentia_server::master_key;
use licentia_server::operations::{backup, rotate};
use licentia_server::store::{organizations, products, signing_keys, webhooks};
use licentia_server::upkeep;
use licentia_server::vault::Vault;
use licentia_server::webhooks::secrets;
use serde_json::json;
use std::path::Path;
use std::sync::{Arc, Mutex};
use uuid::Uuid;
use zeroize::Zeroizing;

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The settings of a server whose master key is brought along.
fn settings(key: &[u8; 32]) -> Config {
    let text = Zeroizing::new(hexadecimal(key));
    Config { master_key: MasterKey::Text(text), ..Config::default() }
}

/// Another server on the same database, with a master key and a clock of its own.
fn another(site: &Site, key: &[u8; 32], clock: &Clock) -> Shared {
    let store = site.wait(site.database().open());
    Arc::new(Server::new(store, Vault::new(&Zeroizing::new(*key)), clock.clone()))
}

/// Whether a server can sign for a product now.
fn signs(site: &Site, server: &Server, product: &str) -> Result<i64, Code> {
    site.wait(async {
        let read = server.store.read();
        let of = organizations::get(read, site.organization).await.unwrap().unwrap();
        let id = Uuid::parse_str(product).unwrap();
        let product = products::get(read, of.id, id).await.unwrap().unwrap();
        let signing = server.signer.signing(read, &of, &product, Role::License).await;
        signing.map(|signing| signing.at).map_err(|error| error.code())
    })
}

/// What signs for the only webhook there is, opened with a master key.
fn signs_for(site: &Site, key: &[u8; 32]) -> Result<Vec<String>, Error> {
    let row = site.wait(async {
        let all = webhooks::after(site.server.store.read(), Uuid::nil(), 9).await;
        all.unwrap().remove(0)
    });
    let keys = secrets::signing(&Vault::new(&Zeroizing::new(*key)), &row, BEGIN)?;
    Ok(keys.iter().map(|key| key.verifier().to_string()).collect())
}

fn keep(site: &Site, server: &Server) {
    site.wait(async { upkeep::keep(server, true).await.unwrap() });
}

both! {
    fn a_clock_that_went_back_signs_nothing_also_after_a_start(site: &Site) {
        let shop = Shop::open(site);
        site.clock.set(Some(BEGIN + 1000));
        assert_eq!(signs(site, &site.server, shop.id()), Ok(BEGIN + 1000));
        site.clock.set(Some(BEGIN + 940));
        assert_eq!(signs(site, &site.server, shop.id()), Ok(BEGIN + 940), "a minute is nothing");
        site.clock.set(Some(BEGIN + 939));
        assert_eq!(signs(site, &site.server, shop.id()), Err(Code::ServerClock));
        let answer = site.nobody().get(&format!("/api/v1/products/{}/key-set", shop.id()));
        assert!(answer.refused(503, "server_clock").contains("forget-clock"));
        assert!(answer.header("retry-after").is_some());
        keep(site, &site.server);
        // A server that starts, and one that runs beside it, know it from the database.
        let clock = Clock::default();
        clock.set(Some(BEGIN));
        let other = another(site, &MASTER_KEY, &clock);
        assert_eq!(signs(site, &other, shop.id()), Ok(BEGIN), "not known yet");
        keep(site, &other);
        assert_eq!(signs(site, &other, shop.id()), Err(Code::ServerClock));
        // What is remembered never gets lower.
        let third = another(site, &MASTER_KEY, &clock);
        keep(site, &third);
        assert_eq!(signs(site, &third, shop.id()), Err(Code::ServerClock));
        clock.set(Some(BEGIN + 1000));
        assert_eq!(signs(site, &third, shop.id()), Ok(BEGIN + 1000));
        // By hand it is forgotten: the clock had been ahead, and is right now.
        site.wait(async {
            rotate::forget_clock(&site.server.store, BEGIN).await.unwrap();
        });
        clock.set(Some(BEGIN));
        let right = another(site, &MASTER_KEY, &clock);
        keep(site, &right);
        assert_eq!(signs(site, &right, shop.id()), Ok(BEGIN));
    }

    fn everything_opens_under_another_master_key(site: &Site) {
        let shop = Shop::open(site);
        let admin = site.admin().with("Idempotency-Key", "once");
        let made = admin.post("/api/v1/api-keys", json!({"name": "a", "scopes": ["read"]}));
        made.good();
        let webhook = json!({ "url": "https://a.example.com/" });
        let webhook = site.admin().post("/api/v1/webhooks", webhook).good();
        let rotate = format!("/api/v1/webhooks/{}/rotate-secret", webhook["id"].as_str().unwrap());
        let rotated = site.admin().post(&rotate, json!({})).good();
        let next = [8; 32];
        let given = hexadecimal(&next);
        let sealed = site.wait(async {
            let keys = signing_keys::after(site.server.store.read(), Uuid::nil(), 9).await;
            keys.unwrap().into_iter().map(|key| key.sealed).collect::<Vec<_>>()
        });
        let on_disk = |text: &String| {
            let mut files = site.database().folder().map(files).unwrap_or_default().into_iter();
            files.any(|file| find(&file, text.as_bytes()))
        };
        assert_eq!(sealed.iter().any(on_disk), site.database().folder().is_some());
        let resealed = site.wait(async {
            let store = site.database().open().await;
            let config = settings(&MASTER_KEY);
            // A wrong old key changes nothing.
            master_key::open(&config, &store).await.unwrap();
            let wrong = rotate::master(&settings(&[9; 32]), &store, Some(&given)).await;
            assert_eq!(wrong.unwrap_err().code(), Code::Setup);
            rotate::master(&config, &store, Some(&given)).await.unwrap()
        });
        assert_eq!((resealed.keys, resealed.webhooks), (3, 1));
        assert_eq!((resealed.answers, resealed.file), (1, None));
        assert!(!sealed.iter().any(on_disk), "what the old key opens is still there");
        let clock = Clock::default();
        clock.set(Some(BEGIN));
        let new = another(site, &next, &clock);
        // The new ones, and those before them.
        let of = [&rotated, &webhook].into_iter().flat_map(|it| [&it["secret"], &it["public_key"]]);
        let told: Vec<&str> = of.filter_map(|it| it.as_str()).collect();
        assert_eq!(signs_for(site, &next).unwrap(), told);
        assert_eq!(signs_for(site, &MASTER_KEY).unwrap_err().code(), Code::Setup);
        assert_eq!(signs(site, &new, shop.id()), Ok(BEGIN));
        site.wait(async {
            master_key::open(&settings(&next), &new.store).await.unwrap();
            let old = master_key::open(&settings(&MASTER_KEY), &new.store).await.unwrap_err();
            assert!(old.code() == Code::Setup && old.detail().contains("master key"), "{old}");
        });
        let old = another(site, &MASTER_KEY, &clock);
        assert_eq!(signs(site, &old, shop.id()), Err(Code::Setup));
        // One that still runs with the old key seals nothing that nobody could open.
        let pair = site.admin().post("/api/v1/key-pairs", json!({"name": "late"}));
        pair.refused(500, "setup");
        assert_eq!(site.admin().get("/api/v1/key-pairs").good()["total"], 1);
        // The answer that is kept opens for whoever has the new one.
        let router = licentia_server::api::router(Arc::clone(&new));
        let address = site.wait(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
            address
        });
        let body = json!({"name": "a", "scopes": ["read"]});
        assert_eq!(admin.at(address).post("/api/v1/api-keys", body).body, made.body);
    }

    fn all_keys_are_rotated_by_hand(site: &Site) {
        let shop = Shop::open(site);
        let (_, other) = site.organization("Other");
        let other = Shop::of(site.nobody().with_key(&other), "other");
        let dead = site.admin().post("/api/v1/key-pairs", json!({"name": "dead"})).good();
        let path = format!("/api/v1/key-pairs/{}", dead["id"].as_str().unwrap());
        let root = dead["keys"][0]["id"].as_str().unwrap();
        site.admin().post(&format!("{path}/keys/{root}/compromise"), json!({})).good();
        let rotated = site.wait(async { rotate::signing(&site.server, None).await.unwrap() });
        assert_eq!(rotated.len(), 3);
        let refused: Vec<&str> = rotated
            .iter()
            .filter_map(|it| it.refused.as_ref().map(|_| it.pair.name.as_str()))
            .collect();
        assert_eq!(refused, ["dead"]);
        for shop in [&shop, &other] {
            let pair = shop.product["key_pair_id"].as_str().unwrap();
            let pair = shop.admin.get(&format!("/api/v1/key-pairs/{pair}")).good();
            assert_eq!(pair["keys"].as_array().unwrap().len(), 5);
            let one = Uuid::parse_str(pair["id"].as_str().unwrap()).unwrap();
            site.wait(async { rotate::signing(&site.server, Some(one)).await.unwrap() });
        }
        let unknown = site.wait(rotate::signing(&site.server, Some(Uuid::nil())));
        assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
        let dead = Uuid::parse_str(dead["id"].as_str().unwrap()).unwrap();
        let dead = site.wait(rotate::signing(&site.server, Some(dead)));
        assert_eq!(dead.unwrap_err().code(), Code::Conflict);
    }

    fn a_private_key_is_nowhere_to_be_read(site: &Site) {
        let log = log();
        let canary = *b"canary-7d1e05c2b94f4a8e93d0c6a1!";
        let key = SecretKey::from_seed(&canary).unwrap();
        let pem = key.to_pem().unwrap().to_string();
        let admin = site.admin();
        let mut told: Vec<u8> = Vec::new();
        let mut note = |answer: crate::support::client::Answer| {
            told.extend_from_slice(&answer.body);
            answer
        };
        let once = admin.with("Idempotency-Key", "canary");
        let body = json!({"name": "canary", "private_key": pem});
        let pair = note(once.post("/api/v1/key-pairs", body.clone())).good();
        note(once.post("/api/v1/key-pairs", body.clone())).good();
        // What goes wrong repeats nothing either.
        note(admin.post("/api/v1/key-pairs", body)).refused(409, "conflict");
        note(admin.post("/api/v1/key-pairs", json!({"name": pem.clone()})));
        note(admin.post("/api/v1/key-pairs", json!({"name": "a", "private_key": &pem[..90]})));
        note(admin.raw("POST", "/api/v1/key-pairs", pem.as_bytes()));
        note(admin.post("/api/v1/products", json!({"name": "a", "code": "a", "key_pair_id": pem})));
        let product = json!({"name": "App", "code": "myapp", "key_pair_id": pair["id"]});
        let product = note(admin.post("/api/v1/products", product)).good();
        let shop = Shop { admin: admin.clone(), product };
        let license = json!({"license_type": "perpetual", "customer_email": "a@b.example"});
        note(shop.sell(license)).good();
        let rotate = format!("/api/v1/key-pairs/{}/rotate", pair["id"].as_str().unwrap());
        note(admin.post(&rotate, json!({})));
        for path in ["public-key", "key-set"] {
            note(admin.get(&format!("/api/v1/products/{}/{path}", shop.id())));
        }
        let made = admin.post("/api/v1/api-keys", json!({"name": "a", "scopes": ["read"]})).good();
        let api_key = made["key"].as_str().unwrap().to_string();
        note(admin.get("/api/v1/key-pairs"));
        note(admin.get("/api/v1/api-keys"));
        let webhook = json!({"url": "https://a.example.com/"});
        let once = admin.with("Idempotency-Key", "webhook");
        let webhook = once.post("/api/v1/webhooks", webhook).good();
        let path = format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap());
        let rotate = format!("{path}/rotate-secret");
        let rotated = once.with("Idempotency-Key", "rotate").post(&rotate, json!({})).good();
        let test = note(admin.post(&format!("{path}/test"), json!({}))).good();
        note(admin.put(&path, json!({"description": "mine"})));
        let delivery = format!("/api/v1/deliveries/{}", test["id"].as_str().unwrap());
        for read in [&path, "/api/v1/webhooks", "/api/v1/deliveries", &delivery, "/api/v1/events"] {
            note(admin.get(read)).good();
        }
        let signing = [&webhook, &rotated].map(|it| it["secret"].as_str().unwrap().to_string());
        let secret_of_a_webhook = |bytes: &[u8]| {
            let is_in = |secret: &String| find(bytes, &secret.as_bytes()["whsec_".len()..]);
            signing.iter().any(is_in) || find(bytes, b"whsk_")
        };
        keep(site, &site.server);
        let debug = format!("{key:?} {:?}", site.server.signer.vault());
        told.extend_from_slice(debug.as_bytes());

        let kept = kept(site);
        let log = log.lock().unwrap().clone();
        assert!(find(&kept, key.public().kid().as_bytes()), "the database was not read");
        for (place, bytes) in [("database", &kept), ("answers", &told), ("log", &log)] {
            for (spelling, text) in spellings(&canary, &pem) {
                assert!(!find(bytes, &text), "{spelling} of the seed is in the {place}");
            }
            for secret in [api_key.as_bytes(), &api_key.as_bytes()[17..], site.key.as_bytes()] {
                assert!(!find(bytes, secret), "an API key is in the {place}");
            }
            assert!(!secret_of_a_webhook(bytes), "a secret of a webhook is in the {place}");
            assert!(!find(bytes, hexadecimal(&MASTER_KEY).as_bytes()) && !find(bytes, &MASTER_KEY));
        }
    }
}

both! {
    fn the_way_into_an_endpoint_is_told_to_administrators_alone(site: &Site) {
        let log = log();
        let way_in = ["canary-path-5f1c", "canary-query-90ae"];
        let url = |host: &str| format!("https://{host}/{}?t={}", way_in[0], way_in[1]);
        let admin = site.admin();
        let made = json!({"url": url("a.example.com"), "enabled": false});
        let made = admin.post("/api/v1/webhooks", made).good();
        let path = format!("/api/v1/webhooks/{}", made["id"].as_str().unwrap());
        admin.put(&path, json!({"enabled": true})).good();
        let changed = admin.put(&path, json!({"url": url("b.example.com")})).good();
        assert_eq!(changed["url"], url("b.example.com"));
        admin.post(&format!("{path}/rotate-secret"), json!({})).good();
        let test = admin.post(&format!("{path}/test"), json!({})).good();
        let delivery = format!("/api/v1/deliveries/{}", test["id"].as_str().unwrap());
        let reader = admin.with_key(&site.api_key(site.organization, "read"));
        let mut told: Vec<u8> = Vec::new();
        for read in [&path, "/api/v1/webhooks", "/api/v1/deliveries", &delivery] {
            told.extend(reader.get(read).text().into_bytes());
        }
        admin.delete(&path).good();
        // What is told to everybody, whoever asks.
        for read in ["/api/v1/events", "/api/v1/audit", "/api/v1/exports/audit"] {
            told.extend(admin.get(read).text().into_bytes());
        }
        assert!(find(&told, b"b.example.com") && find(&told, b"webhook.deleted"));
        let log = log.lock().unwrap().clone();
        for (place, bytes) in [("answers", &told), ("log", &log)] {
            for part in way_in {
                assert!(!find(bytes, part.as_bytes()), "{part} is in the {place}");
            }
        }
    }
}

/// Every way to write 32 bytes that a program might take.
fn spellings(seed: &[u8; 32], pem: &str) -> Vec<(&'static str, Vec<u8>)> {
    let line = pem.lines().nth(1).unwrap();
    let json: Vec<String> = seed.iter().map(u8::to_string).collect();
    let mut all = vec![
        ("raw", seed.to_vec()),
        ("raw half", seed[..16].to_vec()),
        ("hex", hexadecimal(seed).into_bytes()),
        ("HEX", hexadecimal(seed).to_uppercase().into_bytes()),
        ("base64", STANDARD.encode(seed).into_bytes()),
        ("base64url", URL_SAFE_NO_PAD.encode(seed).into_bytes()),
        ("PEM", line.as_bytes()[line.len() - 40..].to_vec()),
        ("array", json.join(",").into_bytes()),
        ("spaced array", json.join(", ").into_bytes()),
    ];
    // Wherever the seed begins in what is encoded.
    for skip in 1..3 {
        let inner = STANDARD_NO_PAD.encode(&seed[skip..]);
        all.push(("shifted base64", inner.as_bytes()[..38].to_vec()));
    }
    all
}

fn find(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// All that the database keeps: its rows, and of SQLite every byte of its files.
fn kept(site: &Site) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("backup");
    let store = &site.server.store;
    site.wait(async { backup::backup(store, &site.clock, &out).await.unwrap() });
    let mut bytes = std::fs::read(&out).unwrap();
    for file in site.database().folder().map(files).unwrap_or_default() {
        bytes.extend(file);
    }
    bytes
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.is_file()).map(|path| std::fs::read(path).unwrap()).collect()
}

/// The log of this process from now on, every line of it.
fn log() -> Arc<Mutex<Vec<u8>>> {
    static LOG: std::sync::OnceLock<Arc<Mutex<Vec<u8>>>> = std::sync::OnceLock::new();
    let log = LOG.get_or_init(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&log);
        let _ = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || Writer(Arc::clone(&writer)))
            .try_init();
        log
    });
    tracing::info!("the log is read");
    assert!(find(&log.lock().unwrap(), b"the log is read"), "another test has the log");
    Arc::clone(log)
}

struct Writer(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // A minute of everything that a process of many tests logs is enough.
        let mut log = self.0.lock().unwrap();
        if log.len() < 16 << 20 {
            log.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
