//! `testkit`: installations for the tests of a product, one in every state that it may meet.

use crate::args::product_code;
use crate::entitlement::{self, entitlement, feature};
use crate::input::{self, Present, STDOUT};
use crate::issue::{as_argument, refuse};
use crate::output::{Answer, Fields, LOOK, Outcome, show};
use crate::testkit_folders::{self as folders, Maker};
use crate::testkit_header as header;
use crate::testkit_states::{STATES, State, limited};
use clap::ValueEnum;
use licentia::{Access, Code, Error, Feature, Product, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The version of the format, which readers ask for: docs/testing.md.
const VERSION: u32 = 1;

/// Make a kit to test a product with: an installation in every state, without a vendor
///
/// Writes one file for `licentia.testing` in Python, `licentia/testing` in Node, or, as a header,
/// C and C++: your product code and your features, in installations that are active, in grace,
/// expired, revoked, used up, damaged and so on, each with the time at which it is. They are
/// signed by a key that was made for this kit and is thrown away, so nothing else trusts them.
#[derive(clap::Args)]
pub struct Args {
    /// The product code that your program gives
    #[arg(long, value_name = "CODE", value_parser = product_code)]
    product: String,
    /// A feature that is on; repeatable [default: feature, counter=3/month, level=2 and
    /// keys=2/30d]
    #[arg(long, value_name = "ID", value_parser = feature)]
    feature: Vec<Feature>,
    #[arg(long, value_name = "NAME=LIMIT", value_parser = entitlement, help = entitlement::HELP)]
    entitlement: Vec<Feature>,
    /// json for Python and Node, or header to include in place of licentia_testing.h
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
    /// Write it to a new file; - is standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over the file if it is there
    #[arg(long, requires = "out")]
    force: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Header,
}

/// Everything that is in a kit: docs/testing.md.
#[derive(Deserialize, Serialize)]
pub struct Kit {
    /// The version of the format.
    pub testkit: u32,
    /// What it is, for whoever opens the file.
    pub comment: String,
    /// The product code.
    pub product: String,
    /// Who signed everything in it.
    pub keys: String,
    /// Settings of the product in every state.
    pub settings: BTreeMap<String, String>,
    /// What its licenses grant.
    pub features: Vec<Feature>,
    /// The states, in the order of their table.
    pub states: Vec<Prepared>,
    /// Folders by name. Several states may be the same folder at different times.
    pub folders: BTreeMap<String, BTreeMap<String, File>>,
}

/// A state of an installation, and how to come by it.
#[derive(Deserialize, Serialize)]
pub struct Prepared {
    /// Its name.
    pub name: String,
    /// What it is, in a sentence.
    pub about: String,
    /// Where the clock stands, in seconds since 1970.
    pub clock: i64,
    /// More settings of the product.
    pub settings: BTreeMap<String, String>,
    /// Which folder it is in.
    pub folder: String,
    /// What the library has to say of it.
    pub expect: Expected,
}

/// What holds in a state: docs/verdict.md has the words.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// The reason.
    pub reason: String,
    /// Whether a license is in force.
    pub in_force: bool,
    /// What may be done with each feature of the kit.
    pub access: BTreeMap<String, String>,
    /// Warnings that are among those there are.
    pub warnings: BTreeSet<String>,
}

/// A file of a folder: what it begins with. The rest, up to its size, is zeros.
#[derive(Clone, Deserialize, Serialize)]
pub struct File {
    /// How many bytes it has.
    pub size: usize,
    /// Its bytes up to the last that is not zero, in base64.
    pub base64: String,
}

/// Makes a kit.
pub fn run(args: &Args) -> Outcome {
    let mut features: Vec<Feature> =
        args.feature.iter().chain(&args.entitlement).cloned().collect();
    if features.is_empty() {
        features = default_features();
    }
    let kit = make(&args.product, features).map_err(as_argument)?;
    let text = match args.format {
        Format::Json => json(&kit)?,
        Format::Header => header::render(&kit)?,
    };
    let names: Vec<&str> = kit.states.iter().map(|state| state.name.as_str()).collect();
    let mut fields = Fields::default().with("keys", kit.keys.as_str()).with("states", names);
    let mut notes = Vec::new();
    if kit.states.len() < STATES.len() {
        let what = "no feature has a limit, so there is no limit_reached and no over_limit";
        notes.push(format!("{LOOK}note:{LOOK:#} {what}"));
    }
    let Some(path) = args.out.as_deref().filter(|path| *path != Path::new(STDOUT)) else {
        let kit = match args.format {
            Format::Json => serde_json::to_value(&kit).unwrap_or_default(),
            Format::Header => Value::from(text.as_str()),
        };
        return Ok(Answer { fields: fields.with("kit", kit), text, notes });
    };
    input::write(path, &text, Present::forced(args.force))?;
    let name = path.display().to_string();
    notes.push(format!("written to {}", show(&name)));
    fields = fields.with("file", name);
    Ok(Answer { fields, text: String::new(), notes })
}

