//! `sync`, `activate` and `call`: asks the vendor's license server now, and applies what it says.

use crate::apply::change;
use crate::input;
use crate::output::{Fields, Outcome};
use crate::product::InstallationArgs;
use crate::request::What;
use clap::builder::NonEmptyStringValueParser;
use licentia::{Code, Installation, Result};
use zeroize::Zeroizing;

/// Bytes of an argument that is read.
const ARGUMENT_MAX: usize = 1_024;

/// How the license server is reached.
#[derive(clap::Args)]
struct NetworkArgs {
    /// The vendor's license servers, with commas between, in the place of those of the product
    #[arg(long, env = "LICENTIA_SERVER", value_name = "URL", hide_env_values = true)]
    server: Option<String>,
    /// Certificates in PEM to trust besides those of the system
    #[arg(long, env = "LICENTIA_SERVER_CA", value_name = "FILE", hide_env_values = true)]
    server_ca: Option<String>,
    /// The proxy, or `none` [default: that of the environment]. One with a password comes from the
    /// variable: arguments are for every user of this machine to see
    #[arg(long, env = "LICENTIA_PROXY", value_name = "URL", hide_env_values = true)]
    proxy: Option<String>,
    /// How long it may take in all, in seconds [default: 30]
    #[arg(long, env = "LICENTIA_SERVER_TIMEOUT", value_name = "SECONDS", hide_env_values = true)]
    server_timeout: Option<String>,
}

impl NetworkArgs {
    /// Sets what was given: it counts before `--set`.
    fn set(&self, installation: &mut Installation) -> Result<()> {
        for (name, value) in [
            ("server", &self.server),
            ("server_ca", &self.server_ca),
            ("proxy", &self.proxy),
            ("server_timeout", &self.server_timeout),
        ] {
            value.as_ref().map_or(Ok(()), |value| installation.set(name, value))?;
        }
        Ok(())
    }
}

/// The installation that asks, and whom.
#[derive(clap::Args)]
struct Line {
    #[command(flatten)]
    place: InstallationArgs,
    #[command(flatten)]
    network: NetworkArgs,
}

/// Report to the vendor's license server what was used, and apply what it says
///
/// A newer license, the newest keys and the list of withdrawn licenses come with it. Where the
/// server cannot be reached, nothing is lost, and the license goes on.
#[derive(clap::Args)]
pub struct SyncArgs {
    #[command(flatten)]
    line: Line,
}

/// Activate a license key with the vendor's license server
///
/// The license for this machine is applied.
#[derive(clap::Args)]
pub struct ActivateArgs {
    #[command(flatten)]
    line: Line,
    /// The license key; - is standard input, where no other user of this machine sees it
    #[arg(value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    key: String,
}

/// Ask the vendor's license server for something, and apply what it says
///
/// What `request` writes goes to the server, and what `redeem` writes comes back.
#[derive(clap::Args)]
pub struct CallArgs {
    #[command(flatten)]
    line: Line,
    /// What to ask for
    #[arg(value_enum)]
    what: What,
    /// What to say with it: the license key of an activation, who has a seat, DAYS and who borrows;
    /// - is standard input
    argument: Option<String>,
}

/// Reports, and applies what is said.
pub fn sync(args: &SyncArgs) -> Outcome {
    args.line.call(What::Sync, None)
}

/// Activates a license key.
pub fn activate(args: &ActivateArgs) -> Outcome {
    args.line.call(What::Activation, Some(&args.key))
}

/// Asks for anything.
pub fn call(args: &CallArgs) -> Outcome {
    args.line.call(args.what, args.argument.as_deref())
}

impl Line {
    fn call(&self, what: What, argument: Option<&str>) -> Outcome {
        input::one_stdin(self.place.product.inputs().chain(argument))?;
        let read = match argument {
            Some(input::STDIN) => {
                Some(input::read_text(input::STDIN, ARGUMENT_MAX, Code::InvalidArgument)?)
            }
            other => other.map(|text| Zeroizing::new(text.to_string())),
        };
        let word = what.word();
        let ask = |installation: &Installation| {
            let fields = Fields::default().with("called", word);
            change(installation, &format!("asked the server: {word}"), fields, || {
                installation.call(word, read.as_deref().map(|text| text.trim()))
            })
        };
        self.place.connected(|installation| self.network.set(installation), ask)
    }
}
