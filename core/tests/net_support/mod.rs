//! Servers and proxies at the other end of real sockets: a license server as it should be, and
//! whatever else may listen there.
#![allow(dead_code)]

pub mod proxies;
pub mod tls;

use licentia::issue::{IssuerStatus, Request, SyncAnswer, read_request, sign_sync};
use licentia::{Installation, Product, SecretKey};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// Whoever listens on a port of this machine, until the test ends.
pub struct Peer {
    pub address: String,
    met: Arc<AtomicUsize>,
}

impl Peer {
    /// Each who connects is met by `meet` on a thread of its own.
    pub fn new(meet: impl Fn(TcpStream) + Send + Sync + 'static) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (meet, met) = (Arc::new(meet), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&met);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                let meet = Arc::clone(&meet);
                thread::spawn(move || meet(stream));
            }
        });
        Peer { address, met }
    }

    /// A license server.
    pub fn good() -> Peer {
        Peer::new(|mut stream| serve(&mut stream))
    }

    /// Reads a request, and says these bytes.
    pub fn saying(bytes: impl Into<Vec<u8>>) -> Peer {
        let bytes = bytes.into();
        Peer::new(move |mut stream| say(&mut stream, &bytes))
    }

    pub fn http(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn https(&self) -> String {
        let port = self.address.rsplit_once(':').unwrap().1;
        format!("https://localhost:{port}")
    }

    /// How many have connected.
    pub fn met(&self) -> usize {
        self.met.load(Ordering::SeqCst)
    }
}

/// A port on which nobody listens.
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Reads a request, says these bytes, and closes.
pub fn say(stream: &mut (impl Read + Write), bytes: &[u8]) {
    if read_http(stream).is_some() {
        let _ = stream.write_all(bytes).and_then(|()| stream.flush());
    }
}

/// Closes what was written only after the other end has read it.
pub fn close(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let _ = std::io::copy(&mut &*stream, &mut std::io::sink());
}

/// An answer of HTTP with its length in it.
pub fn http(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// The head and the body of a request, if there is a whole one.
pub fn read_http(stream: &mut impl Read) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// What a license server does with one connection.
pub fn serve(stream: &mut (impl Read + Write)) {
    let Some((head, body)) = read_http(stream) else { return };
    assert!(head.starts_with("POST /api/v1/requests HTTP/1.1\r\n"), "{head}");
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let request = read_request(body["request"].as_str().unwrap().as_bytes()).unwrap();
    let answer = serde_json::json!({ "answer": signed(&request) }).to_string();
    let bytes = http("200 OK", "content-type: application/json\r\n", answer);
    let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
}

/// What the vendor's server signs in answer to a sync: all is well.
pub fn signed(request: &Request) -> String {
    static SEQUENCE: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = since.as_secs() as i64;
    let answer = SyncAnswer {
        iat: now,
        nonce: request.nonce.clone(),
        license_id: request.license.as_ref().unwrap().id.clone(),
        installation: request.installation.clone(),
        activation: None,
        seq: since.as_micros() as u64 + SEQUENCE.fetch_add(1, Ordering::SeqCst),
        epoch: 0,
        server_time: now,
        status: IssuerStatus::Ok,
        message: None,
        license: None,
        keys: None,
        revocations: None,
        ack: None,
        sync_after: None,
        next_sync_by: None,
        machine: None,
    };
    sign_sync(&vendor(), "myapp", ISSUER, &answer).unwrap()
}

const ISSUER: &str = "https://licenses.acme.example";

pub fn vendor() -> SecretKey {
    SecretKey::from_seed(&[7; 32]).unwrap()
}

/// A product with a license here, that asks what a setting names.
pub struct Customer {
    pub it: Installation,
    pub folder: TempDir,
}

impl Customer {
    /// Whatever proxy the environment of the tests names, it is not used.
    pub fn new() -> Customer {
        let mut it = Customer::of_environment();
        it.set("proxy", "none");
        it
    }

    pub fn of_environment() -> Customer {
        let mut product = Product::new("myapp", &vendor().public().to_short()).unwrap();
        product.set("machine", "test").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let it = product.open(folder.path()).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        let claims = licentia::issue::draft(ISSUER, "myapp", now).unwrap();
        it.apply(licentia::issue::sign(&vendor(), &claims).unwrap().as_bytes()).unwrap();
        Customer { it, folder }
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.it.set(name, value).unwrap();
    }

    /// What a call to these servers comes to: `ok`, or a code and a sentence.
    pub fn sync(&mut self, servers: &str) -> String {
        self.set("server", servers);
        match self.it.call("sync", None) {
            Ok(()) => "ok".into(),
            Err(error) => format!("{}: {error}", error.slug()),
        }
    }
}
