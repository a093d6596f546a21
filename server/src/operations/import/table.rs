//! A CSV file (RFC 4180) as rows with names.

use crate::error::{Error, Result};
use crate::terms::Moment;
use csv::{ReaderBuilder, StringRecord};
use std::collections::HashMap;

/// Lines of a file.
const ROWS_MAX: usize = 100_000;

/// Bytes of a file.
const FILE_MAX: usize = 128 * 1024 * 1024;

/// What a spreadsheet takes for a formula where it is first in a cell.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A file.
#[derive(Debug)]
pub struct Table {
    /// Its rows, in their order.
    pub rows: Vec<Row>,
}

/// One row. A cell that is empty says nothing.
#[derive(Debug)]
pub struct Row {
    /// The line of the file that it begins on.
    pub line: u64,
    cells: HashMap<&'static str, String>,
}

/// A text as a cell that no spreadsheet takes for a formula.
pub fn safe(text: &str) -> String {
    match text.starts_with(FORMULA) || text.starts_with('\'') {
        true => format!("'{text}"),
        false => text.to_string(),
    }
}

/// What [`safe`] was given.
fn unsafe_again(text: &str) -> &str {
    let bare = text.strip_prefix('\'');
    let bare = bare.filter(|bare| bare.starts_with(FORMULA) || bare.starts_with('\''));
    bare.unwrap_or(text)
}

impl Table {
    /// Reads a file with some of these columns, in any order. Commas or semicolons separate.
    ///
    /// Fails with `invalid_argument`, naming the line.
    pub fn read(file: &[u8], columns: &[&'static str]) -> Result<Table> {
        if file.len() > FILE_MAX {
            return Err(Error::invalid("The file has more than 128 MiB: import it in parts"));
        }
        let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
        let first = file.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let commas = first.contains(&b',') || !first.contains(&b';');
        let mut reader = ReaderBuilder::new()
            .delimiter(if commas { b',' } else { b';' })
            .trim(csv::Trim::All)
            .from_reader(file);
        let begin = &mut Place { file, byte: 0, line: 1 };
        let names = reader.headers().map_err(|error| wrong(&error, begin))?.clone();
        let names = known(&names, columns)?;
        let mut rows = Vec::new();
        let mut place = Place { file, byte: 0, line: 1 };
        for record in reader.records() {
            let record = record.map_err(|error| wrong(&error, &mut place))?;
            if rows.len() >= ROWS_MAX {
                return Err(Error::invalid(
                    "The file has more than 100000 rows: import it in parts",
                ));
            }
            let line = place.line_of(record.position());
            let cells = names.iter().copied().zip(&record);
            let cells = cells.filter(|(_, cell)| !cell.is_empty());
            let cells: HashMap<_, _> =
                cells.map(|(name, cell)| (name, unsafe_again(cell).to_string())).collect();
            if cells.values().any(|cell| cell.contains('\0')) {
                return Err(Error::invalid(format!("line {line}: a cell has a NUL character")));
            }
            // A line of commas alone, as spreadsheets leave them at the end.
            if !cells.is_empty() {
                rows.push(Row { line, cells });
            }
        }
        Ok(Table { rows })
    }
}

/// How far the lines of a file are counted.
struct Place<'f> {
    file: &'f [u8],
    byte: usize,
    line: u64,
}

impl Place<'_> {
    /// The line on which a record begins. The reader's own count is one behind after CR LF.
    fn line_of(&mut self, position: Option<&csv::Position>) -> u64 {
        let begin = position.and_then(|at| usize::try_from(at.byte()).ok()).unwrap_or_default();
        while let Some(byte) = self.file.get(self.byte) {
            if self.byte >= begin && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*byte == b'\n');
            self.byte += 1;
        }
        self.line
    }
}

fn wrong(error: &csv::Error, place: &mut Place<'_>) -> Error {
    let line = place.line_of(error.position());
    let what = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8: save the file as CSV UTF-8".to_string(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} cells, and the first line {expected_len}")
        }
        _ => error.to_string(),
    };
    Error::invalid(format!("line {line}: {what}"))
}

