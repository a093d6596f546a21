//! The examples of four languages activate, count and sync with a license server: each report is
//! there once, and an answer that is not the server's for that request changes nothing.
//!
//! A language whose tools are missing is skipped by name, and so is PostgreSQL;
//! `LICENTIA_REQUIRE=c,cpp,python,node,cli,postgres` makes that a failure.

#[path = "../../server/tests/server/support/postgres.rs"]
#[allow(dead_code, reason = "its own tests use the rest")]
mod postgres;

use licentia::Product;
use licentia_tests::middle::{Deed, Middle};
use licentia_tests::server::{Server, Sold};
use licentia_tests::{paths, runners, telling};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

const CODE: &str = "myapp";

/// What the examples count.
const FEATURE: &str = "exports";

/// A program of a customer: what it runs, and its installation.
struct Program {
    language: &'static str,
    command: Vec<PathBuf>,
    /// The folder of the installation; the keys of the product are beside it.
    folder: PathBuf,
}

/// How a program ended, and what it said.
#[derive(Debug)]
struct Ended {
    status: i32,
    told: Value,
    error: String,
}

impl Program {
    /// Those that can be run here, each with an installation of its own.
    fn all(home: &Path, sold: &Sold) -> Vec<Program> {
        let stage = paths::target().join("stage");
        let example = |path: &str| paths::root().join("examples").join(path);
        let programs = [
            ("c", vec![stage.join("online-c")]),
            ("cpp", vec![stage.join("online-cpp")]),
            ("python", vec![paths::root().join(".venv/bin/python"), example("python/online.py")]),
            ("node", vec!["node".into(), example("node/online.mjs")]),
        ];
        let mut all = Vec::new();
        for (language, command) in programs {
            if runners::ready(language).is_none() {
                continue;
            }
            if command.iter().any(|part| part.is_absolute() && !part.exists()) {
                println!("skipped: the example in {language} ({command:?}: make stage)");
                continue;
            }
            let folder = home.join(language);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.with_extension("jwks"), &sold.keys).unwrap();
            all.push(Program { language, command, folder });
        }
        all
    }

    /// Counts so much, and reports to this address.
    fn run(&self, url: &str, amount: u32, more: &[&str]) -> Ended {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).arg(url).arg(self.folder.with_extension("jwks"));
        command.arg(CODE).arg(&self.folder).arg(amount.to_string()).args(more);
        command.arg(format!("machine={}", self.machine()));
        // What is on this machine is asked, whatever proxy there is for the rest.
        command.env("no_proxy", "127.0.0.1");
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let (told, error) = (text(&output.stdout), text(&output.stderr));
        assert!(told.lines().count() <= 1, "{}: {told}", self.language);
        let told = serde_json::from_str(&told).unwrap_or(Value::Null);
        Ended { status: output.status.code().unwrap_or(-1), told, error }
    }

    /// What a copy of its installation says at a moment that is still to come, but for why the
    /// server was not reached, and when that was.
    fn status(&self, at: i64) -> Value {
        let keys = fs::read_to_string(self.folder.with_extension("jwks")).unwrap();
        let mut product = Product::new(CODE, &keys).unwrap();
        product.set("machine", &self.machine()).unwrap();
        product.set("clock", &at.to_string()).unwrap();
        let copy = self.folder.with_extension("copy");
        let _ = fs::remove_dir_all(&copy);
        fs::create_dir_all(&copy).unwrap();
        for entry in fs::read_dir(&self.folder).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
        }
        let status = product.open(&copy).unwrap().status(Some(at)).unwrap();
        let mut status: Value = serde_json::from_str(&status).unwrap();
        status["time"] = Value::Null;
        status["issuer"]["failure"] = Value::Null;
        status["issuer"]["next_contact"] = Value::Null;
        let next = |event: &Value| event["event"] != "next_contact";
        status["timeline"].as_array_mut().unwrap().retain(next);
        status
    }

    fn machine(&self) -> String {
        format!("the machine of {}", self.folder.file_name().unwrap().to_str().unwrap())
    }
}

