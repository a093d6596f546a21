//! `serve`: the license server. Its settings are here as flags and variables, and nowhere else.

use crate::args::whole;
use crate::output::{self, Answer, Fields, LOOK, Told, finish, rows, show};
use crate::server::failure;
use crate::status;
use clap::ValueEnum;
use clap::builder::{NonEmptyStringValueParser, PathBufValueParser, TypedValueParser};
use licentia::{Code, Error};
use licentia_server::clock::Clock;
use licentia_server::config::{self, Config, MasterKey, Rates, Webhooks};
use licentia_server::listen::{Limits, Network, TlsFiles};
use licentia_server::master_key::Found;
use licentia_server::{log, serve};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use zeroize::Zeroizing;

/// Variables that are no flags: the arguments of a program are for every user to see.
const ADMIN_KEY: &str = "LICENTIA_ADMIN_KEY";
const MASTER_KEY: &str = "LICENTIA_MASTER_KEY";
pub const NEW_MASTER_KEY: &str = "LICENTIA_NEW_MASTER_KEY";

/// Serve the license server: products, keys, licenses, activations, sync, seats over HTTP
///
/// Without arguments it keeps everything in ./licentia-data and listens on this machine only. The
/// first start makes an organization and prints the key of its administrator, once; with
/// LICENTIA_ADMIN_KEY (32 characters or more) that is the key. LICENTIA_MASTER_KEY is the master
/// key itself, in place of a file. It serves until SIGTERM or SIGINT, and reads its certificate
/// again on SIGHUP.
#[derive(clap::Args)]
#[command(next_line_help = true)]
pub struct Args {
    /// The folder with the database, the master key and the lock. Made if it is not there
    #[arg(long, env = "LICENTIA_DATA", value_name = "DIR", default_value = config::DATA)]
    #[arg(value_parser = path())]
    data: PathBuf,
    /// PostgreSQL in place of SQLite in the data folder: postgres://USER@HOST/NAME. One with a
    /// password comes from the variable only
    #[arg(long, env = "LICENTIA_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// Where it listens: an address and a port
    #[arg(long, env = "LICENTIA_LISTEN", value_name = "ADDRESS", default_value = config::LISTEN)]
    listen: SocketAddr,
    /// Where clients find it, such as https://licenses.example.com
    #[arg(long, env = "LICENTIA_PUBLIC_URL", value_name = "URL")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    public_url: Option<String>,
    /// Who issues the licenses of the first organization (`iss`) [default: the public URL, or a
    /// URN of its id]
    #[arg(long, env = "LICENTIA_ISSUER", value_name = "TEXT")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    issuer: Option<String>,
    /// The file with the master key that private keys are sealed with [default: master.key in the
    /// data folder, made at the first start]
    #[arg(long, env = "LICENTIA_MASTER_KEY_FILE", value_name = "FILE", value_parser = path())]
    master_key_file: Option<PathBuf>,
    /// The certificate and those it is signed with, in PEM [default: plain HTTP]
    #[arg(long, env = "LICENTIA_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    #[arg(value_parser = path())]
    tls_certificate: Option<PathBuf>,
    /// The private key of the certificate, in PEM
    #[arg(long, env = "LICENTIA_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    #[arg(value_parser = path())]
    tls_key: Option<PathBuf>,
    /// A proxy, or a network of them, that is believed where a request came from (Forwarded,
    /// X-Forwarded-For); may be given again, the variable has commas [default: none]
    #[arg(long, env = "LICENTIA_TRUSTED_PROXY", value_name = "ADDRESS", value_delimiter = ',')]
    trusted_proxy: Vec<Network>,
    #[command(flatten)]
    limits: LimitArgs,
    /// Who may read /metrics
    #[arg(long, env = "LICENTIA_METRICS", value_name = "WHO", default_value = "local")]
    metrics: Metrics,
    /// How the lines of the log look
    #[arg(long, env = "LICENTIA_LOG", value_name = "FORMAT", default_value = "text")]
    log: Format,
    /// How much is logged: each request is info
    #[arg(long, env = "LICENTIA_LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    log_level: Level,
    /// Days that events are kept after they were delivered; 0 = for ever
    #[arg(long, env = "LICENTIA_KEEP_EVENTS_DAYS", value_name = "DAYS")]
    #[arg(default_value_t = config::KEEP_EVENTS_DAYS)]
    #[arg(value_parser = whole::<u32>("a whole number of days", 0, 36_500))]
    keep_events_days: u32,
    #[command(flatten)]
    webhooks: WebhookArgs,
}

