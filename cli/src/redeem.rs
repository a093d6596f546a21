//! `redeem`: the vendor's answer to a request, by a key for what needs no record, and by the
//! database of the license server for the rest.

use crate::args::{ISSUER, time};
use crate::input;
use crate::key::default_issuer;
use crate::keys;
use crate::output::{Failure, Fields, Outcome, Told, show};
use crate::qr::Output;
use crate::serve::master_key;
use crate::server::{Place, failure};
use clap::builder::NonEmptyStringValueParser;
use licentia::issue::{Request, read_request, sign_clock_reset};
use licentia::limits::{COAT_FACTOR, REQUEST_MAX};
use licentia::peek::peek;
use licentia::{Code, Error, Result, issue, rfc3339};
use licentia_server::api::{Origin, Server};
use licentia_server::clock::Clock;
use licentia_server::config::Config;
use licentia_server::error as server;
use licentia_server::requests::{self, Answered};
use licentia_server::{master_key as master, upkeep};
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes of a request in any state of repair.
const REQUEST_BYTES: usize = REQUEST_MAX * COAT_FACTOR;

/// A time that is further ahead is a slip more often than not, and cannot be taken back.
const AHEAD_MAX: i64 = 86_400;

/// Answer a customer's request
///
/// With --data or --database, as the license server of that database would: an activation, a
/// renewal, a deactivation, a report, a seat, the newest keys, the newest list of withdrawn
/// licenses. What it notes is noted, and the servers may go on meanwhile. With --key, without any
/// record: what time it is, for an installation whose clock was once wrongly ahead; a request for a
/// license is then answered by `licentia issue --bind REQUEST`.
/// The answer, for `licentia apply` or wherever the product takes licenses, is good once, and
/// there only.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("by").required(true).args(["key", "data", "database"]))]
pub struct Args {
    /// The private key that signs the answer, with the role `server`
    #[arg(long, value_name = "FILE", value_parser = NonEmptyStringValueParser::new())]
    key: Option<String>,
    /// The folder of the license server, with its database
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The PostgreSQL database of the license server: postgres://USER@HOST/NAME. A password in it
    /// is for every user of this machine to see: use ~/.pgpass
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The file with the server's master key [default: master.key in the data folder]
    #[arg(long, env = "LICENTIA_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// What time it is [default: what the clock of this machine says]
    #[arg(long, value_name = "TIME", value_parser = time, requires = "key")]
    server_time: Option<i64>,
    /// Sign it even if it is more than a day ahead of this machine: the installation will never
    /// again take it to be earlier
    #[arg(long, requires = "server_time")]
    allow_future: bool,
    /// Who signs it, a URL or a name [default: the key's RFC 9278 name; the server knows its own]
    #[arg(long, env = ISSUER, value_name = "TEXT")]
    issuer: Option<String>,
    #[command(flatten)]
    output: Output,
    /// The request, as the customer sent it
    #[arg(value_name = "REQUEST")]
    file: String,
}

/// Signs the answer.
pub fn run(args: &Args) -> Outcome {
    match &args.key {
        Some(key) => by_key(args, key),
        None => {
            let data = input::document(&args.file, REQUEST_BYTES)?;
            is_no_document(&data)?;
            // What is wrong with the text is said as of any other.
            read_request(&data)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| Error::new(Code::Io, error.to_string()))?;
            by_server(args, &runtime.block_on(redeemed(args, &data))?)
        }
    }
}

/// What the server of a database answers.
async fn redeemed(args: &Args, data: &[u8]) -> Told<Answered> {
    let place = Place::at(args.data.clone(), args.database.clone());
    let master_key = master_key(args.master_key_file.as_ref())?;
    let config = Config { master_key, ..place.config()? };
    let store = place.open().await?;
    let answer = async {
        let vault = master::open_existing(&config, &store).await?;
        let server = Arc::new(Server::new(store.clone(), vault, Clock::default()));
        upkeep::keep(&server, false).await?;
        let request = requests::read(data)?;
        let digest = String::new();
        let origin = Origin { digest, ..Origin::default() };
        let answered = requests::answer(&server, request, &origin).await?;
        upkeep::keep(&server, true).await?;
        Ok(answered)
    };
    let answered = answer.await;
    store.close().await;
    answered.map_err(refused)
}

