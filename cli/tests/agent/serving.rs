//! What an agent serves, from its start to its end.

use crate::running::{Agent, answers, bearer, read};
use crate::site::{Site, TOKEN};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

const PAGE: &str = include_str!("../../../docs/agent.md");

#[test]
fn it_serves_the_license_api_and_says_whose() {
    let site = Site::new();
    site.configure("", "");
    let agent = Agent::start(&site);
    let kid = site.kid();
    assert!(agent.greeting.contains(&format!("serving myapp, product key {kid}")));
    let mode = fs::metadata(site.path("agent-state")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "the folder is made beside the configuration");
    assert_eq!(agent.get("/api/license").json()["licensed"], false);
    assert_eq!(agent.apply(&site.license()).status, 200);
    assert_eq!(agent.get("/api/license").json()["licensed"], true);
    for path in ["/api/license", "/healthz", "/readyz", "/nope", "/metrics", "/", "/license"] {
        let answer = agent.get(path);
        assert_eq!(answer.headers("licentia-product-key"), [&kid], "{path}");
        assert_eq!(answer.headers("cache-control"), ["no-store"], "{path}");
        assert_eq!(answer.headers("x-content-type-options"), ["nosniff"], "{path}");
        assert_eq!(answer.headers("x-request-id").len(), 1, "{path}");
    }
    assert_eq!(agent.get("/").headers("location"), ["/license"]);
    assert_eq!(agent.get("/nope").status, 404);
    let answer = agent.ask("POST", "/healthz", "", "{}");
    assert_eq!((answer.status, answer.headers("allow")), (405, vec!["GET, HEAD"]));
    let answer = agent.ask("HEAD", "/metrics", &bearer(TOKEN), "");
    assert!(answer.status == 200 && answer.body.is_empty());
}