#[derive(clap::Args)]
struct WebhookArgs {
    /// An address, or a network, where webhooks may go to any port, also without TLS: for receivers
    /// beside the server. Whoever may make webhooks reaches everything in it. May be given again,
    /// the variable has commas [default: none]
    #[arg(long, env = "LICENTIA_WEBHOOK_NETWORK", value_name = "NETWORK", value_delimiter = ',')]
    webhook_network: Vec<Network>,
    /// Whether webhooks may go to http on port 80 of the internet, besides https on port 443
    #[arg(long, env = "LICENTIA_WEBHOOK_HTTP", value_name = "SWITCH", default_value = "off")]
    webhook_http: Switch,
    /// Authorities, in PEM, that are believed for receivers of webhooks, besides the system's
    /// [default: none]
    #[arg(long, env = "LICENTIA_WEBHOOK_CA", value_name = "FILE", value_parser = path())]
    webhook_ca: Option<PathBuf>,
}

#[derive(clap::Args)]
struct LimitArgs {
    /// Requests a minute with one API key; 0 = as many as come
    #[arg(long, env = "LICENTIA_REQUESTS_PER_KEY", value_name = "COUNT")]
    #[arg(default_value_t = config::REQUESTS_PER_KEY, value_parser = rate())]
    requests_per_key: u32,
    /// Requests a minute from one address without a good API key; 0 = as many as come
    #[arg(long, env = "LICENTIA_REQUESTS_PER_ADDRESS", value_name = "COUNT")]
    #[arg(default_value_t = config::REQUESTS_PER_ADDRESS, value_parser = rate())]
    requests_per_address: u32,
    /// Wrong API keys a minute from one address; 0 = as many as come
    #[arg(long, env = "LICENTIA_WRONG_KEYS", value_name = "COUNT")]
    #[arg(default_value_t = config::WRONG_KEYS, value_parser = rate())]
    wrong_keys: u32,
    /// Bytes of a body, at most
    #[arg(long, env = "LICENTIA_BODY_LIMIT", value_name = "BYTES")]
    #[arg(default_value_t = config::BODY_LIMIT)]
    #[arg(value_parser = whole::<usize>("a whole number of bytes", 1_024, 1_048_576))]
    body_limit: usize,
    /// Connections that are open at the same time
    #[arg(long, env = "LICENTIA_CONNECTIONS", value_name = "COUNT")]
    #[arg(default_value_t = config::CONNECTIONS)]
    #[arg(value_parser = whole::<usize>("a whole number of connections", 1, 65_536))]
    connections: usize,
    /// How long the head of a request may take, and the next one may be waited for
    #[arg(long, env = "LICENTIA_HEADER_SECONDS", value_name = "SECONDS")]
    #[arg(default_value_t = config::HEADER_SECONDS, value_parser = seconds(1))]
    header_seconds: u64,
    /// How long a body may take
    #[arg(long, env = "LICENTIA_BODY_SECONDS", value_name = "SECONDS")]
    #[arg(default_value_t = config::BODY_SECONDS, value_parser = seconds(1))]
    body_seconds: u64,
    /// How long what has begun is waited for when it stops
    #[arg(long, env = "LICENTIA_SHUTDOWN_SECONDS", value_name = "SECONDS")]
    #[arg(default_value_t = config::SHUTDOWN_SECONDS, value_parser = seconds(0))]
    shutdown_seconds: u64,
}

/// Who may read the metrics.
#[derive(Clone, Copy, ValueEnum)]
enum Metrics {
    /// Nobody
    Off,
    /// Whoever asks from this machine, through no proxy
    Local,
    /// Everybody
    All,
}

/// Whether something is done.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    Off,
    On,
}

