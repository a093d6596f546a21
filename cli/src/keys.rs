//! Keys as arguments: in a file, on standard input, or as the text itself.

use crate::input::{self, Source, TOKEN_BYTES};
use crate::secrecy::PRIVATE;
use licentia::{Code, Error, KeySet, Product, PublicKey, Result, SecretKey};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// Reads a private key. A file has to be its owner's alone.
pub fn secret(path: &str) -> Result<SecretKey> {
    let mut source = Source::open(path)?;
    let text = source.text(TOKEN_BYTES, Code::InvalidKey)?;
    if !text.contains(PRIVATE) && KeySet::parse(&text).is_ok() {
        let what = "it is a public key, which cannot sign: sign with the .pem";
        return Err(Error::new(Code::InvalidKey, what));
    }
    source.is_private()?;
    SecretKey::from_pem(&text)
}

/// The text of public keys: the argument itself, or what is in the file of that name.
pub fn text(argument: &str) -> Result<Zeroizing<String>> {
    if is_text(argument) {
        return Ok(Zeroizing::new(argument.to_string()));
    }
    input::read_text(argument, TOKEN_BYTES, Code::InvalidKey)
}

/// The public keys of an argument, or the public half of the private key in the file of that
/// name, which has to be its owner's alone.
pub fn public(argument: &str) -> Result<Public> {
    if is_text(argument) {
        return Public::parse(argument);
    }
    let mut source = Source::open(argument)?;
    let text = source.text(TOKEN_BYTES, Code::InvalidKey)?;
    if !text.contains(PRIVATE) {
        return Public::parse(&text);
    }
    source.is_private()?;
    Public::of(SecretKey::from_pem(&text)?.public())
}

/// Whether an argument is public keys and not the name of a file. No file is called so by
/// accident: a signed set has more characters than a name may have.
fn is_text(argument: &str) -> bool {
    let start = argument.trim_start();
    let signed = start.starts_with("eyJ") && start.len() > 255;
    signed || ["ed25519:", "{", "-----BEGIN "].iter().any(|form| start.starts_with(form))
}

/// A product that trusts these keys: the first pinned, the others added, so that a signed set
/// comes after the root key that signed it.
pub fn product(code: &str, keys: &[String]) -> Result<Product> {
    let mut product: Option<Product> = None;
    for argument in keys {
        let text = text(argument)?;
        match &mut product {
            None => product = Some(Product::new(code, &text)?),
            Some(product) => product.trust(&text)?,
        }
    }
    product.ok_or_else(|| Error::new(Code::InvalidArgument, "no keys were given"))
}

/// Public keys, and the JSON they were read from or are written as.
pub struct Public {
    pub set: KeySet,
    pub jwks: Value,
}

impl Public {
    /// A key of our own.
    pub fn of(key: &PublicKey) -> Result<Public> {
        Public::parse(&key.to_short())
    }

    /// Reads any form of a public key set.
    pub fn parse(text: &str) -> Result<Public> {
        let set = KeySet::parse(text)?;
        // The set does not give its dates back, so JSON stays as it is.
        let jwks = if text.trim_start().starts_with('{') {
            as_set(parse(text)?)
        } else {
            let keys = set.keys().iter().map(|trusted| jwk(trusted.key()));
            json!({ "keys": keys.collect::<Result<Vec<_>>>()? })
        };
        Ok(Public { set, jwks })
    }

    /// Whether the keys have terms (roles, state, dates) that only JSON can carry.
    pub fn has_terms(&self) -> bool {
        let keys = self.jwks["keys"].as_array().into_iter().flatten();
        let terms = ["roles", "state", "nbf", "exp"];
        keys.into_iter().any(|key| terms.iter().any(|term| !key[term].is_null()))
    }
}

/// One key as JSON.
pub fn jwk(key: &PublicKey) -> Result<Value> {
    Ok(parse(&key.to_jwks())?["keys"][0].take())
}

fn as_set(json: Value) -> Value {
    if json["keys"].is_array() { json } else { json!({ "keys": [json] }) }
}

fn parse(text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|error| Error::new(Code::Internal, format!("a key set: {error}")))
}