impl Ended {
    /// It went well, with so much used.
    fn good(&self, used: u64) {
        assert_eq!((self.status, &*self.error), (0, ""), "{self:?}");
        self.says("ok", used);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let contact = self.told["last_contact"].as_u64().unwrap();
        assert!(contact <= now + 1 && now < contact + 3600, "{self:?}");
    }

    /// It was refused with this word, and the license holds as before.
    fn refused(&self, word: &str, used: u64) {
        assert_eq!(self.status, 1, "{self:?}");
        assert!(self.error.starts_with(&format!("{word}: ")), "{word}: {self:?}");
        self.says("ok", used);
    }

    /// The server was not reached, and the license holds as before.
    fn unreachable(&self, used: u64) {
        assert_eq!(self.status, 3, "{self:?}");
        assert!(self.error.starts_with("unreachable: "), "{self:?}");
        self.says("ok", used);
    }

    fn says(&self, status: &str, used: u64) {
        assert_eq!(self.told["status"], status, "{self:?}");
        assert_eq!(self.told["used"], used, "{self:?}");
    }
}

/// Runs it on SQLite, and on PostgreSQL where it is.
fn both(name: &str, test: impl Fn(&Server, &Path)) {
    let home = paths::target().join("report").join(name);
    let _ = fs::remove_dir_all(&home);
    let run = |home: &Path, database: Option<&str>| {
        fs::create_dir_all(home).unwrap();
        if let Some(server) = Server::start(&home.join("server"), database) {
            test(&server, home);
            server.stop().unwrap();
        }
    };
    run(&home.join("sqlite"), None);
    if let Some(cluster) = postgres::shared() {
        let database = cluster.create("template0");
        run(&home.join("postgres"), Some(&cluster.url(&database)));
        cluster.remove(&database);
    }
}

fn sell(server: &Server) -> Sold {
    let counted = json!({"id": FEATURE, "meter": "count", "per": "ever", "max": 500});
    let license = json!({
        "customer_name": "Example Labs", "features": ["reports"], "entitlements": [counted],
        "valid_days": 30, "max_machines": 10,
    });
    server.sell(CODE, &license)
}

/// What the server knows was used of the license, and by how many installations.
fn used(server: &Server, sold: &Sold) -> (u64, u64) {
    let id = sold.license["id"].as_str().unwrap();
    let rows = server.get(&format!("/licenses/{id}/usage"));
    let [row] = &rows["usage"].as_array().unwrap()[..] else { panic!("not one row: {rows}") };
    assert_eq!((&row["feature"], &row["kind"]), (&json!(FEATURE), &json!("ever")), "{row}");
    (row["used"].as_u64().unwrap(), row["activations"].as_u64().unwrap())
}

fn key(sold: &Sold) -> &str {
    sold.license["license_key"].as_str().unwrap()
}

#[test]
fn each_report_is_there_once() {
    both("once", |server, home| {
        let sold = sell(server);
        let programs = Program::all(home, &sold);
        for (count, program) in (1..).zip(&programs) {
            program.run(server.root(), 3, &[key(&sold)]).good(3);
            assert_eq!(used(server, &sold), (3 * count, count));
        }
        let before = used(server, &sold);
        for program in &programs {
            // Reported again, and activated again: nothing is new.
            program.run(server.root(), 0, &[]).good(3);
            program.run(server.root(), 0, &[key(&sold)]).good(3);
            assert_eq!(used(server, &sold), before, "{}", program.language);
        }
        let count = programs.len() as u64;
        for (more, program) in (1..).zip(&programs) {
            program.run(server.root(), 2, &[]).good(5);
            assert_eq!(used(server, &sold), (3 * count + 2 * more, count));
        }
        let path = format!("/licenses/{}/activations", sold.license["id"].as_str().unwrap());
        assert_eq!(server.get(&path)["activations"].as_array().unwrap().len(), programs.len());
    });
}

