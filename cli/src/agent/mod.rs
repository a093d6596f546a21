//! `agent`: serves the license API for a product that cannot embed it. docs/agent.md.

mod accounts;
mod attempts;
mod config;
mod contact;
mod log;
mod metrics;
mod password;
mod product;
mod reply;
mod service;
mod table;
mod turns;

use crate::args::key_name;
use crate::input;
use crate::output::{self, Answer, Failure, Fields, LOOK, Told, finish, rows, show};
use crate::secrecy::told_path;
use crate::status;
use clap::builder::NonEmptyStringValueParser;
use config::Config;
use licentia::{Code, Error, Installation, ProductFile, Result};
use licentia_server::listen::{Server, Signal, Signals, Tls};
use serde_json::Value;
use service::Agent;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

/// Threads that wait for files: a request has one of them for as long as it reads or writes.
const FILE_THREADS: usize = 32;

/// Threads of them that those may have who change something: they may wait for the vendor's
/// server.
const WRITERS: usize = 16;

/// Serve the license API and page for a product that cannot embed them
///
/// It listens where the configuration says, and serves until it is told to stop (SIGTERM, SIGINT),
/// then finishes what it has begun. It says on standard output where it listens; on standard error
/// there is a line for each request.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(clap::Args)]
struct Serve {
    /// The configuration, in TOML
    #[arg(long, value_name = "FILE", required = true)]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    config: Option<String>,
    /// The file in which the vendor describes the product, in place of that of the configuration
    #[arg(long, value_name = "FILE", value_parser = NonEmptyStringValueParser::new())]
    product: Option<String>,
    /// Serve only a product whose file was signed by the key of this name
    #[arg(long, value_name = "KID", value_parser = key_name, allow_hyphen_values = true)]
    product_key: Option<String>,
    /// Say whether it would start, and do not
    #[arg(long)]
    check: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Print what the configuration keeps of a password, which is typed or on standard input
    Password,
}

/// Serves until it is told to stop.
pub fn run(args: &Args, json: bool) -> ExitCode {
    if let Some(Command::Password) = args.command {
        return finish(password::run(), json);
    }
    let ready = match Ready::prepare(&args.serve) {
        Ok(ready) => ready,
        Err(failure) => return finish(Err(failure), json),
    };
    if args.serve.check {
        return finish(Ok(ready.summary()), json);
    }
    match ready.serve(json) {
        Ok(()) => ExitCode::from(status::GOOD),
        Err(failure) => finish(Err(failure), json),
    }
}

/// Everything that was read and found good.
struct Ready {
    config: Config,
    product: ProductFile,
    tls: Option<Arc<Tls>>,
}

impl Ready {
    fn prepare(args: &Serve) -> Told<Ready> {
        let name = args.config.as_deref().unwrap_or_default();
        input::one_stdin([Some(name), args.product.as_deref()].into_iter().flatten())?;
        let mut config = Config::read(name).map_err(of_a_file)?;
        let pins = [args.product_key.as_deref(), config.product_key.as_deref()];
        let pins: Vec<&str> = pins.into_iter().flatten().collect();
        let named = args.product.as_deref();
        let product = product::read(product::COMPILED, named, &config.product, &pins)
            .map_err(of_the_product_file)?;
        if product.product().fixed_clock().is_some() {
            let what = "the product file stops the clock: it is for tests, and no license ends";
            config.warnings.push(what.into());
        }
        let tls = match &config.tls {
            Some(files) => Some(Tls::read(files, &mut config.warnings).map_err(of_a_file)?.into()),
            None => None,
        };
        // Wrong values are told before anything is made.
        let mut unmade = product.product().open_to_read(&config.state)?;
        set_up(&mut unmade, &config).map_err(of_a_file)?;
        if args.check {
            let warning = match config.state.exists() {
                true => state_error(&unmade, &config.state)?,
                false => None,
            };
            config.warnings.extend(warning.or_else(|| unwritable(&config.state)));
            std::net::TcpListener::bind(config.listen)
                .map_err(|error| cannot_listen(config.listen, &error))?;
        }
        Ok(Ready { config, product, tls })
    }

