//! One pass over a text that judges it and builds nothing.
//!
//! No recursion: open containers are a list of at most `DEPTH_MAX` frames, so a small stack
//! holds it. What it allocates is that list and 8 bytes for each member of an open object.

use std::cmp::Ordering;

use super::names::{Name, compare};
use super::{DEPTH_MAX, Flaw, FlawKind, INTEGER_MAX, STRING_MAX, VALUES_MAX};

type Result<T> = std::result::Result<T, Flaw>;

/// Judges a UTF-8 text of fewer than 2^32 bytes, whose strings have at most `string_max` bytes.
pub(super) fn scan(text: &str, string_max: usize) -> Result<()> {
    Scanner {
        text,
        string_max,
        bytes: text.as_bytes(),
        at: 0,
        counted: 0,
        names: Vec::new(),
        open: Vec::with_capacity(DEPTH_MAX),
    }
    .document()
}

struct Scanner<'a> {
    text: &'a str,
    /// Bytes of a string that is no name, after decoding.
    string_max: usize,
    bytes: &'a [u8],
    /// Where the next byte to look at is.
    at: usize,
    /// How many values and names have begun, the root included.
    counted: usize,
    /// The member names of every open object, outer ones first.
    names: Vec<Name>,
    open: Vec<Frame>,
}

#[derive(Clone, Copy)]
struct Frame {
    closer: u8,
    /// How many names there were when it was opened.
    first_name: usize,
}

impl<'a> Scanner<'a> {
    fn document(&mut self) -> Result<()> {
        self.space();
        match self.peek() {
            Some(b'{') => self.value()?,
            Some(b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                return Err(self.flaw(FlawKind::Root));
            }
            _ => return Err(self.unexpected()),
        };
        let mut first = true;
        while let Some(&frame) = self.open.last() {
            self.space();
            if self.take(frame.closer) {
                self.leave(frame)?;
                first = false;
                continue;
            }
            if !first {
                self.expect(b',')?;
                self.space();
            }
            if frame.closer == b'}' {
                self.name()?;
            }
            first = self.value()?;
        }
        self.space();
        match self.peek() {
            Some(_) => Err(self.flaw(FlawKind::Trailing)),
            None => Ok(()),
        }
    }

    /// Takes a whole scalar, or the opening bracket of a container (then it gives true).
    fn value(&mut self) -> Result<bool> {
        self.count()?;
        match self.peek() {
            Some(b'{') => self.enter(b'}')?,
            Some(b'[') => self.enter(b']')?,
            Some(b'"') => {
                self.string(self.string_max)?;
                return Ok(false);
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                return Ok(false);
            }
            Some(b't') => return self.literal(b"true"),
            Some(b'f') => return self.literal(b"false"),
            Some(b'n') => return self.literal(b"null"),
            _ => return Err(self.unexpected()),
        }
        Ok(true)
    }

    fn count(&mut self) -> Result<()> {
        self.counted += 1;
        if self.counted > VALUES_MAX { Err(self.flaw(FlawKind::Values)) } else { Ok(()) }
    }

    fn enter(&mut self, closer: u8) -> Result<()> {
        if self.open.len() >= DEPTH_MAX {
            return Err(self.flaw(FlawKind::Depth));
        }
        self.open.push(Frame { closer, first_name: self.names.len() });
        self.at += 1;
        Ok(())
    }

    fn leave(&mut self, frame: Frame) -> Result<()> {
        self.open.pop();
        let text = self.text;
        let names = self.names.get_mut(frame.first_name..).unwrap_or_default();
        // Sorting is never worse than n log n, whatever names an attacker chose.
        names.sort_unstable_by(|a, b| compare(text, *a, *b).then(a.start.cmp(&b.start)));
        let again = names
            .windows(2)
            .filter_map(|pair| match pair {
                [a, b] if compare(text, *a, *b) == Ordering::Equal => Some(b.start),
                _ => None,
            })
            .min();
        self.names.truncate(frame.first_name);
        match again {
            // Its quote stands one byte before it.
            Some(start) => Err(Flaw { kind: FlawKind::Duplicate, offset: start as usize - 1 }),
            None => Ok(()),
        }
    }

