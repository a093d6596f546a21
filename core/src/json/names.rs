//! Member names compared by what they mean, whatever their spelling.

use std::cmp::Ordering;
use std::str::Chars;

use super::STRING_MAX;

/// Where a member name stands between its quotes. Small, because an attacker chooses how many
/// there are; a name of `STRING_MAX` bytes takes at most six times that, all escapes.
#[derive(Clone, Copy)]
pub(super) struct Name {
    pub start: u32,
    pub len: u16,
    pub escaped: bool,
}

const _: () = assert!(STRING_MAX * 6 <= u16::MAX as usize);

/// Orders two names by what they mean. Characters and the bytes of UTF-8 sort alike, so it does
/// not matter which of the two ways a pair takes.
pub(super) fn compare(text: &str, a: Name, b: Name) -> Ordering {
    let (left, right) = (spelling(text, a), spelling(text, b));
    if a.escaped || b.escaped {
        Decoded(left.chars()).cmp(Decoded(right.chars()))
    } else {
        left.cmp(right)
    }
}

fn spelling(text: &str, name: Name) -> &str {
    let start = name.start as usize;
    text.get(start..start + usize::from(name.len)).unwrap_or_default()
}

/// The characters that a string stands for, once the scanner has found no flaw in it.
struct Decoded<'a>(Chars<'a>);

impl Iterator for Decoded<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self.0.next()? {
            '\\' => Some(match self.0.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => self.code_point()?,
                itself => itself,
            }),
            itself => Some(itself),
        }
    }
}

impl Decoded<'_> {
    fn code_point(&mut self) -> Option<char> {
        let first = self.unit()?;
        if !(0xd800..=0xdbff).contains(&first) {
            return char::from_u32(first);
        }
        // Past the `\u` of the other half.
        self.0.nth(1)?;
        let second = self.unit()?;
        char::from_u32(0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff))
    }

    fn unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit * 16 + self.0.next()?.to_digit(16)?;
        }
        Some(unit)
    }
}
