//! Strict JSON: a text is judged byte by byte before serde sees it.
//!
//! serde_json alone is too kind for signed documents: it takes the last of two members with one
//! name, takes an array where a struct is expected, and skips unknown members of any depth.
//! What two readers may read differently is refused here: the grammar is exactly that of
//! RFC 8259, and of what it leaves open only this passes: the root is an object; names are
//! unique in their object, compared after decoding; strings hold no U+0000 and no lone
//! surrogate; numbers are integers that a double holds exactly, and not `-0`.

mod bounded;
mod flaws;
mod names;
mod scanner;
#[cfg(test)]
mod tests;

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::{Code, Error, Result};

pub(crate) use bounded::{List, Map};
pub use flaws::{Flaw, FlawKind};

/// The most objects and arrays inside each other; the root is the first.
pub const DEPTH_MAX: usize = 16;

/// The longest string or member name, in bytes of UTF-8 after decoding.
pub const STRING_MAX: usize = 4096;

/// The most values and member names in one text, at every depth, the root included.
pub const VALUES_MAX: usize = 16_384;

/// The largest integer, and the smallest with a minus: 2^53 - 1, as in JavaScript.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Judges a text of at most `max_bytes` and gives it back as a string.
///
/// Takes time linear in its length (but for sorting the names of each object) and a small
/// stack; allocates 8 bytes for each member of the objects that are open at once.
///
/// # Errors
/// The first flaw met. Duplicate names are met at the end of their object.
pub fn scan(text: &[u8], max_bytes: usize) -> std::result::Result<&str, Flaw> {
    judge(text, max_bytes, STRING_MAX)
}

/// The same for what carries documents: its strings, but not its names, may be as long as it is.
///
/// # Errors
/// As [`scan`].
pub fn scan_long(text: &[u8], max_bytes: usize) -> std::result::Result<&str, Flaw> {
    judge(text, max_bytes, max_bytes)
}

fn judge(text: &[u8], max_bytes: usize, string_max: usize) -> std::result::Result<&str, Flaw> {
    if text.len() > max_bytes || u32::try_from(text.len()).is_err() {
        return Err(Flaw { kind: FlawKind::Size, offset: max_bytes });
    }
    if text.starts_with("\u{feff}".as_bytes()) {
        return Err(Flaw { kind: FlawKind::Mark, offset: 0 });
    }
    let text = std::str::from_utf8(text)
        .map_err(|e| Flaw { kind: FlawKind::Encoding, offset: e.valid_up_to() })?;
    scanner::scan(text, string_max)?;
    Ok(text)
}

/// Reads a strict JSON object of at most `max_bytes` into `T`.
///
/// # Errors
/// `too_large` for a text, a string or a count of values beyond its limit; `malformed` for
/// every other flaw, and if the members are not those of `T`.
pub fn parse<'a, T: Deserialize<'a>>(text: &'a [u8], max_bytes: usize) -> Result<T> {
    read(scan(text, max_bytes)?)
}

/// Reads a text that [`scan`] has passed into `T`. Fails as [`parse`] does after its scan.
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T> {
    match serde_json::from_str::<Object<T>>(text) {
        Ok(Object(value)) => Ok(value),
        Err(error) => Err(Error::new(Code::Malformed, describe(&error))),
    }
}

/// serde's sentence, with the place at its end put in our words.
fn describe(error: &serde_json::Error) -> String {
    let sentence = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let what = sentence.strip_suffix(&place).unwrap_or(&sentence);
    match what.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        Some(member) => format!("the member {member} is missing"),
        None => format!("{what}, at line {}, byte {}", error.line(), error.column()),
    }
}

/// A `T` that is written as a JSON object. A derived struct alone also takes an array of its
/// members' values; use this for every struct inside a struct.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}
