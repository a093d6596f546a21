//! The configuration file: docs/agent.md.

use super::accounts::{self, Accounts};
use super::table::Table;
use crate::input::{self, STDIN};
use licentia::{Code, Error, Result, SITE_SETTINGS};
use licentia_server::listen::{Limits, TlsFiles};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes of the longest file: an inline product file, and a thousand users.
const CONFIG_MAX: usize = 1024 * 1024;

/// Site settings whose value is the name of a file.
const FILES: &[&str] = &["license_file", "server_ca"];

/// Keys before the first section.
pub const KEYS: &[&str] =
    &["listen", "state", "product", "product_file", "product_key", "log", "metrics", "sync"];

const SECTIONS: &[&str] = &["site", "tokens", "users", "tls", "limits"];

/// What the administrator of a site says.
pub struct Config {
    pub listen: SocketAddr,
    /// The folder of the installation.
    pub state: PathBuf,
    pub product: ProductSource,
    /// The name of the key that has to have signed the product file.
    pub product_key: Option<String>,
    /// Settings of the installation, by name.
    pub site: Vec<(String, String)>,
    pub accounts: Accounts,
    pub tls: Option<TlsFiles>,
    pub log: Log,
    pub metrics: Metrics,
    /// Whether it asks the vendor's server by itself.
    pub syncs: bool,
    pub limits: Limits,
    /// What is allowed, and should be looked at.
    pub warnings: Vec<String>,
}

/// Where the product file is.
pub enum ProductSource {
    None,
    Text(String),
    File(PathBuf),
}

/// How requests are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    Text,
    Json,
    Off,
}

/// Who may see the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metrics {
    Read,
    Public,
    Off,
}

impl Config {
    /// Reads a file. Fails with `io`, or with `invalid_argument` for what is in it.
    pub fn read(name: &str) -> Result<Config> {
        let text = input::read_text(name, CONFIG_MAX, Code::InvalidArgument)?;
        let folder = match Path::new(name).parent() {
            Some(folder) if name != STDIN => folder,
            _ => Path::new(""),
        };
        Config::parse(name, &text, folder)
    }

    /// `folder` is what relative paths are relative to.
    fn parse(name: &str, text: &str, folder: &Path) -> Result<Config> {
        let mut table = Table::read(name, text)?;
        table.knows(&[KEYS, SECTIONS].concat())?;
        let mut warnings = Vec::new();
        let listen = listen(&mut table)?;
        let state = table.text("state")?.unwrap_or_else(|| "agent-state".to_string());
        let product = product(&mut table, folder)?;
        let product_key = table.text("product_key")?;
        let log = match table.word("log", &["text", "json", "off"])? {
            "json" => Log::Json,
            "off" => Log::Off,
            _ => Log::Text,
        };
        let metrics = match table.word("metrics", &["read", "public", "off"])? {
            "public" => Metrics::Public,
            "off" => Metrics::Off,
            _ => Metrics::Read,
        };
        let syncs = table.word("sync", &["on", "off"])? == "on";
        let site = site(table.table("site")?, folder)?;
        let limits = limits(table.table("limits")?)?;
        let tls = match table.has("tls") {
            true => Some(tls(table.table("tls")?, folder)?),
            false => None,
        };
        let accounts = accounts::read(&mut table, folder, &mut warnings)?;
        if tls.is_none() && !listen.ip().is_loopback() {
            warnings.push(format!(
                "{listen} is reached from other machines, and without [tls] whoever listens on the \
                 way reads tokens and passwords"
            ));
        }
        if accounts.is_empty() {
            warnings.push("there are no [[tokens]] and no [[users]]: nobody can sign in".into());
        }
        Ok(Config {
            listen,
            state: folder.join(state),
            product,
            product_key,
            site,
            accounts,
            tls,
            log,
            metrics,
            syncs,
            limits,
            warnings,
        })
    }
}

fn listen(table: &mut Table) -> Result<SocketAddr> {
    let text = table.text("listen")?.unwrap_or_else(|| "127.0.0.1:7780".to_string());
    let text = text.strip_prefix("localhost:").map_or(text.clone(), |port| {
        // The name may be anybody's: the address is this machine.
        format!("127.0.0.1:{port}")
    });
    text.parse().map_err(|_| {
        table.refuse("listen", "is an address and a port, such as 127.0.0.1:7780 or [::1]:7780")
    })
}

