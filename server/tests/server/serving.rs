//! A server from its start to its end, and what holds for every request to it.

use crate::support::client::{Answer, Client};
use crate::support::postgres;
use crate::support::real::{ADMIN_KEY, Real};
use licentia_server::Serving;
use licentia_server::clock::Clock;
use licentia_server::config::{Config, MasterKey, Metrics};
use licentia_server::error::{Code, Error};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

const PAGE: &str = include_str!("../../../docs/server.md");

/// Why a server does not start.
fn refusal(server: &Real, config: Config) -> Error {
    server.wait(Serving::start(config, Clock::default())).err().expect("it does not start")
}

/// What is in a folder, and who may see it.
fn files(folder: &Path) -> BTreeMap<String, u32> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mode = |it: &fs::DirEntry| it.metadata().unwrap().permissions().mode() & 0o777;
    entries.map(|it| (it.file_name().to_str().unwrap().to_string(), mode(&it))).collect()
}

#[test]
fn a_folder_is_one_servers_and_what_is_in_it_stays() {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("data");
    let config = || Config { data: data.clone(), ..Real::config(&data) };
    let server = Real::with(|other| *other = config());
    let mode = fs::metadata(&data).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700, "the folder is its owner's");
    assert_eq!(files(&data)["licentia.db"], 0o600);
    assert_eq!(files(&data)["master.key"], 0o600);
    let told = server.serving().told();
    assert!(told.first.as_ref().is_some_and(|first| first.key.is_none()), "it was brought along");
    server.admin().post("/v1/products", json!({"name": "One", "code": "one"})).good();

    let error = refusal(&server, config());
    assert_eq!(error.code(), Code::Setup);
    assert!(error.detail().contains("Another server runs on"), "{error}");
    server.stop(|| ());
    let left: Vec<_> = files(&data).into_keys().collect();
    assert_eq!(left, ["licentia.db", "lock", "master.key"], "nothing is left behind");

    let server = Real::with(|other| *other = config());
    assert!(server.serving().told().first.is_none(), "there was a first start before");
    assert_eq!(server.admin().get("/v1/products").good()["total"], 1);
}

#[test]
fn what_keeps_it_from_starting_is_one_sentence_and_leaves_nothing() {
    let server = Real::new();
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("data");
    let config = || Config { data: data.clone(), ..Real::config(&data) };
    let short = Config { admin_key: Some("short".to_string().into()), ..config() };
    assert_eq!(refusal(&server, short).code(), Code::InvalidArgument);
    let taken = Config { listen: server.address, ..config() };
    let error = refusal(&server, taken);
    assert!(error.detail().contains("another program listens there"), "{error}");
    let nowhere = Config { data: parent.path().join("no/such"), ..config() };
    let error = refusal(&server, nowhere);
    assert!(error.code() == Code::Setup && error.detail().contains("--data"), "{error}");
    let closed = "postgres://nobody:secret@127.0.0.1:1/none".to_string();
    let closed = Config { database: Some(closed.into()), ..config() };
    let error = refusal(&server, closed);
    assert!(error.detail().contains("127.0.0.1:1/none"), "{error}");
    assert!(!error.detail().contains("secret"), "{error}");
    assert_eq!(files(&data).get("licentia.db"), None);

    fs::write(data.join("licentia.db"), "this is no database of anybody").unwrap();
    assert!(server.wait(Serving::start(config(), Clock::default())).is_err());
    let found = fs::read_to_string(data.join("licentia.db")).unwrap();
    assert_eq!(found, "this is no database of anybody");
}