/// One of each kind.
fn default_features() -> Vec<Feature> {
    let limited = |id: &str, meter: &str, max| Feature {
        meter: Some(meter.into()),
        max: Some(max),
        ..Feature::new(id)
    };
    vec![
        Feature::new("feature"),
        Feature { per: Some("month".into()), ..limited("counter", "count", 3) },
        limited("level", "level", 2),
        Feature { days: Some(30), ..limited("keys", "distinct", 2) },
    ]
}

fn json(kit: &Kit) -> Result<String> {
    let text = serde_json::to_string_pretty(kit);
    Ok(text.map_err(|error| bug(&format!("the kit: {error}")))? + "\n")
}

/// Makes every folder with the library, and asks it about every state.
fn make(product: &str, features: Vec<Feature>) -> Result<Kit> {
    let maker = Maker::new(product, features)?;
    let has_limit = maker.features().iter().any(|feature| feature.max.is_some_and(|max| max > 0));
    let mut kit = Kit {
        testkit: VERSION,
        comment: "For tests, made by `licentia testkit`: no product trusts the key of these \
                  licenses, and its private half was not kept."
            .into(),
        product: product.into(),
        keys: maker.keys(),
        settings: BTreeMap::from([("machine".into(), folders::MACHINE.into())]),
        features: maker.features().to_vec(),
        states: Vec::new(),
        folders: BTreeMap::new(),
    };
    for state in STATES.iter().filter(|state| has_limit || !state.needs_limit()) {
        if !kit.folders.contains_key(state.folder) {
            kit.folders.insert(state.folder.into(), maker.folder(state.folder)?);
        }
        kit.states.push(prepared(state, &maker));
    }
    for state in &kit.states {
        let found = kit.found(state)?;
        if !is_as(&found, &state.expect) {
            return Err(bug(&format!("the state {} is {found:?}", state.name)));
        }
    }
    Ok(kit)
}

fn prepared(state: &State, maker: &Maker) -> Prepared {
    let access = |feature: &Feature| {
        // Where nothing is asked of a license, no limit of one counts.
        let measured = (!state.grace).then(|| {
            let used = folders::used(state.folder, feature);
            limited(&folders::licensed(state.folder, feature), used)
        });
        measured.map_or(state.access, |measured| measured.min(state.access))
    };
    let access: BTreeMap<String, Access> =
        maker.features().iter().map(|feature| (feature.id.clone(), access(feature))).collect();
    // Of a limit only counters warn that are at it; the others are once they are past it.
    let warns = !state.needs_limit() || access.values().any(|access| *access < Access::Allow);
    let grace = state.grace.then(|| ("grace_days".to_string(), folders::GRACE_DAYS.to_string()));
    Prepared {
        name: state.name.into(),
        about: state.about.into(),
        clock: folders::at(state.day),
        settings: grace.into_iter().collect(),
        folder: state.folder.into(),
        expect: Expected {
            reason: state.reason.into(),
            in_force: state.in_force,
            access: access.into_iter().map(|(id, access)| (id, word(access))).collect(),
            warnings: state.warning.filter(|_| warns).iter().map(|it| it.to_string()).collect(),
        },
    }
}

/// Whether it is what was promised. A later version may have more to warn of.
fn is_as(found: &Expected, promised: &Expected) -> bool {
    found.reason == promised.reason
        && found.in_force == promised.in_force
        && found.access == promised.access
        && found.warnings.is_superset(&promised.warnings)
}

impl Kit {
    /// What the library says of a state now.
    pub fn found(&self, state: &Prepared) -> Result<Expected> {
        let place = folders::temporary()?;
        for (name, file) in self.folders.get(&state.folder).into_iter().flatten() {
            folders::write(&place.path().join(name), file)?;
        }
        let mut product = Product::new(&self.product, &self.keys)?;
        product.set("clock", &state.clock.to_string())?;
        for (name, value) in self.settings.iter().chain(&state.settings) {
            product.set(name, value)?;
        }
        let installation = product.open(place.path())?;
        let status: Value = serde_json::from_str(&installation.status(None)?).unwrap_or_default();
        let warnings = status["warnings"].as_array().into_iter().flatten();
        let access = self
            .features
            .iter()
            .map(|feature| (feature.id.clone(), word(installation.access(&feature.id))));
        Ok(Expected {
            reason: status["reason"].as_str().unwrap_or_default().into(),
            in_force: status["in_force"].as_bool().unwrap_or_default(),
            access: access.collect(),
            warnings: warnings.filter_map(|it| it["code"].as_str().map(str::to_string)).collect(),
        })
    }
}

/// docs/verdict.md, "Access".
fn word(access: Access) -> String {
    let word = match access {
        Access::Deny => "deny",
        Access::ReadOnly => "read_only",
        Access::Warn => "warn",
        Access::Allow => "allow",
    };
    word.to_string()
}

/// What only a mistake of ours can bring about.
pub fn bug(what: &str) -> Error {
    Error::new(Code::Internal, what)
}

