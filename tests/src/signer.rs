//! Keys and signatures, written by docs/format.md, sections 1 and 5.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The seed of RFC 8037, appendix A.1. Everybody has it; nobody should trust its key.
const RFC_8037: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];

/// Base64url without padding.
pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key pair.
pub struct Signer {
    seed: [u8; 32],
    key: SigningKey,
}

/// The key that signs almost every license.
pub fn vendor() -> Signer {
    Signer::of(RFC_8037)
}

/// Another vendor's key.
pub fn stranger() -> Signer {
    Signer::of([2; 32])
}

/// A key for a second role.
pub fn second() -> Signer {
    Signer::of([3; 32])
}

impl Signer {
    /// The pair of a seed.
    pub fn of(seed: [u8; 32]) -> Signer {
        Signer { seed, key: SigningKey::from_bytes(&seed) }
    }

    /// The seed, for libraries that sign with it.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The 32 bytes of the public half.
    pub fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// The public half in base64url.
    pub fn x(&self) -> String {
        b64(self.public())
    }

    /// The thumbprint of RFC 7638.
    pub fn kid(&self) -> String {
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.x());
        b64(Sha256::digest(canonical))
    }

    /// The short form of a key set.
    pub fn short(&self) -> String {
        format!("ed25519:{}", self.x())
    }

    /// A JWK, with more members after a comma, such as `"state":"retired","exp":5`.
    pub fn jwk(&self, more: &str) -> String {
        let comma = if more.is_empty() { "" } else { "," };
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"{comma}{more}}}"#, self.x())
    }

    /// A key set of one.
    pub fn jwks(&self, more: &str) -> String {
        jwks(&[self.jwk(more)])
    }

    /// A SubjectPublicKeyInfo block (RFC 8410, section 4).
    pub fn pem(&self) -> String {
        let mut der = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        der.extend(self.public());
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    }

    /// The usual header for a `typ`.
    pub fn header(&self, typ: &str) -> String {
        format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"{typ}"}}"#, self.kid())
    }

    /// The 64 bytes over a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// A compact serialization over exactly these bytes.
    pub fn jws(&self, header: &[u8], payload: &[u8]) -> String {
        let signed = format!("{}.{}", b64(header), b64(payload));
        let signature = self.sign(signed.as_bytes());
        format!("{signed}.{}", b64(signature))
    }
}

/// A key set of these JWKs.
pub fn jwks(keys: &[String]) -> String {
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// HMAC-SHA256.
pub fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // A key of more than a block would be hashed first; every key here is shorter.
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// The hash of a part of a machine, for a product (docs/machine.md).
pub fn part(product: &str, kind: &str, value: &str) -> String {
    let key = format!("licentia/machine/1/{product}");
    let message = [kind.as_bytes(), &[0], value.as_bytes()].concat();
    b64(&hmac(key.as_bytes(), &message)[..16])
}