#[test]
fn another_master_key_is_refused_and_the_right_one_is_taken_from_anywhere() {
    let path = |config: &Config| config.data.join("elsewhere.key");
    let server = Real::with(|config| {
        fs::write(path(config), "A".repeat(43)).unwrap();
        fs::set_permissions(path(config), fs::Permissions::from_mode(0o600)).unwrap();
        config.master_key = MasterKey::File(path(config));
    });
    assert!(!files(server.folder()).contains_key("master.key"), "none is made beside it");

    let folder = tempfile::tempdir().unwrap();
    let master_key = MasterKey::Text("00".repeat(32).into());
    let other = Config { master_key, ..Real::config(folder.path()) };
    let first = server.wait(Serving::start(other.clone(), Clock::default())).unwrap();
    server.wait(first.stop());
    let wrong = MasterKey::Text("11".repeat(32).into());
    let error = refusal(&server, Config { master_key: wrong, ..other.clone() });
    assert!(error.code() == Code::Setup && error.detail().contains("master key"), "{error}");
    let error = refusal(&server, Config { master_key: MasterKey::Folder, ..other.clone() });
    assert!(error.detail().contains("there is none at"), "{error}");
    assert!(!folder.path().join("master.key").exists(), "none is made for it");
    let again = server.wait(Serving::start(other, Clock::default())).unwrap();
    server.wait(again.stop());
}

#[test]
fn two_servers_may_share_a_postgresql_database_and_its_master_key() {
    let Some(cluster) = postgres::shared() else { return };
    let name = cluster.create("template0");
    let master_key = MasterKey::Text("22".repeat(32).into());
    let url = cluster.url(&name);
    let change = |config: &mut Config| {
        config.database = Some(url.clone().into());
        config.master_key = master_key.clone();
    };
    let (one, two) = std::thread::scope(|scope| {
        let two = scope.spawn(|| Real::with(change));
        (Real::with(change), two.join().unwrap())
    });
    let firsts = [&one, &two].map(|server| server.serving().told().first.is_some());
    assert!(firsts == [true, false] || firsts == [false, true], "one was first: {firsts:?}");
    assert!(files(one.folder()).is_empty(), "nothing is kept in its folder");
    one.admin().post("/v1/products", json!({"name": "One", "code": "one"})).good();
    assert_eq!(two.admin().get("/v1/products").good()["total"], 1);
    for server in [&one, &two] {
        assert_eq!(server.nobody().get("/readyz").status, 200);
    }
    let mut config = Real::config(one.folder());
    change(&mut config);
    let error = refusal(&one, Config { master_key: MasterKey::Folder, ..config });
    assert!(error.detail().contains("there is none at"), "{error}");
    drop((one, two));
    cluster.remove(&name);
}

#[test]
fn what_has_begun_is_finished_before_it_stops() {
    // Far longer than the test: it ends because nothing is left to do.
    let server = Real::with(|config| config.limits.shutdown = Duration::from_secs(3600));
    let body = json!({"name": "One", "code": "one"}).to_string();
    let (first, second) = body.split_at(body.len() / 2);
    let mut stream = server.connect();
    let head = format!(
        "POST /v1/products HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ADMIN_KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{first}").as_bytes()).unwrap();
    // Answered after the first half was read: it is in flight.
    assert_eq!(server.nobody().get("/healthz").status, 200);
    let idle = server.connect();
    let address = server.address;
    let mut answer = String::new();
    server.stop(|| {
        while TcpStream::connect(address).is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
        stream.write_all(second.as_bytes()).unwrap();
        stream.read_to_string(&mut answer).unwrap();
    });
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    drop(idle);
}

