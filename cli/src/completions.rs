//! `completions`: what a shell needs to complete our commands.

use crate::args::Cli;
use crate::output::{Answer, Fields, Outcome};
use clap::CommandFactory;
use clap_complete::Shell;
use licentia::{Code, Error};

/// Print the completions of a shell, to be put where it looks for them
#[derive(clap::Args)]
pub struct Args {
    #[arg(value_enum)]
    shell: Shell,
}

/// Writes them.
pub fn run(args: &Args) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "licentia", &mut script);
    let text = String::from_utf8(script)
        .map_err(|_| Error::new(Code::Internal, "the completions are not UTF-8"))?;
    let fields = Fields::default().with("completions", text.as_str());
    Ok(Answer { fields, text, notes: Vec::new() })
}
