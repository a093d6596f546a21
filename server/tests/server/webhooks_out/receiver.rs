//! Somebody who takes webhooks on this machine, and answers as a test says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Answers every connection in its own thread, until the test ends.
pub struct Receiver {
    pub port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    /// `answer` has the connection once a whole request is read from it.
    pub fn new(answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (heard.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (kept, answer) = (kept.clone(), answer.clone());
                thread::spawn(move || {
                    let mut stream = stream;
                    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                    stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
                    if let Some(request) = request(&mut stream) {
                        kept.lock().unwrap().push(request);
                        answer(&mut stream);
                    }
                });
            }
        });
        Receiver { port, heard }
    }

    /// Answers these bytes, and nothing more.
    pub fn that_says(answer: impl AsRef<[u8]>) -> Receiver {
        let answer = answer.as_ref().to_vec();
        Receiver::new(move |stream| {
            // It may be gone before it has everything.
            let _ = stream.write_all(&answer);
        })
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?a=b", self.port)
    }

    /// The requests so far.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// A head and the bytes that it promises; `None` where there are fewer.
pub fn request(stream: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    let mut one = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut one).ok()?;
        bytes.push(one[0]);
    }
    let head = String::from_utf8(bytes).ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let mut body = vec![0; length.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8(body).ok()?)
}
