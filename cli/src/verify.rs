//! `verify`: whether a license is good, here and now or as it is told to look.

use crate::args::{pair, product_code, time};
use crate::facts;
use crate::input::{self, TOKEN_BYTES};
use crate::keys;
use crate::machine::MachineArgs;
use crate::output::{Answer, Failure, GOOD, Outcome};
use crate::secrecy;
use clap::builder::NonEmptyStringValueParser;
use licentia::{Code, Error, Product, Result, issue, rfc3339};

/// Check a license as a product would: signature, product, dates, machine
///
/// Says who it is for, until when, and what it allows; or, with the exit status 1, why it is
/// refused.
#[derive(clap::Args)]
pub struct Args {
    /// The keys that are trusted: a file or the text, in any form; repeatable, a signed set after
    /// its root
    #[arg(long, required = true, value_name = "KEYS")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    keys: Vec<String>,
    /// The product that asks
    #[arg(long, value_name = "CODE", value_parser = product_code)]
    product: String,
    /// Check it as of this time [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<i64>,
    #[command(flatten)]
    machine: MachineArgs,
    /// A setting of the product, as in docs/settings.md; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// The license, in any form
    #[arg(value_name = "FILE")]
    file: String,
}

/// Checks a license.
pub fn run(args: &Args) -> Outcome {
    let machine = args.machine.machine.iter();
    input::one_stdin(args.keys.iter().chain(machine).chain([&args.file]).map(String::as_str))?;
    let product = args.product()?;
    let data = input::document(&args.file, TOKEN_BYTES)?;
    let now = product.fixed_clock().unwrap_or_else(issue::now);
    match product.verify(&data) {
        Ok(license) => Ok(Answer {
            text: format!(
                "{GOOD}valid{GOOD:#}: the license is good{}\n{}",
                args.circumstances(&product, license.claims().iat),
                facts::text(&product, &license, now)
            ),
            fields: facts::fields(&product, &license, now),
            notes: Vec::new(),
        }),
        Err(error) => {
            // Refused for its dates or its place, it can still be told from another.
            let known = product.inspect(&data).ok();
            let fields = known.map(|license| facts::fields(&product, &license, now));
            Err(Failure { fields: fields.unwrap_or_default(), ..Failure::from(error) })
        }
    }
}

impl Args {
    /// When and where it is good. No license is looked at as of a time before it was signed.
    fn circumstances(&self, product: &Product, signed: i64) -> String {
        let set = |name: &str| self.set.iter().any(|(it, value)| it == name && !value.is_empty());
        let elsewhere = self.machine.machine.is_some()
            || self.machine.machine_root.is_some()
            || ["machine", "machine_file", "machine_root"].into_iter().any(set);
        let place = if elsewhere { "on the machine that was given" } else { "here" };
        match product.fixed_clock() {
            None if elsewhere => format!(" now, {place}"),
            None => ", here and now".to_string(),
            Some(at) if at < signed => {
                format!(" on {}, when it was signed, {place}", rfc3339(signed))
            }
            Some(at) => format!(" on {}, {place}", rfc3339(at)),
        }
    }

    fn product(&self) -> Result<Product> {
        let mut product = keys::product(&self.product, &self.keys)?;
        if let Some(identity) = self.machine.identity(&self.product)? {
            product.set("machine", &identity)?;
        }
        if let Some(root) = self.machine.root()? {
            let utf8 = || Error::new(Code::InvalidArgument, "--machine-root is not UTF-8");
            product.set("machine_root", root.to_str().ok_or_else(utf8)?)?;
        }
        let kinds: Vec<&str> = self.machine.exclude.iter().map(|kind| kind.word()).collect();
        product.set("machine_exclude", &kinds.join(","))?;
        for (name, value) in &self.set {
            if secrecy::may_be_key(name) {
                return Err(Error::new(Code::InvalidArgument, "there is no setting of that name"));
            }
            product.set(name, value)?;
        }
        if let Some(at) = self.at {
            product.set("clock", &at.to_string())?;
        }
        Ok(product)
    }
}
