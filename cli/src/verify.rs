//! `verify`: whether a license is good, here and now or as it is told to look.

use crate::args::time;
use crate::facts;
use crate::input::{self, TOKEN_BYTES};
use crate::output::{Answer, Failure, GOOD, Outcome};
use crate::product::ProductArgs;
use licentia::{Product, issue, rfc3339};

/// Check a license as a product would: signature, product, dates, machine
///
/// Says who it is for, until when, and what it allows; or, with the exit status 1, why it is
/// refused.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    product: ProductArgs,
    /// Check it as of this time [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<i64>,
    /// The license, in any form
    #[arg(value_name = "FILE")]
    file: String,
}

/// Checks a license.
pub fn run(args: &Args) -> Outcome {
    input::one_stdin(args.product.inputs().chain([args.file.as_str()]))?;
    let mut product = args.product.product(|_| true)?;
    if let Some(at) = args.at {
        product.set("clock", &at.to_string())?;
    }
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
        let ProductArgs { machine, set, .. } = &self.product;
        let set = |name: &str| set.iter().any(|(it, value)| it == name && !value.is_empty());
        let elsewhere = machine.machine.is_some()
            || machine.machine_root.is_some()
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
}
