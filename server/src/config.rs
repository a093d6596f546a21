//! Every setting of the license server: a flag of `licentia serve`, a variable `LICENTIA_…`, and
//! the default that is here. docs/server.md.

use crate::error::{Error, Result};
use crate::listen::{Limits, Network, TlsFiles};
use crate::webhooks::{Guard, Sender, Trust};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// The folder, if none is named.
pub const DATA: &str = "./licentia-data";
/// Where it listens, if nothing is said.
pub const LISTEN: &str = "127.0.0.1:7770";
/// Connections that are open at the same time.
pub const CONNECTIONS: usize = 1_000;
/// Seconds for the head of a request.
pub const HEADER_SECONDS: u64 = 10;
/// Seconds for a body.
pub const BODY_SECONDS: u64 = 10;
/// Seconds for what has begun, at the end.
pub const SHUTDOWN_SECONDS: u64 = 10;
/// Bytes of a body, at most: more than this cannot be set.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// Requests a minute with one API key.
pub const REQUESTS_PER_KEY: u32 = 12_000;
/// Requests a minute from one address without a key that is known to be good.
pub const REQUESTS_PER_ADDRESS: u32 = 3_000;
/// API keys a minute from one address that are not good.
pub const WRONG_KEYS: u32 = 20;
/// Days that events are kept after they were delivered.
pub const KEEP_EVENTS_DAYS: u32 = 90;

/// Characters of the shortest administrator key that is brought along.
pub const ADMIN_KEY_MIN: usize = 32;
/// Bytes of the longest: it travels in a header.
const ADMIN_KEY_MAX: usize = 512;

/// Who may read the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metrics {
    /// Nobody.
    Off,
    /// Whoever asks from this machine, and not through a proxy.
    #[default]
    Local,
    /// Everybody.
    All,
}

/// Where the master key is.
#[derive(Clone, Default)]
pub enum MasterKey {
    /// In the data folder, where it is made at the first start.
    #[default]
    Folder,
    /// In a file.
    File(PathBuf),
    /// Here: 32 bytes in base64url or hexadecimal.
    Text(Zeroizing<String>),
}

/// How many requests a minute; `None` = as many as come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// With one API key.
    pub key: Option<NonZeroU32>,
    /// From one address, without a key that is known to be good.
    pub address: Option<NonZeroU32>,
    /// From one address, with a key that is not good.
    pub wrong: Option<NonZeroU32>,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates {
            key: NonZeroU32::new(REQUESTS_PER_KEY),
            address: NonZeroU32::new(REQUESTS_PER_ADDRESS),
            wrong: NonZeroU32::new(WRONG_KEYS),
        }
    }
}

/// Where webhooks may go, beside https on port 443 of the internet.
#[derive(Clone, Debug, Default)]
pub struct Webhooks {
    /// Networks where everything may be reached, on any port and without TLS.
    pub networks: Vec<Network>,
    /// Whether `http` on port 80 will do elsewhere.
    pub http: bool,
    /// A file of authorities that are believed beside those of the system.
    pub authorities: Option<PathBuf>,
}

impl Webhooks {
    /// Who sends them. Fails with `setup` for authorities that cannot be read.
    pub fn sender(&self) -> Result<Sender> {
        let trust = self.authorities.as_deref().map(Trust::read).transpose()?;
        let guard = Guard::new(self.networks.clone(), self.http);
        Ok(Sender::new(guard).with_trust(trust.unwrap_or_default()))
    }
}

/// What a server is told when it starts.
#[derive(Clone)]
pub struct Config {
    /// The folder with the database, the master key and the lock.
    pub data: PathBuf,
    /// `postgres://…`; `None` = SQLite in the folder.
    pub database: Option<Zeroizing<String>>,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where clients find it: `https://licenses.example.com`.
    pub public_url: Option<String>,
    /// The `iss` of what the first organization signs.
    pub issuer: Option<String>,
    /// The administrator key of the first organization; `None` = one is made and told once.
    pub admin_key: Option<Zeroizing<String>>,
    /// Where the master key is.
    pub master_key: MasterKey,
    /// The certificate; `None` = plain connections.
    pub tls: Option<TlsFiles>,
    /// Proxies whose word is taken for where a request came from.
    pub trusted_proxies: Vec<Network>,
    /// Requests a minute.
    pub rates: Rates,
    /// Bytes of a body, at most.
    pub body_max: usize,
    /// Connections, and how long what may take.
    pub limits: Limits,
    /// Who may read the metrics.
    pub metrics: Metrics,
    /// Days that events are kept after they were delivered; 0 = for ever.
    pub keep_events_days: u32,
    /// Where webhooks may go.
    pub webhooks: Webhooks,
}

impl Default for Config {
    fn default() -> Config {
        let seconds = Duration::from_secs;
        Config {
            data: DATA.into(),
            database: None,
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7770),
            public_url: None,
            issuer: None,
            admin_key: None,
            master_key: MasterKey::default(),
            tls: None,
            trusted_proxies: Vec::new(),
            rates: Rates::default(),
            body_max: BODY_LIMIT,
            limits: Limits {
                connections: CONNECTIONS,
                header: seconds(HEADER_SECONDS),
                body: seconds(BODY_SECONDS),
                shutdown: seconds(SHUTDOWN_SECONDS),
            },
            metrics: Metrics::default(),
            keep_events_days: KEEP_EVENTS_DAYS,
            webhooks: Webhooks::default(),
        }
    }
}

