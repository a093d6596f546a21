//! `server audit`: the audit log, without a server.

use crate::output::{Answer, Failure, Fields, Outcome, Told, rows};
use crate::server::{Place, failure};
use licentia::{Code, Error};
use licentia_server::operations::audit::{self, Verified};
use serde_json::{Value, json};
use uuid::Uuid;

/// Verify the audit log
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

/// What is done with it.
#[derive(clap::Subcommand)]
enum Command {
    Verify(VerifyArgs),
}

/// Verify that the audit log is as it was written
///
/// Each entry has to follow the one before, to the last one. The server may go on meanwhile. Heads
/// that were kept elsewhere show more: whoever can write to the database can write all of the log
/// anew, but not so that an entry has the hash it had.
#[derive(clap::Args)]
struct VerifyArgs {
    #[command(flatten)]
    place: Place,
    /// One organization, and not all of them
    #[arg(long, value_name = "ID")]
    organization: Option<Uuid>,
    /// A head that was kept: the entry with this number has to have this hash
    #[arg(long, value_name = "SEQ:HASH", requires = "organization", value_parser = head)]
    head: Option<(i64, String)>,
}

fn head(text: &str) -> Result<(i64, String), String> {
    let wrong = || "a number, a colon, and 64 hexadecimal digits".to_string();
    let (seq, hash) = text.split_once(':').ok_or_else(wrong)?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let seq = seq.parse().ok().filter(|seq| *seq > 0 && is_hash).ok_or_else(wrong)?;
    Ok((seq, hash.to_ascii_lowercase()))
}

/// Does it.
pub async fn run(args: &Args) -> Outcome {
    let Command::Verify(args) = &args.command;
    let store = args.place.open().await?;
    let verified = audit::verify(&store, args.organization, args.head.as_ref()).await;
    store.close().await;
    told(&verified.map_err(failure)?)
}

fn told(all: &[Verified]) -> Told<Answer> {
    if let Some((one, (seq, why))) = all.iter().find_map(|one| Some((one, one.broken?))) {
        let what = format!(
            "Entry {seq} of the audit log of {} is not good: {why}. Entries before it are as they \
             were written",
            one.organization
        );
        return Err(Failure { remedy: Some(""), ..Error::new(Code::Malformed, what).into() });
    }
    let line = |one: &Verified| {
        rows(&[
            ("organization", one.organization.to_string()),
            ("entries", one.checked.to_string()),
            (
                "head",
                one.head.as_ref().map_or("none".into(), |(seq, hash)| format!("{seq}:{hash}")),
            ),
        ])
    };
    let fields = |one: &Verified| -> Value {
        json!({
            "organization": one.organization.to_string(),
            "entries": one.checked,
            "head": one.head.as_ref().map(|(seq, hash)| json!({ "seq": seq, "hash": hash })),
        })
    };
    let text: String = all.iter().map(line).collect();
    let all: Vec<Value> = all.iter().map(fields).collect();
    let notes = vec!["keep the head elsewhere: a later log has that hash at that number".into()];
    Ok(Answer { fields: Fields::default().with("intact", true).with("logs", all), text, notes })
}
