//! Requests over a socket, and their answers: one connection each, nothing sent twice.

use serde_json::Value;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Nothing here takes as long: a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who asks a server, with the headers that they always send.
#[derive(Clone, Debug)]
pub struct Client {
    address: SocketAddr,
    headers: Vec<(String, String)>,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Client {
    /// Somebody without a key.
    pub fn nobody(address: SocketAddr) -> Client {
        Client { address, headers: Vec::new() }
    }

    /// The same one, with another API key.
    pub fn with_key(&self, key: &str) -> Client {
        self.with("Authorization", &format!("Bearer {key}"))
    }

    /// The same one, with a header that replaces one of that name.
    pub fn with(&self, name: &str, value: &str) -> Client {
        let mut client = self.clone();
        client.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        client.headers.push((name.to_string(), value.to_string()));
        client
    }

    /// The same one at another server.
    pub fn at(&self, address: SocketAddr) -> Client {
        Client { address, ..self.clone() }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None)
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, None)
    }

    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, Some(&body))
    }

    pub fn put(&self, path: &str, body: Value) -> Answer {
        self.ask("PUT", path, Some(&body))
    }

    pub fn patch(&self, path: &str, body: Value) -> Answer {
        self.ask("PATCH", path, Some(&body))
    }

    /// Asks, and gives the answer, which has to come.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let asked = self.try_ask(method, path, body);
        asked.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Asks, and gives the answer, or how the connection failed.
    pub fn try_ask(&self, method: &str, path: &str, body: Option<&Value>) -> io::Result<Answer> {
        let text = body.map(Value::to_string).unwrap_or_default();
        let mut stream = self.send(method, path, body.map(|_| text.as_bytes()))?;
        read(&mut stream)
    }

    /// Asks with any bytes as the body.
    pub fn raw(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let asked = self.send(method, path, Some(body)).and_then(|mut stream| read(&mut stream));
        asked.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Sends a request, and leaves its answer to be read, or not.
    pub fn send(&self, method: &str, path: &str, body: Option<&[u8]>) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let host = self.address;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let names = |name: &str| self.headers.iter().any(|(it, _)| it.eq_ignore_ascii_case(name));
        if let Some(body) = body {
            if !names("Content-Type") {
                head += "Content-Type: application/json\r\n";
            }
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        let mut bytes = (head + "\r\n").into_bytes();
        bytes.extend_from_slice(body.unwrap_or_default());
        // It may answer, and stop reading, before it has everything.
        let _ = stream.write_all(&bytes);
        Ok(stream)
    }
}

impl Answer {
    /// A header, if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers.iter().find(named).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// Asserts that it went well, and gives what is in it.
    #[track_caller]
    pub fn good(&self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// Asserts that it is a refusal with this status and slug, and gives its sentence.
    #[track_caller]
    pub fn refused(&self, status: u16, slug: &str) -> String {
        let code = serde_json::from_slice::<Value>(&self.body).unwrap_or_default();
        let found = (self.status, code["code"].as_str().unwrap_or_default());
        assert_eq!(found, (status, slug), "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        code["detail"].as_str().unwrap_or_default().to_string()
    }
}

/// Reads one answer until the connection ends.
pub fn read(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes)
        && (error.kind() != io::ErrorKind::ConnectionReset || bytes.is_empty())
    {
        return Err(error);
    }
    parse(&bytes).ok_or_else(|| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        io::Error::new(io::ErrorKind::UnexpectedEof, format!("not a whole answer: {text:?}"))
    })
}

/// Takes an answer apart; `None` when a part of it is missing.
pub fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let pair = |line: &str| line.split_once(": ").map(|(name, it)| (name.into(), it.into()));
    let headers = lines.map(pair).collect::<Option<Vec<_>>>()?;
    let mut answer = Answer { status, headers, body: bytes[end + 4..].to_vec() };
    if answer.header("transfer-encoding") == Some("chunked") {
        answer.body = joined(&answer.body)?;
    } else if let Some(length) = answer.header("content-length") {
        (answer.body.len() == length.parse::<usize>().ok()?).then_some(())?;
    }
    Some(answer)
}

/// The bytes of a chunked body.
fn joined(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}
