//! How the issuer is reached: docs/settings.md.
#![cfg_attr(not(feature = "net"), allow(dead_code, reason = "they are set, and nobody goes there"))]

use super::refuse;
use crate::errors::Result;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// URLs of one vendor's servers.
const SERVERS_MAX: usize = 8;

/// Bytes in one URL.
const URL_MAX: usize = 1024;

/// Bytes of the name of a host (RFC 1035).
const HOST_MAX: usize = 253;

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
#[derive(Clone)]
pub(crate) enum Proxy {
    /// The one that the environment names.
    Environment,
    /// None, whatever the environment names.
    Direct,
    /// This one.
    Url(ProxyUrl),
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
            "server_ca" => self.authorities = authorities(value)?,
            "proxy" => {
                self.proxy = match value {
                    "" => Proxy::Environment,
                    "none" => Proxy::Direct,
                    url => Proxy::Url(ProxyUrl::parse(url).map_err(|why| refuse(name, why))?),
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
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"?#@\"<>\\^`{|}".contains(&byte);
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split('/').next());
    let good = host.is_some_and(|host| host_and_port(host).is_some()) && url.bytes().all(fits);
    match good && url.len() <= URL_MAX {
        true => Ok(url.trim_end_matches('/').to_string()),
        false => Err(refuse(name, "it is not a URL such as https://licenses.example.com")),
    }
}

/// A file that is there now, and that is read again by each call.
fn authorities(value: &str) -> Result<Option<PathBuf>> {
    if value.is_empty() {
        return Ok(None);
    }
    #[cfg(feature = "net")]
    crate::net::check(Path::new(value))?;
    Ok(Some(Path::new(value).to_path_buf()))
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

/// The URL of a proxy. There may be a password in it: it is never shown.
#[derive(Clone)]
pub(crate) struct ProxyUrl {
    pub(crate) scheme: Scheme,
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    /// A name and a password.
    pub(crate) login: Option<(String, String)>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
    /// RFC 1928, with the server's name looked up here.
    Socks5,
    /// The same, with the name looked up by the proxy.
    Socks5h,
}

impl ProxyUrl {
    /// Fails with what is wrong, without any part of the URL.
    pub(crate) fn parse(url: &str) -> std::result::Result<ProxyUrl, &'static str> {
        const WHAT: &str = "it is not a URL such as http://proxy.example.com:3128";
        const LOGIN: &str = "write what is special in its name and password as %40 for @ and so on";
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            "socks5" => Scheme::Socks5,
            "socks5h" => Scheme::Socks5h,
            _ => return Err("its scheme is none of http, https, socks5 and socks5h"),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (login, host) = match rest.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, rest),
        };
        let (host, port) = host_and_port(host).filter(|_| url.len() <= URL_MAX).ok_or(WHAT)?;
        let part = |text: &str| {
            let special = |byte: u8| !byte.is_ascii_graphic() || b":@/?#".contains(&byte);
            let decoded = decoded(text).filter(|_| !text.bytes().any(special)).ok_or(LOGIN)?;
            // Both are sent after their lengths, or before a line end.
            match decoded.len() <= 255 && !decoded.contains(char::is_control) {
                true => Ok(decoded),
                false => Err(LOGIN),
            }
        };
        let login = match login {
            None => None,
            Some(login) => {
                let (name, password) = login.split_once(':').unwrap_or((login, ""));
                Some((part(name)?, part(password)?))
            }
        };
        if login.as_ref().is_some_and(|(name, password)| {
            let socks = matches!(scheme, Scheme::Socks5 | Scheme::Socks5h);
            name.is_empty() || name.contains(':') || (socks && password.is_empty())
        }) {
            return Err("its name or its password is missing: http://name:password@proxy:3128");
        }
        Ok(ProxyUrl { scheme, host: host.to_string(), port, login })
    }
}

/// Without `%40` and its like; `None` = what is written so is no text.
fn decoded(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut out = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        out.push(u8::from_str_radix(digits, 16).ok()?);
        out.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(out).ok()
}

/// A name or an address, of IPv6 in brackets, and a port if there is one.
fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let end = match text.starts_with('[') {
        true => text.find(']')? + 1,
        false => text.find(':').unwrap_or(text.len()),
    };
    let (host, port) = text.split_at_checked(end)?;
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|port| *port > 0)?)
        }
        _ => return None,
    };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let good = match address {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.len() <= HOST_MAX && host.bytes().all(fits),
    };
    good.then_some((host, port))
}

/// The host in the root URL of a server.
pub(crate) fn host_of(root: &str) -> &str {
    let rest = root.split_once("://").map_or(root, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    host_and_port(host).map_or(host, |(host, _)| host)
}

/// Whether a server is reached by plain HTTP.
pub(crate) fn is_http(root: &str) -> bool {
    root.starts_with("http://")
}
