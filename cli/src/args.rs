//! The commands, and the values that several of them take.

use crate::output::{finish, tell};
use crate::{
    agent, apply, call, completions, fingerprint, inspect, issue, key, man, product_file, redeem,
    request, revocations, serve, server, testkit, usage, verdict, verify,
};
use clap::builder::Resettable;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use licentia::limits::TIME_MAX;
use licentia::machine::Kind;
use std::process::ExitCode;

/// Make keys, issue licenses, verify them, and tend the installations that use them.
///
/// Exit status: 0 good, 1 refused or not in force, 2 wrong usage, 3 something could not be read or
/// written. Results go to standard output, messages to standard error. `-` as a file is standard
/// input, or standard output with `--out`.
#[derive(Parser)]
#[command(name = "licentia", version, max_term_width = 100)]
pub struct Cli {
    /// Print one JSON object, with the word for what happened in `code`
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

/// The variable that says who issues.
pub const ISSUER: &str = "LICENTIA_ISSUER";

impl Cli {
    /// Reads the arguments. A variable that is set to nothing is one that is not set.
    pub fn read() -> Result<Cli, clap::Error> {
        let mut command = unset(Cli::command());
        let matches = command.try_get_matches_from_mut(std::env::args_os())?;
        Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

/// A command, and all below it, without the variables that are set to nothing.
fn unset(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| {
        let value = arg.get_env().and_then(std::env::var_os);
        match value.is_some_and(|value| value.is_empty()) {
            true => arg.env(Resettable::Reset),
            false => arg,
        }
    });
    command.mut_subcommands(unset)
}

#[derive(Subcommand)]
pub enum Command {
    #[command(subcommand)]
    Key(key::Command),
    Issue(Box<issue::Args>),
    Redeem(redeem::Args),
    Revocations(revocations::Args),
    #[command(subcommand)]
    Product(product_file::Command),
    Verify(verify::Args),
    Inspect(inspect::Args),
    Fingerprint(fingerprint::Args),
    Status(verdict::StatusArgs),
    Simulate(verdict::SimulateArgs),
    Explain(verdict::ExplainArgs),
    Request(request::Args),
    Apply(apply::ApplyArgs),
    Sync(call::SyncArgs),
    Activate(call::ActivateArgs),
    Call(call::CallArgs),
    Remove(apply::RemoveArgs),
    Usage(usage::UsageArgs),
    Record(usage::RecordArgs),
    FirstUse(usage::FirstUseArgs),
    Testkit(testkit::Args),
    Agent(agent::Args),
    Serve(Box<serve::Args>),
    #[command(subcommand)]
    Server(server::Command),
    Completions(completions::Args),
    Man(man::Args),
}

impl Command {
    /// Does it, prints what it comes to, and gives the exit status.
    pub fn run(self, json: bool) -> ExitCode {
        let outcome = match self {
            Command::Key(command) => command.run(),
            Command::Issue(args) => issue::run(&args),
            Command::Redeem(args) => redeem::run(&args),
            Command::Revocations(args) => revocations::run(&args),
            Command::Product(command) => command.run(),
            Command::Verify(args) => verify::run(&args),
            Command::Inspect(args) => inspect::run(&args),
            Command::Fingerprint(args) => fingerprint::run(&args),
            Command::Status(args) => return tell(verdict::status(&args), json),
            Command::Simulate(args) => return tell(verdict::simulate(&args), json),
            Command::Explain(args) => return tell(verdict::explain(&args), json),
            Command::Request(args) => request::run(&args),
            Command::Apply(args) => apply::apply(&args),
            Command::Sync(args) => call::sync(&args),
            Command::Activate(args) => call::activate(&args),
            Command::Call(args) => call::call(&args),
            Command::Remove(args) => apply::remove(&args),
            Command::Usage(args) => usage::usage(&args),
            Command::Record(args) => usage::record(&args),
            Command::FirstUse(args) => usage::first_use(&args),
            Command::Testkit(args) => testkit::run(&args),
            Command::Agent(args) => return agent::run(&args, json),
            Command::Serve(args) => return serve::run(&args, json),
            Command::Server(command) => command.run(),
            Command::Completions(args) => completions::run(&args),
            Command::Man(args) => man::run(&args),
        };
        finish(outcome, json)
    }
}

/// A product code: a wrong one is wrong usage, before a file is read.
pub fn product_code(text: &str) -> Result<String, String> {
    let good = licentia::is_product_code(text).then(|| text.to_string());
    good.ok_or_else(|| "a product code is of a-z, 0-9 and -".into())
}

/// The name of a key, the thumbprint of RFC 7638. Every 64th begins with a `-`: who takes one says
/// `allow_hyphen_values`, and what is an option after all is told from it here.
pub fn key_name(text: &str) -> Result<String, String> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    match text.len() == 43 && text.bytes().all(good) {
        true => Ok(text.to_string()),
        false => Err("the name of a key has 43 characters: licentia key show tells it".into()),
    }
}

/// A time, in seconds since 1970.
pub fn time(text: &str) -> Result<i64, String> {
    licentia::parse_time(text)
        .filter(|at| (0..=TIME_MAX).contains(at))
        .ok_or_else(|| "a time is 2026-12-31, 2026-12-31T10:30:00Z or seconds since 1970".into())
}

/// Digits and nothing else: `+5` would be read as a number too.
pub fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = if plain { text.parse().ok()? } else { return None };
    (number <= licentia::json::INTEGER_MAX).then_some(number)
}

/// `what`, such as `a whole number of days`, from `least` to `most`, or a sentence that says so.
pub fn whole<T: TryFrom<u64>>(
    what: &'static str,
    least: u64,
    most: u64,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = digits(text).filter(|number| (least..=most).contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| format!("{what}, {least} to {most}"))
    }
}

/// A kind of part of a machine.
pub fn kind(text: &str) -> Result<Kind, String> {
    Kind::from_word(text).ok_or_else(|| {
        let words: Vec<_> = Kind::ALL.iter().map(|kind| kind.word()).collect();
        format!("the kinds are {}", words.join(", "))
    })
}

/// `NAME=VALUE`, split at the first `=`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_string(), value.to_string())),
        _ => Err("it is written NAME=VALUE".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_finds_no_fault_with_the_commands() {
        Cli::command().debug_assert();
    }
}
