//! `redeem`: the vendor's answer to a request, without a server.

use crate::args::{ISSUER, time};
use crate::input;
use crate::key::default_issuer;
use crate::keys;
use crate::output::{Fields, Outcome, show};
use crate::qr::Output;
use clap::builder::NonEmptyStringValueParser;
use licentia::issue::{Request, read_request, sign_clock_reset};
use licentia::limits::{COAT_FACTOR, REQUEST_MAX};
use licentia::peek::peek;
use licentia::{Code, Error, Result, issue, rfc3339};

/// Bytes of a request in any state of repair.
const REQUEST_BYTES: usize = REQUEST_MAX * COAT_FACTOR;

/// A time that is further ahead is a slip more often than not, and cannot be taken back.
const AHEAD_MAX: i64 = 86_400;

/// Answer a customer's request for `clock`: sign what time it is
///
/// An installation whose clock was once wrongly ahead goes on from that time. The answer, for
/// `licentia apply` or wherever the product takes licenses, sets it right; it is good once, and
/// there only. A request for a license is answered by `licentia issue --bind REQUEST`.
#[derive(clap::Args)]
pub struct Args {
    /// The private key that signs the answer, with the role `server`
    #[arg(long, value_name = "FILE", value_parser = NonEmptyStringValueParser::new())]
    key: String,
    /// What time it is [default: what the clock of this machine says]
    #[arg(long, value_name = "TIME", value_parser = time)]
    server_time: Option<i64>,
    /// Sign it even if it is more than a day ahead of this machine: the installation will never
    /// again take it to be earlier
    #[arg(long, requires = "server_time")]
    allow_future: bool,
    /// Who signs it, a URL or a name [default: the key's RFC 9278 name]
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
    input::one_stdin([args.key.as_str(), args.file.as_str()])?;
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
    let key = keys::secret(&args.key)?;
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
        _ => "which a license server answers",
    };
    Err(Error::new(Code::WrongKind, format!("it asks for {:.32}, {by}", request.what)))
}
