//! The keyed hash that stands for a value, and the short id that stands for a machine.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{HASH_LEN, Kind, VERSION};

/// The block of SHA-256, in bytes: RFC 2104 pads a key to it with zeros, or hashes it first.
const BLOCK: usize = 64;

/// The first half of HMAC-SHA256 over kind, zero byte and value. The key holds the product, so
/// two vendors cannot compare what they know about a machine.
pub(super) fn hash(product: &str, kind: Kind, value: &str) -> String {
    let key = format!("licentia/machine/{VERSION}/{product}");
    let mut block = [0u8; BLOCK];
    if key.len() > BLOCK {
        fill(&mut block, &Sha256::digest(key.as_bytes()));
    } else {
        fill(&mut block, key.as_bytes());
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(kind.word().as_bytes());
    mac.update(&[0]);
    mac.update(value.as_bytes());
    let whole = mac.finalize().into_bytes();
    let mut half = [0u8; 16];
    fill(&mut half, &whole);
    URL_SAFE_NO_PAD.encode(half)
}

/// Eight hexadecimal digits for people, such as `7F3A-91C2`, from sorted kinds and hashes.
pub(super) fn short_id<'a>(parts: impl Iterator<Item = (Kind, &'a str)>) -> Option<String> {
    let mut digest = Sha256::new_with_prefix(format!("licentia/machine/{VERSION}/id\n"));
    let mut any = false;
    for (kind, hash) in parts {
        digest.update(format!("{kind} {hash}\n"));
        any = true;
    }
    let mut start = [0u8; 4];
    fill(&mut start, &digest.finalize());
    let [a, b, c, d] = start;
    any.then(|| format!("{a:02X}{b:02X}-{c:02X}{d:02X}"))
}

/// Whether a text can be a hash: 22 characters that are 16 bytes in base64url, and no others.
pub(super) fn is_hash(text: &str) -> bool {
    text.len() == HASH_LEN && URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 16)
}

fn fill(target: &mut [u8], source: &[u8]) {
    for (to, from) in target.iter_mut().zip(source) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with another implementation:
    /// `hmac.digest(key, b"machine_id\0" + value, "sha256")[:16]` in Python.
    #[test]
    fn hashes_are_those_of_another_implementation() {
        let id = "4c8f9b0e6a1d4f7f8b2f3c5d6e7f8091";
        assert_eq!(hash("myapp", Kind::MachineId, id), "nzwruSqR_Bd2BRppFIJs9g");
        let long = "p".repeat(100);
        assert_eq!(hash(&long, Kind::Nic, "d0:50:99:aa:bb:cc"), "bvmEHGE2tUltO-W3z5I0gw");
    }

    #[test]
    fn only_whole_hashes_pass() {
        assert!(is_hash("AAAAAAAAAAAAAAAAAAAAAA"));
        let bits_left = "AAAAAAAAAAAAAAAAAAAAAB";
        for bad in ["", "AAAAAAAAAAAAAAAAAAAAA", bits_left, "AAAAAAAAAAAAAAAAAAAA=="] {
            assert!(!is_hash(bad), "{bad}");
        }
    }
}
