//! A customer's program in one of the languages: a runner of tests/runners, told one line at a
//! time. Each line opens the installation, does what it says, and lets go of it.

use licentia_tests::protocol::{escape, unescape};
use licentia_tests::{paths, runner, runners};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// Everyone who tells a life, Rust first: the others have to tell the same.
pub const LANGUAGES: [&str; 5] = ["rust", "c", "cpp", "python", "node"];

/// Nobody listens there.
pub const NOWHERE: &str = "http://127.0.0.1:1";

/// A program on a machine.
pub struct Program {
    asked: Asked,
    /// Its product, and the keys that are in it.
    code: String,
    keys: String,
    pub folder: PathBuf,
    machine: String,
    /// Where it looks for the license server.
    pub server: String,
    /// Seconds since 1970, here.
    pub at: i64,
    /// What it said, with what differs between two lives still in it.
    pub told: Vec<String>,
}

/// Who answers.
enum Asked {
    Here,
    Process { child: Child, input: ChildStdin, output: BufReader<ChildStdout> },
}

/// An answer.
#[derive(Debug)]
pub struct Said {
    /// `ok`, or the word of an error.
    pub code: String,
    /// What was said besides, unescaped: the sentence of an error, or a text for each field.
    pub rest: Vec<String>,
}

impl Asked {
    /// `None` = the language is not here, which is said.
    fn new(language: &str) -> Option<Asked> {
        if language == "rust" {
            return Some(Asked::Here);
        }
        let mut command = runners::ready(language)?;
        command.current_dir(paths::root()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Some(Asked::Process { child, input, output })
    }

    fn ask(&mut self, line: &str) -> String {
        let Asked::Process { input, output, .. } = self else { return runner::answer(line) };
        writeln!(input, "{line}").unwrap();
        let mut answer = String::new();
        output.read_line(&mut answer).unwrap();
        assert!(answer.ends_with('\n'), "the runner has ended: {answer}");
        answer.trim_end_matches('\n').to_string()
    }
}

impl Program {
    /// One whose installation is in this folder, on a machine of that name.
    pub fn new(language: &str, keys: &str, code: &str, folder: PathBuf) -> Option<Program> {
        fs::create_dir_all(&folder).unwrap();
        Some(Program {
            asked: Asked::new(language)?,
            code: code.to_string(),
            keys: keys.to_string(),
            folder,
            machine: "a machine".to_string(),
            server: NOWHERE.to_string(),
            at: 0,
            told: Vec::new(),
        })
    }

    /// The same program on another machine, where it was never used.
    pub fn elsewhere(&self, language: &str, machine: &str) -> Program {
        let folder = self.folder.with_file_name(machine);
        let mut other = Program::new(language, &self.keys, &self.code, folder).unwrap();
        (other.machine, other.server, other.at) = (machine.into(), self.server.clone(), self.at);
        other
    }

    /// What it is asked, to do what these fields say.
    fn line(&self, fields: &str) -> String {
        let mut line = format!("product={}", self.code);
        for (name, value) in [
            ("keys", &*self.keys),
            ("set=clock", &self.at.to_string()),
            ("set=machine", &self.machine),
            ("open", &self.folder.display().to_string()),
            ("site=proxy", "none"),
            ("site=server_timeout", "20"),
            ("site=server", &self.server),
        ] {
            write!(line, "\t{name}={}", escape(value.as_bytes())).unwrap();
        }
        format!("{line}\t{fields}")
    }

    /// Does what these fields say, in a line of its own.
    pub fn does(&mut self, fields: &str) -> Said {
        let line = self.line(fields);
        let answer = self.asked.ask(&line);
        assert!(!answer.starts_with('!'), "{fields}: {answer}");
        self.told.push(format!("{fields} -> {answer}"));
        let mut said = answer.split('\t').map(|it| String::from_utf8(unescape(it).unwrap()));
        let code = said.next().unwrap().unwrap();
        Said { code, rest: said.collect::<Result<_, _>>().unwrap() }
    }

    /// The same, which goes well.
    #[track_caller]
    pub fn good(&mut self, fields: &str) -> Vec<String> {
        let said = self.does(fields);
        assert_eq!(said.code, "ok", "{fields}: {said:?}");
        said.rest
    }

    /// The same, which fails with this word; gives the sentence.
    #[track_caller]
    pub fn refused(&mut self, fields: &str, code: &str) -> String {
        let mut said = self.does(fields);
        assert_eq!(said.code, code, "{fields}: {said:?}");
        said.rest.pop().unwrap()
    }

    /// Everything that holds.
    #[track_caller]
    pub fn status(&mut self) -> Value {
        let said = self.good("status=now");
        serde_json::from_str(said[0].strip_prefix("status=").unwrap()).unwrap()
    }

    /// What may be done with a feature, and why.
    #[track_caller]
    pub fn may(&mut self, feature: &str, access: &str, reason: &str) -> Value {
        let status = self.status();
        let said = self.good(&format!("access={feature}"));
        assert_eq!(said, [format!("access={feature}={access}")], "{status}");
        assert_eq!(status["reason"], reason, "{status}");
        status
    }

    /// It cannot reach the server, by this word; what holds goes on holding.
    #[track_caller]
    pub fn cut_off(&mut self, fields: &str) {
        let server = std::mem::replace(&mut self.server, NOWHERE.to_string());
        let held = |status: &Value| (status["access"].clone(), status["reason"].clone());
        let before = held(&self.status());
        self.refused(fields, "unreachable");
        assert_eq!(held(&self.status()), before, "{fields}: nobody was there, and it matters");
        self.server = server;
    }

    /// Asks, and is killed as soon as that is under way; it never answers.
    pub fn killed(&mut self, fields: &str, under_way: impl Fn()) {
        let line = self.line(fields);
        if let Asked::Process { input, .. } = &mut self.asked {
            writeln!(input, "{line}").unwrap();
            under_way();
        }
        self.kill();
    }

    /// Kills it, as a machine that loses its power does.
    pub fn kill(&mut self) {
        if let Asked::Process { child, .. } = &mut self.asked {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