    /// What would be served, for `--check`.
    fn summary(&self) -> Answer {
        let it = &self.product;
        let state = told_path(&self.config.state);
        let fields = Fields::default()
            .with("product", it.product().code())
            .with("product_key", it.key_id())
            .with("listen", self.config.listen.to_string())
            .with("state", state.as_str())
            .with("warnings", self.config.warnings.clone());
        let text = rows(&[
            ("product", show(it.product().code())),
            ("product key", show(it.key_id())),
            ("listen", self.config.listen.to_string()),
            ("state", show(&state)),
        ]);
        Answer { fields, text, notes: self.warnings() }
    }

    fn warnings(&self) -> Vec<String> {
        let note = |what: &String| format!("{LOOK}warning:{LOOK:#} {}", show(what));
        self.config.warnings.iter().map(note).collect()
    }

    fn serve(mut self, json: bool) -> Told<()> {
        self.config.warnings.extend(make_folder(&self.config.state));
        let mut installation = self.product.product().open(&self.config.state)?;
        set_up(&mut installation, &self.config).map_err(of_a_file)?;
        self.config.warnings.extend(state_error(&installation, &self.config.state)?);
        let noted = note_first_use(&installation, &self.product);
        let unnoted = noted.as_ref().err();
        let told =
            unnoted.map(|error| format!("the first use is not noted yet: {}", error.detail()));
        self.config.warnings.extend(told);
        self.config.warnings.extend(self.config.limits.raise());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .max_blocking_threads(FILE_THREADS)
            .build()
            .map_err(|error| Error::new(Code::Io, format!("threads: {error}")))?;
        let wait = self.config.limits.shutdown;
        let served = runtime.block_on(self.listen(installation, noted.is_err(), json));
        runtime.shutdown_timeout(wait.min(Duration::from_secs(1)));
        served
    }

    async fn listen(self, installation: Installation, unnoted: bool, json: bool) -> Told<()> {
        let listen = self.config.listen;
        let failed = |error| cannot_listen(listen, &error);
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        // Before it says that it is there: who reads that may end it at once.
        let signals = Signals::new();
        output::begin(&self.greeting(address), json);
        let installation = Arc::new(installation);
        let file = &self.product;
        let (log, writer) = log::Log::start(self.config.log);
        let mount = self.config.site.iter().find(|(name, _)| name == "mount");
        let mount = mount.map_or("", |(_, path)| path.trim_end_matches('/'));
        let agent = Arc::new(Agent {
            metrics: metrics::Metrics::new(&installation, file.product().code(), file.key_id())
                .into(),
            installation,
            product_key: file.key_id().to_string(),
            page: format!("{mount}/license"),
            accounts: Arc::new(self.config.accounts),
            shows_metrics: self.config.metrics,
            log,
            body_time: self.config.limits.body,
            writers: Semaphore::new(WRITERS),
        });
        let (stopping, stop) = watch::channel(false);
        let limits = self.config.limits;
        let service = Arc::clone(&agent);
        let server = Server { service, limits, tls: self.tls.clone(), stop };
        let it = || Arc::clone(&agent.installation);
        let noting = unnoted.then(|| tokio::spawn(note_first_use_later(it(), self.product)));
        let syncs = self.config.syncs;
        let contact = syncs.then(|| tokio::spawn(contact::keep(it(), agent.log.clone())));
        let serving = tokio::spawn(server.run(listener));
        wait_for_the_end(signals, &agent, self.tls.as_deref()).await;
        agent.log.note("stopping");
        let _ = stopping.send(true);
        let _ = serving.await;
        for task in [noting, contact].into_iter().flatten() {
            task.abort();
        }
        drop(agent);
        // A request that was cut off may hold the log: its lines are not waited for.
        let end = tokio::task::spawn_blocking(move || writer.join());
        let _ = tokio::time::timeout(Duration::from_millis(500), end).await;
        Ok(())
    }

    /// The first line, from which scripts take the port.
    fn greeting(&self, address: SocketAddr) -> Answer {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{address}");
        let it = &self.product;
        let fields = Fields::default()
            .with("listening", url.as_str())
            .with("product", it.product().code())
            .with("product_key", it.key_id())
            .with("warnings", self.config.warnings.clone());
        let (code, key) = (show(it.product().code()), show(it.key_id()));
        let text = format!("listening on {url}\nserving {code}, product key {key}\n");
        Answer { fields, text, notes: self.warnings() }
    }
}

fn set_up(installation: &mut Installation, config: &Config) -> Result<()> {
    for (name, value) in &config.site {
        installation.set(name, value).map_err(|error| {
            let what =
                format!("site.{name}: {}", error.detail().trim_start_matches("the setting "));
            Error::new(error.code(), what)
        })?;
    }
    Ok(())
}

