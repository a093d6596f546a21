//! One story of a vector file: an installation in a prepared folder, what is done to it, and what
//! it has to say.

use crate::case::{NOW, PRODUCT};
use crate::folder::Folder;
use crate::signer::vendor;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A file of `tests/vectors/` with stories.
#[derive(Serialize, Deserialize)]
pub struct Book {
    /// What the file is about.
    pub comment: String,
    /// Its stories, in the order of the generator.
    pub stories: Vec<Story>,
}

/// One story. The first step that fails is its end, and its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// Unique over all files: the topic, a slash, and a few words.
    pub name: String,
    /// The product code.
    pub product: String,
    /// The key set it is made with.
    pub keys: String,
    /// Settings it is given, in the order of their names.
    pub set: BTreeMap<String, String>,
    /// The files of the folder before it is opened, in base64; null = there is no folder.
    pub folder: Option<BTreeMap<String, String>>,
    /// What is done and asked.
    pub steps: Vec<Step>,
    /// `ok`, or the word for the error with which the last step fails.
    pub expect: String,
}

/// One thing that is done, or asked with what has to come of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of the arguments are those of the calls")]
pub enum Step {
    /// Move the product's clock.
    Clock { at: i64 },
    /// Set a setting of the installation. `$FOLDER` in a value is the path of the folder.
    Site { name: String, value: String },
    /// Apply a signed document.
    Apply { data: String },
    /// The same, in place of a newer license.
    ApplyOlder { data: String },
    /// Remove what was applied.
    Remove { had: bool },
    /// Note the first use; null = now.
    FirstUse { at: Option<i64> },
    /// Add to a counter.
    Record { feature: String, amount: u64 },
    /// The same without waiting for the disk.
    RecordLater { feature: String, amount: u64 },
    /// Set a level.
    RecordLevel { feature: String, level: u64 },
    /// Note a key.
    RecordKey { feature: String, key: String },
    /// Close the installation and open it again.
    Reopen,
    /// What may be done with a feature.
    Access { feature: String, is: String },
    /// The answer in place of a page: the HTTP status and the code; null = go on.
    Gate { feature: String, is: Option<(u16, String)> },
    /// How much was used.
    Usage { feature: String, used: u64, limit: Option<u64>, resets_at: Option<i64> },
    /// Everything that holds at a time; null = now. The members named have to be as they say.
    Status { at: Option<i64>, is: BTreeMap<String, serde_json::Value> },
    /// Why. Compared between languages, and with the status.
    Explain { at: Option<i64> },
    /// Ask the vendor's server, and apply its answer.
    Call { what: String, argument: Option<String> },
    /// The same for what was used.
    Sync,
    /// Take a seat; 0 days = it is not borrowed.
    Seat { holder: String, days: u32 },
    /// A text for the vendor, signed by the installation of the folder. The members named have to
    /// be as they say.
    Request { what: String, argument: Option<String>, is: BTreeMap<String, serde_json::Value> },
}

impl Story {
    /// In a folder that is new.
    pub fn new(name: impl Into<String>) -> Story {
        Story {
            name: name.into(),
            product: PRODUCT.into(),
            keys: vendor().short(),
            set: BTreeMap::from([
                ("clock".into(), NOW.to_string()),
                ("machine".into(), "a-machine-for-vectors".into()),
            ]),
            folder: Some(BTreeMap::new()),
            steps: Vec::new(),
            expect: "ok".into(),
        }
    }

    /// In a folder that was used before.
    pub fn on(name: impl Into<String>, folder: &Folder) -> Story {
        Story::new(name).files(folder.files())
    }

    /// With these files in the folder.
    pub fn files(mut self, files: BTreeMap<String, Vec<u8>>) -> Story {
        let encode = |(name, bytes): (String, Vec<u8>)| (name, STANDARD.encode(bytes));
        self.folder = Some(files.into_iter().map(encode).collect());
        self
    }

    /// With this setting of the product.
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Story {
        self.set.insert(name.into(), value.into());
        self
    }

    /// At this time.
    pub fn at(self, clock: i64) -> Story {
        self.set("clock", clock.to_string())
    }

    /// And then this.
    pub fn then(mut self, step: Step) -> Story {
        self.steps.push(step);
        self
    }

    /// Its last step fails, with this word.
    pub fn fails(mut self, slug: &str) -> Story {
        self.expect = slug.into();
        self
    }

    /// The bytes of its files.
    pub fn bytes(&self) -> Option<BTreeMap<String, Vec<u8>>> {
        let decode = |(name, text): (&String, &String)| {
            (name.clone(), STANDARD.decode(text).expect("base64 in a vector"))
        };
        self.folder.as_ref().map(|files| files.iter().map(decode).collect())
    }
}

/// Steps in few words.
pub mod step {
    use super::Step;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    /// Applies a document.
    pub fn apply(data: impl Into<String>) -> Step {
        Step::Apply { data: data.into() }
    }

    /// Asks for the status now: members by dotted name.
    pub fn status(is: &[(&str, Value)]) -> Step {
        Step::Status { at: None, is: members(is) }
    }

    /// Asks for the status at a time.
    pub fn status_at(at: i64, is: &[(&str, Value)]) -> Step {
        Step::Status { at: Some(at), is: members(is) }
    }

    fn members(is: &[(&str, Value)]) -> BTreeMap<String, Value> {
        is.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
    }

    /// In force or not, what may be done, and why.
    pub fn holds(in_force: bool, access: &str, reason: &str) -> Vec<(&'static str, Value)> {
        vec![("in_force", json!(in_force)), ("access", json!(access)), ("reason", json!(reason))]
    }

    /// Asks what may be done with a feature.
    pub fn access(feature: &str, is: &str) -> Step {
        Step::Access { feature: feature.into(), is: is.into() }
    }

    /// Asks for a text for the vendor; an empty argument is none.
    pub fn request(what: &str, argument: &str, is: &[(&str, Value)]) -> Step {
        let argument = (!argument.is_empty()).then(|| argument.into());
        Step::Request { what: what.into(), argument, is: members(is) }
    }

    /// Moves the clock.
    pub fn clock(at: i64) -> Step {
        Step::Clock { at }
    }

    /// Adds to a counter.
    pub fn record(feature: &str, amount: u64) -> Step {
        Step::Record { feature: feature.into(), amount }
    }
}
