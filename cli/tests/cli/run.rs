//! Runs the executable in a folder of its own, and holds every run to what all of them keep to.

use crate::machine_support::Fixture;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use licentia::Code;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What a run came to.
#[derive(Debug)]
pub struct Run {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Asserts that it went well, and gives what it printed.
    pub fn good(self) -> String {
        assert_eq!(self.status, 0, "{self:?}");
        self.out
    }
}

/// A folder with a vendor's key in `keys/`, removed after the test.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Folder {
        let folder = Folder::empty();
        folder.run("key new --out keys").good();
        folder
    }

    pub fn empty() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Lays out a machine of the library as the folder `name`.
    pub fn machine(&self, name: &str) {
        Fixture::named(name).lay_out(&self.path(name));
    }

    /// A license for `myapp` in `a.lic`, with these arguments.
    pub fn issue(&self, more: &str) -> String {
        let _ = fs::remove_file(self.path("a.lic"));
        let common = "issue --key keys/key.pem --product myapp --out a.lic";
        self.run(&format!("{common} {more}")).good();
        self.read("a.lic").trim_end().to_string()
    }

    /// A command, unstarted.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_licentia"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        for name in ["LICENTIA_ISSUER", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs a command line whose words have no spaces.
    pub fn run(&self, line: &str) -> Run {
        self.run_words(&line.split_whitespace().collect::<Vec<_>>(), b"")
    }

    pub fn run_words(&self, args: &[&str], input: &[u8]) -> Run {
        self.finish(self.command(args), input)
    }

    pub fn finish(&self, mut command: Command, input: &[u8]) -> Run {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // One that does not read its input closes it.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        let run = Run {
            status: output.status.code().expect("it was not killed"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        self.check(&run);
        run
    }

    /// Runs with `--json`: the object, held to the exit status.
    pub fn json(&self, line: &str) -> Value {
        let words: Vec<&str> = line.split_whitespace().chain(["--json"]).collect();
        self.json_words(&words, b"")
    }

    pub fn json_words(&self, args: &[&str], input: &[u8]) -> Value {
        let run = self.run_words(args, input);
        let line = run.out.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {run:?}"));
        assert!(!line.contains('\n') && run.err.is_empty(), "{run:?}");
        let object: Value = serde_json::from_str(line).unwrap();
        assert!(line.starts_with("{\"code\":\""), "code comes first: {line}");
        let code = object["code"].as_str().unwrap();
        assert_eq!(run.status, status(code), "{object}");
        // What holds is told in a message even where all is well.
        let told = object["message"].is_string();
        assert!(told || code == "ok", "{object}");
        assert!(!told || code != "ok" || object["in_force"].is_boolean(), "{object}");
        object
    }

    /// The code of a command that has to fail, asked for in both ways.
    pub fn fails(&self, line: &str) -> String {
        let object = self.json(line);
        let code = object["code"].as_str().unwrap().to_string();
        assert_ne!(code, "ok", "{line}");
        let run = self.run(line);
        assert_eq!(run.status, status(&code), "{line}: {run:?}");
        assert!(run.out.is_empty() && run.err.contains("error: "), "{line}: {run:?}");
        if run.status != 2 {
            assert!(run.err.contains(&format!(" ({code})")), "{line}: {run:?}");
        }
        code
    }

    /// What no run may do: print a private key, or speak to the terminal.
    fn check(&self, run: &Run) {
        let printed = format!("{}{}", run.out, run.err);
        for secret in self.secrets() {
            assert!(!printed.contains(&secret), "a private key was printed: {run:?}");
        }
        let rude =
            |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        let color = printed.contains("\u{1b}[0m");
        assert!(color || !printed.contains(rude), "raw control characters: {run:?}");
    }

    /// Every spelling of every private key in the folder.
    fn secrets(&self) -> Vec<String> {
        let mut secrets = vec!["PRIVATE KEY-----".to_string()];
        for entry in fs::read_dir(self.path("keys")).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|name| name == "pem") {
                secrets.extend(spellings(&path));
            }
        }
        secrets
    }
}

/// PKCS#8 of Ed25519 has the 32 bytes of the key from byte 16 on (RFC 8410, section 10.3).
fn spellings(path: &Path) -> Vec<String> {
    let Ok(pem) = fs::read_to_string(path) else { return Vec::new() };
    let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let Ok(der) = STANDARD.decode(lines.concat()) else { return Vec::new() };
    let seed = &der[16..48];
    let hex: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    let base = STANDARD.encode(seed);
    let mut all = vec![hex, base.trim_end_matches('=').to_string(), URL_SAFE_NO_PAD.encode(seed)];
    all.extend(lines.iter().map(|line| line.to_string()));
    all
}

/// docs/cli.md says which code has which exit status.
pub fn status(code: &str) -> i32 {
    if code == "ok" {
        return 0;
    }
    assert!(Code::from_slug(code).is_some(), "{code} is no code");
    match code {
        "invalid_argument" => 2,
        "io" | "internal" | "disk_full" | "state_unavailable" | "busy" => 3,
        _ => 1,
    }
}
