//! `licentia`: what a vendor and an administrator do with licenses by hand.
//!
//! Each command is a file with its arguments and one function from them to an answer; `output`
//! is the only place that prints. Only this program reads the environment.
#![forbid(unsafe_code)]

mod args;
mod completions;
mod entitlement;
mod facts;
mod fingerprint;
mod input;
mod inspect;
mod issue;
mod key;
mod keys;
mod machine;
mod man;
mod output;
mod status;
mod verify;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match args::Cli::try_parse() {
        Ok(cli) => output::finish(cli.command.run(), cli.json),
        Err(error) => output::usage(&error, std::env::args_os().any(|arg| arg == "--json")),
    }
}
