//! The floor: ed25519-dalek's `verify` with the key held, over parts that are already decoded.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use std::sync::OnceLock;

/// A key, what was signed, and the signature.
struct Floor {
    key: VerifyingKey,
    message: Vec<u8>,
    signature: Signature,
}

impl Floor {
    /// `None`: they are no key and no token.
    fn new(key: &[u8; 32], token: &[u8]) -> Option<Floor> {
        let dot = token.iter().rposition(|byte| *byte == b'.')?;
        let (message, signature) = token.split_at(dot);
        let signature = URL_SAFE_NO_PAD.decode(signature.get(1..)?).ok()?;
        Some(Floor {
            key: VerifyingKey::from_bytes(key).ok()?,
            message: message.to_vec(),
            signature: Signature::from_slice(&signature).ok()?,
        })
    }

    /// Whether the signature is the key's.
    fn verify(&self) -> bool {
        self.key.verify(&self.message, &self.signature).is_ok()
    }
}

static FLOOR: OnceLock<Floor> = OnceLock::new();

/// Prepares the one floor of a process, for the bench in C.
///
/// # Safety
/// `key` points to 32 bytes, `token` to `len` of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn floor_prepare(key: *const [u8; 32], token: *const u8, len: usize) -> bool {
    let (key, token) = unsafe { (&*key, std::slice::from_raw_parts(token, len)) };
    Floor::new(key, token).is_some_and(|floor| FLOOR.set(floor).is_ok())
}

/// Verifies once.
#[unsafe(no_mangle)]
pub extern "C" fn floor_verify() -> bool {
    FLOOR.get().is_some_and(Floor::verify)
}
