//! The vendor's desk with a year of made-up business in it:
//!
//!     cargo run -p licentia-server --example desk -- [--data FOLDER] [--listen ADDRESS] [--small]
//!         [--seed NUMBER] [--seed-only]
//!
//! Without `--data` everything is in a temporary folder, which is removed at the end (Ctrl-C).
//! `--small` makes some weeks only, `--seed-only` ends when they are made.

mod year;

use licentia_server::api::Server;
use licentia_server::clock::Clock;
use licentia_server::config::Config;
use licentia_server::first_start::first_start;
use licentia_server::listen::{Signal, Signals};
use licentia_server::store::{Store, migrations};
use licentia_server::{Serving, master_key};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use year::{Made, Plan, Result};

/// What it is told.
struct Options {
    data: Option<PathBuf>,
    listen: SocketAddr,
    small: bool,
    seed: u64,
    seed_only: bool,
}

fn options() -> Result<Options> {
    let listen = SocketAddr::from(([127, 0, 0, 1], 7771));
    let mut all = Options { data: None, listen, small: false, seed: 1, seed_only: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--data" => all.data = Some(value()?.into()),
            "--listen" => {
                all.listen = value()?.parse().map_err(|_| "--listen is such as 127.0.0.1:7771")?;
            }
            "--seed" => all.seed = value()?.parse().map_err(|_| "--seed is a number")?,
            "--small" => all.small = true,
            "--seed-only" => all.seed_only = true,
            _ => {
                return Err(format!(
                    "{word} is none of --data --listen --small --seed --seed-only"
                ));
            }
        }
    }
    Ok(all)
}

/// Makes the year in a folder. Gives the key of the administrator, and what was made.
async fn make(config: &Config, options: &Options) -> Result<(String, Made)> {
    let told = |error: licentia_server::error::Error| error.detail().to_string();
    let file = config.sqlite();
    if file.exists() {
        return Err(format!("{} is there already: name an empty folder", file.display()));
    }
    let clock = Clock::default();
    let end = clock.now();
    let store = Store::sqlite(&file).await.map_err(told)?;
    migrations::migrate(&store).await.map_err(told)?;
    let (vault, _) = master_key::open(config, &store).await.map_err(told)?;
    let mut plan = if options.small { Plan::small(end) } else { Plan::year(end) };
    plan.seed = options.seed;
    clock.set(Some(end - (plan.days + 3) * 86_400));
    let issuer = "https://licenses.lumenfold.example";
    let first = first_start(&store, &clock, "Lumenfold", issuer, None).await.map_err(told)?;
    let key = first.and_then(|first| first.key).ok_or("the server was started before")?;
    let sender = config.webhooks.sender().map_err(told)?;
    let server = Arc::new(Server::new(store, vault, clock).with_webhooks(sender));
    let say = |day: i64| {
        let mut out = std::io::stderr();
        let _ = write!(out, "\rday {} of {}", day + 1, plan.days);
        let _ = out.flush();
    };
    let made = year::live(&server, key.0.as_str(), plan, say).await?;
    eprintln!();
    let key = key.0.as_str().to_string();
    licentia_server::upkeep::keep(&server, true).await.map_err(told)?;
    server.store.clone().close().await;
    Ok((key, made))
}

async fn run(options: Options) -> Result<()> {
    let temporary = match &options.data {
        None => Some(tempfile::tempdir().map_err(|error| error.to_string())?),
        Some(folder) => {
            let mut made = std::fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut made, 0o700);
            made.recursive(true).create(folder).map_err(|error| error.to_string())?;
            None
        }
    };
    let folder = temporary.as_ref().map(|it| it.path().to_path_buf());
    let data = options.data.clone().or(folder).unwrap_or_default();
    let mut config =
        Config { data, listen: options.listen, keep_events_days: 0, ..Config::default() };
    // Those who receive webhooks are in this process.
    config.webhooks.networks = vec!["127.0.0.0/8".parse().map_err(|_| "no network")?];
    // Whoever stops it now leaves nothing behind.
    let mut signals = Signals::new();
    let began = Instant::now();
    eprintln!("Made-up business is made in {}.", config.data.display());
    let (key, made) = tokio::select! {
        made = make(&config, &options) => made?,
        _ = signals.next() => return Ok(()),
    };
    let seconds = began.elapsed().as_secs();
    println!("made       {} licenses, {} machines ({seconds} s)", made.licenses, made.machines);
    println!("data       {}", config.data.display());
    println!("key        {key}");
    if options.seed_only {
        return Ok(());
    }
    let serving = Serving::start(config, Clock::default()).await;
    let serving = serving.map_err(|error| error.detail().to_string())?;
    println!("listening  {}", serving.told().url);
    println!("Open it, sign in with the key, and look around. Ctrl-C ends it.");
    while signals.next().await != Signal::Stop {}
    serving.stop().await;
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match options() {
        Ok(options) => run(options).await,
        Err(why) => Err(why),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("desk: {why}");
            ExitCode::FAILURE
        }
    }
}
