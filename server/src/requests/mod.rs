//! What installations ask, and what they are answered: the same for a product that is connected,
//! for a request that somebody carried here, and for the command that redeems one.

mod activate;
mod find;
pub mod ledger;
mod older;
mod saying;
mod sync;
mod token;
mod words;

pub use activate::BY_VENDOR;
pub use find::Found;
pub use saying::Answered;
pub use sync::{Answer, Done, Job, Plain, Signed, answer as sync, plain as report};

use crate::api::{Origin, Shared};
use crate::error::{Code, Error, Result};
use crate::store::documents;
use licentia::issue::{Request, read_request};

/// Reads a request, in whatever state the way has left it. Fails with `invalid_argument` for what
/// is none, and with `bad_signature` for one that was altered or that nobody signed.
pub fn read(text: &[u8]) -> Result<Request> {
    let request = read_request(text)?;
    match request.signer {
        Some(_) => Ok(request),
        None => {
            let what = "The request is not signed: it has to be made by the product, as it is now";
            Err(Error::new(Code::BadSignature, what))
        }
    }
}

/// Answers a request: finds the license, sees that whoever asks has it, and does what the word
/// says.
///
/// Fails with `not_found` for a license that there is not, or that the request does not prove to
/// have, with `bad_signature` for one that another key signed than the one that is pinned, and as
/// its word does.
pub async fn answer(server: &Shared, request: Request, origin: &Origin) -> Result<Answered> {
    match request.what.as_str() {
        "activation" | "license" => words::activation(server, &request, origin).await,
        "renewal" => words::renewal(server, &request, origin).await,
        "deactivation" => words::deactivation(server, &request, origin).await,
        "clock" => words::clock(server, &request).await,
        documents::KEYS | documents::REVOCATIONS => words::document(server, &request).await,
        "sync" => {
            let signed = Signed::of(request)?;
            sync::answer(server, signed, None, None, None, origin).await
        }
        "seat" | "borrow" | "release" => words::seat(server, &request, origin).await,
        other => Err(Error::invalid(format!("A request for {other:.32} is not known here"))),
    }
}