    fn name(&mut self) -> Result<()> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected());
        }
        self.count()?;
        let start = self.at + 1;
        let escaped = self.string(STRING_MAX)?;
        let len = self.at - 1 - start;
        // Both fit: the text has fewer than 2^32 bytes, and string() has held the length.
        self.names.push(Name { start: start as u32, len: len as u16, escaped });
        self.space();
        self.expect(b':')?;
        self.space();
        Ok(())
    }

    /// Takes a string with its quotes, and gives whether it has escapes. Flaws of policy wait
    /// until the grammar of the whole string is known.
    fn string(&mut self, max: usize) -> Result<bool> {
        let start = self.at;
        let mut decoded = 0;
        let mut escaped = false;
        let mut refused = None;
        self.at += 1;
        loop {
            let run = self.run();
            decoded += run;
            if decoded > max {
                return Err(Flaw { kind: FlawKind::LongString, offset: start });
            }
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    let offset = self.at;
                    escaped = true;
                    match self.escape()? {
                        Ok(len) => decoded += len,
                        Err(kind) => refused = refused.or(Some(Flaw { kind, offset })),
                    }
                }
                Some(_) => return Err(self.flaw(FlawKind::Control)),
                None => return Err(self.flaw(FlawKind::End)),
            }
        }
        self.at += 1;
        match refused {
            Some(flaw) => Err(flaw),
            None => Ok(escaped),
        }
    }

    /// Takes bytes that stand for themselves inside a string, and gives how many there were.
    fn run(&mut self) -> usize {
        let rest = self.rest();
        let special = |b: &u8| *b == b'"' || *b == b'\\' || *b < b' ';
        let len = rest.iter().position(special).unwrap_or(rest.len());
        self.at += len;
        len
    }

    /// Takes an escape, and gives how many bytes of UTF-8 it stands for, or why it is refused
    /// although it is JSON.
    fn escape(&mut self) -> Result<std::result::Result<usize, FlawKind>> {
        let offset = self.at;
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                return Ok(Ok(1));
            }
            Some(b'u') => self.at += 1,
            Some(_) => return Err(Flaw { kind: FlawKind::Escape, offset }),
            None => return Err(self.flaw(FlawKind::End)),
        }
        Ok(match self.hex(offset)? {
            0 => Err(FlawKind::Nul),
            0x01..=0x7f => Ok(1),
            0x80..=0x7ff => Ok(2),
            0xd800..=0xdbff if self.rest().starts_with(b"\\u") => {
                let second = self.at;
                self.at += 2;
                let low = self.hex(second)?;
                if is_low(low) { Ok(4) } else { Err(FlawKind::Surrogate) }
            }
            0xd800..=0xdfff => Err(FlawKind::Surrogate),
            _ => Ok(3),
        })
    }

    /// Takes the four digits of the escape that begins at `offset`.
    fn hex(&mut self, offset: usize) -> Result<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(byte) = self.peek() else {
                return Err(self.flaw(FlawKind::End));
            };
            let Some(digit) = char::from(byte).to_digit(16) else {
                return Err(Flaw { kind: FlawKind::Escape, offset });
            };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    /// Takes a number: all of RFC 8259's grammar first, then what licentia allows of it.
    fn number(&mut self) -> Result<()> {
        let offset = self.at;
        let malformed = Flaw { kind: FlawKind::Number, offset };
        let negative = self.take(b'-');
        let whole = self.digits();
        let size = match whole {
            [] => return Err(malformed),
            [b'0', _, ..] => return Err(malformed),
            // 2^53 - 1 has 16 digits, and 16 digits fit a u64.
            [..] if whole.len() > 16 => u64::MAX,
            [..] => whole.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')),
        };
        let mut inexact = false;
        if self.take(b'.') {
            inexact = true;
            if self.digits().is_empty() {
                return Err(malformed);
            }
        }
        if self.take(b'e') || self.take(b'E') {
            inexact = true;
            if !self.take(b'+') {
                self.take(b'-');
            }
            if self.digits().is_empty() {
                return Err(malformed);
            }
        }
        if !matches!(self.peek(), Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')) {
            return Err(self.unexpected());
        }
        if inexact {
            return Err(Flaw { kind: FlawKind::Inexact, offset });
        }
        if negative && size == 0 {
            return Err(Flaw { kind: FlawKind::NegativeZero, offset });
        }
        if size > INTEGER_MAX {
            return Err(Flaw { kind: FlawKind::Range, offset });
        }
        Ok(())
    }

    fn digits(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let len = rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    fn literal(&mut self, word: &[u8]) -> Result<bool> {
        for byte in word {
            self.expect(*byte)?;
        }
        Ok(false)
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> Flaw {
        self.flaw(if self.peek().is_some() { FlawKind::Unexpected } else { FlawKind::End })
    }

    fn flaw(&self, kind: FlawKind) -> Flaw {
        Flaw { kind, offset: self.at }
    }
}

fn is_low(unit: u32) -> bool {
    (0xdc00..=0xdfff).contains(&unit)
}
