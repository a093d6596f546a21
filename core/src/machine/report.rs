//! What was found on a machine: hashes, and why there is none where there is none.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize, Serializer};

#[cfg(target_os = "macos")]
use super::macos as here;
use super::parts::{Finding, View};
#[cfg(windows)]
use super::windows as here;
use super::{Environment, Folder, HASHES_MAX, Kind, REPORT_MAX, Source, VERSION, digest, linux};
use crate::json::{self, Object};
use crate::limits::IDENTITY_MAX;
use crate::{Code, Error, Result};

/// Rows of a report: every kind at its limit.
const ROWS_MAX: usize = 1024;

/// Hashes of one kind that licenses are held against: those of the report's rows, and of what
/// has no row in it. A storage server has hundreds of disks, and a license any sixteen.
const HELD_MAX: usize = 1024;

macro_rules! states {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal;)+) => {
        /// What came of looking for a part.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum State {
            $($(#[doc = $doc])+ $name,)+
        }

        impl State {
            const ALL: &'static [State] = &[$(State::$name),+];

            /// Its word, such as `found`.
            pub const fn word(self) -> &'static str {
                match self { $(State::$name => $word),+ }
            }
        }
    };
}

states! {
    /// It has a value, and the value a hash.
    Found = "found";
    /// It is there, and this process may not read it.
    Unreadable = "unreadable";
    /// It has a value that many machines share or that means nothing.
    Junk = "junk";
    /// Software made it: a bridge, a container's or a hypervisor's card.
    Virtual = "virtual";
    /// It is hardware that can be in another machine tomorrow, or is in several today.
    Movable = "movable";
    /// The product asked not to read it.
    Excluded = "excluded";
    /// This machine has none.
    Missing = "missing";
}

