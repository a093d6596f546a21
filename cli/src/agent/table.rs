//! A table of the configuration file: every key is known, or is an error that names the nearest.

use super::config::KEYS;
use licentia::{Code, Error, Result, SETTINGS, SITE_SETTINGS};
use toml::{Table as Members, Value};

/// Words that somebody may try besides the settings of a product, to say what the product file
/// says.
const VENDORS: &[&str] = &[
    "key_set",
    "keys",
    "product_code",
    "product_keys",
    "product_name",
    "root_key",
    "root_keys",
    "terms",
    "trust",
    "trusted",
    "trusted_key",
    "trusted_keys",
    "vendor_name",
];

/// A table that is taken apart key by key.
pub struct Table {
    /// The file, for messages.
    file: String,
    /// What is before its keys: empty, or such as `site.`.
    prefix: String,
    members: Members,
}

impl Table {
    /// The whole file. `name` is what it is called in messages.
    pub fn read(name: &str, text: &str) -> Result<Table> {
        let file = short(name);
        let members = text.parse::<Members>().map_err(|error| {
            let start = error.span().map_or(0, |span| span.start).min(text.len());
            let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
            // What TOML has to say may quote the line, and a secret on it.
            let what = error.message().lines().next().unwrap_or_default();
            wrong(format!("{file}: line {line} is not TOML ({what:.60})"))
        })?;
        Ok(Table { file, prefix: String::new(), members })
    }

    /// Fails for the first key that is none of these.
    pub fn knows(&self, known: &[&str]) -> Result<()> {
        let strange = self.members.keys().find(|key| !known.contains(&key.as_str()));
        let Some(key) = strange else { return Ok(()) };
        let told = format!("{}: {}{key:.40}", self.file, self.prefix);
        if key == "installation" {
            return Err(wrong(format!("{told} is kept in the state folder, and is not set")));
        }
        if is_vendors(key) {
            return Err(wrong(format!("{told} is the vendor's to say: it is in the product file")));
        }
        if !self.prefix.is_empty() && KEYS.contains(&key.as_str()) {
            return Err(wrong(format!("{told} belongs above the first [section] of the file")));
        }
        let near = known.iter().map(|known| (strsim::damerau_levenshtein(key, known), known));
        let near = near.filter(|(distance, _)| *distance <= 3).min().map(|(_, near)| near);
        let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        Err(wrong(format!("{told} means nothing{hint}")))
    }

    /// Why a key is refused: `what` goes on after its name.
    pub fn refuse(&self, key: &str, what: &str) -> Error {
        wrong(format!("{}: {}{key} {what}", self.file, self.prefix))
    }

    /// The same for an error that was found behind the key.
    pub fn failed(&self, key: &str, error: &Error) -> Error {
        let what = format!("{}: {}{key}: {}", self.file, self.prefix, error.detail());
        Error::new(error.code(), what)
    }

    pub fn has(&self, key: &str) -> bool {
        self.members.contains_key(key)
    }

    /// Takes a text, which is not empty.
    pub fn text(&mut self, key: &str) -> Result<Option<String>> {
        match self.members.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text)),
            Some(Value::String(_)) => Err(self.refuse(key, "is empty: leave it out")),
            Some(_) => Err(self.refuse(key, "is a text: put it in quotes")),
        }
    }

    /// Takes the text of a site setting: a number will do.
    pub fn setting(&mut self, key: &str) -> Result<Option<String>> {
        match self.members.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Integer(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(self.refuse(key, "is a text: put it in quotes")),
        }
    }

    /// Takes one of these words; the first is the default.
    pub fn word(&mut self, key: &str, words: &[&'static str]) -> Result<&'static str> {
        let default = words.first().copied().unwrap_or_default();
        let Some(text) = self.text(key)? else { return Ok(default) };
        let found = words.iter().find(|word| **word == text).copied();
        found.ok_or_else(|| self.refuse(key, &format!("is one of {}", words.join(", "))))
    }

    /// Takes a whole number.
    pub fn number(&mut self, key: &str, least: u64, most: u64, default: u64) -> Result<u64> {
        let Some(value) = self.members.remove(key) else { return Ok(default) };
        let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
        let number = number.filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| self.refuse(key, &format!("is a number from {least} to {most}")))
    }

    /// Takes a text, or several.
    pub fn texts(&mut self, key: &str) -> Result<Vec<String>> {
        match self.members.remove(key) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text]),
            Some(Value::Array(array)) => {
                let texts = array.into_iter().map(|value| match value {
                    Value::String(text) => Ok(text),
                    _ => Err(self.refuse(key, "is a list of texts")),
                });
                texts.collect()
            }
            Some(_) => Err(self.refuse(key, "is a list of texts")),
        }
    }

    /// Takes a table in it, empty where there is none.
    pub fn table(&mut self, key: &str) -> Result<Table> {
        let prefix = format!("{}{key}.", self.prefix);
        match self.members.remove(key) {
            None => Ok(Table { file: self.file.clone(), prefix, members: Members::new() }),
            Some(Value::Table(members)) => Ok(Table { file: self.file.clone(), prefix, members }),
            Some(_) => Err(self.refuse(key, &format!("is a table: write [{key}]"))),
        }
    }

    /// Takes every table of a list.
    pub fn tables(&mut self, key: &str) -> Result<Vec<Table>> {
        let array = match self.members.remove(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(array)) => array,
            Some(_) => return Err(self.refuse(key, &format!("is a list: write [[{key}]]"))),
        };
        let tables = array.into_iter().enumerate().map(|(at, value)| match value {
            Value::Table(members) => {
                let prefix = format!("{}{key}[{}].", self.prefix, at + 1);
                Ok(Table { file: self.file.clone(), prefix, members })
            }
            _ => Err(self.refuse(key, &format!("is a list of tables: write [[{key}]]"))),
        });
        tables.collect()
    }
}

/// Whether it is for the vendor to say, and for nobody at the site.
fn is_vendors(key: &str) -> bool {
    let plain = key.to_ascii_lowercase().replace('-', "_");
    let is = |settings: &[licentia::Setting]| settings.iter().any(|it| it.name == plain);
    VENDORS.contains(&plain.as_str()) || (is(SETTINGS) && !is(SITE_SETTINGS))
}

/// An error of whoever wrote the file.
fn wrong(what: impl AsRef<str>) -> Error {
    Error::new(Code::InvalidArgument, what)
}

/// The end of the name of a file: messages are short.
fn short(name: &str) -> String {
    let count = name.chars().count();
    let skip = count.saturating_sub(40);
    let cut = if skip > 0 { "…" } else { "" };
    format!("{cut}{}", name.chars().skip(skip).collect::<String>())
}
