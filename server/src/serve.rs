//! A server from its start to its end.

use crate::api::health::{self, Health};
use crate::api::limits::Limits;
use crate::api::{Server as Api, Shared};
use crate::api_key::digest;
use crate::clock::Clock;
use crate::config::{Config, MasterKey};
use crate::error::{Code, Error, Result};
use crate::first_start::{First, first_start};
use crate::front::{Front, note_route};
use crate::listen::{Server, Signal, Signals, Tls};
use crate::master_key::{self, Found};
use crate::metrics::Metrics;
use crate::store::{Store, api_keys, migrations};
use crate::{desk, outbox, reports, upkeep, webhooks};
use axum::middleware::from_fn;
use std::fs::{DirBuilder, File, TryLockError};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// What the first organization is called, until it is called something else.
const NAME: &str = "First organization";

/// The file in the data folder that one server holds.
const LOCK: &str = "lock";

/// How often what is not needed any more is forgotten.
const TIDYING: Duration = Duration::from_secs(60);

/// How long what is left is waited for at the very end.
const LAST: Duration = Duration::from_secs(1);

/// What whoever starts a server has to know.
#[derive(Debug)]
pub struct Told {
    /// Where it listens: a scheme, an address and a port.
    pub url: String,
    /// The page that lists what there is.
    pub docs: String,
    /// The data folder.
    pub data: String,
    /// The database, without what signs in to it.
    pub database: String,
    /// Where the master key is.
    pub master_key: Found,
    /// What the first start made; `None` = it is not the first.
    pub first: Option<First>,
    /// What is allowed, and should be looked at.
    pub warnings: Vec<String>,
}

/// A server that runs. Dropped without [`Serving::stop`], it ends with its runtime.
pub struct Serving {
    address: SocketAddr,
    told: Told,
    server: Shared,
    health: Arc<Health>,
    tls: Option<Arc<Tls>>,
    stop: watch::Sender<bool>,
    /// What ends when it is told to stop.
    running: Vec<JoinHandle<()>>,
    /// What is ended then.
    tending: Vec<JoinHandle<()>>,
    /// Held for as long as the database is open.
    lock: Option<File>,
}

