//! The bytes of a run, read as arguments.

use std::ffi::{c_char, c_void};
use std::ptr::{null, without_provenance};

use crate::samples;

/// What is left of the bytes. Every reader gives `None` at their end.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Input<'a> {
        Input(bytes)
    }

    pub fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Bytes as they are, after their length; 255 is all that is left.
    fn raw(&mut self) -> Option<&'a [u8]> {
        let len = match self.byte()? {
            255 => self.0.len(),
            len => usize::from(len).min(self.0.len()),
        };
        let (raw, rest) = self.0.split_at(len);
        self.0 = rest;
        Some(raw)
    }

    /// One of a table.
    pub fn sample<T: AsRef<[u8]>>(&mut self, table: &[T]) -> Option<Text> {
        Some(Text::new(pick(table, self.byte()?).as_ref()))
    }

    /// One of a table, NULL, or anything at all.
    pub fn text<T: AsRef<[u8]>>(&mut self, table: &[T]) -> Option<Text> {
        Some(match self.byte()? {
            0xF8.. => Text(None),
            0xC0.. => Text::new(self.raw()?),
            byte => Text::new(pick(table, byte).as_ref()),
        })
    }

    /// A license, and what is none.
    pub fn data(&mut self) -> Option<Data> {
        Some(match self.byte()? {
            0xFC.. => Data::impossible(without_provenance(64), usize::MAX - 63),
            0xF8.. => Data::impossible(null(), 1 + usize::from(self.byte()?)),
            0xF4.. => Data::impossible(null(), 0),
            0xE0.. => Data::new(samples::signed(&samples::payload_with(self.raw()?))),
            0xD0.. => Data::new(samples::signed(self.raw()?)),
            0xB0.. => Data::new(self.raw()?),
            0x90.. => self.altered()?,
            byte => {
                let sample = pick(&samples::LICENSES, byte);
                Data { has_pro: sample.has_pro, ..Data::new(&sample.bytes) }
            }
        })
    }

    /// A signed license in which one bit is turned.
    fn altered(&mut self) -> Option<Data> {
        let mut data = Data::new(&samples::LICENSES[0].bytes);
        let (at, bit) = (u16::from_le_bytes([self.byte()?, self.byte()?]), self.byte()? % 8);
        let bytes = data.bytes.as_mut()?;
        let at = usize::from(at) % bytes.len();
        bytes[at] ^= 1 << bit;
        Some(Data { altered: true, ..data })
    }
}

fn pick<T>(table: &[T], byte: u8) -> &T {
    &table[usize::from(byte) % table.len()]
}

/// Text as C has it, in memory of its size, or NULL.
pub struct Text(Option<Box<[u8]>>);

impl Text {
    /// Ends at the first NUL, if there is one.
    pub fn new(bytes: &[u8]) -> Text {
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        Text(Some([text, &[0]].concat().into()))
    }

    pub fn pointer(&self) -> *const c_char {
        self.0.as_ref().map_or(null(), |text| text.as_ptr().cast())
    }

    /// Without the NUL.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.0.as_ref().and_then(|text| text.split_last()).map(|(_, text)| text)
    }

    /// Whether it is text as the header wants it.
    pub fn is_utf8(&self) -> bool {
        self.bytes().is_some_and(|text| std::str::from_utf8(text).is_ok())
    }
}

/// Bytes with their length.
pub struct Data {
    bytes: Option<Box<[u8]>>,
    nowhere: *const c_void,
    pub len: usize,
    /// It was signed, and is not what was signed.
    pub altered: bool,
    /// It grants `pro` while it is in force.
    pub has_pro: bool,
}

impl Data {
    fn new(bytes: impl AsRef<[u8]>) -> Data {
        let bytes: Box<[u8]> = bytes.as_ref().into();
        let len = bytes.len();
        Data { bytes: Some(bytes), len, ..Data::impossible(null(), 0) }
    }

    /// No memory at all.
    fn impossible(nowhere: *const c_void, len: usize) -> Data {
        Data { bytes: None, nowhere, len, altered: false, has_pro: false }
    }

    pub fn pointer(&self) -> *const c_void {
        self.bytes.as_ref().map_or(self.nowhere, |bytes| bytes.as_ptr().cast())
    }

    /// Whether the header allows such bytes.
    pub fn is_possible(&self) -> bool {
        self.bytes.is_some() || self.len == 0
    }
}
