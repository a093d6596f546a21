//! HTTP by hand: what a test wants to send, a good client would not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// One connection to a server on this machine, or a new one where the server said that it would
/// end the last.
pub struct Connection {
    port: u16,
    stream: BufReader<TcpStream>,
    is_over: bool,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, wanted: &str) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| &**value)
    }
}

/// A request, with its length where it has a body.
pub fn request(method: &str, target: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    for header in headers {
        text += &format!("{header}\r\n");
    }
    if !body.is_empty() {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    [text.as_bytes(), b"\r\n", body].concat()
}

/// The same in pieces, whose number and length is not said before.
pub fn chunked(method: &str, target: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let headers = [headers, &["Transfer-Encoding: chunked"]].concat();
    let mut text = request(method, target, &headers, b"");
    for piece in body.chunks(4000) {
        text.extend(format!("{:x}\r\n", piece.len()).bytes());
        text.extend([piece, b"\r\n"].concat());
    }
    text.extend(b"0\r\n\r\n");
    text
}

impl Connection {
    pub fn new(port: u16) -> Connection {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Connection { port, stream: BufReader::new(stream), is_over: false }
    }

    /// Sends bytes. A server may have stopped listening.
    pub fn send(&mut self, bytes: &[u8]) {
        if self.is_over {
            *self = Connection::new(self.port);
        }
        let _ = self.stream.get_mut().write_all(bytes);
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_string())
    }

    /// The next answer; `None` where the server ended the connection instead.
    pub fn answer(&mut self, method: &str) -> Option<Answer> {
        let first = self.line()?;
        let status = first.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        while let Some(line) = self.line().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            headers.push((name.to_lowercase(), value.trim().to_string()));
        }
        let mut answer = Answer { status, headers, body: String::new() };
        if status == 100 {
            return self.answer(method);
        }
        self.is_over = answer.header("connection").is_some_and(|it| it == "close");
        let length = answer.header("content-length").map_or(0, |it| it.parse().unwrap());
        if method != "HEAD" {
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).ok()?;
            answer.body = String::from_utf8(body).unwrap();
        }
        Some(answer)
    }

    pub fn ask(&mut self, method: &str, target: &str, headers: &[&str]) -> Answer {
        self.send(&request(method, target, headers, b""));
        self.answer(method).unwrap_or_else(|| panic!("no answer to {method} {target}"))
    }

    pub fn post(&mut self, target: &str, headers: &[&str], body: &[u8]) -> Answer {
        self.send(&request("POST", target, headers, body));
        self.answer("POST").unwrap_or_else(|| panic!("no answer to POST {target}"))
    }
}
