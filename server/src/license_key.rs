//! The key of a license that a person can type: 26 characters of chance and two that tell a slip.
//!
//! The characters are Crockford's base32. All 28 are a word of a Reed-Solomon code over GF(32):
//! any one or two wrong characters, and so any swap of neighbours, are no key, and nobody has to
//! ask the database.

use crate::error::{Code, Error, Result};
use sha2::{Digest, Sha256};

/// Crockford's base32.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of chance: 130 bits.
const RANDOM: usize = 26;

/// Characters in all.
const LENGTH: usize = RANDOM + 2;

/// Characters between hyphens.
const GROUP: usize = 4;

/// The generator of the code, (x + 2)(x + 4), but for its first coefficient.
const GENERATOR: [u8; 2] = [6, 8];

/// A new license key.
pub struct LicenseKey {
    /// As it is shown, once: `XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX`.
    pub shown: String,
    /// What is kept: SHA-256 of its 28 characters, in hexadecimal.
    pub digest: String,
    /// Its last group, for people.
    pub hint: String,
}

impl std::fmt::Debug for LicenseKey {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LicenseKey({})", self.hint)
    }
}

/// Makes a key. Fails with `internal` if the system gives no randomness.
pub fn generate() -> Result<LicenseKey> {
    let mut symbols = [0; RANDOM];
    getrandom::fill(&mut symbols)
        .map_err(|_| Error::new(Code::Internal, "The system gives no randomness"))?;
    Ok(of(&symbols.map(|byte| byte % 32)))
}

/// The key with these characters of chance, each below 32.
fn of(symbols: &[u8; RANDOM]) -> LicenseKey {
    // The remainder of a division by the generator, highest coefficient first.
    let [mut high, mut low] = [0, 0];
    for symbol in symbols {
        let lead = symbol ^ high;
        let [first, second] = GENERATOR.map(|factor| times(factor, lead));
        (high, low) = (low ^ first, second);
    }
    let all = symbols.iter().chain([&high, &low]);
    let text: String =
        all.filter_map(|symbol| LETTERS.get(usize::from(*symbol))).map(letter).collect();
    let groups: Vec<&str> =
        text.as_bytes().chunks(GROUP).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    let hint = groups.last().copied().unwrap_or_default().to_string();
    LicenseKey { shown: groups.join("-"), digest: digest(&text), hint }
}

fn letter(byte: &u8) -> char {
    char::from(*byte)
}

/// What is kept of the key that somebody typed; `None` where it is none, whoever's it might be.
/// Case, spaces and hyphens do not matter, O is 0, I and L are 1.
pub fn digest_of(typed: &str) -> Option<String> {
    let mut text = String::with_capacity(LENGTH);
    let (mut one, mut two) = (0, 0);
    for typed in typed.chars() {
        let typed = match typed.to_ascii_uppercase() {
            // A mail program makes a dash of a hyphen.
            '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' => continue,
            blank if blank.is_whitespace() => continue,
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let symbol = LETTERS.iter().position(|letter| char::from(*letter) == typed)?;
        let symbol = u8::try_from(symbol).ok()?;
        (one, two) = (times(one, 2) ^ symbol, times(two, 4) ^ symbol);
        text.push(typed);
        if text.len() > LENGTH {
            return None;
        }
    }
    (text.len() == LENGTH && one == 0 && two == 0).then(|| digest(&text))
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A product in GF(32), modulo x^5 + x^2 + 1.
fn times(a: u8, b: u8) -> u8 {
    let mut product = 0;
    let mut shifted = a;
    for bit in 0..5 {
        if b >> bit & 1 == 1 {
            product ^= shifted;
        }
        shifted = (shifted << 1) ^ if shifted & 16 == 0 { 0 } else { 0b10_0101 };
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys whose characters are each of the alphabet's in turn, and random ones.
    fn keys() -> Vec<LicenseKey> {
        let mut keys: Vec<LicenseKey> = (0..100).map(|_| generate().unwrap()).collect();
        keys.push(of(&[31; RANDOM]));
        keys.push(of(&std::array::from_fn(|n| n as u8)));
        keys
    }

    #[test]
    fn a_key_is_known_however_it_is_typed() {
        for key in keys() {
            assert_eq!((key.shown.len(), key.hint.len(), key.digest.len()), (34, 4, 64));
            assert!(key.shown.ends_with(&format!("-{}", key.hint)));
            let typed = [
                key.shown.clone(),
                key.shown.to_lowercase(),
                key.shown.replace('-', ""),
                key.shown.replace('-', " \u{2013}\u{a0}\r\n"),
                key.shown.replace('0', "o").replace('1', "l"),
                key.shown.replace('0', "O").replace('1', "I"),
            ];
            for typed in typed {
                assert_eq!(digest_of(&typed).as_ref(), Some(&key.digest), "{typed:?}");
            }
        }
        assert_ne!(generate().unwrap().shown, generate().unwrap().shown);
    }

    #[test]
    fn every_wrong_character_and_every_swap_of_neighbours_is_no_key() {
        for key in keys() {
            let text: Vec<char> = key.shown.replace('-', "").chars().collect();
            for at in 0..LENGTH {
                for letter in LETTERS.iter().map(|byte| char::from(*byte)) {
                    let mut wrong = text.clone();
                    wrong[at] = letter;
                    let wrong: String = wrong.into_iter().collect();
                    assert_eq!(digest_of(&wrong).is_some(), letter == text[at], "{wrong}");
                }
                let mut swapped = text.clone();
                if at + 1 < LENGTH && swapped[at] != swapped[at + 1] {
                    swapped.swap(at, at + 1);
                    let swapped: String = swapped.into_iter().collect();
                    assert_eq!(digest_of(&swapped), None, "{swapped}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_key_at_all_is_none() {
        let key = of(&[7; RANDOM]).shown;
        let longer = format!("{key}0");
        let u = key.replacen('7', "U", 1);
        for text in ["", "-", " ", "A", &key[..33], &longer, &u, "k\u{f6}nig", &"0".repeat(1000)] {
            assert_eq!(digest_of(text), None, "{text}");
        }
    }

    #[test]
    fn the_field_is_one() {
        for a in 1..32 {
            let mut products: Vec<u8> = (1..32).map(|b| times(a, b)).collect();
            products.sort_unstable();
            assert_eq!(products, (1..32).collect::<Vec<u8>>());
        }
        assert_eq!(GENERATOR, [2 ^ 4, times(2, 4)]);
    }
}
