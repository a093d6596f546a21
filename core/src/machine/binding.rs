//! What a license says about the machine it is for, and whether a machine is that one.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Deserialize as DeriveDeserialize, Serialize};
use serde_json::Value;

use super::{HASHES_MAX, KINDS_MAX, Kind, Report, State, VERSION, digest};
use crate::json::Object;
use crate::{Code, Error, Result};

/// Hashes of some kinds of parts, and how many kinds must be there. A kind counts once, by any
/// one of its hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Binding {
    v: u64,
    need: u32,
    parts: BTreeMap<String, Vec<String>>,
}

/// The version of the algorithm, in the width in which a later one is told from no number.
const KNOWN: u64 = VERSION as u64;

impl Binding {
    /// A binding of this version.
    ///
    /// # Errors
    /// `malformed`, with what is wrong: a `need` that is 0 or more than there are kinds, a kind
    /// without a hash, a hash that is none, or more than a license may hold.
    pub fn new(need: u32, parts: BTreeMap<String, Vec<String>>) -> Result<Binding> {
        match flaw(need, &parts) {
            Some(detail) => Err(Error::new(Code::Malformed, detail)),
            None => Ok(Binding { v: KNOWN, need, parts }),
        }
    }

    /// The version of the algorithm that made it.
    pub fn version(&self) -> u64 {
        self.v
    }

    /// How many kinds must match.
    pub fn need(&self) -> u32 {
        self.need
    }

    /// The words of the kinds, and the hashes of each.
    pub fn parts(&self) -> &BTreeMap<String, Vec<String>> {
        &self.parts
    }

    /// Refuses a binding that another version of the algorithm made. Ask before `compare`: it
    /// says nothing about the machine.
    ///
    /// # Errors
    /// `too_new`.
    pub fn check_version(&self) -> Result<()> {
        if self.v == KNOWN {
            return Ok(());
        }
        let detail = format!("the machine binding has version {}, and {KNOWN} is known", self.v);
        Err(Error::new(Code::TooNew, detail))
    }

    /// Holds a machine against it. A binding of another version holds for no machine.
    pub fn compare(&self, report: &Report) -> Comparison {
        let parts: Vec<Part> =
            self.parts.iter().map(|(word, hashes)| part(word, hashes, report)).collect();
        let matched = parts.iter().filter(|part| part.outcome == Outcome::Matched).count();
        let matched = u32::try_from(matched).unwrap_or(u32::MAX);
        Comparison { matched, need: self.need, parts }
    }
}

/// Why these cannot be the members of a binding; `None` if they can.
fn flaw(need: u32, parts: &BTreeMap<String, Vec<String>>) -> Option<String> {
    if parts.len() > KINDS_MAX {
        return Some(format!("the machine binding has more than {KINDS_MAX} kinds"));
    }
    if need == 0 || need as usize > parts.len() {
        return Some(format!("the machine binding needs {need} of {} kinds", parts.len()));
    }
    parts.iter().find_map(|(word, hashes)| {
        if hashes.is_empty() || hashes.len() > HASHES_MAX {
            return Some(format!("the machine binding has {} hashes of {word}", hashes.len()));
        }
        let bad = hashes.iter().any(|hash| !digest::is_hash(hash));
        bad.then(|| format!("a hash of {word} in the machine binding is not one"))
    })
}

#[derive(DeriveDeserialize)]
struct Raw {
    v: u64,
    need: Option<Value>,
    parts: Option<Value>,
}

impl<'de> Deserialize<'de> for Binding {
    /// Takes any object with an integer `v`; the other members are judged only if they are of
    /// this version, so that a later one is too new rather than malformed.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let Object(raw) = Object::<Raw>::deserialize(deserializer)?;
        if raw.v == 0 {
            return Err(D::Error::custom("a machine binding has no version 0"));
        }
        if raw.v != KNOWN {
            return Ok(Binding { v: raw.v, need: 0, parts: BTreeMap::new() });
        }
        let need = raw.need.ok_or_else(|| D::Error::missing_field("need"))?;
        let need = u32::deserialize(need).map_err(D::Error::custom)?;
        let parts = raw.parts.ok_or_else(|| D::Error::missing_field("parts"))?;
        let parts: BTreeMap<String, Option<Vec<String>>> =
            BTreeMap::deserialize(parts).map_err(D::Error::custom)?;
        // A member that is null is as one that is not there.
        let parts = parts.into_iter().filter_map(|(word, hashes)| Some((word, hashes?))).collect();
        match flaw(need, &parts) {
            Some(detail) => Err(D::Error::custom(detail)),
            None => Ok(Binding { v: raw.v, need, parts }),
        }
    }
}