impl State {
    fn from_word(word: &str) -> Option<State> {
        Self::ALL.iter().copied().find(|state| state.word() == word)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One value of one kind, or one reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Component {
    /// What kind of part it is.
    #[serde(serialize_with = "as_word")]
    pub kind: Kind,
    /// What came of looking for it.
    #[serde(serialize_with = "as_word")]
    pub state: State,
    /// Its hash for this product: 22 characters, if it was found.
    pub hash: Option<String>,
    /// Whether a license binds to it unless told otherwise.
    pub binds: bool,
    /// Why it does not count or does not bind; empty if it does both.
    pub note: String,
}

fn as_word<T: fmt::Display, S: Serializer>(
    value: &T,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// A machine as one product sees it. It holds no raw value.
///
/// Reports are equal if they show the same. One that was read from JSON knows only what that
/// shows; one that was read on its machine also knows hashes that no new license may have.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    v: u32,
    product: String,
    id: Option<String>,
    environment: Environment,
    components: Vec<Component>,
    #[serde(skip)]
    held: Held,
}

impl PartialEq for Report {
    fn eq(&self, other: &Report) -> bool {
        (self.v, &self.product, &self.environment) == (other.v, &other.product, &other.environment)
            && self.components == other.components
    }
}

impl Eq for Report {}

/// What licenses are held against: every hash, also those of values that do not count (today's
/// tables may have an entry that the tables of a license's time did not) and of rows beyond
/// the report's limit. Never shown.
#[derive(Clone, Default)]
struct Held(BTreeSet<(Kind, String)>);

impl Held {
    /// Those of rows come first, so that what does not count crowds out nothing.
    fn of(rows: &[Component], aside: Vec<(Kind, String)>) -> Held {
        let found = rows.iter().filter_map(|row| Some((row.kind, row.hash.clone()?)));
        let mut held = BTreeSet::new();
        let mut counts = [0; Kind::ALL.len()];
        for (kind, hash) in found.chain(aside) {
            let Some(count) = counts.get_mut(kind as usize) else { continue };
            if *count < HELD_MAX && held.insert((kind, hash)) {
                *count += 1;
            }
        }
        Held(held)
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl Report {
    /// Reads the machine whose `/` is at `root`, for the product with the code `product`. What
    /// is absent or may not be read is a row, not an error. Starts no program, writes nothing.
    ///
    /// A `root` other than `/` is read as Linux on every system.
    pub fn read(product: &str, root: &Path, exclude: &[Kind]) -> Report {
        #[cfg(any(windows, target_os = "macos"))]
        if root == Path::new("/") {
            let (environment, findings) = here::read(exclude);
            return Report::of(product, environment, findings);
        }
        Report::read_from(product, &Folder::new(root), exclude)
    }

    /// Reads a Linux machine from any source of its files.
    pub fn read_from(product: &str, source: &dyn Source, exclude: &[Kind]) -> Report {
        let view = View::new(source);
        let environment = Environment::read(&view, exclude);
        Report::of(product, environment, linux::findings(&view, exclude))
    }

    /// The machine that is what its host says it is: an id that a container is given from
    /// outside. White space and byte order marks around it do not count.
    ///
    /// # Errors
    /// `invalid_argument` if nothing is left, or more than 4 KiB.
    pub fn from_identity(product: &str, identity: &str) -> Result<Report> {
        let blank = |c: char| c.is_ascii_whitespace() || c == '\u{feff}';
        let identity = identity.trim_matches(blank);
        if identity.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "the machine's identity is empty"));
        }
        if identity.len() > IDENTITY_MAX {
            let detail = format!("the machine's identity is longer than {IDENTITY_MAX} bytes");
            return Err(Error::new(Code::InvalidArgument, detail));
        }
        let finding = Finding::found(Kind::Identity, identity.to_owned(), false);
        Ok(Report::of(product, Environment::default(), vec![finding]))
    }

    fn of(product: &str, environment: Environment, findings: Vec<Finding>) -> Report {
        let hashes = |found: &Finding| -> Vec<(Kind, String)> {
            let hash = |value: &String| (found.kind, digest::hash(product, found.kind, value));
            found.aside.iter().map(hash).collect()
        };
        let aside = findings.iter().flat_map(hashes).collect();
        let rows = findings.into_iter().map(|found| row(product, found, &environment)).collect();
        Report::with(product.to_owned(), environment, rows, aside)
    }

    /// Puts rows in their one order, so that a machine gives one report however its kernel
    /// lists its parts today.
    fn with(
        product: String,
        environment: Environment,
        mut rows: Vec<Component>,
        aside: Vec<(Kind, String)>,
    ) -> Report {
        // A value that binds comes before the same value from a file that only root reads.
        rows.sort_by(|a, b| {
            (a.kind, a.state, &a.hash, !a.binds, &a.note)
                .cmp(&(b.kind, b.state, &b.hash, !b.binds, &b.note))
        });
        rows.dedup_by(|b, a| {
            a.kind == b.kind
                && a.state == b.state
                && a.hash == b.hash
                && (a.hash.is_some() || a.note == b.note)
        });
        let held = Held::of(&rows, aside);
        let mut components: Vec<Component> = Vec::with_capacity(rows.len());
        for row in rows {
            let same = components.iter().filter(|c| c.kind == row.kind).count();
            let idle = row.state == State::Missing && same > 0;
            if !idle && same < HASHES_MAX {
                components.push(row);
            }
        }
        let binding = components.iter().filter(|c| c.binds);
        let id = digest::short_id(binding.filter_map(|c| Some((c.kind, c.hash.as_deref()?))));
        Report { v: VERSION, product, id, environment, components, held }
    }

    /// Whether the machine has any of these hashes of a kind, in a row or out of sight.
    pub(super) fn has_any(&self, kind: Kind, hashes: &[String]) -> bool {
        hashes.iter().any(|hash| self.held.0.contains(&(kind, hash.clone())))
    }

    /// The code of the product that it was made for. Hashes for two products never match.
    pub fn product(&self) -> &str {
        &self.product
    }

    /// A short id to show people, such as `7F3A-91C2`; `None` if nothing binds. It changes when
    /// any part does, so nothing is decided by it.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What the machine seems to run in.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Every value that was found and every reason why there is none, in a fixed order.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// The report as JSON, to be sent to whoever issues the license.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads what `to_json` wrote. Rows of kinds that this version does not know are left out:
    /// nothing here can bind to them.
    ///
    /// # Errors
    /// `too_new` if another version of the algorithm made it; `too_large` or `malformed` if it
    /// is no report.
    pub fn from_json(text: &str) -> Result<Report> {
        let Head { v } = json::parse(text.as_bytes(), REPORT_MAX)?;
        if v > u64::from(VERSION) {
            let detail = format!("the machine report has version {v}, and {VERSION} is known");
            return Err(Error::new(Code::TooNew, detail));
        }
        let malformed = |detail: &str| Err(Error::new(Code::Malformed, detail));
        if v == 0 {
            return malformed("a machine report has no version 0");
        }
        let raw: Raw = json::parse(text.as_bytes(), REPORT_MAX)?;
        if raw.product.is_empty() {
            return malformed("the machine report names no product");
        }
        if raw.components.len() > ROWS_MAX {
            return malformed("the machine report has too many rows");
        }
        let mut rows = Vec::with_capacity(raw.components.len());
        for Object(row) in raw.components {
            rows.extend(row.checked()?);
        }
        Ok(Report::with(raw.product, raw.environment.0, rows, Vec::new()))
    }
}

fn row(product: &str, finding: Finding, environment: &Environment) -> Component {
    let Finding { kind, state, value, root_only, note, .. } = finding;
    let hash = value.map(|value| digest::hash(product, kind, &value));
    let reason = if hash.is_none() {
        Some(note)
    } else if matches!(kind, Kind::Cpu | Kind::Model) {
        Some("it names a model that many machines have")
    } else if root_only {
        Some("only root can read it")
    } else if environment.container.is_some() {
        Some("in a container it is the image's or the host's")
    } else if environment.wsl && kind == Kind::Disk {
        Some("Windows lends it, and lends some to every machine")
    } else {
        None
    };
    let note = reason.unwrap_or_default().to_owned();
    Component { kind, state, hash, binds: reason.is_none(), note }
}

#[derive(Deserialize)]
struct Head {
    v: u64,
}

#[derive(Deserialize)]
struct Raw {
    product: String,
    #[serde(default = "nowhere")]
    environment: Object<Environment>,
    components: Vec<Object<RawRow>>,
}

fn nowhere() -> Object<Environment> {
    Object(Environment::default())
}

#[derive(Deserialize)]
struct RawRow {
    kind: String,
    state: String,
    hash: Option<String>,
    binds: bool,
    #[serde(default)]
    note: String,
}

impl RawRow {
    /// The row, or `None` if a later version of the report brought it in.
    fn checked(self) -> Result<Option<Component>> {
        let (Some(kind), Some(state)) =
            (Kind::from_word(&self.kind), State::from_word(&self.state))
        else {
            return Ok(None);
        };
        let malformed = |detail: String| Err(Error::new(Code::Malformed, detail));
        if self.hash.is_some() != (state == State::Found) {
            let detail = "a hash without a part, or a part without a hash";
            return malformed(format!("the machine report has, of {kind}, {detail}"));
        }
        if self.hash.as_deref().is_some_and(|hash| !digest::is_hash(hash)) {
            return malformed(format!("a hash of {kind} in the machine report is not one"));
        }
        if self.binds && self.hash.is_none() {
            return malformed(format!("the {kind} of the machine report cannot bind"));
        }
        let Self { hash, binds, note, .. } = self;
        Ok(Some(Component { kind, state, hash, binds, note }))
    }
}
