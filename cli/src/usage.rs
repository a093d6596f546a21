//! `usage`, `record` and `first-use`: what was used, and since when.

use crate::args::{digits, time};
use crate::output::{Answer, Fields, LOOK, Outcome, rows};
use crate::product::InstallationArgs;
use crate::standing::{Feature, Standing};
use crate::status_page;
use crate::when::both;
use crate::words::found;
use clap::builder::NonEmptyStringValueParser;
use licentia::{Code, Error, Installation, Result, bounded, is_feature_id};
use serde_json::{Value, json};

/// Show how much of the measured features was used
///
/// Changes nothing.
#[derive(clap::Args)]
pub struct UsageArgs {
    #[command(flatten)]
    place: InstallationArgs,
    /// Only this feature
    #[arg(value_parser = feature)]
    feature: Option<String>,
}

/// Note that something was used
///
/// It is on disk when the command ends. What would go past a limit is refused and not counted,
/// unless the license says that counting goes on.
#[derive(clap::Args)]
pub struct RecordArgs {
    #[command(flatten)]
    place: InstallationArgs,
    /// The feature, as the license calls it
    #[arg(value_parser = feature)]
    feature: String,
    /// How many to count [default: 1]
    #[arg(value_parser = number)]
    amount: Option<u64>,
    /// How many there are now, for a feature that is limited at a time
    #[arg(long, value_name = "N", value_parser = number, conflicts_with = "amount")]
    level: Option<u64>,
    /// What was seen, for a feature that counts different ones; only its hash is kept
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["amount", "level"])]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    key: Option<String>,
}

/// Note when the product was first used here: the time without a license begins
///
/// Products note it themselves, at their first use. This is for one that was in use before it
/// asked for licenses, or that is installed by a script.
///
/// The earliest time that was ever given stays.
#[derive(clap::Args)]
pub struct FirstUseArgs {
    #[command(flatten)]
    place: InstallationArgs,
    /// When it was [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<i64>,
}

fn feature(text: &str) -> std::result::Result<String, String> {
    let good = is_feature_id(text).then(|| text.to_string());
    good.ok_or_else(|| "a feature's id is of a-z, 0-9, _, ., : and -, at most 64".into())
}

fn number(text: &str) -> std::result::Result<u64, String> {
    digits(text).ok_or_else(|| "it is a whole number".into())
}

/// Shows what was used.
pub fn usage(args: &UsageArgs) -> Outcome {
    args.place.read(|installation| {
        let standing = Standing::parse(&installation.status(None)?)?;
        match &args.feature {
            Some(feature) => one(installation, &standing, feature),
            None => all(&standing),
        }
    })
}

/// Counts it.
pub fn record(args: &RecordArgs) -> Outcome {
    args.place.write(|installation| {
        let feature = &args.feature;
        let recorded = match (args.level, &args.key) {
            (Some(level), _) => installation.record_level(feature, level),
            (None, Some(key)) => installation.record_key(feature, key),
            (None, None) => installation.record(feature, args.amount.unwrap_or(1)),
        };
        let standing = Standing::parse(&installation.status(None)?)?;
        recorded.map_err(|error| name_option(error, &standing, feature))?;
        one(installation, &standing, feature)
    })
}

/// Begins the time without a license.
pub fn first_use(args: &FirstUseArgs) -> Outcome {
    args.place.write(|installation| {
        installation.first_use(args.at)?;
        let standing = Standing::parse(&installation.status(None)?)?;
        let anchor = standing.anchor.as_ref();
        let at = anchor.map(|anchor| anchor.at);
        let until = anchor.and_then(|anchor| anchor.grace_until);
        let moment = |at: Option<i64>| at.map_or("-".to_string(), |at| both(at, standing.at));
        let notes = match until {
            Some(_) => Vec::new(),
            None => vec![format!(
                "{LOOK}note:{LOOK:#} days without a license begin here where the product has some: \
                 see --set grace_days=N"
            )],
        };
        let mut lines = vec![("First used", moment(at))];
        lines.extend(until.map(|at| ("Works without a license until", moment(Some(at)))));
        let fields = Fields::default().with("first_use", at).with("grace_until", until);
        Ok(Answer { fields, text: rows(&lines), notes })
    })
}

/// How a feature is recorded, in words of the command line.
fn name_option(error: Error, standing: &Standing, feature: &str) -> Error {
    let meter = find(standing, feature).and_then(|it| it.meter.as_deref());
    let how = match (error.code(), meter) {
        (Code::InvalidArgument, Some("count")) => "is counted: give how many, or nothing for one",
        (Code::InvalidArgument, Some("level")) => "is limited at a time: give --level N",
        (Code::InvalidArgument, Some("distinct")) => "counts different ones: give --key TEXT",
        _ => return error,
    };
    Error::new(Code::InvalidArgument, format!("{feature} {how}"))
}

fn find<'a>(standing: &'a Standing, feature: &str) -> Option<&'a Feature> {
    standing.features.iter().find(|it| it.id == feature)
}

/// What a feature has come to.
fn one(installation: &Installation, standing: &Standing, feature: &str) -> Result<Answer> {
    let usage = installation.usage(feature)?;
    let limit = bounded(usage.limit);
    let plain = find(standing, feature).is_some_and(|it| it.meter.is_none());
    let plain =
        plain.then(|| format!("{LOOK}note:{LOOK:#} {feature} is not measured: nothing is counted"));
    let mut lines = vec![
        ("Feature", feature.to_string()),
        ("Used", usage.used.to_string()),
        ("Limit", limit.map_or("none".to_string(), |limit| limit.to_string())),
    ];
    lines.extend(usage.resets_at.map(|at| ("Starts again", both(at, standing.at))));
    let fields = Fields::default()
        .with("feature", feature)
        .with("used", usage.used)
        .with("limit", limit)
        .with("resets_at", usage.resets_at);
    Ok(Answer { fields, text: rows(&lines), notes: plain.into_iter().collect() })
}

/// What every measured feature has come to.
fn all(standing: &Standing) -> Result<Answer> {
    let broken = standing.state.code.as_deref().and_then(Code::from_slug);
    if let Some(code) = broken.filter(|_| standing.license.is_none()) {
        let said = standing.state.message.as_deref().unwrap_or_default();
        let said = match standing.state.is_denied() {
            true => "this user may not read the folder; run it as the product's user".to_string(),
            false => found(said).trim_end_matches('.').to_string(),
        };
        return Err(Error::new(code, said));
    }
    let measured: Vec<&Feature> =
        standing.features.iter().filter(|feature| feature.meter.is_some()).collect();
    let json = |feature: &&Feature| {
        json!({
            "feature": feature.id,
            "used": feature.used,
            "limit": feature.max,
            "resets_at": feature.resets_at,
        })
    };
    let text = match measured.as_slice() {
        [] => "no feature is measured\n".to_string(),
        measured => status_page::table(measured, standing),
    };
    let list: Vec<Value> = measured.iter().map(json).collect();
    Ok(Answer { fields: Fields::default().with("features", list), text, notes: Vec::new() })
}
