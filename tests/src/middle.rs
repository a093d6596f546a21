//! Somebody between a program and the license server, who may change what is answered.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// What is done with an answer.
#[derive(Clone, Debug, Default)]
pub enum Deed {
    /// It is passed on as it is.
    #[default]
    Pass,
    /// One character in the middle of what was signed is another.
    Alter,
    /// What was signed is this instead.
    Replace(String),
    /// The server is not asked: this is answered.
    Answer(String),
    /// The connection is closed.
    Close,
    /// The server is asked, and then the connection is closed.
    Lose,
    /// The server is not asked, and nobody answers until somebody goes away.
    Stall,
}

/// One that runs until this process ends.
pub struct Middle {
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub root: String,
    deed: Arc<Mutex<Deed>>,
    seen: Arc<Mutex<Vec<String>>>,
    stalled: Arc<AtomicUsize>,
}

impl Middle {
    /// Stands in front of a server: `http://127.0.0.1:PORT`.
    ///
    /// # Panics
    /// If it cannot listen.
    pub fn start(server: &str) -> Middle {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let root = format!("http://{}", listener.local_addr().expect("an address"));
        let server = server.trim_start_matches("http://").to_string();
        let (deed, seen) = (Arc::<Mutex<Deed>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (does, sees) = (Arc::clone(&deed), Arc::clone(&seen));
        let stalled = Arc::<AtomicUsize>::default();
        let stalls = Arc::clone(&stalled);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let deed = does.lock().unwrap_or_else(PoisonError::into_inner).clone();
                // Whoever goes away meanwhile is told nothing.
                let signed = carry(stream, &server, &deed, &stalls).unwrap_or_default();
                sees.lock().unwrap_or_else(PoisonError::into_inner).extend(signed);
            }
        });
        Middle { root, deed, seen, stalled }
    }

    /// What is done with answers from now on.
    pub fn set(&self, deed: Deed) {
        *self.deed.lock().unwrap_or_else(PoisonError::into_inner) = deed;
    }

    /// Waits until somebody waits for an answer that never comes.
    pub fn waits(&self) {
        while self.stalled.load(Ordering::SeqCst) == 0 {
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// What the server signed, in the order in which it was seen.
    pub fn signed(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Carries one request to the server and its answer back. Gives what was signed.
fn carry(
    mut client: TcpStream,
    server: &str,
    deed: &Deed,
    stalled: &AtomicUsize,
) -> std::io::Result<Option<String>> {
    client.set_read_timeout(Some(PATIENCE))?;
    let body = read_body(&mut client)?;
    let answer = match deed {
        Deed::Close => return Ok(None),
        Deed::Lose => return ask(server, &body).map(|_| None),
        Deed::Stall => {
            stalled.fetch_add(1, Ordering::SeqCst);
            return client.read(&mut [0]).map(|_| None);
        }
        Deed::Answer(text) => text.clone(),
        _ => ask(server, &body)?,
    };
    let signed = signed(&answer).map(str::to_string);
    let told = match (deed, &signed) {
        (Deed::Alter, Some(signed)) => answer.replace(signed, &altered(signed)),
        (Deed::Replace(other), Some(signed)) => answer.replace(signed, other),
        _ => answer,
    };
    let (head, body) = told.split_once("\r\n\r\n").unwrap_or((&told, ""));
    let kept = head.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        !matches!(&*name, "content-length" | "connection" | "transfer-encoding")
    });
    let head = kept.collect::<Vec<_>>().join("\r\n");
    let length = body.len();
    write!(client, "{head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")?;
    Ok(signed)
}

/// The body of a request, which says how long it is.
fn read_body(client: &mut TcpStream) -> std::io::Result<String> {
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let whole = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = whole.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Ok(body.to_string());
            }
        }
        match client.read(&mut piece)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => text.extend_from_slice(&piece[..count]),
        }
    }
}

fn ask(server: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    write!(
        stream,
        "POST /api/v1/requests HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// What was signed, in an answer of the server.
fn signed(answer: &str) -> Option<&str> {
    let (_, rest) = answer.split_once("\"answer\":\"")?;
    rest.split('"').next()
}

fn altered(signed: &str) -> String {
    let mut bytes = signed.as_bytes().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] = if bytes[middle] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).unwrap_or_default()
}
