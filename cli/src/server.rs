//! `server`: what is done with the license server's database by hand.

use crate::admin_key;
use crate::audit;
use crate::import;
use crate::output::{Answer, Failure, Fields, Outcome, Told, rows, show};
use crate::rotate_keys;
use crate::secrecy::told_path;
use licentia::{Code, Error, rfc3339};
use licentia_server::clock::Clock;
use licentia_server::config::{Config, DATA};
use licentia_server::error as server;
use licentia_server::operations::restore::How;
use licentia_server::operations::{backup, restore};
use licentia_server::store::Store;
use std::path::PathBuf;

/// Tend the database of the license server: backups, keys, imports, the audit log
#[derive(clap::Subcommand)]
pub enum Command {
    Backup(BackupArgs),
    Restore(RestoreArgs),
    RotateKeys(rotate_keys::Args),
    ForgetClock(rotate_keys::ForgetClockArgs),
    AdminKey(admin_key::Args),
    Import(import::Args),
    Audit(audit::Args),
}

impl Command {
    /// Does it.
    pub fn run(&self) -> Outcome {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::new(Code::Io, error.to_string()))?;
        match self {
            Command::Backup(args) => runtime.block_on(backup(args)),
            Command::Restore(args) => runtime.block_on(restore(args)),
            Command::RotateKeys(args) => runtime.block_on(rotate_keys::run(args)),
            Command::ForgetClock(args) => runtime.block_on(rotate_keys::forget_clock(args)),
            Command::AdminKey(args) => runtime.block_on(admin_key::run(args)),
            Command::Import(args) => runtime.block_on(import::run(args)),
            Command::Audit(args) => runtime.block_on(audit::run(args)),
        }
    }
}

/// Which database.
#[derive(clap::Args)]
pub struct Place {
    /// The folder of the server, with its database
    #[arg(long, env = "LICENTIA_DATA", value_name = "DIR", default_value = DATA)]
    data: PathBuf,
    /// PostgreSQL in place of the database in the folder: postgres://USER@HOST/NAME. A password in
    /// it is for every user of this machine to see: set LICENTIA_DATABASE, or use ~/.pgpass
    #[arg(long, env = "LICENTIA_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
}

impl Place {
    /// One that is named otherwise than by the flags of `server`.
    pub fn at(data: Option<PathBuf>, database: Option<String>) -> Place {
        Place { data: data.unwrap_or_else(|| DATA.into()), database }
    }

    /// The settings of a server that is there.
    pub fn config(&self) -> Told<Config> {
        let database = self.database.clone().filter(|url| !url.is_empty());
        let database = database.map(Into::into);
        let config = Config { data: self.data.clone(), database, ..Config::default() };
        config.check().map_err(failure)?;
        Ok(config)
    }

    /// Its database, which is not made here.
    pub async fn open(&self) -> Told<Store> {
        let config = self.config()?;
        if config.database.is_none() && !config.sqlite().exists() {
            let what = format!(
                "{}: there is no database: name the folder with --data, or a PostgreSQL database \
                 with --database",
                told_path(&config.sqlite())
            );
            return Err(said(Code::Io, what));
        }
        connect(&config).await
    }
}

async fn connect(config: &Config) -> Told<Store> {
    let opened = match &config.database {
        Some(url) => Store::postgres(url).await,
        None => Store::sqlite(&config.sqlite()).await,
    };
    opened.map_err(failure)
}

/// What the server says, as this command does.
pub fn failure(error: server::Error) -> Failure {
    let code = match error.code() {
        server::Code::Malformed => Code::Malformed,
        server::Code::InvalidArgument | server::Code::Conflict => Code::InvalidArgument,
        server::Code::DiskFull => Code::DiskFull,
        server::Code::Busy => Code::Busy,
        server::Code::Schema => Code::TooNew,
        server::Code::Internal => Code::Internal,
        _ => Code::Io,
    };
    said(code, error.detail().to_string())
}

/// A sentence that says what to do by itself.
fn said(code: Code, what: String) -> Failure {
    Failure { remedy: Some(""), ..Error::new(code, what).into() }
}

/// Write a backup of the whole database into one file
///
/// The server may go on meanwhile: the backup is of one moment. It restores into SQLite and into
/// PostgreSQL. Private keys are in it as they are in the database, sealed. The master key is not:
/// keep a copy of it elsewhere, without it the private keys cannot be used.
#[derive(clap::Args)]
pub struct BackupArgs {
    #[command(flatten)]
    place: Place,
    /// The file to write, which must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

async fn backup(args: &BackupArgs) -> Outcome {
    let store = args.place.open().await?;
    let made = backup::backup(&store, &Clock::default(), &args.out).await;
    store.close().await;
    let made = made.map_err(failure)?;
    let out = told_path(&args.out);
    let fields = Fields::default()
        .with("out", out.as_str())
        .with("made_at", made.made_at)
        .with("rows", made.rows)
        .with("bytes", made.bytes);
    let text = rows(&[
        ("backup", show(&out)),
        ("of", rfc3339(made.made_at)),
        ("rows", made.rows.to_string()),
        ("bytes", made.bytes.to_string()),
    ]);
    let note = "the master key is not in it: keep a copy of it elsewhere".to_string();
    Ok(Answer { fields, text, notes: vec![note] })
}

/// Put a backup into an empty database, or in place of what is there
///
/// It is done whole or not at all. Stop the servers of this database before. With --force, what
/// was revoked in the database that is replaced stays revoked. The server needs the master key
/// that it had when the backup was made. Webhooks are disabled, so that a copy for a test sends
/// nothing: events wait for them until you enable them.
#[derive(clap::Args)]
pub struct RestoreArgs {
    #[command(flatten)]
    place: Place,
    /// Replace a database that is not empty
    #[arg(long)]
    force: bool,
    /// Leave webhooks enabled
    #[arg(long)]
    keep_webhooks: bool,
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

async fn restore(args: &RestoreArgs) -> Outcome {
    let config = args.place.config()?;
    if config.database.is_none() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&config.data).map_err(|error| {
            Error::new(Code::Io, format!("{}: {error}", told_path(&config.data)))
        })?;
    }
    // No server may run on the folder meanwhile.
    let _lock = match config.database {
        None => Some(licentia_server::lock(&config.data).map_err(failure)?),
        Some(_) => None,
    };
    let store = connect(&config).await?;
    let how = How { force: args.force, keep_webhooks: args.keep_webhooks };
    let restored = restore::restore(&store, &args.file, how).await;
    store.close().await;
    let restored = restored.map_err(failure)?;
    let fields = Fields::default()
        .with("made_at", restored.made_at)
        .with("rows", restored.rows)
        .with("still_revoked", restored.still_revoked)
        .with("webhooks_disabled", restored.webhooks_disabled);
    let text = rows(&[
        ("backup of", rfc3339(restored.made_at)),
        ("rows", restored.rows.to_string()),
        ("still revoked", restored.still_revoked.to_string()),
        ("webhooks disabled", restored.webhooks_disabled.to_string()),
    ]);
    Ok(Answer { fields, text, notes: Vec::new() })
}