#[test]
fn whoever_is_too_slow_is_cut_off_when_it_stops() {
    let server = Real::with(|config| {
        config.limits.shutdown = Duration::from_secs(1);
        config.limits.body = Duration::from_secs(3600);
    });
    let mut stream = server.connect();
    stream.write_all(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n").unwrap();
    assert_eq!(server.nobody().get("/healthz").status, 200);
    server.stop(|| ());
}

#[test]
fn every_answer_names_its_request() {
    let server = Real::new();
    for path in ["/healthz", "/metrics", "/v1/products", "/nope"] {
        let answer = server.admin().with("X-Request-Id", "mine-1").get(path);
        assert_eq!(answer.header("x-request-id"), Some("mine-1"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        let other = server.nobody().with("X-Request-Id", "not one").get(path);
        assert_eq!(other.header("x-request-id").map(str::len), Some(32), "{path}");
    }
    let answer = server.nobody().with("X-Request-Id", "mine-2").get("/v1/products");
    answer.refused(401, "unauthorized");
    assert_eq!(answer.json()["request_id"], "mine-2");
    let long = server.nobody().with("Content-Encoding", "gzip").with("X-Request-Id", "mine-3");
    assert_eq!(long.get("/v1/products").json()["request_id"], "mine-3");
}

fn limited(answer: &Answer) {
    let told = answer.refused(429, "too_many_requests");
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds) && told.contains(&format!("in {seconds} seconds")));
}

#[test]
fn a_client_that_asks_too_much_is_told_when_to_come_back() {
    let server = Real::with(|config| {
        config.rates.key = NonZeroU32::new(3);
        config.rates.address = NonZeroU32::new(5);
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    });
    let from = |client: Client, address: &str| client.with("X-Forwarded-For", address);
    // The first request with a key counts for the address: the key is not known yet.
    server.admin().get("/v1/products").good();
    for left in [2, 1, 0] {
        let answer = server.admin().get("/v1/products");
        answer.good();
        assert_eq!(answer.header("ratelimit-policy"), Some("\"key\";q=3;w=60"));
        let told = format!("\"key\";r={left};t={}", 20 * (3 - left));
        assert_eq!(answer.header("ratelimit"), Some(told.as_str()));
    }
    limited(&server.admin().get("/v1/products"));
    limited(&from(server.admin(), "203.0.113.1").get("/v1/products"));
    for _ in 0..5 {
        from(server.nobody(), "203.0.113.2").get("/v1/products").refused(401, "unauthorized");
    }
    limited(&from(server.nobody(), "203.0.113.2").get("/v1/products"));
    limited(&from(server.nobody(), "198.51.100.1, 203.0.113.2").get("/v1/products"));
    from(server.nobody(), "203.0.113.3").get("/v1/products").refused(401, "unauthorized");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(from(server.nobody(), "203.0.113.2").get(path).status, 200, "{path}");
    }
    let page = server.nobody().get("/metrics").text();
    for by in ["key", "address"] {
        let line = format!("licentia_server_rate_limited_total{{by=\"{by}\"}} 2\n");
        assert!(page.contains(&line), "{page}");
    }
}

/// A thousand guesses are 20, and then one every 3 seconds.
#[test]
fn whoever_guesses_keys_is_held_up_and_holds_up_nobody_else() {
    let server = Real::with(|config| {
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        config.rates.address = None;
    });
    let here = server.nobody().with("X-Forwarded-For", "203.0.113.1");
    let good = server.admin().with("X-Forwarded-For", "203.0.113.1");
    good.get("/v1/products").good();
    let begun = std::time::Instant::now();
    let mut looked_at = 0;
    for at in 0..1000 {
        let answer = here.with_key(&format!("lic_guess_{at}")).get("/v1/products");
        match answer.status {
            401 => looked_at += 1,
            _ => limited(&answer),
        }
    }
    let most = 20 + begun.elapsed().as_secs() / 3 + 1;
    assert!((20..=most).contains(&looked_at), "{looked_at} guesses were looked at");
    good.get("/v1/products").good();
    let elsewhere = server.nobody().with("X-Forwarded-For", "203.0.113.2");
    elsewhere.with_key("lic_guess").get("/v1/products").refused(401, "unauthorized");
    elsewhere.with_key(ADMIN_KEY).get("/v1/products").good();
}

#[test]
fn who_is_not_trusted_says_nothing_about_where_it_is_from() {
    let server = Real::with(|config| config.rates.address = NonZeroU32::new(5));
    for last in 1..=5 {
        let client = server.nobody().with("X-Forwarded-For", &format!("203.0.113.{last}"));
        client.get("/v1/products").refused(401, "unauthorized");
    }
    limited(&server.nobody().with("X-Forwarded-For", "203.0.113.6").get("/v1/products"));
    limited(&server.nobody().with("Forwarded", "for=203.0.113.7").get("/v1/products"));
}