/// What another limit would help.
pub fn too_many(feature: &Feature, most: u64) -> Error {
    refuse(&format!("a kit has at most {most} keys of a feature: give {} fewer", feature.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entitlement::entitlement;
    use std::fs;

    /// The kit of the Python package, from which the others are copied.
    const DEFAULT: &str = "bindings/python/python/licentia/testing.json";

    /// One that was made when version 1 was, and is never made again.
    const FIRST: &str = "bindings/python/tests/kit_1.json";

    fn path(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
    }

    fn blesses() -> bool {
        std::env::var_os("LICENTIA_BLESS").is_some()
    }

    fn committed(name: &str) -> Kit {
        let text = fs::read_to_string(path(name)).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// All of a kit but what is random.
    fn table(kit: &Kit) -> Value {
        let all = serde_json::to_value(kit).unwrap();
        serde_json::json!([all["comment"], all["settings"], all["features"], all["states"]])
    }

    /// It is made again only if the table changes: what was released has to stay readable.
    #[test]
    fn the_default_kit_is_what_the_command_makes() {
        let made = make("myapp", default_features()).unwrap();
        if blesses() && table(&made) != table(&committed(DEFAULT)) {
            fs::write(path(DEFAULT), json(&made).unwrap()).unwrap();
        }
        let kit = committed(DEFAULT);
        assert_eq!(table(&kit), table(&made), "make bless");
        let text = fs::read_to_string(path(DEFAULT)).unwrap();
        for (name, wanted) in [
            ("bindings/node/testing.json", text),
            ("include/licentia_testing.h", header::render(&kit).unwrap()),
        ] {
            if blesses() {
                fs::write(path(name), &wanted).unwrap();
            }
            let found = fs::read_to_string(path(name)).unwrap_or_default();
            assert!(found == wanted, "{name} is stale: run `make bless` and commit it");
        }
    }

    /// Where this fails, folders that customers have are not read any more. If no version that
    /// reads and writes the old ones was released, make both kits again with `licentia testkit`.
    #[test]
    fn every_committed_state_is_what_it_was() {
        for name in [DEFAULT, FIRST] {
            let kit = committed(name);
            assert_eq!((kit.testkit, kit.states.len()), (1, 22), "{name}");
            for state in &kit.states {
                let found = kit.found(state).unwrap();
                assert!(is_as(&found, &state.expect), "{name}: {}: {found:?}", state.name);
            }
        }
    }

    /// The table of states in docs/testing.md, by its first and third column.
    #[test]
    fn every_state_is_documented() {
        let page = fs::read_to_string(path("docs/testing.md")).unwrap();
        let rows = page.lines().skip_while(|line| !line.starts_with("| state |")).skip(2);
        let cells = rows.map_while(|line| Some(line.strip_prefix("| ")?.split(" | ")));
        let found: Vec<String> =
            cells.map(|cells| cells.step_by(2).take(2).collect::<Vec<_>>().join(" ")).collect();
        let word = |state: &State| format!("`{}` `{}`", state.name, state.reason);
        assert_eq!(found, STATES.iter().map(word).collect::<Vec<_>>());
    }

    #[test]
    fn a_promise_that_is_not_kept_is_noticed() {
        let kit = committed(DEFAULT);
        let mut soon = &kit.states[0];
        for state in kit.states.iter().filter(|state| state.name == "ends_soon") {
            soon = state;
        }
        let change = |with: &dyn Fn(&mut Expected)| {
            let mut promised = serde_json::from_value(serde_json::to_value(&soon.expect).unwrap());
            with(promised.as_mut().unwrap());
            is_as(&kit.found(soon).unwrap(), &promised.unwrap())
        };
        assert!(change(&|_| {}));
        assert!(change(&|it| it.warnings.clear()), "there may be more warnings");
        assert!(!change(&|it| it.reason = "expired".into()));
        assert!(!change(&|it| it.in_force = false));
        assert!(!change(&|it| it.access.extend([("level".into(), "warn".into())])));
        assert!(!change(&|it| it.warnings.extend(["in_grace".into()])));
    }

    #[test]
    fn limits_of_every_kind_are_used_up() {
        let texts = [
            "a=0",
            "b=0/month",
            "c=1/day,count",
            "d=1/ever+10%",
            "e=unlimited",
            "f=20/hour+50%,count",
            "g=1",
            "h=9/7d+50%,count",
            "i=100000000000/year",
        ];
        let features = texts.iter().map(|text| entitlement(text).unwrap()).collect();
        let kit = make("other", features).unwrap();
        let access = |name: &str| {
            let state = kit.states.iter().find(|state| state.name == name).unwrap();
            kit.found(state).unwrap().access.into_values().collect::<Vec<_>>().join(" ")
        };
        let active = "allow deny allow allow allow allow allow allow allow";
        assert_eq!(access("active"), active);
        assert_eq!(access("limit_reached"), "allow deny warn deny allow warn allow warn deny");
        assert_eq!(access("over_limit"), "allow deny warn warn allow warn warn warn warn");
    }
}
