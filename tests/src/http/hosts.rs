//! The programs that mount the API: how each is started, and with what.

use crate::http::client::token;
use crate::http::golden::folder;
use crate::http::script;
use crate::http::sites::Site;
use crate::{paths, runners};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// What hosts say besides, below the target folder.
const LOG: &str = "http/hosts.log";

fn log() -> std::io::Result<fs::File> {
    let path = paths::target().join(LOG);
    fs::create_dir_all(path.parent().unwrap_or(&path))?;
    fs::OpenOptions::new().append(true).create(true).open(path)
}

/// A running program; it ends when this is dropped.
pub struct Host {
    child: Child,
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub root: String,
}

impl Host {
    /// Starts a program that prints `listening PORT`.
    ///
    /// # Errors
    /// A sentence, where it does not.
    pub fn start(mut command: Command) -> Result<Host, String> {
        let shown = format!("{command:?}");
        let mut child = command
            .current_dir(paths::root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log().map_err(|error| format!("{}: {error}", LOG))?)
            .spawn()
            .map_err(|error| format!("{shown}: {error}"))?;
        let output = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let (_, rest) = line.split_once("listening")?;
            let digits = rest.rsplit(|c: char| !c.is_ascii_digit()).find(|it| !it.is_empty())?;
            digits.parse::<u16>().ok()
        });
        // What it says from now on is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        match port {
            Some(port) => Ok(Host { child, root: format!("http://127.0.0.1:{port}") }),
            None => {
                let _ = child.kill();
                Err(format!(
                    "{shown}: it does not say where it listens (target/{LOG}), {:?}",
                    child.wait()
                ))
            }
        }
    }

    /// Ends it, and says how it ended.
    ///
    /// # Errors
    /// A sentence, unless it ends well.
    pub fn stop(mut self) -> Result<(), String> {
        let term = Command::new("kill").arg(self.child.id().to_string()).status();
        if !term.is_ok_and(|status| status.success()) {
            return Err("it has ended before".to_string());
        }
        let status = self.child.wait().map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("it ended with {status}")) }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path below which a site is mounted.
pub fn mount(site: &Site) -> String {
    format!("/sites/{}", site.name)
}

/// What a host has to serve, in lines: tests/hosts/README.md.
pub fn specification(teller: &str, sites: &[Site]) -> String {
    let mut text = String::new();
    for kind in script::kinds() {
        if let Some(rights) = kind.rights {
            let _ = writeln!(text, "user {} {} {}", token(kind.name), kind.name, rights.bits());
        }
    }
    for site in sites {
        let (mount, folder) = (mount(site), folder(teller, site));
        let folder = folder.display();
        let _ = writeln!(text, "installation {mount} {folder} {}", site.product());
        let _ = writeln!(text, "keys {}", site.keys());
        for (name, value) in &site.set {
            let _ = writeln!(text, "set {name} {value}");
        }
        for (name, value) in &site.site {
            let _ = writeln!(text, "site {name} {value}");
        }
        let _ = writeln!(text, "site mount {mount}");
    }
    text
}

/// The mounts there are.
pub const MOUNTS: &[&str] = &["wsgi", "asgi", "node", "express", "fastify", "c", "cpp"];

/// The command that serves these sites by a mount; `None` = its tools are not here, which is said.
///
/// # Panics
/// If it is required and not there, or the file cannot be written.
pub fn command(mount: &str, sites: &[Site]) -> Option<Command> {
    let mut command = match mount {
        "wsgi" | "asgi" => {
            runners::ready("python")?;
            let mut command = Command::new(paths::root().join(".venv/bin/python"));
            command.arg(format!("tests/hosts/{mount}.py"));
            command
        }
        "node" | "express" | "fastify" => {
            runners::ready("node")?;
            let mut command = Command::new("node");
            command.arg("tests/hosts/node.mjs");
            command
        }
        _ => staged(mount)?,
    };
    let path = paths::target().join("http").join(format!("{mount}.spec"));
    fs::write(&path, specification(mount, sites)).expect("a specification");
    command.arg(path);
    if matches!(mount, "express" | "fastify") {
        command.arg(mount);
    }
    Some(command)
}

/// A host in C or C++, which `make stage` compiles where the library that serves is.
fn staged(language: &str) -> Option<Command> {
    runners::ready(language)?;
    let program = paths::target().join("stage").join(format!("host-{language}"));
    if program.exists() {
        return Some(Command::new(program));
    }
    println!("skipped: the mount in {language} (no {}: make stage)", program.display());
    None
}