impl Config {
    /// Fails with `invalid_argument` for what cannot be meant.
    pub fn check(&self) -> Result<()> {
        if let Some(key) = &self.admin_key {
            let count = key.chars().count();
            if count < ADMIN_KEY_MIN || key.len() > ADMIN_KEY_MAX {
                let what = format!(
                    "LICENTIA_ADMIN_KEY has {count} characters: give it {ADMIN_KEY_MIN} to \
                     {ADMIN_KEY_MAX}, made at random"
                );
                return Err(Error::invalid(what));
            }
            if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                let what = "LICENTIA_ADMIN_KEY has to travel in a header: take letters, digits \
                            and signs of ASCII, without blanks";
                return Err(Error::invalid(what));
            }
        }
        if let Some(url) = &self.database {
            let good = ["postgres://", "postgresql://"].iter().any(|it| url.starts_with(it));
            if !good {
                let what = "The database is postgres://USER@HOST/NAME, or nothing for SQLite in \
                            the data folder";
                return Err(Error::invalid(what));
            }
        }
        if let Some(url) = &self.public_url {
            let host = ["https://", "http://"].iter().find_map(|it| url.strip_prefix(it));
            if host.is_none_or(|host| host.is_empty() || host.starts_with('/')) {
                let what = "The public URL is such as https://licenses.example.com";
                return Err(Error::invalid(what));
            }
        }
        if self.issuer.as_deref() == Some("") || self.public_url.as_deref() == Some("") {
            return Err(Error::invalid("A setting that is given has to say something"));
        }
        if !(1..=BODY_LIMIT).contains(&self.body_max) {
            return Err(Error::invalid(format!("A body has 1 to {BODY_LIMIT} bytes")));
        }
        Ok(())
    }

    /// What is allowed, and should be looked at.
    pub fn warnings(&self) -> Vec<String> {
        let mut all = Vec::new();
        let proxied = !self.trusted_proxies.is_empty();
        if self.tls.is_none() && !proxied && !self.listen.ip().is_loopback() {
            all.push(format!(
                "{} is reached from other machines, and without TLS whoever listens on the way \
                 reads API keys: name a certificate, or a proxy that has one (--trusted-proxy)",
                self.listen
            ));
        }
        if self.metrics == Metrics::All && !self.listen.ip().is_loopback() {
            all.push("everybody may read /metrics".to_string());
        }
        if self.webhooks.http {
            let what = "webhooks may go out without TLS: whoever listens on the way reads them";
            all.push(what.to_string());
        }
        all
    }

    /// The database in words, without what signs in to it.
    pub fn database_told(&self) -> String {
        match &self.database {
            None => format!("SQLite, {}", self.sqlite().display()),
            Some(url) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                let rest = rest.split('?').next().unwrap_or_default();
                format!("PostgreSQL, {rest}")
            }
        }
    }

    /// The file of the database, where it is one.
    pub fn sqlite(&self) -> PathBuf {
        self.data.join("licentia.db")
    }
}

/// Whether a URL of a database has a password in it.
pub fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    let login = authority.rsplit_once('@').map_or("", |(login, _)| login);
    let named = |pair: &str| pair.split('=').next().is_some_and(|name| name == "password");
    login.contains(':') || query.split('&').any(named)
}

/// A number of requests a minute: 0 = as many as come.
pub fn rate(count: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn the_defaults_are_good_and_what_the_constants_say() {
        let config = Config::default();
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.listen.to_string(), LISTEN);
        assert!(config.warnings().is_empty());
        assert_eq!(config.database_told(), "SQLite, ./licentia-data/licentia.db");
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        let text = |text: &str| Some(Zeroizing::new(text.to_string()));
        let base = Config::default;
        let ok = "k".repeat(ADMIN_KEY_MIN);
        assert_eq!(Config { admin_key: text(&ok), ..base() }.check(), Ok(()));
        for wrong in [
            Config { admin_key: text(&ok[1..]), ..base() },
            Config { admin_key: text(&format!("{ok} ")), ..base() },
            Config { admin_key: text(&ok.repeat(17)), ..base() },
            Config { admin_key: text(&"é".repeat(40)), ..base() },
            Config { database: text("mysql://a/b"), ..base() },
            Config { database: text("licentia.db"), ..base() },
            Config { public_url: Some("licenses.example.com".into()), ..base() },
            Config { public_url: Some("https:///a".into()), ..base() },
            Config { issuer: Some(String::new()), ..base() },
            Config { body_max: 0, ..base() },
            Config { body_max: BODY_LIMIT + 1, ..base() },
        ] {
            let error = wrong.check().unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert!(!error.detail().contains(&ok[1..]), "a key is told: {error}");
        }
    }

    #[test]
    fn a_password_of_a_database_is_seen_and_not_told() {
        for (url, has, told) in [
            ("postgres://h/db", false, "h/db"),
            ("postgres://u@h:5432/db", false, "h:5432/db"),
            ("postgres://u:p@h/db", true, "h/db"),
            ("postgres://u:p@p@h/db", true, "h/db"),
            ("postgres://h/db?password=p", true, "h/db"),
            ("postgres://h/db?sslmode=require", false, "h/db"),
        ] {
            assert_eq!(has_password(url), has, "{url}");
            let config = Config { database: Some(url.to_string().into()), ..Config::default() };
            assert_eq!(config.database_told(), format!("PostgreSQL, {told}"));
        }
    }

    #[test]
    fn plain_connections_from_elsewhere_are_warned_of() {
        let listen = "0.0.0.0:7770".parse().unwrap();
        let open = Config { listen, ..Config::default() };
        assert_eq!(open.warnings().len(), 1);
        let proxy = vec!["10.0.0.0/8".parse().unwrap()];
        assert!(Config { trusted_proxies: proxy, ..open }.warnings().is_empty());
    }
}
