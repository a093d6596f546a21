//! `request`: a text for the vendor.

use crate::input::{self, Present, STDOUT};
use crate::output::{Answer, Fields, Outcome, show};
use crate::product::InstallationArgs;
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// Print a text to send to the vendor, who answers with a file for `apply`
///
/// It says which product, installation and machine ask, and nothing that can be turned back into a
/// serial number: `licentia inspect` shows all of it.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: InstallationArgs,
    /// What to ask for
    #[arg(value_enum, default_value_t = What::License)]
    what: What,
    /// What the vendor told you to say with it
    #[arg(long, value_name = "TEXT")]
    argument: Option<String>,
    /// Write it to a new file, as an image if the name ends with .svg or .png; - is standard
    /// output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Draw it as a QR code
    #[arg(long)]
    qr: bool,
    /// Write over the file if it is there
    #[arg(long, requires = "out")]
    force: bool,
}

/// What a vendor can be asked for.
#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// A license for this installation
    License,
    /// A code that clears a time that never was, after a clock was wrongly ahead
    Clock,
    /// An answer as from the vendor's server, where it cannot be reached
    Sync,
}

impl What {
    /// The word of the library.
    fn word(self) -> &'static str {
        match self {
            What::License => "license",
            What::Clock => "clock",
            What::Sync => "sync",
        }
    }
}

/// Writes it.
pub fn run(args: &Args) -> Outcome {
    let what = args.what.word();
    let text = args.place.write(|it| it.request(what, args.argument.as_deref()))?;
    let fields = Fields::default().with("what", what).with("request", text.as_str());
    let mut answer = Answer { fields, text: format!("{text}\n"), notes: Vec::new() };
    if let Some(path) = args.out.as_deref().filter(|path| *path != Path::new(STDOUT)) {
        input::write(path, &answer.text, Present::forced(args.force))?;
        answer.text.clear();
        answer.notes.push(format!("written to {}", show(&path.display().to_string())));
    }
    Ok(answer)
}