fn product(table: &mut Table, folder: &Path) -> Result<ProductSource> {
    let text = table.text("product")?;
    let file = table.text("product_file")?;
    match (text, file) {
        (None, None) => Ok(ProductSource::None),
        (None, Some(file)) => Ok(ProductSource::File(folder.join(file))),
        (Some(text), None) if licentia::is_product_code(text.trim()) => {
            Err(table.refuse("product", "is the text of a product file that the vendor signed"))
        }
        (Some(text), None) => Ok(ProductSource::Text(text)),
        (Some(_), Some(_)) => {
            Err(table.refuse("product", "and product_file say the same: give one"))
        }
    }
}

fn site(mut table: Table, folder: &Path) -> Result<Vec<(String, String)>> {
    let names: Vec<&str> = SITE_SETTINGS.iter().map(|setting| setting.name).collect();
    table.knows(&names)?;
    let mut site = Vec::new();
    for name in names {
        let Some(value) = table.setting(name)? else { continue };
        let value = match FILES.contains(&name) && !value.is_empty() {
            true => folder.join(value).to_string_lossy().into_owned(),
            false => value,
        };
        site.push((name.to_string(), value));
    }
    Ok(site)
}

fn limits(mut table: Table) -> Result<Limits> {
    table.knows(&["connections", "header_seconds", "body_seconds", "shutdown_seconds"])?;
    let connections = table.number("connections", 1, 65_536, 1_000)?;
    Ok(Limits {
        connections: usize::try_from(connections).unwrap_or(usize::MAX),
        header: Duration::from_secs(table.number("header_seconds", 1, 3_600, 10)?),
        body: Duration::from_secs(table.number("body_seconds", 1, 3_600, 10)?),
        shutdown: Duration::from_secs(table.number("shutdown_seconds", 0, 3_600, 10)?),
    })
}

fn tls(mut table: Table, folder: &Path) -> Result<TlsFiles> {
    table.knows(&["certificate", "key"])?;
    let mut file = |name: &str| {
        let missing = "is missing: name the file, in PEM";
        let path = table.text(name)?.ok_or_else(|| table.refuse(name, missing))?;
        Ok::<_, Error>(folder.join(path))
    };
    Ok(TlsFiles { certificate: file("certificate")?, key: file("key")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_documented_and_the_documented_defaults_are_the_defaults() {
        let page = include_str!("../../../docs/agent.md");
        for key in [KEYS, SECTIONS].concat() {
            let known =
                [format!("| `{key}` |"), format!("| `[{key}]` |"), format!("| `[[{key}]]` |")];
            assert!(known.iter().any(|row| page.contains(row)), "{key}");
        }
        let config = Config::parse("agent.toml", "", Path::new("/etc/myapp")).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:7780");
        assert_eq!(config.state, Path::new("/etc/myapp/agent-state"));
        assert_eq!((config.log, config.metrics), (Log::Text, Metrics::Read));
        assert!(config.syncs);
        let Limits { connections, header, body, shutdown } = config.limits;
        let seconds = [header, body, shutdown].map(|time| time.as_secs());
        assert_eq!((connections, seconds), (1000, [10, 10, 10]));
        assert!(page.contains("`connections` (1000), `header_seconds` (10), `body_seconds` (10)"));
    }

    #[test]
    fn paths_are_relative_to_the_file_and_plain_addresses_elsewhere_are_warned_of() {
        let read = |text: &str| Config::parse("agent.toml", text, Path::new("/etc/myapp")).unwrap();
        let config = read("state = \"/var/lib/myapp\"\n[site]\nlicense_file = \"a.lic\"");
        assert_eq!(config.state, Path::new("/var/lib/myapp"));
        assert_eq!(config.site, [("license_file".to_string(), "/etc/myapp/a.lic".to_string())]);
        let config = read("[site]\nserver_ca = \"own.pem\"\nserver_timeout = 5");
        let set = ["server_ca /etc/myapp/own.pem", "server_timeout 5"];
        assert_eq!(
            config.site.iter().map(|(name, it)| format!("{name} {it}")).collect::<Vec<_>>(),
            set
        );
        for (listen, warned) in [
            ("127.0.0.1:1", false),
            ("localhost:1", false),
            ("[::1]:1", false),
            ("0.0.0.0:1", true),
            ("[::]:1", true),
            ("192.0.2.1:1", true),
        ] {
            let config = read(&format!("listen = \"{listen}\""));
            assert_eq!(config.warnings.iter().any(|it| it.contains("[tls]")), warned, "{listen}");
        }
    }
}
