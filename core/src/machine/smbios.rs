//! The firmware's table as the SMBIOS standard (DSP0134) lays it out. Windows hands it out
//! whole; Linux takes it apart itself.

/// The fields of the table that tell machines apart, as they are in it: raw.
#[derive(Default)]
pub(super) struct Table {
    pub vendor: String,
    pub product: String,
    pub serial: String,
    /// 32 digits, or empty.
    pub uuid: String,
    pub board_vendor: String,
    pub board_product: String,
    pub board_serial: String,
    pub board_tag: String,
    pub chassis_serial: String,
    pub chassis_tag: String,
}

/// Bytes before the table where Windows keeps it: method, major, minor, revision, length.
const HEADER: usize = 8;

/// Types of structures.
const SYSTEM: u8 = 1;
const BOARD: u8 = 2;
const CHASSIS: u8 = 3;
const END: u8 = 127;

/// Reads the value `SMBiosData` of Windows. What is cut off is left out. The first board and
/// chassis count: servers list one for each blade.
pub(super) fn parse(data: &[u8]) -> Table {
    let mut table = Table::default();
    let (Some(&[_, major, minor, ..]), Some(mut rest)) = (data.get(..HEADER), data.get(HEADER..))
    else {
        return table;
    };
    let (mut board, mut chassis) = (false, false);
    while let Some((one, after)) = Structure::first(rest) {
        rest = after;
        match one.kind {
            SYSTEM if table.vendor.is_empty() && table.uuid.is_empty() => {
                table.vendor = one.text(4);
                table.product = one.text(5);
                table.serial = one.text(7);
                table.uuid = one.uuid(8, (major, minor) >= (2, 6));
            }
            BOARD if !board => {
                board = true;
                table.board_vendor = one.text(4);
                table.board_product = one.text(5);
                table.board_serial = one.text(7);
                table.board_tag = one.text(8);
            }
            CHASSIS if !chassis => {
                chassis = true;
                table.chassis_serial = one.text(7);
                table.chassis_tag = one.text(8);
            }
            END => break,
            _ => {}
        }
    }
    table
}

/// One structure: numbers at fixed places, then texts that the numbers count from 1.
struct Structure<'a> {
    kind: u8,
    fields: &'a [u8],
    texts: &'a [u8],
}

impl<'a> Structure<'a> {
    /// The first structure of some, and what follows it.
    fn first(data: &'a [u8]) -> Option<(Structure<'a>, &'a [u8])> {
        let (&kind, &length) = (data.first()?, data.get(1)?);
        if length < 4 {
            return None;
        }
        let fields = data.get(..usize::from(length))?;
        let tail = data.get(usize::from(length)..)?;
        // Two zero bytes end it, even when it has no texts.
        let end = tail.windows(2).position(|pair| pair == [0, 0])?;
        Some((Structure { kind, fields, texts: tail.get(..end)? }, tail.get(end + 2..)?))
    }

    fn text(&self, place: usize) -> String {
        let number = self.fields.get(place).copied().map_or(0, usize::from);
        let texts = self.texts.split(|byte| *byte == 0);
        let found = number.checked_sub(1).and_then(|index| texts.into_iter().nth(index));
        String::from_utf8_lossy(found.unwrap_or_default()).into_owned()
    }

    /// From version 2.6 on, the first three groups have their low byte first.
    fn uuid(&self, place: usize, swapped: bool) -> String {
        let Some(&[a, b, c, d, e, f, g, h, ref rest @ ..]) = self.fields.get(place..place + 16)
        else {
            return String::new();
        };
        let start = if swapped { [d, c, b, a, f, e, h, g] } else { [a, b, c, d, e, f, g, h] };
        start.iter().chain(rest).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A table with a system, two boards and a chassis.
    pub(in super::super) fn sample(minor: u8) -> Vec<u8> {
        let mut data = vec![0, 2, minor, 0, 0, 0, 0, 0];
        data.extend([0, 4, 0, 0, b'x', 0, 0]);
        data.extend([1, 25, 1, 0, 1, 2, 0, 3]);
        data.extend(0x10..0x20);
        data.extend([6]);
        data.extend(b"Dell Inc.\0PowerEdge R650\0ABC1234\0\0");
        data.extend([2, 9, 2, 0, 1, 2, 0, 3, 4]);
        data.extend(b"Dell Inc.\x000PYXKY\0.ABC1234.CN1.\0AST-1234\0\0");
        data.extend([2, 9, 3, 0, 0, 0, 0, 1, 0]);
        data.extend(b"a second board\0\0");
        data.extend([3, 9, 4, 0, 0, 23, 0, 1, 9]);
        data.extend(b"CHS1234\0\0");
        data.extend([127, 4, 5, 0, 0, 0]);
        data
    }

    #[test]
    fn the_fields_are_where_the_standard_puts_them() {
        let table = parse(&sample(8));
        assert_eq!(table.vendor, "Dell Inc.");
        assert_eq!(table.product, "PowerEdge R650");
        assert_eq!(table.serial, "ABC1234");
        assert_eq!(table.uuid, "131211101514171618191a1b1c1d1e1f");
        assert_eq!(parse(&sample(4)).uuid, "101112131415161718191a1b1c1d1e1f");
        assert_eq!(
            (table.board_product.as_str(), table.board_serial.as_str()),
            ("0PYXKY", ".ABC1234.CN1.")
        );
        assert_eq!(
            (table.board_tag.as_str(), table.chassis_serial.as_str()),
            ("AST-1234", "CHS1234")
        );
        assert_eq!(table.chassis_tag, "", "a text that is not there is empty");
    }

    #[test]
    fn a_table_that_is_cut_off_anywhere_gives_what_is_whole() {
        let data = sample(8);
        for length in 0..data.len() {
            let table = parse(&data[..length]);
            assert!(table.serial.is_empty() || table.serial == "ABC1234", "{length}");
        }
        assert!(parse(&[0; 100]).vendor.is_empty());
        assert!(parse(&[255; 100]).vendor.is_empty());
    }
}
