//! An agent or a license server that runs, and requests to it as bytes.

use crate::site::{Site, TOKEN};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Nothing here takes as long: a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ended when it is dropped.
pub struct Agent {
    child: Child,
    pub address: String,
    /// What it printed before.
    pub greeting: String,
    errors: Option<JoinHandle<String>>,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// Every value of a header.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, it)| it).collect()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Agent {
    pub fn start(site: &Site) -> Agent {
        Agent::from(site.command(&[]))
    }

    pub fn from(mut command: Command) -> Agent {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut errors = child.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        lines.read_line(&mut greeting).unwrap();
        let address = greeting.split("://").nth(1).and_then(|it| it.split(['"', '\n']).next());
        let address = address.map(str::to_string);
        let Some(address) = address else {
            let _ = child.wait();
            panic!("it did not start: {greeting} {}", errors.join().unwrap());
        };
        // In JSON it is one line.
        if !greeting.starts_with('{') {
            lines.read_line(&mut greeting).unwrap();
        }
        Agent { child, address, greeting, errors: Some(errors) }
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end, and gives the exit status and what it said on standard error.
    pub fn end(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(begun.elapsed() < PATIENCE, "it does not end"),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let errors = self.errors.take().unwrap().join().unwrap();
        (status.code(), errors)
    }

    /// Has it stop, and gives what it said on standard error.
    pub fn stop(self) -> String {
        self.signal(Signal::TERM);
        let (status, errors) = self.end();
        assert_eq!(status, Some(0), "{errors}");
        errors
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends bytes, says that nothing follows, and gives every answer.
    pub fn send(&self, bytes: &[u8]) -> Vec<Answer> {
        let mut stream = self.connect();
        // It may answer, and stop reading, before it has everything.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        answers(&read(&mut stream))
    }

    /// One request with these lines of a head, and its answer.
    pub fn ask(&self, method: &str, target: &str, head: &str, body: &str) -> Answer {
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\
             Connection: close\r\n{head}\r\n{body}"
        );
        let mut all = self.send(request.as_bytes());
        assert_eq!(all.len(), 1, "{method} {target}: {all:?}");
        all.remove(0)
    }

    pub fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, "", "")
    }

    pub fn get_as(&self, target: &str, token: &str) -> Answer {
        self.ask("GET", target, &bearer(token), "")
    }

    /// Applies a license as the administrator.
    pub fn apply(&self, license: &str) -> Answer {
        let body = serde_json::json!({ "license_key": license }).to_string();
        let head = bearer(TOKEN) + "Content-Type: application/json\r\n";
        self.ask("POST", "/api/v1/license", &head, &body)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everything until the other side is done, or has had enough.
pub fn read(stream: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}, after {:?}", String::from_utf8_lossy(&bytes)),
        }
    }
    bytes
}

/// Takes answers apart: each has a length, or no body.
pub fn answers(bytes: &[u8]) -> Vec<Answer> {
    let mut rest = String::from_utf8(bytes.to_vec()).unwrap();
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (head, after) = rest.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{rest:?}"));
        let status = head.strip_prefix("HTTP/1.1 ").or(head.strip_prefix("HTTP/1.0 "));
        let status = status.and_then(|rest| rest.get(..3)).unwrap_or_else(|| panic!("{head}"));
        let answer = Answer { status: status.parse().unwrap(), head: head.into(), body: "".into() };
        let length = answer.headers("content-length").first().map_or(0, |it| it.parse().unwrap());
        // What a HEAD gets has the length of what it would be.
        let length = if after.len() < length { 0 } else { length };
        all.push(Answer { body: after[..length].to_string(), ..answer });
        rest = after[length..].to_string();
    }
    all
}

pub fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

pub fn basic(name: &str, password: &str) -> String {
    format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{name}:{password}")))
}
