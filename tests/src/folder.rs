//! The folder of an installation, written by docs/state.md: a second implementation of its slots.

use crate::case::NOW;
use crate::signer::{Signer, b64, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Read;

/// The installation of every prepared folder.
pub const INSTALLATION: &str = "6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c";

/// Its secret.
const SECRET: [u8; 32] = [5; 32];

/// What is to be in a folder.
#[derive(Clone)]
pub struct Folder {
    state: Value,
    usage: Value,
    revocations: Option<Vec<u8>>,
}

impl Default for Folder {
    fn default() -> Folder {
        Folder::new()
    }
}

impl Folder {
    /// One that was begun at the time of almost every case, and not used yet.
    pub fn new() -> Folder {
        let state = json!({
            "v": 1, "product": "myapp", "installation": INSTALLATION, "secret": b64(SECRET),
            "created_at": NOW,
            "licenses": [], "keys": [], "revocations": null, "issuer": null,
            "epoch": 0, "seq": 0, "syncs": 0, "resets": 0,
            "floors": {"era": 0, "signed": null, "seen": null, "boot": null, "ahead": null},
            "anchor": null, "lost": 0, "damage": null,
        });
        let usage = json!({
            "seq": 1, "prev": "", "room": 4096, "lost": 0, "began": NOW, "features": [],
            "meters": [],
        });
        Folder { state, usage, revocations: None }
    }

    /// With a license that was applied.
    pub fn license(mut self, token: impl Into<String>) -> Folder {
        let installed = json!({"token": token.into(), "applied_at": NOW});
        self.state["licenses"].as_array_mut().expect("a list").push(installed);
        self
    }

    /// With a member of the state, by pointer.
    pub fn state(mut self, pointer: &str, value: impl Into<Value>) -> Folder {
        *self.state.pointer_mut(pointer).expect("a member of the state") = value.into();
        self
    }

    /// With a member of the checkpoint, by pointer.
    pub fn usage(mut self, pointer: &str, value: impl Into<Value>) -> Folder {
        *self.usage.pointer_mut(pointer).expect("a member of the checkpoint") = value.into();
        self
    }

    /// With a revocation list.
    pub fn revocations(mut self, version: u64, list: impl Into<Vec<u8>>) -> Folder {
        self.revocations = Some(list.into());
        self.state("/revocations", version)
    }

    /// Its files. Each slot has been written once, so it is in `.b`.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let state = self.state.to_string();
        files.insert("state.b".to_string(), slot(1, state.as_bytes(), 0));
        let usage = self.usage.to_string();
        files.insert("usage.b".to_string(), slot(1, usage.as_bytes(), 4096));
        if let Some(list) = &self.revocations {
            files.insert("revocations.b".to_string(), slot(1, list, 0));
        }
        files.insert("lock".to_string(), lock(self.revocations.is_some()));
        files
    }
}

/// A file of a slot: header, payload, zeros.
pub fn slot(generation: u64, payload: &[u8], room: usize) -> Vec<u8> {
    let mut bytes = b"licentia".to_vec();
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(generation.to_le_bytes());
    bytes.extend((payload.len() as u64).to_le_bytes());
    let hash = Sha256::new().chain_update(&bytes).chain_update(payload).finalize();
    bytes.extend(hash);
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(64) + room, 0);
    bytes
}

fn lock(revocations: bool) -> Vec<u8> {
    const MARK: &[u8; 16] = b"was written once";
    let mut bytes = vec![0; 128];
    bytes[..16].copy_from_slice(MARK);
    if revocations {
        bytes[16..32].copy_from_slice(MARK);
    }
    bytes[32..48].copy_from_slice(MARK);
    bytes
}

/// The nonce of a request of every prepared folder: docs/format.md, section 9.
pub fn nonce(what: &str, counter: u64) -> String {
    let key = hmac(&SECRET, b"nonce");
    let random = [9; 16];
    let message = [&random, what.as_bytes(), &counter.to_be_bytes()].concat();
    b64([&random[..], &hmac(&key, &message)[..16]].concat())
}

/// The key of the installation in every prepared folder: docs/format.md, section 9.2.
pub fn own_key() -> Signer {
    Signer::of(hmac(&SECRET, b"request"))
}

/// What is in a request that this installation signed; `None` if it did not.
pub fn signed_request(text: &[u8]) -> Option<Value> {
    let packed = STANDARD.decode(text).ok()?;
    let mut whole = String::new();
    ZlibDecoder::new(&packed[..]).read_to_string(&mut whole).ok()?;
    let (json, signature) = whole.rsplit_once('\n')?;
    let key = own_key();
    let found: Value = serde_json::from_str(json).ok()?;
    let own = json!({"jwk": {"kty": "OKP", "crv": "Ed25519", "x": key.x()}});
    let wanted = b64(key.sign(format!("licentia-request\n{json}").as_bytes()));
    (found["cnf"] == own && signature == wanted).then_some(found)
}
