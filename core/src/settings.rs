//! What the embedding program says about its product, by name: one table for every language.

use crate::clock::parse_time;
use crate::errors::{Code, Error, Result};
use crate::limits::TIME_MAX;
use crate::machine::Kind;
use std::path::PathBuf;

/// One setting: its name, what it takes, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The name, the same in every language.
    pub name: &'static str,
    /// What its value looks like.
    pub takes: &'static str,
    /// What it does, in a sentence.
    pub does: &'static str,
}

/// Every setting of a product. docs/settings.md is this table, compared by a test.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "clock",
        takes: "`system`, seconds since 1970, RFC 3339, or a date",
        does: "Stops the clock, for tests. Licenses of this product follow it while they are held.",
    },
    Setting {
        name: "issuer",
        takes: "text; empty = any",
        does: "Refuses licenses of another `iss` with `wrong_issuer`.",
    },
    Setting {
        name: "machine",
        takes: "text, 1 to 4096 bytes; empty = the hardware",
        does: "Identifies the machine by this text instead of by its hardware: a cluster's or a \
               cloud instance's id, for containers. Only its hash leaves the process.",
    },
    Setting {
        name: "machine_file",
        takes: "a path; empty = the hardware",
        does: "The same, with the text in a file, read when the machine is asked for. Of `machine` \
               and `machine_file`, the one set last counts.",
    },
    Setting {
        name: "machine_root",
        takes: "a path; empty = `/`",
        does: "Reads the hardware under another root: the host's, mounted into a container, or a \
               test's.",
    },
    Setting {
        name: "machine_exclude",
        takes: "kinds of parts, separated by commas; empty = none",
        does: "Never reads these parts of the machine, for privacy.",
    },
    Setting {
        name: "installation",
        takes: "a UUID; empty = none",
        does: "The id of this installation, for licenses that are bound to one.",
    },
    Setting {
        name: "instance",
        takes: "a URL; empty = none",
        does: "The root URL of this instance, for licenses that are bound to one.",
    },
];

/// The values that were set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) issuer: Option<String>,
    pub(crate) identity: Option<Identity>,
    pub(crate) machine_root: Option<PathBuf>,
    pub(crate) machine_exclude: Vec<Kind>,
    pub(crate) installation: Option<String>,
    pub(crate) instance: Option<String>,
}

/// Where a machine's explicit identity comes from.
#[derive(Clone)]
pub(crate) enum Identity {
    Text(String),
    File(PathBuf),
}

impl std::fmt::Debug for Identity {
    /// The text is never shown: only its hash leaves the process.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Identity::Text(_) => f.write_str("Text"),
            Identity::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

impl Settings {
    /// Sets one by name; `clock` is the product's own affair.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let some = (!value.is_empty()).then(|| value.to_string());
        match name {
            "issuer" => self.issuer = some,
            // An empty value takes back its own setting, not the other's.
            "machine" => match some {
                Some(text) => self.identity = Some(Identity::Text(text)),
                None if matches!(self.identity, Some(Identity::Text(_))) => self.identity = None,
                None => {}
            },
            "machine_file" => match some {
                Some(path) => self.identity = Some(Identity::File(path.into())),
                None if matches!(self.identity, Some(Identity::File(_))) => self.identity = None,
                None => {}
            },
            "machine_root" => self.machine_root = some.map(PathBuf::from),
            "machine_exclude" => self.machine_exclude = kinds(name, value)?,
            "installation" => {
                let id = some.map(|id| uuid::Uuid::try_parse(&id)).transpose();
                let id = id.map_err(|_| refuse(name, "it is not a UUID"))?;
                self.installation = id.map(|id| id.hyphenated().to_string());
            }
            "instance" => self.instance = some,
            _ => return Err(unknown(name)),
        }
        Ok(())
    }
}

/// Reads a value of `clock`: `None` = the system's.
pub(crate) fn clock(value: &str) -> Result<Option<i64>> {
    if value.is_empty() || value == "system" {
        return Ok(None);
    }
    parse_time(value)
        .filter(|at| (-TIME_MAX..=TIME_MAX).contains(at))
        .map(Some)
        .ok_or_else(|| refuse("clock", "it is neither a time nor `system`"))
}

/// Comma-separated kinds of parts, such as `nic,disk`.
fn kinds(name: &str, value: &str) -> Result<Vec<Kind>> {
    let words = value.split(',').map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            Kind::from_word(word)
                .ok_or_else(|| refuse(name, &format!("{word:.40} is no kind of part")))
        })
        .collect()
}

pub(crate) fn refuse(name: &str, why: &str) -> Error {
    Error::new(Code::InvalidArgument, format!("the setting {name}: {why}"))
}

fn unknown(name: &str) -> Error {
    let near = SETTINGS
        .iter()
        .map(|setting| (strsim::damerau_levenshtein(name, setting.name), setting.name))
        .filter(|(distance, _)| *distance <= 3)
        .min();
    let hint = near.map(|(_, near)| format!("; did you mean {near}?")).unwrap_or_default();
    Error::new(Code::InvalidArgument, format!("there is no setting {name:.40}{hint}"))
}
