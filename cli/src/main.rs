//! `licentia`: what a vendor and an administrator do with licenses by hand.
//!
//! Each command is a file with its arguments and one function from them to an answer; `output`
//! is the only place that prints. Only this program reads the environment by itself.
#![forbid(unsafe_code)]

mod admin_key;
mod advice;
mod agent;
mod apply;
mod args;
mod audit;
mod binding;
mod call;
mod completions;
mod entitlement;
mod explanation;
mod facts;
mod fingerprint;
mod import;
mod input;
mod inspect;
mod issue;
mod key;
mod keys;
mod machine;
mod man;
mod output;
mod product;
mod product_draft;
mod product_file;
mod qr;
mod redeem;
mod request;
mod revocations;
mod rotate_keys;
mod secrecy;
mod serve;
mod server;
mod standing;
mod status;
mod status_page;
mod testkit;
mod testkit_folders;
mod testkit_header;
mod testkit_states;
mod usage;
mod verdict;
mod verify;
mod when;
mod words;

use licentia::{Code, Error};
use std::process::ExitCode;

fn main() -> ExitCode {
    let has =
        |found: &dyn Fn(&str) -> bool| std::env::args_os().any(|arg| found(&arg.to_string_lossy()));
    let json = has(&|arg| arg == "--json");
    // Before anything is done: the arguments of a program are for every user to see.
    if has(&|arg| arg.contains(secrecy::PRIVATE)) {
        let what = "a private key was given as an argument: name its file";
        return output::finish(Err(Error::new(Code::InvalidArgument, what).into()), json);
    }
    match args::Cli::read() {
        Ok(cli) => cli.command.run(cli.json),
        Err(error) => output::usage(&error, json),
    }
}