/// The names in the first line, as they are known here.
fn known(names: &StringRecord, columns: &[&'static str]) -> Result<Vec<&'static str>> {
    if names.is_empty() {
        return Err(Error::invalid("line 1: it is empty: it names the columns"));
    }
    let mut known = Vec::with_capacity(names.len());
    for name in names {
        let wanted = name.to_ascii_lowercase();
        let column = columns.iter().copied().find(|column| *column == wanted).ok_or_else(|| {
            let all = columns.join(", ");
            Error::invalid(format!("line 1: {name:.40} is no column: there are {all}"))
        })?;
        if known.contains(&column) {
            return Err(Error::invalid(format!("line 1: the column {column} is there twice")));
        }
        known.push(column);
    }
    Ok(known)
}

impl Row {
    /// A cell.
    pub fn text(&self, name: &str) -> Option<String> {
        self.cells.get(name).cloned()
    }

    /// A cell that has to be there.
    pub fn needed(&self, name: &str) -> Result<String> {
        self.text(name).ok_or_else(|| Error::invalid(format!("{name} is missing")))
    }

    /// A cell with a whole number.
    pub fn number(&self, name: &str) -> Result<Option<i64>> {
        let Some(text) = self.cells.get(name) else { return Ok(None) };
        let number = text.parse().map(Some);
        number.map_err(|_| Error::invalid(format!("{name} is a whole number, not {text:.40}")))
    }

    /// A cell with a time.
    pub fn time(&self, name: &str) -> Result<Option<Moment>> {
        let Some(text) = self.cells.get(name) else { return Ok(None) };
        let time = serde_json::from_value(serde_json::Value::String(text.clone()));
        time.map(Some).map_err(|_| {
            Error::invalid(format!("{name} is a time like 2025-01-15T10:30:00Z, not {text:.40}"))
        })
    }

    /// A cell with words, between which are spaces, commas or semicolons.
    pub fn words(&self, name: &str) -> Option<Vec<String>> {
        let text = self.cells.get(name)?;
        let words = text.split([' ', ',', ';']).filter(|word| !word.is_empty());
        Some(words.map(str::to_string).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[&str] = &["code", "name", "days"];

    fn flaw(file: impl AsRef<[u8]>) -> String {
        Table::read(file.as_ref(), COLUMNS).unwrap_err().detail().to_string()
    }

    #[test]
    fn a_file_is_read_as_spreadsheets_write_them() {
        let text = "\u{feff}Name; CODE ;days\r\n\"A \"\"B\"\"\nC\"; a;1\r\n;;\r\nD;d;\r\n";
        let table = Table::read(text.as_bytes(), COLUMNS).unwrap();
        let found: Vec<_> =
            table.rows.iter().map(|row| (row.line, row.text("name"), row.number("days"))).collect();
        let expected = [(2, "A \"B\"\nC", Ok(Some(1))), (5, "D", Ok(None))];
        assert_eq!(found, expected.map(|(line, name, days)| (line, Some(name.to_string()), days)));
        assert!(Table::read(b"code,name\n", COLUMNS).unwrap().rows.is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        assert!(flaw("code,colour\n").contains("line 1: colour is no column"));
        assert!(flaw("code,Code\n").contains("line 1: the column code is there twice"));
        assert!(flaw("").contains("line 1"));
        assert!(flaw("code,name\na,b\nc\n").contains("line 3: it has 1 cells"));
        assert!(flaw("code,name\r\na,b\r\n\r\nc\r\n").contains("line 4: it has 1 cells"));
        assert!(flaw(b"code,name\na,\xff\n").contains("line 2: it is not UTF-8"));
        assert!(flaw("code,name\na,b\0\n").contains("line 2"));
        let table = Table::read(b"code,days\na,1.5\n", COLUMNS).unwrap();
        assert!(table.rows[0].number("days").is_err());
        assert!(table.rows[0].needed("name").is_err());
    }

    #[test]
    fn a_cell_is_no_formula_and_comes_back() {
        for text in ["=1+1", "+49", "-1", "@a", "\tx", "\rx", "'=x", "'", "x", "", "a=b"] {
            let cell = safe(text);
            assert!(!cell.starts_with(FORMULA), "{text:?}");
            assert_eq!(unsafe_again(&cell), text);
        }
    }
}
