//! `server rotate-keys` and `server forget-clock`: what is done with the server's keys by hand.

use crate::output::{Answer, Fields, Outcome, Told, rows, show};
use crate::secrecy::told_path;
use crate::serve::{NEW_MASTER_KEY, master_key, variable};
use crate::server::{Place, failure};
use licentia_server::api::Server;
use licentia_server::clock::Clock;
use licentia_server::config::Config;
use licentia_server::master_key;
use licentia_server::operations::rotate::{self, Rotated};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

/// Put new signing keys in the place of the old ones, or seal everything with a new master key
///
/// Servers may go on meanwhile, but not with --master: stop all servers of the database for that.
/// Licenses that the old keys have signed go on. Programs learn of the new keys by the key set of
/// their product, which the root key signs; a root is never rotated.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// The file with the master key [default: master.key in the data folder]
    #[arg(long, env = "LICENTIA_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// One key pair, and not all of them
    #[arg(long, value_name = "ID", conflicts_with = "master")]
    key_pair: Option<Uuid>,
    /// Make a new master key in the file of the old one, and seal all private keys with it. Where
    /// the old one is in LICENTIA_MASTER_KEY, the new one is in LICENTIA_NEW_MASTER_KEY
    #[arg(long)]
    master: bool,
}

impl Args {
    fn config(&self) -> Told<Config> {
        let master_key = master_key(self.master_key_file.as_ref())?;
        Ok(Config { master_key, ..self.place.config()? })
    }
}

/// Does it.
pub async fn run(args: &Args) -> Outcome {
    let config = args.config()?;
    if args.master { master(args, &config).await } else { signing(args, &config).await }
}

async fn signing(args: &Args, config: &Config) -> Outcome {
    let store = args.place.open().await?;
    let vault = master_key::open_existing(config, &store).await.map_err(failure)?;
    let server = Arc::new(Server::new(store.clone(), vault, Clock::default()));
    let rotated = rotate::signing(&server, args.key_pair).await;
    store.close().await;
    let rotated = rotated.map_err(failure)?;
    let all: Vec<Value> = rotated.iter().map(fields).collect();
    let line = |one: &Rotated| match &one.refused {
        None => format!("{}  rotated  {}\n", one.pair.id, show(&one.pair.name)),
        Some(error) => format!(
            "{}  not rotated  {}: {}\n",
            one.pair.id,
            show(&one.pair.name),
            show(error.detail())
        ),
    };
    let text: String = rotated.iter().map(line).collect();
    let text = if text.is_empty() { "there is no key pair\n".to_string() } else { text };
    Ok(Answer { fields: Fields::default().with("key_pairs", all), text, notes: Vec::new() })
}

fn fields(one: &Rotated) -> Value {
    json!({
        "id": one.pair.id.to_string(),
        "organization": one.pair.organization_id.to_string(),
        "name": one.pair.name,
        "epoch": one.pair.epoch,
        "rotated": one.refused.is_none(),
        "reason": one.refused.as_ref().map(|error| error.detail()),
    })
}

async fn master(args: &Args, config: &Config) -> Outcome {
    let given = variable(NEW_MASTER_KEY)?;
    // Of a database that one server has, it is seen whether that runs.
    let lock = match &config.database {
        None if config.data.is_dir() => Some(licentia_server::lock(&config.data).map_err(failure)?),
        _ => None,
    };
    let store = args.place.open().await?;
    let given = given.as_ref().map(|text| text.as_str());
    let resealed = rotate::master(config, &store, given).await;
    store.close().await;
    drop(lock);
    let resealed = resealed.map_err(failure)?;
    let file = resealed.file.as_deref().map(told_path);
    let told = file.clone().unwrap_or_else(|| format!("as in {NEW_MASTER_KEY}"));
    let fields = Fields::default()
        .with("keys", resealed.keys)
        .with("webhooks", resealed.webhooks)
        .with("answers", resealed.answers)
        .with("master_key", file);
    let text = rows(&[
        ("private keys", resealed.keys.to_string()),
        ("webhooks", resealed.webhooks.to_string()),
        ("kept answers", resealed.answers.to_string()),
        ("master key", show(&told)),
    ]);
    let note = "the master key is new: give it to every server of this database, and keep a copy \
                of it elsewhere. Backups from before need the old one";
    Ok(Answer { fields, text, notes: vec![note.to_string()] })
}

/// Forget when something was signed last
///
/// A server signs nothing while its clock is a minute or more behind the last signature. If that
/// was made by a clock that was ahead, stop all servers of the database, set the clock right, and
/// run this.
#[derive(clap::Args)]
pub struct ForgetClockArgs {
    #[command(flatten)]
    place: Place,
}

/// Does it.
pub async fn forget_clock(args: &ForgetClockArgs) -> Outcome {
    let config = args.place.config()?;
    let lock = match &config.database {
        None if config.data.is_dir() => Some(licentia_server::lock(&config.data).map_err(failure)?),
        _ => None,
    };
    let store = args.place.open().await?;
    let forgotten = rotate::forget_clock(&store, Clock::default().now()).await;
    store.close().await;
    drop(lock);
    forgotten.map_err(failure)?;
    let text = "the servers sign by their own clocks again\n".to_string();
    Ok(Answer { fields: Fields::default().with("forgotten", true), text, notes: Vec::new() })
}
