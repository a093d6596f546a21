//! The only place that prints.

use crate::input::unwritten_code;
use crate::secrecy::redact;
use crate::status;
use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use licentia::{Code, Error};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

/// For what is in force.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// For what is not.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// For what somebody should look at.
pub const LOOK: Style = AnsiColor::Yellow.on_default().bold();

/// What a command has to say, in both tongues.
#[derive(Default)]
pub struct Answer {
    /// The members of the JSON object, after `code`.
    pub fields: Fields,
    /// For people, on standard output.
    pub text: String,
    /// For people, on standard error.
    pub notes: Vec<String>,
}

/// Why a command failed, and what it knows all the same.
pub struct Failure {
    /// The code and the sentence.
    pub error: Error,
    /// Members of the JSON object, after `code` and `message`.
    pub fields: Fields,
    /// For people, on standard error, after the sentence.
    pub notes: Vec<String>,
    /// What to do, where it is not what the code says; empty = the error says it.
    pub remedy: Option<&'static str>,
}

impl Failure {
    /// What was found, and what to do.
    fn message(&self) -> String {
        match self.remedy {
            None => self.error.to_string(),
            Some("") => self.error.detail().to_string(),
            Some(remedy) => format!("{}: {remedy}", self.error.detail()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { error, fields: Fields::default(), notes: Vec::new(), remedy: None }
    }
}

/// What a command gives, or why it cannot.
pub type Told<T> = Result<T, Failure>;

/// What most commands come to.
pub type Outcome = Told<Answer>;

/// What was found, where finding out was the task: it is the result, whatever it is.
pub struct Finding {
    /// What it comes to; `None` = all is well.
    pub code: Option<Code>,
    /// A JSON object without `code`, as the library wrote it.
    pub json: String,
    /// What it comes to in a sentence, where the object does not say it.
    pub message: Option<String>,
    /// For people, on standard output.
    pub text: String,
}

/// Members of an object, in an order for readers.
#[derive(Default)]
pub struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    /// Adds a member.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Fields {
        self.0.push((name, value.into()));
        self
    }

    /// Adds all of another's members.
    pub fn append(&mut self, mut more: Fields) {
        self.0.append(&mut more.0);
    }
}

/// An object that starts with its code.
struct Object<'a> {
    code: &'a str,
    message: Option<String>,
    fields: &'a Fields,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", self.code)?;
        if let Some(message) = &self.message {
            map.serialize_entry("message", message)?;
        }
        for (name, value) in &self.fields.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Prints an outcome and gives the exit status.
pub fn finish(outcome: Outcome, json: bool) -> ExitCode {
    let status = outcome.as_ref().map_or_else(|f| status::of(f.error.code()), |_| status::GOOD);
    let printed = match (&outcome, json) {
        (Ok(answer), false) => {
            notes(&answer.notes);
            text(&answer.text)
        }
        (Ok(answer), true) => object("ok", None, &answer.fields),
        (Err(failure), false) => {
            sentence(&failure.message(), failure.error.code());
            notes(&failure.notes);
            Ok(())
        }
        (Err(failure), true) => {
            object(failure.error.slug(), Some(failure.message()), &failure.fields)
        }
    };
    exit(status, printed)
}

/// Prints what a command that goes on has begun.
pub fn begin(answer: &Answer, json: bool) {
    // Nobody may be listening, and it goes on all the same.
    let _ = if json {
        object("ok", None, &answer.fields)
    } else {
        notes(&answer.notes);
        text(&answer.text)
    };
}

/// Prints a finding and gives the exit status.
pub fn tell(found: Told<Finding>, json: bool) -> ExitCode {
    let Finding { code, json: object, message, text: page } = match found {
        Ok(finding) => finding,
        Err(failure) => return finish(Err(failure), json),
    };
    let printed = if json {
        let slug = code.map_or("ok", Code::slug);
        let message = message.map(|said| format!("\"message\":{},", Value::from(said)));
        let members = message.unwrap_or_default() + object.trim().trim_start_matches('{');
        text(&format!("{{\"code\":\"{slug}\",{}\n", escape_json(&members)))
    } else {
        text(&page)
    };
    exit(code.map_or(status::GOOD, status::of), printed)
}

