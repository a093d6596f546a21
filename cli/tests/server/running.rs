//! A license server that runs.

use crate::client::Client;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// The administrator's key.
pub const ADMIN_KEY: &str = "the-key-of-the-administrator-of-tests";

/// What seals private keys, the same for all servers of one database.
const MASTER_KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

/// What a server is started with.
#[derive(Clone)]
pub struct Start {
    pub data: PathBuf,
    /// PostgreSQL; `None` = SQLite in the folder.
    pub database: Option<String>,
    /// Where its log goes.
    pub log: PathBuf,
}

/// Killed when it is dropped, and when this process ends however it may.
pub struct Running {
    pub address: SocketAddr,
    child: Child,
    watch: Option<(Child, ChildStdin)>,
}

impl Start {
    pub fn new(data: &Path, database: Option<String>) -> Start {
        Start { data: data.into(), database, log: data.join("log") }
    }

    /// `licentia serve`.
    pub fn command(&self) -> Command {
        let words = ["serve", "--listen", "127.0.0.1:0", "--log", "json"];
        let mut command = self.licentia(&words);
        command.args(["--requests-per-key", "0", "--requests-per-address", "0"]);
        command
    }

    /// `licentia server` with these words.
    pub fn server(&self, words: &[&str]) -> Command {
        self.licentia(&[&["server"], words].concat())
    }

    /// `licentia` with these words.
    pub fn licentia(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_licentia"));
        command.arg("--json").args(words).env("LICENTIA_DATA", &self.data);
        let set = std::env::vars().filter(|(name, _)| name.starts_with("LICENTIA_"));
        for (name, _) in set.filter(|(name, _)| name != "LICENTIA_DATA") {
            command.env_remove(name);
        }
        command.env("LICENTIA_ADMIN_KEY", ADMIN_KEY).env("LICENTIA_MASTER_KEY", MASTER_KEY);
        if let Some(database) = &self.database {
            command.env("LICENTIA_DATABASE", database);
        }
        command.stdin(Stdio::null());
        command
    }

    /// Starts one, and waits until it listens.
    pub fn run(&self) -> Running {
        self.try_run().unwrap_or_else(|said| panic!("it does not start: {said}"))
    }

    /// The same, or what it said instead.
    pub fn try_run(&self) -> Result<Running, String> {
        Running::of(self.command(), &self.log)
    }
}

impl Running {
    pub fn of(mut command: Command, log: &Path) -> Result<Running, String> {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().unwrap();
        let watch = watch(child.id());
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        let address = told["listening"].as_str().and_then(|url| url.split("://").nth(1));
        let Some(address) = address.and_then(|address| address.parse().ok()) else {
            let status = child.wait().unwrap();
            return Err(format!("{status}: {line}"));
        };
        Ok(Running { address, child, watch: Some(watch) })
    }

    /// The administrator.
    pub fn admin(&self) -> Client {
        Client::nobody(self.address).with_key(ADMIN_KEY)
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.end();
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    fn end(&mut self) {
        let Some((mut watch, input)) = self.watch.take() else { return };
        // It knows a number only, which another process may have later.
        let _ = watch.kill();
        drop(input);
        let _ = watch.wait();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// Kills a process when the pipe from this one closes.
fn watch(pid: u32) -> (Child, ChildStdin) {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "cat; kill -9 $0", &pid.to_string()]);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = shell.process_group(0).spawn().unwrap();
    let input = child.stdin.take().unwrap();
    (child, input)
}