/// What became of a kind that a license is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// One of its hashes is there.
    Matched,
    /// It was read, and is another.
    Drifted,
    /// It was not found, for the reason that its state is.
    Absent(State),
    /// This version does not know the kind.
    Unknown,
}

impl Outcome {
    /// Its word: `matched`, `drifted`, `unknown`, or that of a state such as `missing`.
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Matched => "matched",
            Outcome::Drifted => "drifted",
            Outcome::Absent(state) => state.word(),
            Outcome::Unknown => "unknown",
        }
    }
}

/// One kind that a license is bound to, as it is here and now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The word of the kind, as it is in the license.
    pub kind: String,
    /// What became of it.
    #[serde(serialize_with = "as_word")]
    pub outcome: Outcome,
    /// Why it does not count, if the report says so; otherwise empty.
    pub note: String,
}

fn as_word<S: serde::Serializer>(
    outcome: &Outcome,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(outcome.word())
}

fn part(word: &str, hashes: &[String], report: &Report) -> Part {
    let known = Kind::from_word(word);
    let rows: Vec<_> = report.components().iter().filter(|c| Some(c.kind) == known).collect();
    let has = |state| rows.iter().any(|row| row.state == state);
    let outcome = if known.is_some_and(|kind| report.has_any(kind, hashes)) {
        Outcome::Matched
    } else if known.is_none() {
        Outcome::Unknown
    } else if has(State::Unreadable) {
        // It may be the one that cannot be read.
        Outcome::Absent(State::Unreadable)
    } else if has(State::Found) {
        Outcome::Drifted
    } else {
        Outcome::Absent(rows.first().map_or(State::Missing, |row| row.state))
    };
    let note = match outcome {
        Outcome::Absent(state) => rows.iter().find(|row| row.state == state).map(|row| &row.note),
        _ => None,
    };
    Part { kind: word.to_owned(), outcome, note: note.cloned().unwrap_or_default() }
}

/// How a machine compares with the one that a license is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// How many kinds match.
    pub matched: u32,
    /// How many have to.
    pub need: u32,
    /// Every kind that the license is bound to, in the order of their words.
    pub parts: Vec<Part>,
}

impl Comparison {
    /// Whether it is the machine.
    pub fn holds(&self) -> bool {
        self.need > 0 && self.matched >= self.need
    }
}

/// As in `2 of 4 parts match and 3 are needed: machine_id, nic match; disk drifted; root_fs is
/// missing`.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let matches = if self.matched == 1 { "matches" } else { "match" };
        let are = if self.need == 1 { "is" } else { "are" };
        let (matched, need, parts) = (self.matched, self.need, self.parts.len());
        write!(f, "{matched} of {parts} parts {matches} and {need} {are} needed")?;
        let mut outcomes: Vec<Outcome> = Vec::new();
        for part in &self.parts {
            if !outcomes.contains(&part.outcome) {
                outcomes.push(part.outcome);
            }
        }
        outcomes.sort_by_key(|outcome| match outcome {
            Outcome::Matched => 0,
            Outcome::Drifted => 1,
            Outcome::Absent(_) | Outcome::Unknown => 2,
        });
        for (n, outcome) in outcomes.into_iter().enumerate() {
            f.write_str(if n == 0 { ": " } else { "; " })?;
            f.write_str(&self.phrase(outcome))?;
        }
        Ok(())
    }
}

impl Comparison {
    /// The kinds with one outcome and what became of them, as in `disk, nic drifted`.
    fn phrase(&self, outcome: Outcome) -> String {
        let alike = self.parts.iter().filter(|part| part.outcome == outcome);
        let kinds: Vec<&str> = alike.map(|part| part.kind.as_str()).collect();
        let (list, one) = (kinds.join(", "), kinds.len() == 1);
        match outcome {
            Outcome::Matched if one => format!("{list} matches"),
            Outcome::Matched => format!("{list} match"),
            Outcome::Drifted => format!("{list} drifted"),
            _ => format!("{list} {} {}", if one { "is" } else { "are" }, outcome.word()),
        }
    }
}