#[test]
fn it_is_ready_only_while_it_can_answer() {
    let server = Real::new();
    assert_eq!(server.nobody().get("/readyz").text(), "ok\n");
    server.wait(server.serving().server().store.clone().close());
    // An answer of the database is good for a second.
    let unready = |_| {
        std::thread::sleep(Duration::from_millis(50));
        server.nobody().get("/readyz").status == 503
    };
    assert!((0..600).any(unready), "it is never told");
    assert_eq!(server.nobody().get("/readyz").text(), "the database does not answer\n");
    assert_eq!(server.nobody().get("/healthz").status, 200, "the process lives");
    assert_eq!(server.nobody().get("/metrics").status, 200);
}

#[test]
fn metrics_are_for_this_machine_unless_somebody_says_otherwise() {
    let local = Real::new();
    assert_eq!(local.nobody().get("/metrics").status, 200);
    for (name, value) in [("X-Forwarded-For", "127.0.0.1"), ("Forwarded", "for=127.0.0.1")] {
        let proxied = local.nobody().with(name, value);
        proxied.get("/metrics").refused(404, "not_found");
    }
    let off = Real::with(|config| config.metrics = Metrics::Off);
    off.nobody().get("/metrics").refused(404, "not_found");
    let all = Real::with(|config| config.metrics = Metrics::All);
    assert_eq!(all.nobody().with("X-Forwarded-For", "203.0.113.1").get("/metrics").status, 200);
}

#[test]
fn the_metrics_can_be_read_by_machines_and_are_documented() {
    let server = Real::new();
    let admin = server.admin();
    for at in 0..30 {
        admin.get(&format!("/v1/guess/{at}"));
        admin.get(&format!("/v1/products/{at}"));
        admin.get(&format!("/api/v1/products/{at}"));
    }
    admin.ask("BREW", "/v1/products", None);
    let page = server.nobody().get("/metrics");
    let kind = page.header("content-type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let samples = samples(&page.text());
    let sample = |name: &str| samples.get(&format!("licentia_server_{name}")).copied();
    let requests = |route: &str, method: &str, status: u16| {
        let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{status}\"");
        sample(&format!("requests_total{{{labels}}}"))
    };
    assert_eq!(requests("/api/v1/products/{id}", "GET", 404), Some(60.0), "{samples:?}");
    assert_eq!(requests("other", "GET", 404), Some(30.0));
    assert_eq!(requests("/api/v1/products", "other", 405), Some(1.0));
    assert_eq!(sample("ready"), Some(1.0));
    assert!(sample("outbox_events").is_some() && sample("outbox_age_seconds").is_some());
    assert_eq!(sample("signed_total"), Some(0.0));
    assert!(sample("database_connections").is_some_and(|count| count >= 1.0));
    assert!(samples.keys().all(|name| !name.contains("guess")), "routes are a few");
    let base = |name: &str| {
        let name = name.split('{').next().unwrap().trim_start_matches("licentia_server_");
        let histogram = ["_bucket", "_count", "_sum"].iter().find_map(|it| name.strip_suffix(it));
        histogram.unwrap_or(name).to_string()
    };
    for name in samples.keys().map(|name| base(name)) {
        assert!(PAGE.contains(&format!("`{name}`")), "docs/server.md does not name `{name}`");
    }
}

/// Every sample of a page, held to the grammar of its lines.
fn samples(page: &str) -> BTreeMap<String, f64> {
    let body = page.strip_suffix("# EOF\n").expect("it has an end");
    let mut all = BTreeMap::new();
    for line in body.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let kind = comment.split(' ').next().unwrap();
            assert!(["HELP", "TYPE", "UNIT"].contains(&kind), "{line}");
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(name.starts_with("licentia_server_"), "{line}");
        assert!(all.insert(name.to_string(), value).is_none(), "twice: {line}");
    }
    all
}
