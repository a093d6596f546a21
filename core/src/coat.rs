//! The coats a document travels in: text, `.lic` file, base64 blob.
//!
//! What mail and shells do to text is undone, and nothing else: whitespace, line ends, a byte
//! order mark. Whatever else is wrong is named, with its place.

use crate::errors::{Code, Error, Result};
use crate::limits::COAT_FACTOR;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;

/// Base64 whose padding may have been lost in a copy; everything else is strict.
pub(crate) const BLOB: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Takes the coat off: the compact serialization, borrowed where nothing had to be taken out.
///
/// `max` is the largest document, in bytes. Fails with `too_large` or `malformed`.
pub(crate) fn undress(data: &[u8], max: usize) -> Result<Cow<'_, str>> {
    let cap = max.saturating_mul(COAT_FACTOR);
    if data.len() > cap {
        return Err(Error::new(Code::TooLarge, format!("{} bytes, over {cap}", data.len())));
    }
    let bare = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let text = strip(bare, data.len() - bare.len())?;
    if text.is_empty() {
        return Err(Error::new(Code::Malformed, "there is no license in it: it is empty"));
    }
    let token = if text.contains('.') { text } else { Cow::Owned(from_blob(&text)?) };
    if token.len() > max {
        return Err(Error::new(Code::TooLarge, format!("{} bytes, over {max}", token.len())));
    }
    Ok(token)
}

/// Takes out whitespace, and refuses whatever no coat has.
/// `skipped` bytes came before `data`.
pub(crate) fn strip(data: &[u8], skipped: usize) -> Result<Cow<'_, str>> {
    let end = data.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    let start = data.iter().position(|byte| !is_space(*byte)).unwrap_or(end);
    let core = data.get(start..end).unwrap_or_default();
    // One look per byte, for the license that came as it was sent.
    let seen = core.iter().fold(0, |seen, byte| seen | class(*byte));
    if seen & FOREIGN != 0 {
        let at = core.iter().position(|byte| class(*byte) == FOREIGN).unwrap_or_default();
        return Err(foreign(data, start + at, skipped));
    }
    let ascii = || Error::new(Code::Internal, "a coat that is not ASCII");
    if seen & SPACE != 0 {
        let kept = core.iter().copied().filter(|byte| !is_space(*byte)).collect();
        return String::from_utf8(kept).map(Cow::Owned).map_err(|_| ascii());
    }
    std::str::from_utf8(core).map(Cow::Borrowed).map_err(|_| ascii())
}

const SPACE: u8 = 1;
const FOREIGN: u8 = 2;

/// What each byte is to a coat: 0 is part of it.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "the index is below 256")]
        {
            classes[byte] = match byte as u8 {
                at if is_space(at) => SPACE,
                at if is_coat(at) => 0,
                _ => FOREIGN,
            };
        }
        byte += 1;
    }
    classes
};

fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(FOREIGN)
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

const fn is_coat(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'=')
}

/// Names the first byte that no coat has, with the likely reason.
fn foreign(data: &[u8], at: usize, skipped: usize) -> Error {
    if data.starts_with(b"\xff\xfe") || data.starts_with(b"\xfe\xff") {
        return Error::new(Code::Malformed, "the file is UTF-16: save it as plain text");
    }
    let rest = data.get(at..).unwrap_or_default();
    let rest = rest.get(..rest.len().min(4)).unwrap_or_default();
    let found = match rest.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()) {
        Some(c) if !c.is_control() => format!("'{c}'"),
        _ => format!("0x{:02x}", rest.first().copied().unwrap_or_default()),
    };
    let at = at + skipped;
    Error::new(Code::Malformed, format!("{found} at byte {at} does not belong in it"))
}

fn from_blob(text: &str) -> Result<String> {
    let bad = |what: &str| Error::new(Code::Malformed, what);
    let mut bytes =
        BLOB.decode(text).map_err(|_| bad("neither a token of three parts nor base64 of one"))?;
    let end = bytes.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    bytes.truncate(end);
    String::from_utf8(bytes)
        .ok()
        .filter(|token| token.bytes().all(is_coat))
        .ok_or_else(|| bad("the base64 does not hold a license"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOi.eyJpc3MiOi-_.c2ln";

    fn code(data: impl AsRef<[u8]>) -> Code {
        undress(data.as_ref(), 64).unwrap_err().code()
    }

    #[test]
    fn all_coats_hold_the_same_text_and_mail_damage_comes_off() {
        let blob = base64::engine::general_purpose::STANDARD.encode(format!("{TOKEN}\r\n"));
        let wrapped: String = blob.chars().flat_map(|c| [c, '\n']).collect();
        for coat in [
            TOKEN.to_string(),
            format!("{TOKEN}\n"),
            format!("\u{feff}  {TOKEN}\r\n"),
            TOKEN.replace('.', ".\r\n "),
            TOKEN.chars().flat_map(|c| [c, ' ', '\t']).collect(),
            blob.trim_end_matches('=').to_string(),
            blob.clone(),
            wrapped,
        ] {
            assert_eq!(undress(coat.as_bytes(), 64).unwrap(), TOKEN, "{coat:?}");
        }
        assert!(matches!(undress(TOKEN.as_bytes(), 64), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn other_damage_is_named() {
        for (damage, named) in [
            ("eyJ\u{2014}b.c.d", "'—' at byte 3"),
            ("> eyJh.b.c", "'>' at byte 0"),
            ("eyJh\0.b.c", "0x00 at byte 4"),
            ("eyJh.b.c\u{a0}", "at byte 8"),
            ("", "empty"),
            (" \r\n", "empty"),
            ("abc$", "'$' at byte 3"),
            ("\u{feff}abc$", "'$' at byte 6"),
        ] {
            let error = undress(damage.as_bytes(), 64).unwrap_err();
            assert_eq!(error.code(), Code::Malformed);
            assert!(error.detail().contains(named), "{damage:?}: {error}");
        }
        let utf16: Vec<u8> = std::iter::once(0xfeff)
            .chain("a.b.c".encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        assert!(undress(&utf16, 64).unwrap_err().detail().contains("UTF-16"));
        assert_eq!(code("A"), Code::Malformed);
        assert_eq!(code("bm90IGEgbGljZW5zZSE"), Code::Malformed);
        assert_eq!(code(vec![b'a'; 129]), Code::TooLarge);
        assert_eq!(code(format!("{}.", "a".repeat(64))), Code::TooLarge);
    }
}
