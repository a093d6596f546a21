//! Requests to the license API, and an issuer, for the tests of what it answers.
#![allow(dead_code)]

use licentia::issue::{Request, read_request};
use licentia::{Answer, Caller, Error, Exchange, Installation, Issuer, Message, Product, Rights};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Mutex;
use tempfile::TempDir;

/// An installation in a folder of its own, which goes with it.
pub struct Site {
    it: Installation,
    pub folder: TempDir,
}

impl Site {
    pub fn new(product: &Product) -> Site {
        Site::within(product, tempfile::tempdir().unwrap())
    }

    pub fn within(product: &Product, folder: TempDir) -> Site {
        Site { it: product.open(folder.path()).unwrap(), folder }
    }
}

impl Deref for Site {
    type Target = Installation;

    fn deref(&self) -> &Installation {
        &self.it
    }
}

impl DerefMut for Site {
    fn deref_mut(&mut self) -> &mut Installation {
        &mut self.it
    }
}

/// A request of an administrator, with a JSON body unless it is empty.
pub fn send(it: &Installation, method: &str, path: &str, body: &str) -> Reply {
    let mut exchange = Exchange::new(method, path).unwrap();
    exchange.add_header("content-type", "application/json");
    exchange.add_header("x-request-id", "the-request");
    exchange.set_body(body);
    exchange.set_caller(Caller::new("admin", Rights::ADMINISTRATOR).unwrap());
    Reply::of(&it.handle(&exchange))
}

pub fn get(it: &Installation, path: &str) -> Reply {
    send(it, "GET", path, "")
}

pub fn post(it: &Installation, path: &str, body: &Value) -> Reply {
    send(it, "POST", path, &body.to_string())
}

/// An answer, as a client has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub status: u16,
    pub media: String,
    pub text: String,
}

impl Reply {
    fn of(answer: &Answer) -> Reply {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        Reply {
            status: answer.status(),
            media: answer.header("content-type").unwrap_or_default().to_string(),
            text: String::from_utf8(answer.body().to_vec()).unwrap(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The status, the word and the sentence of a refusal.
    pub fn refusal(&self) -> (u16, String, String) {
        let json = self.json();
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_string();
        (self.status, text("code"), text("detail"))
    }
}

type Answering = dyn FnMut(&Request) -> Result<Vec<u8>, Error> + Send;

/// An issuer as there are: it reads what is asked, and signs.
pub struct Server {
    pub asked: Mutex<Vec<Request>>,
    answer: Mutex<Box<Answering>>,
}

impl Server {
    pub fn new(answer: impl FnMut(&Request) -> Result<Vec<u8>, Error> + Send + 'static) -> Server {
        Server { asked: Mutex::default(), answer: Mutex::new(Box::new(answer)) }
    }

    pub fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Issuer for Server {
    fn ask(&self, message: &Message<'_>) -> Result<Vec<u8>, Error> {
        let request = read_request(message.request.as_bytes()).unwrap();
        self.asked.lock().unwrap().push(request.clone());
        (self.answer.lock().unwrap())(&request)
    }
}

/// Everything in a folder.
pub fn bytes_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), fs::read(folder.join(name)).unwrap())).collect()
}

/// Everything in a folder but the note of what the issuer could not be asked, and the clock of the
/// boot: the state as JSON, and the other files.
pub fn kept(folder: &Path) -> (Value, Vec<(String, Vec<u8>)>) {
    let mut state = newest_state(folder).1;
    state["failure"] = Value::Null;
    state["floors"]["boot"] = Value::Null;
    let is_other = |(name, _): &(String, Vec<u8>)| !name.starts_with("state.") && name != "lock";
    (state, bytes_of(folder).into_iter().filter(is_other).collect())
}

/// A status without the note of what the issuer could not be asked.
pub fn but_for_failure(mut status: Value) -> Value {
    status["issuer"]["failure"] = Value::Null;
    status["issuer"]["next_contact"] = Value::Null;
    let is_other = |step: &Value| step["event"] != "next_contact";
    status["timeline"].as_array_mut().unwrap().retain(is_other);
    status
}

/// The path and the payload of the newest state in a folder.
fn newest_state(folder: &Path) -> (std::path::PathBuf, Value) {
    let generation = |bytes: &[u8]| u64::from_le_bytes(bytes[16..24].try_into().unwrap());
    let files = ["state.a", "state.b"].map(|name| folder.join(name));
    let (path, bytes) = files
        .into_iter()
        .filter_map(|path| Some((path.clone(), fs::read(path).ok()?)))
        .max_by_key(|(_, bytes)| generation(bytes))
        .unwrap();
    let length = u64::from_le_bytes(bytes[24..32].try_into().unwrap()) as usize;
    (path, serde_json::from_slice(&bytes[64..64 + length]).unwrap())
}

/// Changes the newest state in a folder, with the right hash.
pub fn forge(folder: &Path, change: impl FnOnce(&mut Value)) {
    let (path, mut state) = newest_state(folder);
    let bytes = fs::read(&path).unwrap();
    change(&mut state);
    let payload = state.to_string();
    let mut forged = bytes[..32].to_vec();
    forged[24..].copy_from_slice(&(payload.len() as u64).to_le_bytes());
    let hash = Sha256::new().chain_update(&forged).chain_update(&payload).finalize();
    forged.extend(hash);
    forged.extend(payload.as_bytes());
    forged.resize(forged.len().next_multiple_of(64), 0);
    fs::write(path, forged).unwrap();
}
