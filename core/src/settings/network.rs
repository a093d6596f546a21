//! How the issuer is reached: docs/settings.md.

use super::refuse;
use crate::errors::Result;
use std::path::PathBuf;
use std::time::Duration;

/// URLs of one vendor's servers.
const SERVERS_MAX: usize = 8;

/// Bytes in one URL.
const URL_MAX: usize = 1024;

/// How long a call may take where nobody says, and at the most: seconds.
const PATIENCE: u64 = 30;
const PATIENCE_MAX: u64 = 300;

/// The values that were set.
#[derive(Clone)]
pub(crate) struct Network {
    /// Root URLs of the issuer's servers, in the order in which they are tried, without a slash
    /// at their ends.
    pub(crate) servers: Vec<String>,
    /// A file with certificates of authorities to trust besides the system's, in PEM.
    pub(crate) authorities: Option<PathBuf>,
    /// By which proxy.
    pub(crate) proxy: Proxy,
    /// How long a call may take in all.
    pub(crate) patience: Duration,
}

/// By which proxy the issuer is reached.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Proxy {
    /// The one that the environment named when this was set.
    Environment,
    /// None, whatever the environment names.
    Direct,
    /// This one: a URL, perhaps with a name and a password in it.
    Url(String),
}

impl Default for Network {
    fn default() -> Network {
        Network {
            servers: Vec::new(),
            authorities: None,
            proxy: Proxy::Environment,
            patience: Duration::from_secs(PATIENCE),
        }
    }
}

impl Network {
    /// Their names.
    pub(crate) const SETTINGS: [&str; 4] = ["server", "server_ca", "proxy", "server_timeout"];

    /// Sets one by name; `false` if there is none of that name.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<bool> {
        match name {
            "server" => self.servers = servers(name, value)?,
            "server_ca" => self.authorities = (!value.is_empty()).then(|| value.into()),
            "proxy" => {
                self.proxy = match value {
                    "" => Proxy::Environment,
                    "none" => Proxy::Direct,
                    url => Proxy::Url(url.to_string()),
                }
            }
            "server_timeout" => self.patience = patience(name, value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// URLs between blanks or commas; nothing = none.
pub(crate) fn servers(name: &str, value: &str) -> Result<Vec<String>> {
    let urls = value.split([',', ' ', '\t', '\n', '\r']).filter(|url| !url.is_empty());
    let urls = urls.map(|url| root(name, url)).collect::<Result<Vec<_>>>()?;
    match urls.len() <= SERVERS_MAX {
        true => Ok(urls),
        false => Err(refuse(name, &format!("it names more than {SERVERS_MAX} servers"))),
    }
}

/// The root URL of a server, without a slash at its end.
fn root(name: &str, url: &str) -> Result<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"?#@\"<>\\^`{|}".contains(&byte);
    let good = rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.starts_with(['/', ':']) && rest.bytes().all(fits)
    });
    match good && url.len() <= URL_MAX {
        true => Ok(url.trim_end_matches('/').to_string()),
        false => Err(refuse(name, "it is not a URL such as https://licenses.example.com")),
    }
}

fn patience(name: &str, value: &str) -> Result<Duration> {
    if value.is_empty() {
        return Ok(Duration::from_secs(PATIENCE));
    }
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = value.parse().ok().filter(|it| digits && (1..=PATIENCE_MAX).contains(it));
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| refuse(name, "it is not a number of seconds from 1 to 300"))
}
