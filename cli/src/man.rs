//! `man`: the manual.

use crate::args::Cli;
use crate::output::{Answer, Fields, Outcome, show};
use clap::CommandFactory;
use clap_mangen::Man;
use licentia::{Code, Error};
use std::path::PathBuf;

/// Print the manual page, or write the pages of every command to a folder
#[derive(clap::Args)]
pub struct Args {
    /// The folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Writes it.
pub fn run(args: &Args) -> Outcome {
    let failed = |error: std::io::Error| Error::new(Code::Io, format!("the manual: {error}"));
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), folder).map_err(failed)?;
        let name = folder.display().to_string();
        let notes = vec![format!("written to {}", show(&name))];
        return Ok(Answer {
            fields: Fields::default().with("folder", name),
            text: String::new(),
            notes,
        });
    }
    let mut page = Vec::new();
    Man::new(Cli::command()).render(&mut page).map_err(failed)?;
    let text = String::from_utf8_lossy(&page).into_owned();
    let fields = Fields::default().with("page", text.as_str());
    Ok(Answer { fields, text, notes: Vec::new() })
}