/// What the server refuses is refused, and not a fault.
fn refused(error: server::Error) -> Failure {
    use server::Code as Server;
    let code = match error.code() {
        Server::BadSignature => Code::BadSignature,
        Server::WrongMachine => Code::WrongMachine,
        Server::NotFound
        | Server::NoMachine
        | Server::NoSeat
        | Server::NoTransfer
        | Server::Conflict
        | Server::Revoked
        | Server::Suspended
        | Server::Expired => Code::Refused,
        _ => return failure(error),
    };
    Failure { remedy: Some(""), ..Error::new(code, error.detail()).into() }
}

fn by_server(args: &Args, answered: &Answered) -> Outcome {
    let status = answered.status.map(licentia::issue::IssuerStatus::word);
    let fields = Fields::default()
        .with("what", answered.what.as_str())
        .with("license", answered.license.to_string())
        .with("activation", answered.activation.map(|id| id.to_string()))
        .with("status", status)
        .with("message", answered.message.as_deref())
        .with("answer", answered.answer.as_str());
    let mut given = args.output.give(&answered.answer, fields)?;
    let is = status.map(|status| format!(": {status}")).unwrap_or_default();
    given.notes.insert(0, format!("{}, license {}{is}", show(&answered.what), answered.license));
    if let Some(message) = &answered.message {
        given.notes.insert(1, show(message));
    }
    Ok(given)
}

fn by_key(args: &Args, key: &str) -> Outcome {
    input::one_stdin([key, args.file.as_str()])?;
    let data = input::document(&args.file, REQUEST_BYTES)?;
    is_no_document(&data)?;
    let request = read_request(&data)?;
    is_answered_here(&request)?;
    let now = issue::now();
    let at = args.server_time.unwrap_or(now);
    if at.saturating_sub(now) > AHEAD_MAX && !args.allow_future {
        let what = format!("--server-time {} is in the future: see --allow-future", rfc3339(at));
        return Err(Error::new(Code::InvalidArgument, what).into());
    }
    let key = keys::secret(key)?;
    let issuer = args.issuer.clone().unwrap_or_else(|| default_issuer(key.public()));
    let answer = sign_clock_reset(&key, &request, &issuer, now, at)?;
    let fields = Fields::default()
        .with("what", request.what.as_str())
        .with("product", request.product.as_str())
        .with("installation", request.installation.as_str())
        .with("server_time", at)
        .with("kid", key.public().kid())
        .with("answer", answer.as_str());
    let mut given = args.output.give(&answer, fields)?;
    let (product, installation) = (show(&request.product), show(&request.installation));
    let to = format!("for {product}, installation {installation}: it is {}", rfc3339(at));
    given.notes.insert(0, to);
    Ok(given)
}

/// Fails for what a vendor signed, where a request belongs.
pub fn is_no_document(data: &[u8]) -> Result<()> {
    match peek(data).ok().and_then(|seen| seen.kind) {
        Some(kind) => {
            let what = format!("it is a {}, and not what a customer sends", kind.name());
            Err(Error::new(Code::WrongKind, what))
        }
        None => Ok(()),
    }
}

fn is_answered_here(request: &Request) -> Result<()> {
    let by = match request.what.as_str() {
        "clock" => return Ok(()),
        "license" | "renewal" | "activation" => "which `licentia issue --bind` answers",
        _ => "which a license server answers: see --data and --database",
    };
    Err(Error::new(Code::WrongKind, format!("it asks for {:.32}, {by}", request.what)))
}