impl Serving {
    /// Starts one: opens the database, brings it up to date, listens.
    ///
    /// Fails with `invalid_argument` for settings that cannot be meant, with `setup` for what
    /// cannot be used, with `schema` for a database of another version.
    pub async fn start(mut config: Config, clock: Clock) -> Result<Serving> {
        config.check()?;
        let mut warnings = config.warnings();
        let tls = match &config.tls {
            Some(files) => Some(Arc::new(Tls::read(files, &mut warnings).map_err(of_a_file)?)),
            None => None,
        };
        let webhooks = config.webhooks.sender()?;
        if needs_folder(&config) {
            make_folder(&config.data)?;
        }
        let lock = match &config.database {
            None => Some(lock(&config.data)?),
            Some(_) => None,
        };
        warnings.extend(config.limits.raise());
        // Taken before anything is made: what cannot be had is told first.
        let cannot = |error| cannot_listen(config.listen, &error);
        let listener = TcpListener::bind(config.listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let store = open(&config).await?;
        migrations::migrate(&store).await.map_err(|error| of_the_schema(&error))?;
        let (vault, master_key) = master_key::open(&config, &store).await?;
        let server = Arc::new(Api::new(store, vault, clock).with_webhooks(webhooks));
        // What was signed before this start, so that a clock that went back is seen.
        upkeep::keep(&server, false).await?;
        let first = begin(&config, &server).await?;
        if first.is_none() {
            warnings.extend(stranger(&config, &server).await?);
        }
        let told = tell(&config, address, tls.is_some(), master_key, first, warnings);
        Ok(Serving::run(config, server, tls, (listener, address), told, lock))
    }

    fn run(
        config: Config,
        server: Shared,
        tls: Option<Arc<Tls>>,
        (listener, address): (TcpListener, SocketAddr),
        told: Told,
        lock: Option<File>,
    ) -> Serving {
        let metrics = Arc::new(Metrics::new());
        let limits = Arc::new(Limits::new(config.rates, Arc::clone(&metrics)));
        let health = Health::new(Arc::clone(&server), Arc::clone(&metrics), config.metrics);
        let health = Arc::new(health);
        let router = desk::router(Arc::clone(&server))
            .merge(health::routes(Arc::clone(&health)))
            .layer(from_fn(note_route));
        let (stop, stopping) = watch::channel(false);
        let delivering =
            outbox::run(Arc::clone(&server), config.keep_events_days, stopping.clone());
        let delivering = tokio::spawn(delivering);
        let (it, counting) = (Arc::clone(&server), Arc::clone(&metrics));
        let sending = tokio::spawn(webhooks::dispatch::run(it, counting, stopping.clone()));
        let reckoning = tokio::spawn(reports::run(Arc::clone(&server), stopping.clone()));
        let front = Front {
            router,
            limits: Arc::clone(&limits),
            metrics,
            trusted: config.trusted_proxies,
            secure: tls.is_some(),
            body_max: config.body_max,
            body_time: config.limits.body,
        };
        let listening = Server {
            service: Arc::new(front),
            limits: config.limits,
            tls: tls.clone(),
            stop: stopping,
        };
        let forgetting = every(TIDYING, move || {
            limits.forget();
            std::future::ready(())
        });
        let it = Arc::clone(&server);
        let keeping = every(upkeep::EVERY, move || keep(Arc::clone(&it), false));
        let tending = vec![forgetting, keeping, reckoning];
        let running = vec![tokio::spawn(listening.run(listener)), delivering, sending];
        Serving { address, told, server, health, tls, stop, running, tending, lock }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What whoever started it has to know.
    pub fn told(&self) -> &Told {
        &self.told
    }

    /// What requests are answered from.
    pub fn server(&self) -> &Shared {
        &self.server
    }

    /// Reads the certificate again; `None` = there is none.
    pub fn reload(&self) -> Option<licentia::Result<()>> {
        self.tls.as_deref().map(Tls::reload)
    }

    /// Takes no more connections, finishes what has begun, and closes the database.
    pub async fn stop(self) {
        self.health.stops();
        let _ = self.stop.send(true);
        for task in self.running {
            let _ = task.await;
        }
        for task in self.tending {
            task.abort();
        }
        let _ = tokio::time::timeout(LAST, keep(Arc::clone(&self.server), true)).await;
        let _ = tokio::time::timeout(LAST, self.server.store.clone().close()).await;
        drop(self.lock);
    }
}

/// Does something again and again, once everything before it is done.
fn every<F>(time: Duration, mut work: impl FnMut() -> F + Send + 'static) -> JoinHandle<()>
where
    F: Future<Output = ()> + Send,
{
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(time).await;
            work().await;
        }
    })
}

/// Writes what is written now and then. What cannot be written now is written later.
async fn keep(server: Shared, all: bool) {
    if let Err(error) = upkeep::keep(&server, all).await {
        tracing::warn!(code = error.code().slug(), "what was used last is not noted yet");
    }
}

/// Makes the first organization, where there is none.
async fn begin(config: &Config, server: &Shared) -> Result<Option<First>> {
    let issuer = config.issuer.clone().or_else(|| config.public_url.clone());
    let issuer = issuer.unwrap_or_else(|| format!("urn:uuid:{}", Uuid::now_v7()));
    let key = config.admin_key.as_ref().map(|key| key.as_str());
    first_start(&server.store, &server.clock, NAME, &issuer, key).await
}

/// What to say of an administrator key that was brought along too late.
async fn stranger(config: &Config, server: &Shared) -> Result<Option<String>> {
    let Some(key) = &config.admin_key else { return Ok(None) };
    let now = server.clock.now();
    let known = api_keys::find(server.store.read(), &digest(key), now).await?;
    let told = "LICENTIA_ADMIN_KEY is no key of this server: it counts at the first start only, \
                later keys are made over the API";
    Ok(known.is_none().then(|| told.to_string()))
}

