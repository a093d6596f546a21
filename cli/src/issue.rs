//! `issue`: sign a license.

use crate::args::{ISSUER, pair, product_code, time, whole};
use crate::binding::{BindingArgs, Bound};
use crate::entitlement::{self, entitlement, feature};
use crate::input::{self, Present};
use crate::key::{default_issuer, deliver};
use crate::keys;
use crate::output::{Fields, LOOK, Outcome};
use crate::secrecy::told;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, ValueEnum};
use licentia::limits::{NOTICE_DAYS_MAX, STAGE_DAYS_MAX};
use licentia::{
    Claims, Code, Customer, Error, Feature, Metadata, Notice, Result, Stage, Stages, issue,
};
use std::path::PathBuf;

const DAY: i64 = 86_400;

/// Sign a license
///
/// Prints it, or writes it to a file, and says on standard error what it binds to. Its end has to
/// be stated: --days, --until or --perpetual. Times without an hour are the first second of the
/// day, in UTC.
#[derive(clap::Args)]
#[command(group(ArgGroup::new("end").args(["days", "until", "perpetual"]).required(true)))]
#[command(group(ArgGroup::new("bind_to").args(["bind_this_machine", "bind"])))]
pub struct Args {
    /// The private key that signs it
    #[arg(long, value_name = "FILE", value_parser = NonEmptyStringValueParser::new())]
    key: String,
    /// The product it is for
    #[arg(long, value_name = "CODE", value_parser = product_code)]
    product: String,
    /// Who issues it, a URL or a name [default: the key's RFC 9278 name,
    /// urn:ietf:params:oauth:jwk-thumbprint:sha-256:KID]
    #[arg(long, env = ISSUER, value_name = "TEXT")]
    issuer: Option<String>,

    /// Who it is for
    #[arg(long, value_name = "NAME", help_heading = "Customer")]
    customer: Option<String>,
    /// Your id of the customer
    #[arg(long, value_name = "ID", help_heading = "Customer")]
    customer_id: Option<String>,
    /// The customer's address
    #[arg(long, value_name = "EMAIL", help_heading = "Customer")]
    customer_email: Option<String>,

    /// A feature that is on; repeatable
    #[arg(long, value_name = "ID", value_parser = feature, help_heading = "What it grants")]
    feature: Vec<Feature>,
    #[arg(long, value_name = "NAME=LIMIT", value_parser = entitlement, help = entitlement::HELP)]
    #[arg(help_heading = "What it grants")]
    entitlement: Vec<Feature>,
    /// How many seats the server gives out
    #[arg(long, value_name = "N", value_parser = count("a whole number of seats"))]
    #[arg(allow_negative_numbers = true, help_heading = "What it grants")]
    seats: Option<u64>,
    /// How many machines the server activates
    #[arg(long, value_name = "N", value_parser = count("a whole number of machines"))]
    #[arg(allow_negative_numbers = true, help_heading = "What it grants")]
    machines: Option<u64>,

    #[command(flatten)]
    dates: Dates,
    #[command(flatten)]
    binding: BindingArgs,
    #[command(flatten)]
    record: Record,

