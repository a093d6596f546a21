//! By which proxy a server is reached, and what the environment says of that.

use crate::errors::{Code, Error, Result};
use crate::settings::network::{Proxy, ProxyUrl, Scheme, host_of, is_http};
use std::net::IpAddr;
use ureq::ProxyProtocol;

/// The proxy for a server; `None` = none. Fails with `unreachable` where the environment names
/// something else.
pub(super) fn of(root: &str, proxy: &Proxy) -> Result<Option<ureq::Proxy>> {
    let url = match proxy {
        Proxy::Direct => None,
        Proxy::Url(url) => Some(url.clone()),
        Proxy::Environment => of_environment(root, &|name| {
            let value = std::env::var_os(name)?.to_string_lossy().into_owned();
            (!value.is_empty()).then_some(value)
        })?,
    };
    url.map(|url| made(&url)).transpose()
}

fn made(url: &ProxyUrl) -> Result<ureq::Proxy> {
    let protocol = match url.scheme {
        Scheme::Http => ProxyProtocol::Http,
        Scheme::Https => ProxyProtocol::Https,
        Scheme::Socks5 => ProxyProtocol::Socks5,
        Scheme::Socks5h => ProxyProtocol::Socks5h,
    };
    let mut it = ureq::Proxy::builder(protocol).host(&url.host);
    if let Some(port) = url.port {
        it = it.port(port);
    }
    if let Some((name, password)) = &url.login {
        it = it.username(name).password(password);
    }
    let what = "the setting proxy names none that can be used";
    it.build().map_err(|_| Error::new(Code::Unreachable, what))
}

/// What variables say, as curl reads them. A server in a web server is given `HTTP_PROXY` by
/// whoever asks it, with a header: that one is not read.
fn of_environment(
    root: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<ProxyUrl>> {
    let own: &[&str] = match is_http(root) {
        true => &["http_proxy"],
        false => &["https_proxy", "HTTPS_PROXY"],
    };
    let names = own.iter().chain(&["all_proxy", "ALL_PROXY"]);
    let Some((name, value)) = names.into_iter().find_map(|name| Some((name, variable(name)?)))
    else {
        return Ok(None);
    };
    let except = variable("no_proxy").or_else(|| variable("NO_PROXY")).unwrap_or_default();
    if is_excepted(host_of(root), &except) {
        return Ok(None);
    }
    let what = |why: &str| Error::new(Code::Unreachable, format!("the variable {name}: {why}"));
    ProxyUrl::parse(&value).map(Some).map_err(what)
}

/// Whether a host is in a list such as `no_proxy`: of names, which stand for all below them too,
/// of addresses, and of networks such as `10.0.0.0/8`.
fn is_excepted(host: &str, list: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let matches = |one: &str| match address {
        Some(address) => is_in(address, one),
        None => {
            let one = one.trim_start_matches("*.").trim_matches('.').to_ascii_lowercase();
            let below = host.strip_suffix(&one).is_some_and(|rest| rest.ends_with('.'));
            !one.is_empty() && (host == one || below)
        }
    };
    let mut all = list.split([',', ' ', '\t']).filter(|one| !one.is_empty());
    all.any(|one| one == "*" || matches(one))
}

/// Whether an address is another, or in a network.
fn is_in(address: IpAddr, network: &str) -> bool {
    let (base, bits) = match network.split_once('/') {
        Some((base, bits)) => (base, bits.parse().ok()),
        None => (network, Some(128)),
    };
    let base = base.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let (Ok(base), Some(bits)) = (base, bits) else { return false };
    let same = |one: u128, other: u128, size: u32| {
        let beyond = size.saturating_sub(bits);
        one.checked_shr(beyond).unwrap_or(0) == other.checked_shr(beyond).unwrap_or(0)
    };
    match (address, base) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            same(one.to_bits().into(), other.to_bits().into(), 32)
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => same(one.to_bits(), other.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The host and the port of the proxy that variables name, written `name=value`.
    fn by(root: &str, variables: &[&str]) -> String {
        let variable = |name: &str| {
            let value = variables.iter().find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
            value.filter(|value| !value.is_empty()).map(str::to_string)
        };
        match of_environment(root, &variable) {
            Ok(Some(url)) => format!("{}:{}", url.host, url.port.unwrap_or(0)),
            Ok(None) => "direct".into(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_environment_is_read_as_curl_reads_it() {
        let (http, https) = ("http://lic.example.com", "https://lic.example.com:8443/x");
        for (root, variables, found) in [
            (http, &["http_proxy=http://a:1", "https_proxy=http://b:2"][..], "a:1"),
            (https, &["http_proxy=http://a:1", "https_proxy=http://b:2"], "b:2"),
            (https, &["HTTPS_PROXY=http://b:2", "https_proxy="], "b:2"),
            (https, &["HTTPS_PROXY=http://b:2", "https_proxy=c:3"], "c:3"),
            (http, &["HTTP_PROXY=http://a:1"], "direct"),
            (https, &["http_proxy=http://a:1"], "direct"),
            (http, &["ALL_PROXY=socks5://d:4"], "d:4"),
            (https, &["all_proxy=e:5", "ALL_PROXY=d:4"], "e:5"),
            (https, &["https_proxy=http://b:2", "all_proxy=e:5"], "b:2"),
            (https, &["https_proxy=b:2", "no_proxy=example.com"], "direct"),
            (https, &["https_proxy=b:2", "NO_PROXY=.example.com"], "direct"),
            (https, &["https_proxy=b:2", "NO_PROXY=*", "no_proxy=other.org"], "b:2"),
            (https, &[], "direct"),
        ] {
            assert_eq!(by(root, variables), found, "{root} {variables:?}");
        }
        let error = by(https, &["https_proxy=ftp://name:hunter2@b"]);
        assert!(error.starts_with("the variable https_proxy: ") && !error.contains("hunter2"));
    }

    #[test]
    fn exceptions_are_names_and_all_below_them_addresses_and_networks() {
        for (host, list, is) in [
            ("a.example.com", "example.com", true),
            ("a.example.com", "*.example.com", true),
            ("A.Example.COM.", "other, .example.com", true),
            ("example.com", ".example.com", true),
            ("badexample.com", "example.com", false),
            ("example.com", "a.example.com", false),
            ("example.com", "", false),
            ("example.com", ".,..", false),
            ("example.com", "x y *", true),
            ("10.1.2.3", "10.0.0.0/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "1.2.3", false),
            ("10.1.2.3", "0.0.0.0/0", true),
            ("10.1.2.3", "10.1.2.4/31,10.1.2.5/33", false),
            ("10.1.2.3", "10.1.2.2/31", true),
            ("10.1.2.3", "10.1.2.3/", false),
            ("[fd00::1]", "fd00::/8", true),
            ("[fd00::1]", "[fd00::1]", true),
            ("[fd00::1]", "::/0", true),
            ("[fd00::1]", "10.0.0.0/8", false),
        ] {
            assert_eq!(is_excepted(host, list), is, "{host} in {list}");
        }
    }
}
