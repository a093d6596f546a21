//! Private keys: sealed under a master key that is not in the database, opened to sign.

mod signer;

pub use signer::{BACK_MAX, Ready, Signer, Signing};

use crate::error::{Code, Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use licentia::SecretKey;
use zeroize::Zeroizing;

/// Bytes of a master key.
pub const MASTER_KEY: usize = 32;

/// Bytes of a nonce (RFC 8439, section 2.8).
const NONCE: usize = 12;

/// Seals and opens with the master key (ChaCha20-Poly1305, RFC 8439). What is sealed says what it
/// is: it opens as nothing else.
pub struct Vault {
    cipher: ChaCha20Poly1305,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// A vault with this master key.
    pub fn new(master: &Zeroizing<[u8; MASTER_KEY]>) -> Vault {
        Vault { cipher: ChaCha20Poly1305::new(&Key::from(**master)) }
    }

    /// Seals bytes as what `label` says. The text is base64url.
    pub fn seal(&self, label: &str, bytes: &[u8]) -> Result<String> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| no_randomness())?;
        let payload = Payload { msg: bytes, aad: label.as_bytes() };
        let sealed = self.cipher.encrypt(&Nonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Error::new(Code::Internal, "It cannot be sealed"))?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens what was sealed as `label`. Fails with `setup` under another master key.
    pub fn open(&self, label: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>> {
        let wrong = || {
            let what = "The master key does not open what is in the database: start the server \
                        with the one it was sealed with";
            Error::new(Code::Setup, what)
        };
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| wrong())?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or_else(wrong)?;
        let payload = Payload { msg: sealed, aad: label.as_bytes() };
        let opened = self.cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| wrong())?;
        Ok(Zeroizing::new(opened))
    }

    /// Seals a private key.
    pub fn seal_key(&self, key: &SecretKey) -> Result<String> {
        self.seal(&key_label(key.public().kid()), key.to_pem()?.as_bytes())
    }

    /// Opens the private key that has this name.
    pub fn open_key(&self, kid: &str, sealed: &str) -> Result<SecretKey> {
        let pem = self.open(&key_label(kid), sealed)?;
        let pem = std::str::from_utf8(&pem);
        let pem = pem.map_err(|_| Error::new(Code::Internal, "A sealed key is no text"))?;
        let key = SecretKey::from_pem(pem)?;
        if key.public().kid() != kid {
            return Err(Error::new(Code::Internal, "A sealed key is another than it says"));
        }
        Ok(key)
    }
}

/// As what the private key of this name is sealed.
pub fn key_label(kid: &str) -> String {
    format!("signing key {kid}")
}

fn no_randomness() -> Error {
    Error::new(Code::Internal, "The system gives no randomness")
}
