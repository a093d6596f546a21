//! A folder with an installation in `state/`, and a vendor beside it.

use crate::run::{Folder, Run, status};
use licentia::issue::{self, SyncAnswer};
use licentia::{Claims, SecretKey};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

pub const DAY: i64 = 86_400;

/// An installation, and the second in which its test began.
pub struct Place {
    pub folder: Folder,
    pub start: i64,
}

impl Place {
    pub fn new() -> Place {
        let folder = Folder::new();
        fs::create_dir(folder.path("state")).unwrap();
        Place { folder, start: issue::now() }
    }

    /// A command line about it: the first word is the command.
    pub fn line(&self, line: &str) -> String {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        format!("{command} --dir state --keys keys/key.jwks --product myapp {rest}")
    }

    pub fn run(&self, line: &str) -> Run {
        self.folder.run(&self.line(line))
    }

    pub fn json(&self, line: &str) -> Value {
        self.folder.json(&self.line(line))
    }

    /// The code of a command that has to fail and is not about what holds.
    pub fn fails(&self, line: &str) -> String {
        self.folder.fails(&self.line(line))
    }

    /// The page of `status` or `simulate`, held to what every page keeps to, and to the JSON of
    /// the same command.
    pub fn page(&self, line: &str) -> String {
        let run = self.run(line);
        assert!(run.err.is_empty(), "{run:?}");
        let object = self.json(line);
        assert_eq!(run.status, status(object["code"].as_str().unwrap()), "{run:?}");
        check(&run.out);
        run.out
    }

    /// Signs a license that was changed by `with` and puts it into `a.lic`.
    pub fn issue(&self, with: impl FnOnce(&mut Claims)) -> Claims {
        let mut claims = issue::draft("acme", "myapp", self.start).unwrap();
        with(&mut claims);
        self.folder.write("a.lic", issue::sign(&self.key(), &claims).unwrap());
        claims
    }

    /// The same, applied.
    pub fn license(&self, with: impl FnOnce(&mut Claims)) -> Claims {
        let claims = self.issue(with);
        self.run("apply a.lic").good();
        claims
    }

    /// Applies the answer of the vendor's server to a sync of now.
    pub fn sync(&self, license: &Claims, with: impl FnOnce(&mut SyncAnswer)) {
        let asked = self.json("request sync");
        let asked = issue::read_request(asked["request"].as_str().unwrap().as_bytes()).unwrap();
        let mut answer = SyncAnswer {
            iat: self.start,
            nonce: asked.nonce,
            license_id: license.license.id.clone(),
            installation: asked.installation,
            activation: None,
            seq: 1,
            epoch: 0,
            server_time: self.start,
            status: issue::IssuerStatus::Ok,
            message: None,
            license: None,
            keys: None,
            revocations: None,
            ack: None,
            sync_after: None,
            next_sync_by: None,
            machine: None,
        };
        with(&mut answer);
        let text = issue::sign_sync(&self.key(), "myapp", "acme", &answer).unwrap();
        self.folder.write("answer", text);
        self.run("apply answer").good();
    }

    pub fn key(&self) -> SecretKey {
        SecretKey::from_pem(&self.folder.read("keys/key.pem")).unwrap()
    }

    /// Every file below, with all that writing could change.
    pub fn snapshot(&self) -> BTreeMap<PathBuf, (Vec<u8>, [i64; 6])> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.folder.path(".")];
        while let Some(folder) = folders.pop() {
            let meta = fs::metadata(&folder).unwrap();
            found.insert(folder.clone(), (Vec::new(), traits(&meta)));
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let meta = fs::symlink_metadata(&path).unwrap();
                if meta.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(path.clone(), (fs::read(&path).unwrap(), traits(&meta)));
                }
            }
        }
        found
    }
}

fn traits(meta: &fs::Metadata) -> [i64; 6] {
    let owner = [i64::from(meta.uid()), i64::from(meta.gid()), i64::from(meta.mode())];
    let [uid, gid, mode] = owner;
    [uid, gid, mode, meta.mtime(), meta.mtime_nsec(), i64::try_from(meta.ino()).unwrap()]
}

/// What every page keeps to: the order of its parts, its width, and nothing said twice.
fn check(page: &str) {
    let at = |part: &str| page.find(part).unwrap_or_else(|| panic!("no {part}: {page}"));
    assert!(at("What to do:") < at("\nNext change: ") && at("\nNext change: ") < at("\nState: "));
    for line in page.lines() {
        assert!(line == line.trim_end() && line.chars().count() <= 80, "{line:?} of\n{page}");
        assert!(!line.contains("null") && !line.contains("::") && !line.contains(".."), "{page}");
    }
    // What changes next is one of the dates, which are alike; of all else, no eight words come
    // twice.
    let (before, rest) = page.split_once("\nNext change: ").unwrap();
    let (_, after) = rest.split_once("\nLicense: ").or(rest.split_once("\n\n")).unwrap();
    let is_command = |line: &str| line.trim_start().starts_with("licentia ");
    let lines = before.lines().chain(after.lines());
    let lines = lines.filter(|line| !line.starts_with("  20") && !line.starts_with("        "));
    let lines = lines.filter(|line| !is_command(line));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    for (at, eight) in words.windows(8).enumerate() {
        let again = words[at + 1..].windows(8).any(|other| other == eight);
        assert!(!again, "{eight:?} is there twice: {page}");
    }
}
