//! Who sent a request: every installation has a key of its own, derived from the secret of its
//! folder, and signs with it what it asks. The issuer keeps the public half it saw first, so
//! whoever has a license alone speaks for no installation (docs/format.md, section 9.2).
//!
//! This signs requests and nothing else: what is signed begins with a line that no document of a
//! vendor begins with, and no vendor's key is ever here.

use crate::errors::Result;
use crate::keys::PublicKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};

/// What the key of an installation is derived for.
pub(crate) const REQUESTS: &str = "request";

/// What is signed begins with this line.
const CONTEXT: &[u8] = b"licentia-request\n";

/// Characters of a signature in base64url, without padding.
pub(super) const SIGNATURE_CHARS: usize = 86;

/// The key that an installation signs its requests with.
pub struct InstallationKey {
    signing: SigningKey,
    public: PublicKey,
}

impl std::fmt::Debug for InstallationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InstallationKey({})", self.public.kid())
    }
}

impl InstallationKey {
    /// The key of 32 secret bytes (RFC 8032, section 5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Result<InstallationKey> {
        let signing = SigningKey::from_bytes(seed);
        let public = PublicKey::from_bytes(signing.verifying_key().as_bytes())?;
        Ok(InstallationKey { signing, public })
    }

    /// The public half.
    #[cfg(feature = "issue")]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signature of a request: 86 characters.
    pub(super) fn sign(&self, json: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.signing.sign(&signed(json)).to_bytes())
    }

    /// The member `cnf` (RFC 7800, section 3.2).
    pub(super) fn cnf(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.public.as_bytes());
        json!({ "jwk": { "kty": "OKP", "crv": "Ed25519", "x": x } })
    }
}

/// The bytes that are signed.
pub(super) fn signed(json: &str) -> Vec<u8> {
    [CONTEXT, json.as_bytes()].concat()
}
