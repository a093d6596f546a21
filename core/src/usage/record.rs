//! One record of a tail: 64 bytes, all numbers little-endian.
//!
//! | at | what |
//! |---|---|
//! | 0 | sequence number u64 |
//! | 8 | time i64, in seconds since 1970 |
//! | 16 | amount u64 |
//! | 24 | key, 16 bytes |
//! | 40 | feature u16: its place in the checkpoint's list |
//! | 42 | kind u8 |
//! | 43 | 17 zeros |
//! | 60 | CRC-32 u32 of the 60 bytes before it |

use super::meter::{Event, Kind};

/// The length of a record.
pub(crate) const LENGTH: usize = 64;

const SUMMED: usize = 60;

/// What is written for one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) event: Event,
    pub(crate) feature: u16,
    pub(crate) kind: Kind,
}

impl Record {
    /// The bytes to write.
    pub(crate) fn to_bytes(self) -> [u8; LENGTH] {
        let Event { seq, time, amount, key } = self.event;
        let parts = seq.to_le_bytes().into_iter().chain(time.to_le_bytes());
        let parts = parts.chain(amount.to_le_bytes()).chain(key);
        let parts = parts.chain(self.feature.to_le_bytes()).chain([self.kind.number()]);
        let mut bytes = [0; LENGTH];
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        let sum = checksum(&bytes).to_le_bytes();
        bytes.iter_mut().skip(SUMMED).zip(sum).for_each(|(to, from)| *to = from);
        bytes
    }

    /// Reads one. `None` = these are not the bytes of a record.
    pub(crate) fn from_bytes(bytes: &[u8; LENGTH]) -> Option<Record> {
        let sum = bytes.last_chunk().map(|sum| u32::from_le_bytes(*sum))?;
        let padding = bytes.get(43..SUMMED)?;
        if sum != checksum(bytes) || padding.iter().any(|byte| *byte != 0) {
            return None;
        }
        let event = Event {
            seq: u64::from_le_bytes(field(bytes, 0)?),
            time: i64::from_le_bytes(field(bytes, 8)?),
            amount: u64::from_le_bytes(field(bytes, 16)?),
            key: field(bytes, 24)?,
        };
        let [number] = field(bytes, 42)?;
        let feature = u16::from_le_bytes(field(bytes, 40)?);
        Some(Record { event, feature, kind: Kind::from_number(number)? })
    }
}

fn field<const N: usize>(bytes: &[u8; LENGTH], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn checksum(bytes: &[u8; LENGTH]) -> u32 {
    crc32fast::hash(bytes.first_chunk::<SUMMED>().map_or(&[], |summed| summed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::period::Per;

    fn record() -> Record {
        let key = *b"0123456789abcdef";
        let event = Event { seq: 7, time: -1, amount: u64::MAX, key };
        Record { event, feature: 513, kind: Kind::Count(Per::Ever) }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let bytes = record().to_bytes();
        assert_eq!(bytes[40..44], [1, 2, 5, 0]);
        assert_eq!(Record::from_bytes(&bytes), Some(record()));
        assert_eq!(Record::from_bytes(&[0; LENGTH]), None, "zeros have the sum of nothing");
    }

    #[test]
    fn no_flip_of_a_bit_and_no_unknown_kind_is_believed() {
        for bit in 0..LENGTH * 8 {
            let mut bytes = record().to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Record::from_bytes(&bytes), None, "bit {bit}");
        }
        let mut bytes = record().to_bytes();
        bytes[42] = 99;
        let sum = checksum(&bytes).to_le_bytes();
        bytes[SUMMED..].copy_from_slice(&sum);
        assert_eq!(Record::from_bytes(&bytes), None);
    }
}