/// Serves until the process is told to stop (SIGTERM, SIGINT). `tell` is called once it listens.
pub fn serve(config: Config, clock: Clock, tell: impl FnOnce(&Told)) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::new(Code::Setup, format!("threads: {error}")))?;
    let served = runtime.block_on(async {
        // Before it says that it is there: who reads that may end it at once.
        let mut signals = Signals::new();
        let serving = tokio::select! {
            serving = Serving::start(config, clock) => serving?,
            () = stopped(&mut signals) => return Ok(()),
        };
        tell(serving.told());
        while signals.next().await == Signal::Reload {
            match serving.reload() {
                Some(Ok(())) => tracing::info!("the certificate was read again"),
                Some(Err(error)) => {
                    let why = error.detail();
                    tracing::warn!(why, "the certificate stays as it was");
                }
                None => {}
            }
        }
        tracing::info!("stopping");
        serving.stop().await;
        Ok(())
    });
    runtime.shutdown_timeout(LAST);
    served
}

async fn stopped(signals: &mut Signals) {
    while signals.next().await != Signal::Stop {}
}

/// Whether anything is kept in the folder.
fn needs_folder(config: &Config) -> bool {
    config.database.is_none() || matches!(config.master_key, MasterKey::Folder)
}

/// Makes the folder if it is not there, for its owner only.
fn make_folder(path: &Path) -> Result<()> {
    #[cfg_attr(not(unix), allow(unused_mut))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => {
            let what = format!(
                "The data folder {} cannot be made: {error}: name one that can (--data)",
                path.display()
            );
            Err(Error::new(Code::Setup, what))
        }
        Ok(()) => Ok(()),
    }
}

/// Makes the file of the database for its owner only, in a folder that others may look into. What
/// cannot be made is told by whoever opens it.
fn make_private(path: &Path) {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _ = options.open(path);
}

/// Holds the folder for this process, until it ends however it ends.
///
/// Fails with `setup` while another server has it.
pub fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(LOCK);
    let cannot = |error: std::io::Error| {
        Error::new(Code::Setup, format!("{} cannot be written: {error}", path.display()))
    };
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let what = format!(
                "Another server runs on {}: stop it, name another folder (--data), or give both \
                 one PostgreSQL database (--database)",
                folder.display()
            );
            Err(Error::new(Code::Setup, what))
        }
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}

async fn open(config: &Config) -> Result<Store> {
    let opened = match &config.database {
        Some(url) => Store::postgres(url).await,
        None => {
            make_private(&config.sqlite());
            Store::sqlite(&config.sqlite()).await
        }
    };
    opened.map_err(|error| {
        let what = format!(
            "The database ({}) cannot be opened: {}",
            config.database_told(),
            error.detail()
        );
        Error::new(error.code(), what)
    })
}

fn of_the_schema(error: &Error) -> Error {
    if error.code() != Code::Schema {
        return error.clone();
    }
    let what = format!(
        "The database is not of this version: {}. Start the version that made it, or restore a \
         backup",
        error.detail()
    );
    Error::new(Code::Schema, what)
}

fn of_a_file(error: licentia::Error) -> Error {
    let code = match error.code() {
        licentia::Code::InvalidArgument => Code::InvalidArgument,
        _ => Code::Setup,
    };
    Error::new(code, error.detail())
}

fn cannot_listen(listen: SocketAddr, error: &std::io::Error) -> Error {
    let what = match error.kind() {
        ErrorKind::AddrInUse => {
            format!("{listen}: another program listens there: stop it, or set --listen")
        }
        _ => format!("{listen}: {error}: set --listen to what may be had here"),
    };
    Error::new(Code::Setup, what)
}

fn tell(
    config: &Config,
    address: SocketAddr,
    secure: bool,
    master_key: Found,
    first: Option<First>,
    warnings: Vec<String>,
) -> Told {
    let url = format!("{}://{address}", if secure { "https" } else { "http" });
    let base = config.public_url.as_deref().unwrap_or(&url).trim_end_matches('/');
    Told {
        docs: format!("{base}/docs"),
        data: config.data.display().to_string(),
        database: config.database_told(),
        url,
        master_key,
        first,
        warnings,
    }
}