/// Prints what clap has to say: help and version, or what is wrong with the arguments.
pub fn usage(error: &clap::Error, json: bool) -> ExitCode {
    if !error.use_stderr() {
        return exit(status::GOOD, error.print());
    }
    let arguments = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned());
    let text = redact(&error.render().ansi().to_string(), arguments);
    let printed = if json {
        object(Code::InvalidArgument.slug(), Some(complaint(error, &text)), &Fields::default())
    } else {
        // A terminal that is gone cannot be told.
        let _ = write!(AutoStream::auto(io::stderr()).lock(), "{text}");
        Ok(())
    };
    exit(status::USAGE, printed)
}

/// What clap has to say, in one line and without its advice.
fn complaint(error: &clap::Error, text: &str) -> String {
    use clap::error::ErrorKind::{DisplayHelpOnMissingArgumentOrSubcommand, MissingSubcommand};
    if matches!(error.kind(), DisplayHelpOnMissingArgumentOrSubcommand | MissingSubcommand) {
        return "a command is missing".to_string();
    }
    let text = anstream::adapter::strip_str(text).to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = first.trim_start_matches("error: ").split_whitespace().collect();
    words.join(" ")
}

/// A reader that has seen enough changes nothing about what happened; any other failure to print
/// does, because the result is lost.
fn exit(status: u8, printed: io::Result<()>) -> ExitCode {
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let error = Error::new(unwritten_code(&error), format!("standard output: {error}"));
            sentence(&error.to_string(), error.code());
            ExitCode::from(status::IO)
        }
        _ => ExitCode::from(status),
    }
}

fn text(text: &str) -> io::Result<()> {
    let mut out = AutoStream::auto(io::stdout()).lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn object(code: &str, message: Option<String>, fields: &Fields) -> io::Result<()> {
    let json = serde_json::to_string(&Object { code, message, fields })?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", escape_json(&json))?;
    out.flush()
}

fn notes(notes: &[String]) {
    let mut err = AutoStream::auto(io::stderr()).lock();
    for note in notes {
        // Nobody may be listening.
        let _ = writeln!(err, "{note}");
    }
}

fn sentence(message: &str, code: Code) {
    notes(&[format!("{BAD}error:{BAD:#} {} ({code})", show(message))]);
}

/// Foreign text for a terminal: what moves the cursor, reorders or hides text is spelled out.
pub fn show(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if misleads(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}

/// JSON for people: indented, and safe for a terminal.
pub fn pretty(value: &Value) -> String {
    let json = serde_json::to_string_pretty(value).unwrap_or_default();
    json.lines().map(escape_json).collect::<Vec<_>>().join("\n")
}

/// JSON writes raw what only terminals mind. All of it is inside strings, so it can be escaped.
fn escape_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if misleads(c) { out += &format!("\\u{:04x}", u32::from(c)) } else { out.push(c) }
    }
    out
}

fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Lines of a label and a value, the values under each other.
pub fn rows<L: AsRef<str>>(rows: &[(L, String)]) -> String {
    let width = rows.iter().map(|(label, _)| label.as_ref().chars().count()).max().unwrap_or(0);
    let line = |(label, value): &(L, String)| format!("  {:<width$}  {value}\n", label.as_ref());
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_speak_to_the_terminal() {
        let foreign = "a\u{1b}[2Jb\nc\u{202e}d\u{9b}e\u{200b}";
        assert_eq!(show(foreign), r"a\u{1b}[2Jb\u{a}c\u{202e}d\u{9b}e\u{200b}");
        let json = pretty(&serde_json::json!({ "a": foreign }));
        assert!(!json.chars().any(|c| c != '\n' && misleads(c)), "{json}");
        let back: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back, serde_json::json!({ "a": foreign }));
    }
}
