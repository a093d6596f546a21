//! Rows as CSV (RFC 4180): one way for every table.

use crate::error::{Code, Error, Result};
use serde_json::{Map, Value};

/// What begins a formula where a table is opened as a spreadsheet, and what marks a text there.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\''];

/// The line that names the columns.
pub fn head(columns: &[&str]) -> Result<Vec<u8>> {
    let mut writer = writer();
    writer.write_record(columns).map_err(|error| wrong(&error))?;
    whole(writer)
}

/// A line for each row: an object with a member for each column. What is null is empty, a list of
/// words has blanks between them, and any other list or object is JSON.
pub fn lines(columns: &[&str], rows: &[Map<String, Value>]) -> Result<Vec<u8>> {
    let mut writer = writer();
    for row in rows {
        let cells = columns.iter().map(|column| cell(row.get(*column).unwrap_or(&Value::Null)));
        writer.write_record(cells).map_err(|error| wrong(&error))?;
    }
    whole(writer)
}

fn writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new())
}

fn whole(writer: csv::Writer<Vec<u8>>) -> Result<Vec<u8>> {
    writer.into_inner().map_err(|error| wrong(&error))
}

fn wrong(error: &dyn std::fmt::Display) -> Error {
    tracing::error!(error = %error, "a row cannot be written as CSV");
    Error::new(Code::Internal, "A row cannot be written as CSV: report it")
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text_of(text),
        Value::Array(all) => match words(all) {
            Some(words) => text_of(&words),
            None => value.to_string(),
        },
        Value::Object(_) => value.to_string(),
    }
}

/// With blanks between, where each is a word.
fn words(all: &[Value]) -> Option<String> {
    let word = |one: &Value| {
        let word = one.as_str().filter(|word| !word.is_empty() && !word.contains(' '));
        word.map(str::to_string)
    };
    Some(all.iter().map(word).collect::<Option<Vec<_>>>()?.join(" "))
}

/// A text that no spreadsheet takes for a formula: with one `'` before it that stands for nothing.
/// Whoever reads the file takes away one `'` from wherever a cell begins with it.
fn text_of(text: &str) -> String {
    if text.starts_with(FORMULA) && !is_number(text) {
        return format!("'{text}");
    }
    text.to_string()
}

/// A sign, digits, and maybe a part after a dot: nothing that is reckoned.
fn is_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(unsigned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(value: Value) -> Vec<Map<String, Value>> {
        vec![value.as_object().unwrap().clone()]
    }

    #[test]
    fn a_line_is_read_again_as_it_was() {
        let hard = ["a,b", "say \"hi\"", "two\r\nlines", "", " x ", "\u{202e}ü", "-5", "+1.5"];
        for text in hard {
            let lines = lines(&["a", "b"], &rows(json!({"a": text, "b": "end"}))).unwrap();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&lines[..]);
            let row = reader.records().next().unwrap().unwrap();
            assert_eq!((&row[0], &row[1]), (text, "end"), "{text:?}");
            assert!(lines.ends_with(b"\r\n"));
        }
        assert_eq!(head(&["a", "b"]).unwrap(), b"a,b\r\n");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+A1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "'", "-", "+", "-1.", "--1"]
        {
            assert_eq!(text_of(text), format!("'{text}"), "{text:?}");
        }
        for text in ["-5", "+5", "-0.25", "a=1", "", "1e5", "a'b"] {
            assert_eq!(text_of(text), text, "{text:?}");
        }
        let lines = lines(&["a"], &rows(json!({"a": ["=1", "b"]}))).unwrap();
        assert_eq!(lines, b"'=1 b\r\n");
    }

    #[test]
    fn each_kind_of_value_has_its_form() {
        for (value, text) in [
            (json!(null), ""),
            (json!(true), "true"),
            (json!(-7), "-7"),
            (json!([]), ""),
            (json!(["a", "b"]), "a b"),
            (json!(["a b"]), "[\"a b\"]"),
            (json!([{"a": 1}]), "[{\"a\":1}]"),
            (json!({"a": [1]}), "{\"a\":[1]}"),
        ] {
            assert_eq!(cell(&value), text);
        }
    }
}
