//! The form of API keys: `lic_`, 12 characters of the id, `_`, 256 random bits. Shown once; kept
//! as a digest.

use crate::error::{Code, Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::prelude::Uuid;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What every key that is made here starts with.
const PREFIX: &str = "lic_";

/// Characters of the id in a key, and bytes of its secret.
const ID: usize = 12;
const SECRET: usize = 32;

/// Characters of a digest by which it is looked up: far too few to tell what the rest is.
const HANDLE: usize = 16;

/// Makes the key of an id. Fails with `internal` if the system gives no randomness.
pub fn generate(id: Uuid) -> Result<Zeroizing<String>> {
    let mut secret = Zeroizing::new([0; SECRET]);
    getrandom::fill(&mut *secret)
        .map_err(|_| Error::new(Code::Internal, "The system gives no randomness"))?;
    let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(*secret));
    Ok(Zeroizing::new([&hint(id), "_", &secret].concat()))
}

/// What people know a key by that was made here: its beginning, which is no secret.
pub fn hint(id: Uuid) -> String {
    // The end of the id: its beginning is the time, and the same for all keys of one day.
    let id = id.simple().to_string();
    format!("{PREFIX}{}", id.get(id.len().saturating_sub(ID)..).unwrap_or_default())
}

/// What is kept of an API key: SHA-256 in hexadecimal. It has so many random bits that a slow hash
/// would keep nobody out.
pub fn digest(key: &str) -> String {
    Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digests that begin like this one, and may be it: from the first text on, before the second.
/// The database compares no more than that, so that the time it takes tells no more.
pub fn around(digest: &str) -> (String, String) {
    let handle = digest.get(..HANDLE).unwrap_or(digest);
    // `g` comes after every hexadecimal digit.
    (handle.to_string(), format!("{handle}g"))
}

/// Whether two digests are the same, in a time that does not tell where they differ.
pub fn is_same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_form_and_is_never_the_same() {
        let id = Uuid::now_v7();
        let (key, again) = (generate(id).unwrap(), generate(id).unwrap());
        let parts: Vec<&str> = key.splitn(3, '_').collect();
        let [prefix, short, secret] = parts[..] else { panic!("{} parts", parts.len()) };
        assert_eq!((prefix, short.len(), secret.len()), ("lic", 12, 43));
        assert!(id.simple().to_string().ends_with(short));
        assert_eq!(URL_SAFE_NO_PAD.decode(secret).unwrap().len(), 32);
        assert!(key.starts_with(&hint(id)) && *key != *again);
    }

    #[test]
    fn a_digest_is_found_by_its_beginning_and_known_by_the_whole() {
        let mine = digest("mine");
        assert_eq!(mine.len(), 64);
        let (from, to) = around(&mine);
        assert!(from <= mine && mine < to && !mine[HANDLE..].is_empty());
        assert!(digest("other") < from || digest("other") >= to);
        let near = format!("{}{}", &mine[..63], if mine.ends_with('0') { "1" } else { "0" });
        assert!(from <= near && near < to, "the database would give it");
        assert!(is_same(&mine, &digest("mine")) && !is_same(&mine, &near));
    }
}