/// How the lines of the log look.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// How much is logged.
#[derive(Clone, Copy, ValueEnum)]
enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.as_os_str().is_empty() {
        true => Err("it is empty"),
        false => Ok(path),
    })
}

fn rate() -> impl Fn(&str) -> Result<u32, String> + Clone {
    whole("a whole number of requests a minute", 0, 1_000_000_000)
}

fn seconds(least: u64) -> impl Fn(&str) -> Result<u64, String> + Clone {
    whole("a whole number of seconds", least, 3_600)
}

/// Serves until it is told to stop.
pub fn run(args: &Args, json: bool) -> ExitCode {
    let config = match config(args) {
        Ok(config) => config,
        Err(failure) => return finish(Err(failure), json),
    };
    let log = log::start(args.log.into(), args.log_level.into());
    let served = serve(config, Clock::default(), |told| output::begin(&greeting(told), json));
    log.end();
    match served {
        Ok(()) => ExitCode::from(status::GOOD),
        Err(error) => finish(Err(failure(error)), json),
    }
}

fn config(args: &Args) -> Told<Config> {
    let limits = &args.limits;
    let tls = args.tls_certificate.clone().zip(args.tls_key.clone());
    let database = args.database.clone().map(Zeroizing::new);
    let given = std::env::var_os("LICENTIA_DATABASE");
    if let Some(url) = &database
        && config::has_password(url)
        && given.as_deref() != Some(url.as_str().as_ref())
    {
        let what = "a password in --database is for every user of this machine to see: set \
                    LICENTIA_DATABASE in place of the flag";
        return Err(Error::new(Code::InvalidArgument, what).into());
    }
    let config = Config {
        data: args.data.clone(),
        database,
        listen: args.listen,
        public_url: args.public_url.clone(),
        issuer: args.issuer.clone(),
        admin_key: variable(ADMIN_KEY)?,
        master_key: master_key(args.master_key_file.as_ref())?,
        tls: tls.map(|(certificate, key)| TlsFiles { certificate, key }),
        trusted_proxies: args.trusted_proxy.clone(),
        rates: Rates {
            key: config::rate(limits.requests_per_key),
            address: config::rate(limits.requests_per_address),
            wrong: config::rate(limits.wrong_keys),
        },
        body_max: limits.body_limit,
        limits: Limits {
            connections: limits.connections,
            header: Duration::from_secs(limits.header_seconds),
            body: Duration::from_secs(limits.body_seconds),
            shutdown: Duration::from_secs(limits.shutdown_seconds),
        },
        metrics: args.metrics.into(),
        keep_events_days: args.keep_events_days,
        webhooks: Webhooks {
            networks: args.webhooks.webhook_network.clone(),
            http: args.webhooks.webhook_http == Switch::On,
            authorities: args.webhooks.webhook_ca.clone(),
        },
    };
    config.check().map_err(failure)?;
    Ok(config)
}

/// Where the master key is: in the variable, in a file, or in the data folder.
pub fn master_key(file: Option<&PathBuf>) -> Told<MasterKey> {
    match (variable(MASTER_KEY)?, file) {
        (Some(_), Some(_)) => {
            let what = "there is a master key in LICENTIA_MASTER_KEY and in a file: give one";
            Err(Error::new(Code::InvalidArgument, what).into())
        }
        (Some(text), None) => Ok(MasterKey::Text(text)),
        (None, Some(path)) => Ok(MasterKey::File(path.clone())),
        (None, None) => Ok(MasterKey::Folder),
    }
}

/// A secret; `None` = the variable is not set, or to nothing.
pub fn variable(name: &str) -> Told<Option<Zeroizing<String>>> {
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let text = OsString::into_string(value).map_err(|_| {
        let what = format!("{name} is not UTF-8 text");
        Error::new(Code::InvalidArgument, what)
    })?;
    Ok(Some(Zeroizing::new(text)))
}

