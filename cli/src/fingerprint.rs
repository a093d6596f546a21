//! `fingerprint`: what identifies this machine.

use crate::args::product_code;
use crate::input::{self, Present, STDOUT};
use crate::machine::{self, MachineArgs};
use crate::output::{Answer, LOOK, Outcome, show};
use licentia::Code;
use licentia::machine::{Binding, Options, Report};
use std::path::{Path, PathBuf};

/// Show what identifies this machine, and which parts of it a license would bind to
///
/// Nothing that is shown can be turned back into a serial number: the hashes are keyed with the
/// product code. `--json` or `--out` gives the report that `issue --bind` takes.
#[derive(clap::Args)]
pub struct Args {
    /// The product whose licenses are to be bound
    #[arg(long, value_name = "CODE", value_parser = product_code)]
    product: String,
    #[command(flatten)]
    machine: MachineArgs,
    /// Write the report to a new file, to be sent to the vendor; - is standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over the file if it is there
    #[arg(long, requires = "out")]
    force: bool,
}

/// Reads the machine.
pub fn run(args: &Args) -> Outcome {
    let report = args.machine.report(&args.product)?;
    let mut answer = Answer {
        fields: machine::fields(&report),
        text: machine::table(&report),
        notes: warning(&report).into_iter().collect(),
    };
    let json = report.to_json() + "\n";
    if args.out.as_deref() == Some(Path::new(STDOUT)) {
        answer.text = json;
    } else if let Some(path) = &args.out {
        input::write(path, &json, Present::forced(args.force))?;
        answer.notes.push(format!("written to {}", show(&path.display().to_string())));
    }
    Ok(answer)
}

/// What to do where `issue` would refuse to bind a license to this machine.
fn warning(report: &Report) -> Option<String> {
    let bound = Binding::bind(report, report.product(), &Options::default());
    let weak = bound.is_err_and(|error| error.code() == Code::WeakBinding);
    let what = "too little here to bind a license to: give the machine an identity in a file, \
                with --machine";
    weak.then(|| format!("{LOOK}note:{LOOK:#} {what}"))
}