/// Makes the folder if it is not there, for its owner only. What keeps it from that is told, and
/// it serves all the same: a license from elsewhere counts without the folder.
fn make_folder(path: &Path) -> Option<String> {
    #[cfg_attr(not(unix), allow(unused_mut))]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Some(format!("the state folder {} cannot be made: {error}", told_path(path)))
        }
        _ => None,
    }
}

/// What will keep it from making the folder, or from writing to it.
fn unwritable(path: &Path) -> Option<String> {
    let told = format!("the state folder {}", told_path(path));
    if path.exists() {
        return cannot_write(path).map(|error| format!("{told} cannot be written: {error}"));
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    if !parent.is_dir() {
        return Some(format!("{told} cannot be made: there is no {}", told_path(parent)));
    }
    cannot_write(parent).map(|error| format!("{told} cannot be made: {error}"))
}

#[cfg(unix)]
fn cannot_write(folder: &Path) -> Option<std::io::Error> {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).err().map(Into::into)
}

#[cfg(not(unix))]
fn cannot_write(_: &Path) -> Option<std::io::Error> {
    None
}

/// What is wrong with the folder. It is served as it is: a license that is applied repairs most.
fn state_error(installation: &Installation, path: &Path) -> Result<Option<String>> {
    let status: Value = serde_json::from_str(&installation.status(None)?).unwrap_or_default();
    let state = &status["state"];
    if state["ok"] == true {
        return Ok(None);
    }
    let message = state["message"].as_str().unwrap_or("it cannot be used");
    let mut told = format!("the state folder {}: {message}", told_path(path));
    if state["code"] == Code::WrongProduct.slug() {
        // Here it is the folder that is wrong, and no license.
        told = told.replace(Code::WrongProduct.remedy(), "name another folder (state)");
    }
    Ok(Some(told))
}

/// Of a file that the administrator wrote: the remedies of the codes are about a call, or about
/// what a vendor sent.
fn of_a_file(error: Error) -> Failure {
    let told = matches!(error.code(), Code::InvalidArgument | Code::TooLarge);
    let remedy = told.then_some("");
    Failure { remedy, ..Failure::from(error) }
}

/// Of the product file: the remedies of the codes are about a license.
fn of_the_product_file(error: Error) -> Failure {
    let remedy = match error.code() {
        Code::InvalidArgument => Some(""),
        Code::WrongKind => Some("name the product file, which the vendor sent too"),
        Code::UnknownKey => {
            Some("use the product file that the vendor sent, or correct product_key")
        }
        _ => None,
    };
    Failure { remedy, ..Failure::from(error) }
}

fn cannot_listen(listen: SocketAddr, error: &std::io::Error) -> Failure {
    let (what, remedy) = match error.kind() {
        ErrorKind::AddrInUse => ("another program listens there", "stop it, or set listen"),
        _ => (&*error.to_string(), "set listen to an address and a port that may be had here"),
    };
    let error = Error::new(Code::Io, format!("{listen}: {what}"));
    Failure { remedy: Some(remedy), ..Failure::from(error) }
}

/// Notes that the use without a license begins, where the vendor allows it for some time: nobody
/// else is there to say so. A clock that was stopped, for tests, does not say when it is.
fn note_first_use(installation: &Installation, product: &ProductFile) -> Result<()> {
    let grace = product.settings().any(|(name, _)| name == "grace_days");
    match grace && product.product().fixed_clock().is_none() {
        true => installation.first_use(None),
        false => Ok(()),
    }
}

/// Does the same until it is on disk.
async fn note_first_use_later(installation: Arc<Installation>, product: ProductFile) {
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let (it, product) = (Arc::clone(&installation), product.clone());
        let noted = tokio::task::spawn_blocking(move || note_first_use(&it, &product)).await;
        if noted.is_ok_and(|noted| noted.is_ok()) {
            return;
        }
    }
}

/// Waits until the process is told to stop, and reads the certificate again whenever it is told to.
async fn wait_for_the_end(mut signals: Signals, agent: &Agent, tls: Option<&Tls>) {
    while signals.next().await == Signal::Reload {
        match tls.map(Tls::reload) {
            Some(Ok(())) => agent.log.note("the certificate was read again"),
            Some(Err(error)) => {
                let what = error.detail();
                agent.log.note(&format!("warning: the certificate stays as it was: {what}"));
            }
            None => {}
        }
    }
}