    /// text to paste, or the base64 blob of a .lic file
    #[arg(long, value_enum, default_value = "text", help_heading = "Output")]
    format: Format,
    /// Write it to a new file; - is standard output
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    out: Option<PathBuf>,
    /// Write over the file if it is there
    #[arg(long, requires = "out", help_heading = "Output")]
    force: bool,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Dates")]
struct Dates {
    /// It ends this many days after it begins
    #[arg(long, value_name = "N", value_parser = days(1, STAGE_DAYS_MAX))]
    #[arg(allow_negative_numbers = true)]
    days: Option<u32>,
    /// It ends with the last second before this
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<i64>,
    /// It has no end
    #[arg(long)]
    perpetual: bool,
    /// It begins here [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<i64>,
    /// Everything goes on for this many days after the end [default: 0]
    #[arg(long, value_name = "N", value_parser = days(0, STAGE_DAYS_MAX))]
    #[arg(allow_negative_numbers = true)]
    grace_days: Option<u32>,
    /// After that, what is there can still be read for this many days [default: 0]
    #[arg(long, value_name = "N", value_parser = days(0, STAGE_DAYS_MAX))]
    #[arg(allow_negative_numbers = true)]
    read_only_days: Option<u32>,
    /// Warn this many days before the end
    #[arg(long, value_name = "N", value_parser = days(0, NOTICE_DAYS_MAX))]
    #[arg(allow_negative_numbers = true)]
    notice_days: Option<u32>,
    /// Support ends with the last second before this
    #[arg(long, value_name = "TIME", value_parser = time)]
    support_until: Option<i64>,
    /// The product is to fetch a new token this often
    #[arg(long, value_name = "N", value_parser = days(1, NOTICE_DAYS_MAX))]
    #[arg(allow_negative_numbers = true)]
    refresh_days: Option<u32>,
    /// The token itself is good for this many days, and has to be renewed by then
    #[arg(long, value_name = "N", value_parser = days(0, STAGE_DAYS_MAX))]
    #[arg(allow_negative_numbers = true)]
    token_days: Option<u32>,
    /// Everything goes on for this many days after that [default: 0]
    #[arg(long, value_name = "N", value_parser = days(0, STAGE_DAYS_MAX))]
    #[arg(allow_negative_numbers = true, requires = "token_days")]
    token_grace_days: Option<u32>,
}

#[derive(clap::Args)]
#[command(next_help_heading = "For people")]
struct Record {
    /// What kind of license it is called [default: perpetual or subscription, by its end]
    #[arg(long = "type", value_enum)]
    kind: Option<Type>,
    /// The id of the license that this one renews, which it keeps: it takes the place of that one,
    /// and is withdrawn with it [default: a new id]
    #[arg(long, value_name = "UUID", value_parser = id)]
    id: Option<String>,
    /// The serial number [default: LIC-CODE- and 8 random characters]
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    serial: Option<String>,
    /// The tier, such as Enterprise
    #[arg(long, value_name = "TEXT")]
    tier: Option<String>,
    /// A sentence about it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Whatever else you note: an integer, true, false or text; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Blob,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Type {
    Perpetual,
    Subscription,
    Trial,
    NodeLocked,
    Floating,
}

impl Type {
    fn word(self) -> &'static str {
        match self {
            Type::Perpetual => "perpetual",
            Type::Subscription => "subscription",
            Type::Trial => "trial",
            Type::NodeLocked => "node_locked",
            Type::Floating => "floating",
        }
    }
}

fn days(least: u32, most: u32) -> impl Fn(&str) -> std::result::Result<u32, String> + Clone {
    whole("a whole number of days", u64::from(least), u64::from(most))
}

/// An id as a license has it.
fn id(text: &str) -> std::result::Result<String, String> {
    let good = issue::license_id(text).is_ok() && text.len() == 36;
    good.then(|| text.to_ascii_lowercase())
        .ok_or_else(|| "it is a license's id, a UUID: `licentia inspect` shows it".into())
}

fn count(what: &'static str) -> impl Fn(&str) -> std::result::Result<u64, String> + Clone {
    whole(what, 0, licentia::json::INTEGER_MAX)
}

/// Signs a license.
pub fn run(args: &Args) -> Outcome {
    input::one_stdin(args.binding.files().chain([args.key.as_str()]))?;
    let key = keys::secret(&args.key)?;
    let issuer = args.issuer.clone().unwrap_or_else(|| default_issuer(key.public()));
    let mut claims = issue::draft(&issuer, &args.product, issue::now())?;
    args.fill(&mut claims)?;
    let Bound { binding, mut notes, json } = args.binding.bind(&args.product)?;
    claims.license.binding = binding;
    if args.record.kind == Some(Type::NodeLocked) && claims.license.binding.is_none() {
        let what = "a node_locked license needs --bind-this-machine or another --bind…";
        return Err(refuse(what).into());
    }
    let token = issue::sign(&key, &claims).map_err(as_argument)?;
    let license = match args.format {
        Format::Text => token,
        Format::Blob => STANDARD.encode(token + "\n"),
    };
    let serial = claims.license.serial.as_deref().unwrap_or_default();
    notes.insert(0, format!("license {serial}, id {}", claims.license.id));
    if claims.license.valid_until.is_some_and(|until| until <= claims.iat) {
        let lasts = claims.license.stages.as_ref().is_some_and(|it| it.ended.is_some());
        let but = if lasts { ", and what is left is what its stages leave" } else { "" };
        notes.push(format!("{LOOK}note:{LOOK:#} this license has already ended{but}"));
    }
    if args.is_bare() {
        notes
            .push(format!("{LOOK}note:{LOOK:#} this license grants nothing and names no customer"));
    }
    let fields = Fields::default()
        .with("license", license.as_str())
        .with("kid", key.public().kid())
        .with("serial", claims.license.serial.clone())
        .with("id", claims.license.id.as_str())
        .with("bound_to", json)
        .with("claims", serde_json::to_value(&claims).unwrap_or_default());
    let present = Present::forced(args.force);
    let mut answer = deliver(&license, args.out.as_deref(), present, fields)?;
    answer.notes.splice(0..0, notes);
    Ok(answer)
}

