//! Where webhooks may go. A vendor names the URL, and the server asks from inside its network:
//! what it can reach there is nobody's but its operator's.

use crate::listen::Network;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// Bytes of the longest URL.
pub const URL_MAX: usize = 2_048;

/// Addresses of one name: of more, none is taken.
const ADDRESSES_MAX: usize = 64;

/// Networks of IPv4 that are not on the internet, or not one machine's (IANA IPv4 Special-Purpose
/// Address Registry, RFC 6890).
const PRIVATE_V4: &[(Ipv4Addr, u8)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // behind a carrier's NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, where clouds keep secrets
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocols
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 31, 196, 0), 24),  // AS112
    (Ipv4Addr::new(192, 52, 193, 0), 24),  // multicast tunnels
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // relays of 6to4
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(192, 175, 48, 0), 24),  // AS112
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, and broadcast
    (Ipv4Addr::new(168, 63, 129, 16), 32), // the host of a machine in Azure
];

/// All of IPv6 that is on the internet (RFC 4291, section 2.4) ...
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// ... but for these (IANA IPv6 Special-Purpose Address Registry). Loopback, v4-mapped and
/// v4-compatible, NAT64 (64:ff9b::/96, 64:ff9b:1::/48), ULA, link-local, site-local and multicast
/// are not in it.
const PRIVATE_V6: &[(Ipv6Addr, u8)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocols: Teredo, ORCHID, benchmarks
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: any address of IPv4 is in it
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16), // the 6bone, which is gone
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Names that are never those of a machine on the internet (RFC 6761, 6762, 7686, 8375, 9476, and
/// `internal`, which ICANN keeps for this).
const LOCAL_NAMES: &[&str] = &["localhost", "local", "internal", "home.arpa", "onion", "alt"];

/// Why a URL is none that webhooks go to: one sentence for each slip in the URL, and one for all
/// places, whatever is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub &'static str);

/// What is not said of any place in more detail.
const PLACE: Refused = Refused(
    "Webhooks go to https on port 443 of a host on the internet: name one, or have the operator \
     of this server allow its network",
);

/// Which URLs and which addresses webhooks may go to.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Networks of the operator's own, where everything may be reached.
    networks: Vec<Network>,
    /// Whether `http` will do elsewhere.
    http: bool,
    /// The ports of https and http.
    ports: (u16, u16),
}

impl Default for Guard {
    /// https on port 443 of the internet, and nothing else.
    fn default() -> Guard {
        Guard { networks: Vec::new(), http: false, ports: (443, 80) }
    }
}

/// A URL that may be asked, as far as it says itself.
#[derive(Clone, Debug)]
pub struct Target {
    /// Whether it is asked over TLS.
    pub secure: bool,
    /// A name, or an address.
    pub host: Host<String>,
    /// The port.
    pub port: u16,
    /// The path and the query, as a request has them.
    pub path: String,
    /// The host, and the port unless it is the usual one, for the header `Host`.
    pub authority: String,
}

impl Guard {
    /// Also these networks, with any port there and without TLS; and everywhere `http` on port 80
    /// where that is allowed.
    pub fn new(networks: Vec<Network>, http: bool) -> Guard {
        Guard { networks, http, ..Guard::default() }
    }

    /// With other ports in place of 443 and 80, so that a test can listen there.
    #[doc(hidden)]
    pub fn with_ports(mut self, https: u16, http: u16) -> Guard {
        self.ports = (https, http);
        self
    }

    /// Reads a URL (WHATWG URL). Fails for one that webhooks can never go to; where a name leads
    /// is found out when one is sent.
    pub fn target(&self, text: &str) -> Result<Target, Refused> {
        if text.is_empty() || text.len() > URL_MAX {
            return Err(Refused("The URL of a webhook has 1 to 2048 bytes"));
        }
        // A browser takes some of these out, or turns them round.
        let odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
        if text.contains(odd) {
            return Err(Refused(
                "The URL of a webhook has no blanks, control signs or backslashes",
            ));
        }
        let url = Url::parse(text).map_err(|_| {
            Refused("This is no URL: give one such as https://example.com/webhooks")
        })?;
        let secure = match url.scheme() {
            "https" => true,
            "http" if self.http || !self.networks.is_empty() => false,
            _ => return Err(PLACE),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused(
                "The URL of a webhook has no user name or password: webhooks are signed instead",
            ));
        }
        if url.fragment().is_some() {
            return Err(Refused("The URL of a webhook has no #: what follows it is never sent"));
        }
        let host = url.host().ok_or(PLACE)?.to_owned();
        let port = url.port_or_known_default().ok_or(PLACE)?;
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_string(),
        };
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        let target = Target { secure, host, port, path, authority };
        self.may_be(&target).then_some(target).ok_or(PLACE)
    }

    /// Whether there is an address that this could lead to.
    fn may_be(&self, target: &Target) -> bool {
        match &target.host {
            Host::Ipv4(address) => self.admits(target, (*address).into()),
            Host::Ipv6(address) => self.admits(target, (*address).into()),
            Host::Domain(name) if self.networks.is_empty() => {
                self.is_usual(target) && !is_local(name)
            }
            Host::Domain(_) => true,
        }
    }

    /// Where a target is asked, of all addresses that its name has: nowhere, unless every one of
    /// them is allowed. One answer of many would be enough to get somewhere else.
    pub fn places(&self, target: &Target, found: &[IpAddr]) -> Option<Vec<SocketAddr>> {
        let few = (1..=ADDRESSES_MAX).contains(&found.len());
        let good = few && found.iter().all(|address| self.admits(target, *address));
        let place = |address: &IpAddr| SocketAddr::new(*address, target.port);
        good.then(|| found.iter().map(place).collect())
    }

    fn admits(&self, target: &Target, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.has(address))
            || (self.is_usual(target) && is_public(address))
    }

    /// Whether it is what may be asked on the internet.
    fn is_usual(&self, target: &Target) -> bool {
        let (https, http) = self.ports;
        match target.secure {
            true => target.port == https,
            false => self.http && target.port == http,
        }
    }
}

