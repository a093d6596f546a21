//! Clients that were written from the description of each API alone work with every mount and
//! with the agent: tests/clients/README.md.

use licentia_tests::case::{DAY, NOW};
use licentia_tests::document::Doc;
use licentia_tests::http::client::token;
use licentia_tests::http::hosts::{self, Host};
use licentia_tests::http::sites::{self, Site, full};
use licentia_tests::http::{agent, golden};
use licentia_tests::paths;
use licentia_tests::signer::stranger;
use std::path::PathBuf;
use std::process::Command;

/// The clients, each with a site of its own.
const CLIENTS: &[&str] = &["assign", "licensing", "status", "entitlements"];

fn sites() -> Vec<Site> {
    CLIENTS.iter().map(|client| sites::unused(client)).collect()
}

#[test]
fn they_work_with_wsgi() {
    mounted("wsgi");
}

#[test]
fn they_work_with_asgi() {
    mounted("asgi");
}

#[test]
fn they_work_with_node() {
    mounted("node");
}

#[test]
fn they_work_with_express() {
    mounted("express");
}

#[test]
fn they_work_with_fastify() {
    mounted("fastify");
}

#[test]
fn they_work_with_c() {
    mounted("c");
}

#[test]
fn they_work_with_cpp() {
    mounted("cpp");
}

#[test]
fn they_work_with_the_agent() {
    let sites = sites();
    golden::prepare("agent", &sites);
    for site in &sites {
        let Some(command) = agent::command(site) else { return };
        let host = Host::start(command).unwrap();
        run(site.name, &host.root).unwrap();
        host.stop().unwrap();
    }
}

fn mounted(mount: &str) {
    let sites = sites();
    golden::prepare(mount, &sites);
    let Some(command) = hosts::command(mount, &sites) else { return };
    let host = Host::start(command).unwrap();
    for site in &sites {
        run(site.name, &format!("{}{}", host.root, hosts::mount(site))).unwrap();
    }
    host.stop().unwrap();
}

fn run(client: &str, root: &str) -> Result<(), String> {
    let run = Command::new("python3")
        .arg(paths::root().join("tests/clients").join(format!("{client}.py")))
        .args([root, &token("administrator"), &token("nobody")])
        .arg(license("good", &full().sign()))
        .arg(license("expired", &Doc::license().set("/license/valid_until", NOW - DAY).sign()))
        .arg(license("forged", &full().sign_by(&stranger())))
        .arg("Acme")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .map_err(|error| format!("python3: {error}"))?;
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (seen, wrong) = (told(&run.stdout), told(&run.stderr));
    if run.status.success() && seen.lines().count() > 20 {
        return Ok(());
    }
    Err(format!("{client} at {root}: {}\n{seen}{wrong}", run.status))
}

/// Each process writes files of its own: tests run side by side.
fn license(name: &str, text: &str) -> PathBuf {
    let folder = paths::target().join("http/licenses");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}.{:?}.lic", std::thread::current().id()));
    std::fs::write(&path, text).unwrap();
    path
}