pub fn refuse(what: &str) -> Error {
    Error::new(Code::InvalidArgument, what)
}

/// What would be a malformed license is, before it is signed, an argument to correct.
pub fn as_argument(error: Error) -> Error {
    match error.code() {
        Code::Malformed | Code::TooLarge => refuse(error.detail()),
        _ => error,
    }
}

impl Args {
    /// Whether it says neither what is granted nor to whom.
    fn is_bare(&self) -> bool {
        let grants = !self.feature.is_empty() || !self.entitlement.is_empty();
        let counts = self.seats.is_some() || self.machines.is_some();
        let names = [&self.customer, &self.customer_id, &self.customer_email];
        !grants && !counts && names.iter().all(|name| name.is_none())
    }

    /// Everything but the binding.
    fn fill(&self, claims: &mut Claims) -> Result<()> {
        claims.sub = self.customer_id.clone();
        self.dates.fill(claims)?;
        let license = &mut claims.license;
        let default = if self.dates.perpetual { Type::Perpetual } else { Type::Subscription };
        license.kind = self.record.kind.unwrap_or(default).word().to_string();
        if self.customer.is_some() || self.customer_email.is_some() {
            let (name, email) = (self.customer.clone(), self.customer_email.clone());
            license.customer = Some(Customer { name, email, ..Customer::default() });
        }
        license.features = self.feature.iter().chain(&self.entitlement).cloned().collect();
        license.seats = self.seats;
        license.machines = self.machines;
        if let Some(id) = &self.record.id {
            license.id = id.clone();
        }
        if let Some(serial) = &self.record.serial {
            license.serial = Some(serial.clone());
        }
        license.tier = self.record.tier.clone();
        license.description = self.record.description.clone();
        for (name, value) in &self.record.metadata {
            let all = license.metadata.get_or_insert_default();
            if all.insert(name.clone(), metadata(value)).is_some() {
                return Err(refuse(&format!("the metadata {} is given twice", told(name))));
            }
        }
        Ok(())
    }
}

/// An integer or a boolean where it is written as JSON would write it; else text.
fn metadata(value: &str) -> Metadata {
    match (value, value.parse::<i64>()) {
        ("true", _) => Metadata::Flag(true),
        ("false", _) => Metadata::Flag(false),
        (_, Ok(number))
            if number.to_string() == value
                && number.unsigned_abs() <= licentia::json::INTEGER_MAX =>
        {
            Metadata::Integer(number)
        }
        _ => Metadata::Text(value.to_string()),
    }
}

impl Dates {
    fn fill(&self, claims: &mut Claims) -> Result<()> {
        let after = |start: i64, days: u32| start.saturating_add(i64::from(days) * DAY);
        claims.exp = self.token_days.map(|days| after(claims.iat, days));
        let license = &mut claims.license;
        license.valid_from = self.from.unwrap_or(claims.iat);
        license.valid_until = self.days.map(|days| after(license.valid_from, days)).or(self.until);
        if license.valid_until.is_some_and(|until| until <= license.valid_from) {
            return Err(refuse("the license would end before it begins"));
        }
        license.support_until = self.support_until;
        license.refresh_days = self.refresh_days;
        license.notice =
            self.notice_days.map(|days| Notice { license: Some(days), ..Notice::default() });
        let stage = |days: &Option<u32>| {
            days.filter(|days| *days > 0).map(|days| Stage { deny: Some(days), ..Stage::default() })
        };
        let ended = match (self.grace_days.unwrap_or(0), self.read_only_days.unwrap_or(0)) {
            (_, 0) => stage(&self.grace_days),
            (grace, read) => Some(Stage {
                read_only: Some(grace),
                deny: Some(grace.saturating_add(read)),
                ..Stage::default()
            }),
        };
        let stages = Stages { ended, overdue: stage(&self.token_grace_days), suspended: None };
        license.stages = (stages != Stages::default()).then_some(stages);
        Ok(())
    }
}