/// Whether a name is one of a machine's own, or of a local network's.
fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_in = |local: &&str| {
        name.strip_suffix(*local).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    !name.contains('.') || LOCAL_NAMES.iter().any(is_in)
}

/// Whether an address is one machine's on the internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let bits = u32::from(address).into();
            let within = |(network, length): &(Ipv4Addr, u8)| {
                same(bits, u32::from(*network).into(), 32 - u32::from(*length))
            };
            !PRIVATE_V4.iter().any(within)
        }
        IpAddr::V6(address) => {
            let bits = u128::from(address);
            let within = |(network, length): &(Ipv6Addr, u8)| {
                same(bits, u128::from(*network), 128 - u32::from(*length))
            };
            within(&GLOBAL_V6) && !PRIVATE_V6.iter().any(within) && !is_isatap(address)
        }
    }
}

/// Whether two addresses are alike without their last bits.
fn same(one: u128, other: u128, last: u32) -> bool {
    one.checked_shr(last) == other.checked_shr(last)
}

/// Whether its second half has an address of IPv4 (RFC 5214, section 6.1).
fn is_isatap(address: Ipv6Addr) -> bool {
    matches!(address.segments(), [_, _, _, _, 0 | 0x0200, 0x5efe, _, _])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_is_refused_to_its_edges_and_its_neighbors_are_not() {
        for (first, length) in PRIVATE_V4 {
            let last = u32::from(*first) | u32::MAX.checked_shr((*length).into()).unwrap_or(0);
            for inside in [u32::from(*first), last] {
                assert!(!is_public(Ipv4Addr::from(inside).into()), "{first}/{length}");
            }
        }
        for public in ["1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for public in ["126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for public in ["172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for public in ["198.17.255.255", "198.20.0.0", "223.255.255.255", "168.63.129.17"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for public in ["2606:4700::1111", "2a00:1450:4001::1", "2001:4860::8888", "2003::1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn no_way_of_writing_an_address_in_ipv6_is_public() {
        for address in [
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::7f00:1",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::",
            "2606:4700::5efe:7f00:1",
            "2606:4700::200:5efe:7f00:1",
            "3ffe::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn what_is_allowed_is_what_the_operator_says() {
        let own: Network = "10.1.0.0/16".parse().unwrap();
        let (shut, open) = (Guard::default(), Guard::new(vec![own], false));
        let plain = Guard::new(Vec::new(), true);
        for (url, by_default, in_network, by_http) in [
            ("https://example.com/hook?a=b", true, true, true),
            ("https://example.com:443/", true, true, true),
            ("https://93.184.216.34/", true, true, true),
            ("https://example.com:8443/", false, true, false),
            ("http://example.com/", false, true, true),
            ("http://example.com:8080/", false, true, false),
            ("http://10.1.2.3:8080/", false, true, false),
            ("https://10.1.2.3/", false, true, false),
            ("https://10.2.0.1/", false, false, false),
            ("http://93.184.216.34:8080/", false, false, false),
            ("http://receiver:9000/", false, true, false),
            ("ftp://example.com/", false, false, false),
        ] {
            let found = [&shut, &open, &plain].map(|guard| guard.target(url).is_ok());
            assert_eq!(found, [by_default, in_network, by_http], "{url}");
        }
        // A name of the outside gets no other port because there is a network inside.
        let target = open.target("http://example.com:8080/").unwrap();
        let [inside, outside] = ["10.1.0.9", "93.184.216.34"].map(|it| it.parse().unwrap());
        assert!(open.places(&target, &[inside]).is_some());
        assert!(open.places(&target, &[outside]).is_none());
        assert!(open.places(&target, &[inside, outside]).is_none());
        assert!(open.places(&target, &[]).is_none());
        assert!(open.places(&target, &vec![inside; ADDRESSES_MAX + 1]).is_none());
    }
}
