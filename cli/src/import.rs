//! `server import`: products and licenses from a CSV file.

use crate::input;
use crate::output::{Answer, Fields, Outcome, Told, rows};
use crate::secrecy::told_path;
use crate::serve::master_key;
use crate::server::{Place, failure};
use clap::ValueEnum;
use licentia::{Code, Error};
use licentia_server::api::{PageQuery, Server};
use licentia_server::clock::Clock;
use licentia_server::config::Config;
use licentia_server::operations::import::{self, Imported, Kind};
use licentia_server::store::organizations;
use licentia_server::{master_key as master, upkeep};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// Bytes of a file: the import itself says what is too much.
const FILE_MAX: u64 = 256 * 1024 * 1024;

/// Import products or licenses from a CSV file
///
/// All of it or nothing, and the same file again changes nothing. The first line names the
/// columns; a cell that is empty says nothing. Products: code, name, description,
/// default_features, default_valid_days, key_pair (id or name); known by their code. Licenses:
/// product (code), serial, customer_id, customer_email, customer_name, license_type, policy (id or
/// name), features, valid_days, valid_from, valid_until, max_seats, max_machines, status (active,
/// suspended, revoked), reason; known by their serial number, or as the one license of a customer
/// for a product. Servers may go on meanwhile, but SQLite lets none of them write until it is done.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// The file with the master key [default: master.key in the data folder]
    #[arg(long, env = "LICENTIA_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// What the file has
    #[arg(long, value_enum)]
    kind: What,
    /// Whose it is, by id or name [default: the only organization]
    #[arg(long, value_name = "ID")]
    organization: Option<String>,
    /// Find out what it would do, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Write the license keys of new licenses to a new CSV file, readable by its owner only. They
    /// are shown nowhere else
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    keys: Option<PathBuf>,
    /// The CSV file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// What a file has.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Products
    Products,
    /// Licenses
    Licenses,
}

/// Does it.
pub async fn run(args: &Args) -> Outcome {
    let file = read(&args.file)?;
    let master_key = master_key(args.master_key_file.as_ref())?;
    let config = Config { master_key, ..args.place.config()? };
    let keys = args.keys.as_deref().map(create).transpose()?;
    let done = import(args, &config, &file).await.and_then(|imported| {
        if let Some(keys) = keys {
            write(keys, &imported).map_err(|error| unwritten(args, &error))?;
        }
        Ok(imported)
    });
    if let (Err(_), Some(path)) = (&done, &args.keys)
        && fs::metadata(path).is_ok_and(|file| file.len() == 0)
    {
        let _ = fs::remove_file(path);
    }
    let imported = done?;
    let fields = Fields::default()
        .with("created", imported.created)
        .with("changed", imported.changed)
        .with("same", imported.same)
        .with("dry_run", args.dry_run)
        .with("keys", args.keys.as_deref().map(told_path));
    let text = rows(&[
        ("created", imported.created.to_string()),
        ("changed", imported.changed.to_string()),
        ("as they were", imported.same.to_string()),
    ]);
    let mut notes = Vec::new();
    if args.dry_run {
        notes.push("nothing was done: this was a dry run".to_string());
    } else if !imported.keys.is_empty() && args.keys.is_none() {
        let what = "the license keys of the new licenses were not kept: make another for a license \
                    that needs one (POST /api/v1/licenses/ID/license-key), or import with --keys";
        notes.push(what.to_string());
    }
    Ok(Answer { fields, text, notes })
}

async fn import(args: &Args, config: &Config, file: &[u8]) -> Told<Imported> {
    let store = args.place.open().await?;
    let done = async {
        let vault = master::open_existing(config, &store).await?;
        let server = Arc::new(Server::new(store.clone(), vault, Clock::default()));
        // What was signed last, so that a clock that went back is seen.
        upkeep::keep(&server, false).await?;
        let organization = organization(&server, args.organization.as_deref()).await?;
        let kind = match args.kind {
            What::Products => Kind::Products,
            What::Licenses => Kind::Licenses,
        };
        let imported = import::import(&server, &organization, kind, file, args.dry_run).await?;
        upkeep::keep(&server, false).await?;
        Ok(imported)
    };
    let done = done.await;
    store.close().await;
    done.map_err(failure)
}

/// The organization with an id or a name, or the only one.
async fn organization(
    server: &Server,
    named: Option<&str>,
) -> Result<organizations::Model, licentia_server::error::Error> {
    use licentia_server::error::Error;
    let read = server.store.read();
    if let Some(id) = named.and_then(|text| Uuid::try_parse(text).ok()) {
        let found = organizations::get(read, id).await?;
        return found.ok_or_else(|| Error::invalid("there is no organization with this id"));
    }
    let page = PageQuery { per_page: Some(100), ..PageQuery::default() }.page()?;
    let (all, total) = organizations::list(read, page).await?;
    let mut found = all.into_iter().filter(|one| named.is_none_or(|name| one.name == name));
    match (found.next(), found.next()) {
        (Some(one), None) if named.is_some() || total == 1 => Ok(one),
        (None, _) => Err(Error::invalid("there is no organization of this name")),
        _ => Err(Error::invalid("there are several organizations: name one by its id")),
    }
}

fn read(path: &Path) -> Told<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_MAX).read_to_end(&mut bytes));
    read.map_err(|error| Error::new(Code::Io, format!("{}: {error}", told_path(path))))?;
    Ok(bytes)
}

/// A new file that only its owner may read.
fn create(path: &Path) -> Told<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| input::unwritten(path, &error).into())
}

fn unwritten(args: &Args, error: &std::io::Error) -> Error {
    let path = args.keys.as_deref().unwrap_or(Path::new(""));
    let what = format!(
        "{}: {error}. Everything was imported, and the keys of new licenses are lost: make others \
         with POST /api/v1/licenses/ID/license-key",
        told_path(path)
    );
    Error::new(Code::Io, what)
}

/// The keys as CSV, whose cells no spreadsheet takes for formulas.
fn write(mut file: File, imported: &Imported) -> std::io::Result<()> {
    let mut text = String::from("serial,customer_id,license_key\r\n");
    for key in &imported.keys {
        let customer = key.customer_id.as_deref().unwrap_or_default();
        for (cell, end) in
            [(key.serial.as_str(), ","), (customer, ","), (key.license_key.as_str(), "\r\n")]
        {
            text.push('"');
            text.push_str(&import::safe(cell).replace('"', "\"\""));
            text.push('"');
            text.push_str(end);
        }
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
