//! `request`: a text for the vendor.

use crate::output::{Fields, LOOK, Outcome};
use crate::product::InstallationArgs;
use crate::qr::Output;
use crate::standing::Standing;
use clap::ValueEnum;

/// Print a text to send to the vendor, who answers with a file for `apply`
///
/// It says which product, installation and machine ask, and nothing that can be turned back into a
/// serial number: `licentia inspect` shows all of it. That for an activation has the license key in
/// it. It is signed with a key of this installation.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: InstallationArgs,
    /// What to ask for
    #[arg(value_enum, default_value_t = What::License)]
    what: What,
    /// What to say with it: the license key of an activation, who has a seat, DAYS and who borrows
    #[arg(long, value_name = "TEXT")]
    argument: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// What a vendor can be asked for.
#[derive(Clone, Copy, ValueEnum)]
pub enum What {
    /// A license for this installation
    License,
    /// A newer token of the license in use
    Renewal,
    /// The license that a license key stands for: the key is the argument. Without one, this
    /// machine for the license in use
    Activation,
    /// This machine to be free of the license in use
    Deactivation,
    /// An end to a time that never was, after a clock was wrongly ahead
    Clock,
    /// What the vendor's server says of the license, for what was used
    Sync,
    /// A seat for the holder that is the argument
    Seat,
    /// The same for days without the server: "30 ann"
    Borrow,
    /// To take back the seat of the holder that is the argument
    Release,
    /// The newest keys of the product; with a license key as the argument, also before there is a
    /// license
    Keys,
    /// The newest list of withdrawn licenses
    Revocations,
}

impl What {
    /// The word of the library.
    pub fn word(self) -> &'static str {
        match self {
            What::License => "license",
            What::Renewal => "renewal",
            What::Activation => "activation",
            What::Clock => "clock",
            What::Sync => "sync",
            What::Deactivation => "deactivation",
            What::Seat => "seat",
            What::Borrow => "borrow",
            What::Release => "release",
            What::Keys => "keys",
            What::Revocations => "revocations",
        }
    }
}

/// Writes it.
pub fn run(args: &Args) -> Outcome {
    let what = args.what.word();
    let (text, standing) = args.place.write(|it| {
        let text = it.request(what, args.argument.as_deref())?;
        Ok((text, Standing::parse(&it.status(None)?)?))
    })?;
    let fields = Fields::default().with("what", what).with("request", text.as_str());
    let mut given = args.output.give(&text, fields)?;
    if matches!(args.what, What::Clock) && !standing.time.suspect {
        let what = "the clock is not behind a time that was seen: no reset is needed";
        given.notes.push(format!("{LOOK}note:{LOOK:#} {what}"));
    }
    Ok(given)
}