#[test]
fn what_is_not_the_answer_changes_nothing() {
    both("answers", |server, home| {
        let sold = sell(server);
        let programs = Program::all(home, &sold);
        let middle = Middle::start(server.root());
        let mut last = Vec::new();
        for program in &programs {
            program.run(&middle.root, 3, &[key(&sold)]).good(3);
            let signed = middle.signed();
            let mut syncs = signed.iter().filter(|it| answers_a_sync(it));
            last.push(syncs.next_back().unwrap().clone());
        }
        for (at, program) in programs.iter().enumerate() {
            let own = last[at].clone();
            let other = last[(at + 1) % last.len()].clone();
            for (deed, word) in [
                (Deed::Alter, "bad_signature"),
                (Deed::Replace(own), "already_used"),
                (Deed::Replace(other), "wrong_installation"),
                (Deed::Replace(forged()), "unknown_key"),
            ] {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
                let later = now + 3600;
                let status = program.status(later);
                let told = format!("{}: {deed:?}", program.language);
                middle.set(deed);
                program.run(&middle.root, 0, &[]).refused(word, 3);
                let left =
                    telling::difference(&program.status(later).to_string(), &status.to_string());
                assert_eq!(left, None, "{told} left something behind");
            }
            middle.set(Deed::Pass);
            program.run(&middle.root, 1, &[]).good(4);
        }
        let count = programs.len() as u64;
        assert_eq!(used(server, &sold), (4 * count, count));
    });
}

/// Whether it is the answer to a sync, and not a key set or a list.
fn answers_a_sync(signed: &str) -> bool {
    let seen = licentia::peek::peek(signed.as_bytes()).unwrap();
    seen.header.contains(r#""lic-sync+jwt""#)
}

/// An answer that nobody's server has signed.
fn forged() -> String {
    licentia_tests::document::Doc::license().typ("lic-sync+jwt").sign()
}

#[test]
fn a_server_that_is_not_reached_says_nothing_of_the_license() {
    both("unreachable", |server, home| {
        let sold = sell(server);
        let middle = Middle::start(server.root());
        let login = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Sign in</html>";
        let problem = |status: &str, code: &str| {
            let kind = "application/problem+json";
            format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n{{\"code\":\"{code}\"}}")
        };
        let deeds = [
            Deed::Close,
            Deed::Answer(login.to_string()),
            Deed::Answer(problem("429 Too Many Requests", "too_many_requests")),
            Deed::Answer(problem("503 Service Unavailable", "busy")),
            Deed::Answer("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n".to_string()),
        ];
        let each = 1 + deeds.len() as u64;
        for (count, program) in (1..).zip(&Program::all(home, &sold)) {
            program.run(&middle.root, 1, &[key(&sold)]).good(1);
            let before = used(server, &sold);
            for (times, deed) in deeds.iter().enumerate() {
                middle.set(deed.clone());
                program.run(&middle.root, 1, &[]).unreachable(2 + times as u64);
            }
            assert_eq!(used(server, &sold), before);
            middle.set(Deed::Pass);
            // What was counted meanwhile comes with the next report, once.
            program.run(&middle.root, 0, &[]).good(each);
            assert_eq!(used(server, &sold), (each * count, count));
        }
    });
}

#[test]
fn a_license_that_is_revoked_is_so_after_the_next_report() {
    both("revoked", |server, home| {
        let sold = sell(server);
        let programs = Program::all(home, &sold);
        for program in &programs {
            program.run(server.root(), 1, &[key(&sold)]).good(1);
            // Not everybody who knows the server has a license there.
            let unknown = program.run(server.root(), 0, &["ABCD-EFGH-JKMN-PQRS-TVWX"]);
            unknown.refused("refused", 1);
        }
        let path = format!("/licenses/{}", sold.license["id"].as_str().unwrap());
        let (status, body) = server.ask("DELETE", &path, &Value::Null);
        assert_eq!(status, 200, "{body}");
        for program in &programs {
            let ended = program.run(server.root(), 0, &[]);
            assert_eq!((ended.status, &*ended.error), (0, ""), "{ended:?}");
            ended.says("revoked", 1);
        }
    });
}
