//! Whoever webhooks are sent to: a listener of its own on this machine, with answers that the test
//! chooses, some of which are none.

use licentia::webhook::{Headers, Secret, verify};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the test waits for, at most.
const PATIENCE: Duration = Duration::from_secs(60);

/// What arrived.
#[derive(Clone, Debug)]
pub struct Got {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {:?}", self.headers))
    }

    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether this one secret, or public key, alone says that it is good.
    pub fn is_signed(&self, by: &str) -> bool {
        let headers = Headers {
            id: self.id(),
            timestamp: self.header("webhook-timestamp"),
            signature: self.header("webhook-signature"),
        };
        let now = self.header("webhook-timestamp").parse().unwrap();
        let secret = Secret::parse(by).unwrap();
        verify(&self.body, &headers, &[secret], now).is_ok()
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status, headers with their ends of line, a body.
    Status(u16, String, String),
    /// The connection ends instead.
    Close,
    /// Half of an answer, and the end.
    Half,
    /// Nothing, for so long.
    Hang(Duration),
    /// 200, after so long.
    Slow(Duration),
}

impl Reply {
    pub fn status(status: u16) -> Reply {
        Reply::Status(status, String::new(), format!("said {status}"))
    }

    pub fn with(status: u16, header: &str) -> Reply {
        Reply::Status(status, format!("{header}\r\n"), String::new())
    }
}

type Behaviour = Arc<dyn Fn(&Got) -> Reply + Send + Sync>;

/// One that listens until it is dropped.
pub struct Receiver {
    pub address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
    behaviour: Arc<Mutex<Behaviour>>,
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl Receiver {
    /// One that answers 200.
    pub fn new() -> Receiver {
        Receiver::with(|_| Reply::status(200))
    }

    pub fn with(behaviour: impl Fn(&Got) -> Reply + Send + Sync + 'static) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let behaviour: Behaviour = Arc::new(behaviour);
        let receiver = Receiver {
            address,
            got: Arc::default(),
            behaviour: Arc::new(Mutex::new(behaviour)),
            open: Arc::default(),
            most: Arc::default(),
            stop: Arc::default(),
        };
        let (got, behaviour) = (Arc::clone(&receiver.got), Arc::clone(&receiver.behaviour));
        let (open, most) = (Arc::clone(&receiver.open), Arc::clone(&receiver.most));
        let stop = Arc::clone(&receiver.stop);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (got, behaviour) = (Arc::clone(&got), Arc::clone(&behaviour));
                let (open, most) = (Arc::clone(&open), Arc::clone(&most));
                std::thread::spawn(move || {
                    most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    serve(stream.unwrap(), &got, &behaviour);
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        receiver
    }

    /// Answers like this from now on.
    pub fn answer(&self, behaviour: impl Fn(&Got) -> Reply + Send + Sync + 'static) {
        *self.behaviour.lock().unwrap() = Arc::new(behaviour);
    }

    /// Everything that arrived, whatever was answered.
    pub fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }

    /// The most that were there at a time.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Waits until so many have arrived.
    #[track_caller]
    pub fn wait_for(&self, count: usize) {
        for _ in 0..PATIENCE.as_millis() / 10 {
            if self.count() >= count {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{} arrived, and not {count}", self.count());
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut stream: TcpStream, got: &Mutex<Vec<Got>>, behaviour: &Mutex<Behaviour>) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let Some(one) = read(&stream) else { return };
    got.lock().unwrap().push(one.clone());
    let behaviour = Arc::clone(&behaviour.lock().unwrap());
    let (status, headers, body) = match behaviour(&one) {
        Reply::Status(status, headers, body) => (status, headers, body),
        Reply::Close => return,
        Reply::Half => {
            let _ = stream.write_all(b"HTTP/1.1 200 O");
            return;
        }
        Reply::Hang(time) => return wait(&stream, time),
        Reply::Slow(time) => {
            std::thread::sleep(time);
            (200, String::new(), String::new())
        }
    };
    let length = body.len();
    let end = format!("Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let text = format!("HTTP/1.1 {status} X\r\n{headers}{end}");
    let _ = stream.write_all(text.as_bytes());
}

/// Waits until the other side has enough.
fn wait(stream: &TcpStream, time: Duration) {
    stream.set_read_timeout(Some(time)).unwrap();
    let _ = { stream }.read(&mut [0]);
}

/// A whole request; `None` where it was cut.
fn read(stream: &TcpStream) -> Option<Got> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.strip_prefix("POST ")?.split(' ').next()?.to_string();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ")?;
        let twice = headers.insert(name.to_lowercase(), value.to_string());
        assert!(twice.is_none(), "{name} is there twice");
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Got { path, headers, body })
}
