//! The draft of a product file: what a vendor writes, and what is signed when he has written it.

use crate::input::{self, TOKEN_BYTES};
use crate::keys::{self, Public};
use crate::output::pretty;
use crate::secrecy::{PRIVATE, may_be_key, redact};
use licentia::issue::ProductTerms;
use licentia::{Code, Error, KeySet, ProductFile, Result, Setting};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use toml::Value;

/// Columns of a draft.
const WIDTH: usize = 98;

/// Settings that stop time, or make every machine the same one.
const FOR_TESTS: [&str; 2] = ["clock", "machine"];

/// A draft as it is written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    product: String,
    name: Option<String>,
    keys: Value,
    #[serde(default)]
    settings: BTreeMap<String, Value>,
}

/// Reads a draft from a file or standard input.
pub fn read(path: &str) -> Result<ProductTerms> {
    let text = input::read_text(path, TOKEN_BYTES, Code::InvalidArgument)?;
    if text.contains(PRIVATE) {
        let what = "there is a private key in the draft, and everybody can read a product file";
        return Err(Error::new(Code::InvalidKey, what));
    }
    let draft: Draft = toml::from_str(&text).map_err(|error| {
        let message = redact(error.message(), std::iter::empty());
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        refuse(&format!("line {} of the draft: {message}", before.matches('\n').count() + 1))
    })?;
    let keys = trusted(&texts(&draft.keys)?)?;
    let settings = draft.settings.into_iter().map(|(name, value)| match value {
        Value::String(text) => Ok((name, text)),
        Value::Integer(number) => Ok((name, number.to_string())),
        _ => Err(refuse(&format!("the setting {name:.40} is neither a text nor a number"))),
    });
    let settings = settings.collect::<Result<_>>()?;
    Ok(ProductTerms { code: draft.product, name: draft.name, keys, settings })
}

/// The settings that no customer's product file should have.
pub fn for_tests(terms: &ProductTerms) -> Vec<&str> {
    let off = |name: &str, value: &str| value.is_empty() || (name == "clock" && value == "system");
    let set = terms.settings.iter().filter(|(name, value)| !off(name, value));
    set.map(|(name, _)| name.as_str()).filter(|name| FOR_TESTS.contains(name)).collect()
}

/// One text, or a list of them.
fn texts(keys: &Value) -> Result<Vec<&str>> {
    let all = match keys {
        Value::String(one) => Some(vec![one.as_str()]),
        Value::Array(many) => many.iter().map(Value::as_str).collect(),
        _ => None,
    };
    all.ok_or_else(|| refuse("keys is neither a text nor a list of texts"))
}

/// The keys of several texts as one set.
fn trusted(texts: &[&str]) -> Result<KeySet> {
    let mut all = Vec::new();
    for text in texts {
        let Public { mut jwks, .. } = Public::parse(text)?;
        all.extend(jwks["keys"].as_array_mut().map(std::mem::take).unwrap_or_default());
    }
    KeySet::parse(&json!({ "keys": all }).to_string())
}

/// Starts a draft: what is known of it, and in remarks what may be said besides.
pub fn start(
    product: &str,
    name: Option<&str>,
    keys: &[String],
    settings: &[(String, String)],
) -> Result<String> {
    let given = name.into_iter().chain(settings.iter().flat_map(|(name, value)| [&**name, value]));
    if given.into_iter().any(may_be_key) {
        let what = "a name or a setting looks as a private key does; if it is none, write it \
                    into the draft";
        return Err(refuse(what));
    }
    let texts: Vec<_> = keys.iter().map(|keys| keys::text(keys)).collect::<Result<_>>()?;
    let known: BTreeMap<String, String> = settings.iter().cloned().collect();
    if known.len() < settings.len() {
        return Err(refuse("a setting is given twice"));
    }
    let trusted = trusted(&texts.iter().map(|text| text.as_str()).collect::<Vec<_>>())?;
    let (code, name) = (product.to_string(), name.map(str::to_string));
    let terms = ProductTerms { code, name, keys: trusted, settings: known };
    terms.check()?;
    let texts = texts.iter().map(|text| Public::parse(text)).collect::<Result<Vec<_>>>()?;
    Ok(written(&terms, &texts))
}

fn written(terms: &ProductTerms, keys: &[Public]) -> String {
    let about = remark(
        "What is said of a product to a program that serves it, such as `licentia agent`: the \
         vendor's terms. Nothing of it holds until it is signed, and everybody can read it then:",
    );
    let name = match &terms.name {
        Some(name) => format!("name = {}", quoted(name)),
        None => "# name = \"\"".to_string(),
    };
    let trust = remark(
        "The public keys that it trusts, as texts in any form. The key that signs this file is \
         one of them and has the role `root`, as every key has of which no roles are told.",
    );
    let keys: String = keys.iter().map(|keys| format!("{},\n", literal(keys))).collect();
    format!(
        "{about}#     licentia product sign DRAFT --key FILE --out FILE\n\n\
         # The code that is in its licenses.\nproduct = {}\n\n\
         # What people call it.\n{name}\n\n\
         {trust}keys = [\n{keys}]\n\n\
         [settings]\n{}",
        quoted(&terms.code),
        listed(&terms.settings)
    )
}

/// Every setting that may be there, those that are not as a remark.
fn listed(settings: &BTreeMap<String, String>) -> String {
    let is_test = |setting: &&Setting| FOR_TESTS.contains(&setting.name);
    let (tests, terms): (Vec<_>, Vec<_>) = ProductFile::possible_settings().partition(is_test);
    let lines = terms.into_iter().chain(tests).map(|setting| {
        let test = if is_test(&setting) { " Only for tests." } else { "" };
        let about = remark(&format!("{}{test} Value: {}.", setting.does, setting.takes));
        let line = match settings.get(setting.name) {
            Some(value) => format!("{} = {}\n", setting.name, quoted(value)),
            None => format!("# {} = \"\"\n", setting.name),
        };
        about + &line
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A key set as the draft has it.
fn literal(public: &Public) -> String {
    match public.set.keys() {
        [only] if !public.has_terms() => format!("  {}", quoted(&only.key().to_short())),
        _ => format!("'''\n{}'''", pretty(&public.jwks)),
    }
}

/// A text as TOML has it, on one line.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out += &format!("\\u{:04X}", u32::from(c)),
            c => out.push(c),
        }
    }
    out + "\""
}

/// Lines that are not read.
fn remark(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last + 1 + word.chars().count() > WIDTH {
            lines.push(String::from("#"));
        }
        if let Some(line) = lines.last_mut() {
            *line += &format!(" {word}");
        }
    }
    lines.join("\n") + "\n"
}

fn refuse(what: &str) -> Error {
    Error::new(Code::InvalidArgument, what)
}
