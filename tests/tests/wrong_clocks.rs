//! The real clock, set wrong: libfaketime tells every language's process another time.
//!
//! Nothing sets the product's clock here, so all of it is as in a program that was shipped. A
//! language whose tools are missing is skipped by name, and so is all of it without libfaketime
//! (Debian package faketime).

use licentia_tests::document::Doc;
use licentia_tests::protocol::{escape, unescape};
use licentia_tests::signer::vendor;
use licentia_tests::{command, paths, process, runners};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

const LANGUAGES: [&str; 5] = ["c", "cpp", "python", "node", "cli"];

/// The library that fakes, for programs with threads.
fn faker() -> Option<PathBuf> {
    let places = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let file = |place: fs::DirEntry| place.path().join("faketime/libfaketimeMT.so.1");
    let found = places.map(file).find(|file| file.exists());
    if found.is_none() {
        println!("skipped: clocks that are wrong (there is no libfaketime)");
    }
    found
}

/// A license of which 100 days are left, signed long ago.
fn license(now: i64) -> String {
    Doc::license()
        .set("/iat", now - 300 * DAY)
        .set("/license/valid_from", now - 300 * DAY)
        .set("/license/valid_until", now + 100 * DAY - DAY / 2)
        .features(json!([{"id": "reports"}, {"id": "hits", "meter": "count", "per": "ever"}]))
        .sign()
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// A program of a language that opens the installation in a folder, records, and reports.
struct Teller {
    language: &'static str,
    program: Command,
    folder: PathBuf,
}

impl Teller {
    fn new(language: &'static str, what: &str) -> Option<Teller> {
        let program = runners::ready(language)?;
        let folder = paths::target().join("clocks").join(what).join(language);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Some(Teller { language, program, folder })
    }

    fn command(&self, variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(self.program.get_program());
        command.args(self.program.get_args()).current_dir(paths::root());
        command.envs(variables.iter().copied());
        command
    }

    /// Steps, with the settings of the product before them, and the status then.
    fn tell(&self, variables: &[(&str, &str)], set: &str, steps: &str) -> String {
        let folder = escape(self.folder.to_str().unwrap().as_bytes());
        let keys = escape(vendor().short().as_bytes());
        let line = format!("product=myapp\tkeys={keys}{set}\topen={folder}{steps}\tstatus=now");
        let answers = process::converse(self.command(variables), vec![line]).unwrap();
        let told = answers[0].split('\t').find_map(|field| field.strip_prefix("status="));
        let told = told.unwrap_or_else(|| panic!("{}: {}", self.language, answers[0]));
        String::from_utf8(unescape(told).unwrap()).unwrap()
    }

    /// A call of the command line, which has to be good if `good`.
    fn call(&self, variables: &[(&str, &str)], words: &[&str]) -> command::Answer {
        let mut command = self.command(variables);
        command.arg(words[0]).arg("--dir").arg(&self.folder);
        command.args(["--product", "myapp", "--json"]);
        command.arg(format!("--keys={}", vendor().short())).args(&words[1..]);
        command::call(&mut command).unwrap()
    }

    /// Comes to the folder under a clock, with a license to apply or to record, and goes again.
    fn visit(&self, variables: &[(&str, &str)], license: Option<&str>) -> Value {
        if self.language == "cli" {
            let file = self.folder.with_extension("lic");
            match license {
                Some(license) => {
                    fs::write(&file, license).unwrap();
                    self.call(variables, &["apply", file.to_str().unwrap()])
                }
                None => self.call(variables, &["record", "hits"]),
            };
            return self.call(variables, &["status"]).json;
        }
        let steps = match license {
            Some(license) => format!("\tapply={}", escape(license.as_bytes())),
            None => String::new(),
        };
        serde_json::from_str(&self.tell(variables, "", &steps)).unwrap()
    }
}

/// What a process found: what its clock showed, what the time is, what is left, and whether it may
/// go on.
#[derive(Debug)]
struct Found {
    clock: i64,
    now: i64,
    days_left: i64,
    in_force: bool,
    suspect: bool,
}

impl Found {
    fn read(status: &Value) -> Found {
        let number = |pointer: &str| status.pointer(pointer).and_then(Value::as_i64).unwrap();
        Found {
            clock: number("/time/clock"),
            now: number("/time/now"),
            days_left: number("/license/days_left"),
            in_force: status["in_force"] == true,
            suspect: status["time"]["suspect"] == true,
        }
    }
}

/// How the clock is wrong, by how much, and whether the license is over by then.
const WRONG: &[(&str, Option<i64>, bool)] = &[
    ("-1s", Some(-1), false),
    ("-3600s", Some(-3600), false),
    ("-30d", Some(-30 * DAY), false),
    ("@1970-01-02 00:00:00", None, false),
    ("@2099-01-01 00:00:00", None, true),
    ("+0s", Some(0), false),
    ("+20d", Some(20 * DAY), false),
    ("+0s", Some(0), false),
    ("-30d", Some(-30 * DAY), false),
    ("@1970-01-02 00:00:00", None, false),
    ("+90d", Some(90 * DAY), false),
    ("+0s", Some(0), false),
    ("+101d", Some(101 * DAY), true),
];

/// One language lives through all of it.
fn live(teller: &Teller, faker: &Path) {
    let begin = now();
    let mut before = Found::read(&teller.visit(&[], Some(&license(begin))));
    assert_eq!((before.days_left, before.in_force), (100, true), "{before:?}");
    for (step, (wrong, by, over)) in WRONG.iter().enumerate() {
        let variables = [
            ("LD_PRELOAD", faker.to_str().unwrap()),
            ("FAKETIME", wrong),
            // The time since the machine was started is nothing that anybody sets.
            ("DONT_FAKE_MONOTONIC", "1"),
            ("TZ", "UTC"),
        ];
        let found = Found::read(&teller.visit(&variables, None));
        let context = format!("{}, step {step}, {wrong}: {found:?}", teller.language);
        match by {
            Some(by) => assert!((0..60).contains(&(found.clock - begin - by)), "{context}"),
            None => assert!((found.clock - begin).abs() > 10_000 * DAY, "{context}"),
        }
        assert_eq!(found.in_force, !over, "{context}");
        assert_eq!(found.suspect, found.clock < found.now, "{context}");
        assert!(wrong.ends_with("00") || found.days_left <= before.days_left, "{context}");
        // What was far ahead for a moment is forgotten; nothing else is.
        if !wrong.starts_with("@2099") {
            assert!(found.now >= before.now, "{context}, before {}", before.now);
            assert!(found.days_left <= before.days_left, "{context}, before {before:?}");
            before = found;
        }
    }
    assert!(before.days_left < 0 || !before.in_force, "{before:?}");
}

#[test]
fn no_clock_that_is_set_wrong_gains_time_or_locks_anybody_out() {
    let Some(faker) = faker() else { return };
    for language in LANGUAGES {
        let Some(teller) = Teller::new(language, "wrong") else { continue };
        live(&teller, &faker);
        println!("{language}: {} clocks that were wrong", WRONG.len());
    }
}

/// Zones with every sort of offset, by name and by rule: rules need no list of zones.
const ZONES: [&str; 20] = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "right/UTC",
    "XXX-14",
    "YYY+12",
    "<+0545>-5:45",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "EST5EDT,M3.2.0,M11.1.0",
    "nonsense",
];

#[test]
fn every_time_zone_reads_the_same_bytes() {
    let at = 1_800_000_000;
    for language in LANGUAGES {
        let Some(teller) = Teller::new(language, "zones") else { continue };
        let clock = format!("clock={at}");
        let mut told = Vec::new();
        let token = license(at);
        for zone in ZONES {
            let variables = [("TZ", zone)];
            told.push(if language == "cli" {
                let file = teller.folder.with_extension("lic");
                fs::write(&file, &token).unwrap();
                let set = ["--set", &clock];
                teller.call(&variables, &[&["apply", file.to_str().unwrap()], &set[..]].concat());
                teller.call(&variables, &[&["status"], &set[..]].concat()).text
            } else {
                let apply = format!("\tapply={}", escape(token.as_bytes()));
                teller.tell(&variables, &format!("\tset={clock}"), &apply)
            });
        }
        assert!(told[0].contains(r#""days_left":100"#), "{}", told[0]);
        for (zone, found) in ZONES.iter().zip(&told) {
            assert_eq!(found, &told[0], "{language} in {zone}");
        }
        println!("{language}: {} zones, the same bytes", ZONES.len());
    }
}