/// The first line, from which scripts take the port, and where things are.
fn greeting(told: &licentia_server::Told) -> Answer {
    let key = master_key_told(&told.master_key);
    let mut fields = Fields::default()
        .with("listening", told.url.as_str())
        .with("docs", told.docs.as_str())
        .with("data", told.data.as_str())
        .with("database", told.database.as_str())
        .with("master_key", key.as_str());
    let mut lines = vec![
        ("documentation", told.docs.clone()),
        ("data folder", show(&told.data)),
        ("database", show(&told.database)),
        ("master key", show(&key)),
    ];
    let mut notes: Vec<String> = Vec::new();
    if let Found::Made(_) = &told.master_key {
        notes.push(
            "the master key is new: keep a copy of it elsewhere, without it the private \
                    keys in the database and in its backups cannot be used"
                .to_string(),
        );
    }
    if let Some(first) = &told.first {
        let organization = first.organization.id.to_string();
        fields = fields.with("organization", organization.as_str());
        lines.push(("organization", organization));
        if let Some(key) = &first.key {
            fields = fields.with("admin_key", key.0.as_str());
            lines.push(("administrator key", key.0.to_string()));
            notes.push("the administrator key is shown this once: keep it".to_string());
        }
    }
    let warning = |what: &String| format!("{LOOK}warning:{LOOK:#} {}", show(what));
    notes.extend(told.warnings.iter().map(warning));
    let fields = fields.with("warnings", told.warnings.clone());
    let text = format!("listening on {}\n{}", told.url, rows(&lines));
    Answer { fields, text, notes }
}

fn master_key_told(found: &Found) -> String {
    match found {
        Found::Given => MASTER_KEY.to_string(),
        Found::File(path) | Found::Made(path) => path.display().to_string(),
    }
}

impl From<Metrics> for config::Metrics {
    fn from(metrics: Metrics) -> config::Metrics {
        match metrics {
            Metrics::Off => config::Metrics::Off,
            Metrics::Local => config::Metrics::Local,
            Metrics::All => config::Metrics::All,
        }
    }
}

impl From<Format> for log::Format {
    fn from(format: Format) -> log::Format {
        match format {
            Format::Text => log::Format::Text,
            Format::Json => log::Format::Json,
        }
    }
}

impl From<Level> for log::Level {
    fn from(level: Level) -> log::Level {
        match level {
            Level::Error => log::Level::Error,
            Level::Warn => log::Level::Warn,
            Level::Info => log::Level::Info,
            Level::Debug => log::Level::Debug,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::args::Cli;
    use clap::CommandFactory;
    use std::path::Path;
    use std::{env, fs};

    const START: &str = "<!-- settings -->\n";
    const END: &str = "<!-- /settings -->";

    /// docs/server.md lists every setting as it is.
    /// `LICENTIA_BLESS=1 cargo test -p licentia-cli` rewrites it.
    #[test]
    fn every_setting_is_documented_as_it_is() {
        let cli = Cli::command();
        let serve = cli.find_subcommand("serve").unwrap();
        let mut table = "| flag | variable | default | |\n|---|---|---|---|\n".to_string();
        let mut seen = 0;
        for arg in serve.get_arguments().filter(|arg| arg.get_id() != "json") {
            let long = arg.get_long().unwrap();
            let name = long.to_uppercase().replace('-', "_");
            let env = arg.get_env().and_then(|env| env.to_str()).unwrap();
            assert_eq!(env, format!("LICENTIA_{name}"), "the variable is the name of the flag");
            let help = arg.get_help().unwrap().to_string();
            let (help, told) = match help.split_once(" [default: ") {
                Some((help, told)) => (help, told.trim_end_matches(']').to_string()),
                None => (help.as_str(), String::new()),
            };
            let defaults = arg.get_default_values().iter().map(|it| it.to_str().unwrap());
            let default = defaults.map(|it| format!("`{it}`")).collect::<String>() + &told;
            let value = arg.get_value_names().unwrap()[0].as_str();
            table += &format!("| `--{long} {value}` | `{env}` | {default} | {help} |\n");
            seen += 1;
        }
        assert!(seen >= 20, "only {seen} settings were found");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/server.md");
        let page = fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once(START).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        let wanted = format!("{before}{START}\n{table}\n{END}{after}");
        if env::var_os("LICENTIA_BLESS").is_some() {
            fs::write(&path, &wanted).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap();
        assert!(found == wanted, "docs/server.md is stale: run with LICENTIA_BLESS=1, commit it");
    }
}
