//! `revocations`: sign the list of licenses that are withdrawn.

use crate::args::{ISSUER, product_code, whole};
use crate::input::{self, DOCUMENT_BYTES, Present};
use crate::key::{default_issuer, deliver};
use crate::keys;
use crate::output::{Fields, Outcome, show};
use crate::secrecy::told;
use crate::when::count;
use clap::ArgGroup;
use clap::builder::NonEmptyStringValueParser;
use licentia::issue::{license_id, sign_revocations};
use licentia::json::INTEGER_MAX;
use licentia::limits::REVOCATIONS_MAX;
use licentia::peek::peek;
use licentia::{Code, Error, Kind, Result, issue};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Bytes of a file of ids: more than any list holds, with room for remarks.
const IDS_BYTES: usize = 4 * REVOCATIONS_MAX;

/// Sign the list of every license that you have withdrawn
///
/// A product that applies it refuses those licenses from then on. A list replaces the one before
/// it: name every license each time. A license is named by the `id` in it, which its renewals
/// keep, and not by its serial number nor by the `jti` of its token: give its file, or the id that
/// `licentia inspect` shows.
#[derive(clap::Args)]
#[command(group(
    ArgGroup::new("which").args(["ids", "from", "license"]).required(true).multiple(true)
))]
pub struct Args {
    /// The private key that signs it, with the role `server`
    #[arg(long, value_name = "FILE", value_parser = NonEmptyStringValueParser::new())]
    key: String,
    /// The product it is for
    #[arg(long, value_name = "CODE", value_parser = product_code)]
    product: String,
    /// Higher than that of every list before it
    #[arg(long, value_name = "N", value_parser = whole::<u64>("a whole number", 1, INTEGER_MAX))]
    #[arg(allow_negative_numbers = true)]
    version: u64,
    /// A file with an id on each line; what follows a # is a remark
    #[arg(long, value_name = "FILE", value_parser = NonEmptyStringValueParser::new())]
    from: Option<String>,
    /// A license that is withdrawn; repeatable
    #[arg(long, value_name = "FILE", value_parser = NonEmptyStringValueParser::new())]
    license: Vec<String>,
    /// Who signs it, a URL or a name [default: the key's RFC 9278 name]
    #[arg(long, env = ISSUER, value_name = "TEXT")]
    issuer: Option<String>,
    /// Write it to a new file; - is standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over the file if it is there
    #[arg(long, requires = "out")]
    force: bool,
    /// The ids of licenses
    #[arg(value_name = "ID", value_parser = id)]
    ids: Vec<[u8; 16]>,
}

fn id(text: &str) -> std::result::Result<[u8; 16], String> {
    license_id(text).map_err(|_| "a license is named by its id, a UUID".into())
}

/// Signs a list.
pub fn run(args: &Args) -> Outcome {
    let files = [Some(args.key.as_str()), args.from.as_deref()].into_iter().flatten();
    input::one_stdin(files.chain(args.license.iter().map(String::as_str)))?;
    let mut ids: BTreeSet<[u8; 16]> = args.ids.iter().copied().collect();
    if let Some(path) = &args.from {
        ids.extend(lines(&input::read_text(path, IDS_BYTES, Code::InvalidArgument)?)?);
    }
    let mut withdrawn = Vec::new();
    for path in &args.license {
        let (id, name) = in_file(path, &args.product)?;
        ids.insert(id);
        withdrawn.push(name);
    }
    let key = keys::secret(&args.key)?;
    let issuer = args.issuer.clone().unwrap_or_else(|| default_issuer(key.public()));
    let (version, now) = (args.version, issue::now());
    let list = sign_revocations(&key, &args.product, &issuer, version, now, &ids)?;
    let number = ids.len() as u64;
    let fields = Fields::default()
        .with("version", version)
        .with("count", number)
        .with("kid", key.public().kid())
        .with("revocations", list.as_str());
    let mut answer = deliver(&list, args.out.as_deref(), Present::forced(args.force), fields)?;
    let all = count(number, "license");
    let names = match withdrawn.is_empty() {
        true => String::new(),
        false => format!(", {} among them", show(&withdrawn.join(", "))),
    };
    answer.notes.insert(0, format!("version {version} withdraws {all} of {}{names}", args.product));
    Ok(answer)
}

/// The id of the license in a file, and what it is called.
fn in_file(path: &str, product: &str) -> Result<([u8; 16], String)> {
    let wrong = |code, what: &str| Error::new(code, format!("{}: {what}", told(path)));
    let seen = peek(&input::document(path, DOCUMENT_BYTES)?)?;
    if seen.kind != Some(Kind::License) {
        return Err(wrong(Code::WrongKind, "it is no license"));
    }
    let payload: Value = serde_json::from_str(&seen.payload).unwrap_or_default();
    if payload["aud"] != product {
        return Err(wrong(Code::WrongProduct, "the license is for another product"));
    }
    let license = &payload["license"];
    let id = license["id"].as_str().unwrap_or_default();
    let name = license["serial"].as_str().unwrap_or(id).to_string();
    Ok((license_id(id)?, name))
}

/// The ids in a file. A line that is none is a slip, and a license that stays in force.
fn lines(text: &str) -> Result<Vec<[u8; 16]>> {
    let bare = |line: &'_ str| line.split('#').next().unwrap_or_default().trim().to_string();
    let lines = text.trim_start_matches('\u{feff}').lines().map(bare).enumerate();
    let named = lines.filter(|(_, line)| !line.is_empty());
    named
        .map(|(at, line)| {
            license_id(&line).map_err(|error| {
                let what = format!("line {}: {}", at + 1, error.detail());
                Error::new(Code::InvalidArgument, what)
            })
        })
        .collect()
}