#[test]
fn in_json_it_says_in_one_line_what_it_serves() {
    let site = Site::new();
    site.configure("state = \"no/such/folder\"", "");
    let mut command = site.command(&["--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    let object: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(line.starts_with("{\"code\":\"ok\""), "{line}");
    assert!(object["listening"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{line}");
    assert_eq!((&object["product"], &object["product_key"]), (&"myapp".into(), &site.kid().into()));
    assert!(object["warnings"][0].as_str().unwrap().contains("the state folder"), "{line}");
    assert_eq!(child.wait_with_output().unwrap().stderr, b"");
}

#[test]
fn under_a_mount_its_own_paths_stay_where_they_are() {
    let site = Site::new();
    site.configure("", "[site]\nmount = \"/admin\"\npublic_status = \"full\"\n");
    let agent = Agent::start(&site);
    assert_eq!(agent.get("/").headers("location"), ["/admin/license"]);
    for (path, status) in [("/admin/api/license", 200), ("/api/license", 404), ("/healthz", 200)] {
        assert_eq!(agent.get(path).status, status, "{path}");
    }
}

#[test]
fn the_metrics_can_be_read_by_machines() {
    let site = Site::new();
    site.configure("metrics = \"public\"", "");
    let agent = Agent::start(&site);
    assert_eq!(agent.apply(&site.license()).status, 200);
    agent.get("/api/license?a=b");
    for at in 0..50 {
        agent.get(&format!("/guess/{at}"));
    }
    agent.send(b"BREW /license HTTP/1.1\r\nHost: a\r\n\r\n");
    agent.send(b"nonsense\r\n\r\n");
    let answer = agent.get("/metrics");
    assert!(answer.headers("content-type")[0].starts_with("application/openmetrics-text"));
    let samples = samples(&answer.body);
    let sample = |name: &str| samples.get(name).copied();
    let requests = |labels: &str| sample(&format!("licentia_agent_requests_total{{{labels}}}"));
    assert_eq!(requests("route=\"/api/license\",method=\"GET\",status=\"200\""), Some(1.0));
    assert_eq!(requests("route=\"other\",method=\"GET\",status=\"404\""), Some(50.0));
    assert_eq!(requests("route=\"/license\",method=\"other\",status=\"405\""), Some(1.0));
    assert_eq!(sample("licentia_agent_refused_connections_total"), Some(1.0));
    assert_eq!(sample("licentia_agent_license_in_force"), Some(1.0));
    assert_eq!(sample("licentia_agent_state_ok"), Some(1.0));
    assert_eq!(sample("licentia_agent_access"), Some(3.0));
    let build = samples.keys().find(|name| name.starts_with("licentia_agent_build_info")).unwrap();
    assert!(build.contains(&site.kid()), "{build}");
    assert!(samples.keys().all(|name| !name.contains("guess")), "routes are a few");
    for name in samples.keys() {
        let name = name.split('{').next().unwrap().trim_start_matches("licentia_agent_");
        let histogram = ["_bucket", "_count", "_sum"].iter().find_map(|it| name.strip_suffix(it));
        let told = format!("`{}`", histogram.unwrap_or(name));
        assert!(PAGE.contains(&told), "docs/agent.md does not name {told}");
    }
    drop(agent);

    site.configure("metrics = \"off\"", "");
    assert_eq!(Agent::start(&site).get_as("/metrics", TOKEN).status, 404);
}

/// What docs/agent.md says that the product asks, and what a service with `read` does not get.
#[test]
fn the_product_is_answered_what_is_documented() {
    let site = Site::new();
    let service = "a token of a service that reads";
    site.write("service", service);
    let token = "[[tokens]]\nname = \"service\"\nrights = [\"read\"]\nfile = \"service\"";
    site.configure("", token);
    let agent = Agent::start(&site);
    let (_, section) = PAGE.split_once("## What the product asks\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    let members: Vec<&str> = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect();
    assert_eq!(members.len(), 8, "{members:?}");
    let answer = agent.get("/api/license").json();
    for member in members {
        assert!(answer[member].is_boolean(), "{member}: {answer}");
    }
    for (path, status) in [
        ("/license", 200),
        ("/metrics", 200),
        ("/api/v1/license", 403),
        ("/api/licensing/check", 403),
    ] {
        assert_eq!(agent.get_as(path, service).status, status, "{path}");
    }
    assert_eq!(agent.get_as("/api/license", service).json(), answer);
    assert_eq!(agent.get_as("/api/v1/license", TOKEN).status, 200);
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
        assert!(name.starts_with("licentia_agent_"), "{line}");
        assert!(all.insert(name.to_string(), value).is_none(), "twice: {line}");
    }
    all
}

#[test]
fn what_has_begun_is_finished_before_it_stops() {
    let site = Site::new();
    // Far longer than the test: it ends because nothing is left to do.
    let limits = "header_seconds = 3600\nbody_seconds = 3600\nshutdown_seconds = 3600\n";
    site.configure("", &format!("[limits]\n{limits}"));
    let agent = Agent::start(&site);
    let body = serde_json::json!({ "license_key": site.license() }).to_string();
    let head = bearer(TOKEN);
    let head = format!(
        "POST /api/v1/license HTTP/1.1\r\nHost: a\r\n{head}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = agent.connect();
    let (first, second) = body.split_at(body.len() / 2);
    stream.write_all(format!("{head}{first}").as_bytes()).unwrap();
    // Answered after the first half was read: it is in flight.
    assert_eq!(agent.get("/healthz").status, 200);
    let idle = agent.connect();
    agent.signal(Signal::TERM);
    while TcpStream::connect(&agent.address).is_ok() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // Longer than it takes to end where it waits for nothing.
    std::thread::sleep(std::time::Duration::from_secs(2));
    stream.write_all(second.as_bytes()).unwrap();
    let all = answers(&read(&mut stream));
    assert_eq!(all.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200]);
    let (status, log) = agent.end();
    assert_eq!(status, Some(0));
    assert!(log.contains("stopping") && log.contains("POST /api/v1/license 200"), "{log}");
    drop(idle);
    let agent = Agent::start(&site);
    assert_eq!(agent.get("/api/license").json()["licensed"], true);
}

#[test]
fn whoever_is_too_slow_is_cut_off_when_it_stops() {
    let site = Site::new();
    site.configure("", "[limits]\nshutdown_seconds = 1\nbody_seconds = 3600\n");
    let agent = Agent::start(&site);
    let mut stream = agent.connect();
    stream
        .write_all(b"POST /api/v1/license HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        .unwrap();
    assert_eq!(agent.get("/healthz").status, 200);
    agent.signal(Signal::INT);
    assert_eq!(agent.end().0, Some(0));
}

#[test]
fn two_agents_may_share_a_folder() {
    let site = Site::new();
    site.configure("", "");
    let (one, two) = (Agent::start(&site), Agent::start(&site));
    assert_ne!(one.address, two.address);
    assert_eq!(one.apply(&site.license()).status, 200);
    // What others have done is looked at once a second.
    let sees = || two.get("/api/license").json()["licensed"] == true;
    let waits = |_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        sees()
    };
    assert!(sees() || (0..600).any(waits), "it never sees it");
    drop(one);
    assert_eq!(two.get("/readyz").status, 200);
    assert_eq!(two.get_as("/api/v1/license", TOKEN).json()["data"]["status"], "active");
}

#[test]
fn what_keeps_it_from_starting_is_told() {
    let site = Site::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let product = fs::read_to_string(site.path("product.lic")).unwrap();
    let inline = format!("listen = \"{address}\"\nproduct = \"\"\"\n{product}\n\"\"\"\n");
    site.write("agent.toml", inline);
    let output = site.run(&[]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(text.contains("another program listens there"), "{text}");
}

/// A license that is brought along counts without a folder.
#[test]
fn without_a_folder_it_says_so_and_serves_what_it_can() {
    let site = Site::new();
    site.write("file", "");
    site.write("brought.lic", site.license());
    for state in ["file", "file/below", "no/such/folder"] {
        site.configure(&format!("state = \"{state}\""), "");
        let agent = Agent::start(&site);
        assert_eq!(agent.get("/healthz").status, 200);
        assert_eq!(agent.get("/readyz").status, 503, "{state}");
        assert_eq!(agent.get("/api/license").json()["licensed"], false);
        assert!(agent.apply(&site.license()).status >= 400, "{state}");
        let errors = agent.stop();
        assert!(errors.contains("warning: the state folder"), "{state}: {errors}");
        site.configure(&format!("state = \"{state}\""), "[site]\nlicense_file = \"brought.lic\"\n");
        assert_eq!(Agent::start(&site).get("/api/license").json()["licensed"], true, "{state}");
    }
    assert!(!site.path("no").exists());
}

/// With `grace_days`, a product that never said when its use begins would be free.
#[test]
fn its_first_start_is_the_first_use_and_stays_it() {
    let site = Site::new();
    site.configure("", "");
    let first_use = || {
        let agent = Agent::start(&site);
        drop(agent);
        let keys = site.key.public().to_short();
        let mut product = licentia::Product::new("myapp", &keys).unwrap();
        product.set("grace_days", "30").unwrap();
        let status = product.open_to_read(site.path("agent-state")).unwrap().status(None).unwrap();
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        status["anchor"]["at"].as_i64()
    };
    let first = first_use();
    assert!(first.is_some_and(|at| at > 1_700_000_000));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(first_use(), first);
    site.write("product.lic", site.product(&[]));
    fs::remove_dir_all(site.path("agent-state")).unwrap();
    assert_eq!(first_use(), None, "no grace, no first use");
    site.write("product.lic", site.product(&[("grace_days", "30"), ("clock", "2026-11-22")]));
    fs::remove_dir_all(site.path("agent-state")).unwrap();
    assert_eq!(first_use(), None, "a clock that is stopped says nothing");
}

#[test]
fn the_example_starts_as_it_is_alone_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/agent/agent.toml");
    let text = fs::read_to_string(example).unwrap();
    assert!(text.contains("\nlisten = \"127.0.0.1:7780\"\n"));
    assert!(text.contains("\nstate = \"./agent-state\"\n"));
    // Somebody else may have the port.
    let text = text.replace("127.0.0.1:7780", "127.0.0.1:0");
    fs::write(folder.path().join("agent.toml"), text).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_licentia"));
    command.args(["agent", "--config", "agent.toml"]).current_dir(folder.path());
    command.env("LICENTIA_AGENT_TOKEN", "1234567890123456");
    let agent = Agent::from(command);
    for path in ["/license", "/api/v1/license", "/api/licensing/check", "/api/license/request"] {
        assert_eq!(agent.get_as(path, "1234567890123456").status, 200, "{path}");
    }
    assert!(folder.path().join("agent-state").is_dir());
    drop(agent);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_licentia"));
    command.args(["agent", "--config", "agent.toml"]).current_dir(folder.path());
    let output = command.env_remove("LICENTIA_AGENT_TOKEN").output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains("LICENTIA_AGENT_TOKEN, which is not set"), "{text}");
}

/// What a client that is gone has begun is not done.
#[test]
fn half_a_license_changes_nothing() {
    let site = Site::new();
    site.configure("", "");
    let agent = Agent::start(&site);
    let body = serde_json::json!({ "license_key": site.license() }).to_string();
    let head = format!(
        "POST /api/v1/license HTTP/1.1\r\nHost: a\r\n{}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        bearer(TOKEN),
        body.len()
    );
    for cut in [0, 1, body.len() / 2, body.len() - 1] {
        let mut stream = agent.connect();
        stream.write_all(format!("{head}{}", &body[..cut]).as_bytes()).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    }
    assert_eq!(agent.get("/api/license").json()["licensed"], false);
    assert_eq!(agent.send(format!("{head}{body}").as_bytes())[0].status, 200);
}
