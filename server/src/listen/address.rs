//! Where a request comes from: the other end of the connection, or what a proxy that is trusted
//! says of it.

use hyper::header::HeaderMap;
use std::net::IpAddr;
use std::str::FromStr;

/// Some addresses: one, or all that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl FromStr for Network {
    type Err = &'static str;

    /// `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/32`.
    fn from_str(text: &str) -> Result<Network, &'static str> {
        const WRONG: &str = "an address, or a network such as 192.0.2.0/24 or 2001:db8::/32";
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().map_err(|_| WRONG)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let digits = |it: &str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit());
        let bits = match bits {
            None => most,
            Some(bits) if digits(bits) => bits.parse().map_err(|_| WRONG)?,
            Some(_) => return Err(WRONG),
        };
        if bits > most {
            return Err(WRONG);
        }
        Ok(Network { address, bits })
    }
}

impl Network {
    /// Whether the address is one of it. One of IPv4 that is written in IPv6 is the same one.
    pub fn has(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32_u32.saturating_sub(self.bits.into());
                same(u32::from(own).into(), u32::from(other).into(), shift)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128_u32.saturating_sub(self.bits.into());
                same(own.into(), other.into(), shift)
            }
            _ => false,
        }
    }
}

fn same(one: u128, other: u128, shift: u32) -> bool {
    one.checked_shr(shift) == other.checked_shr(shift)
}

/// Somebody who has one address of IPv6 has all that differ in the last half.
pub fn network(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(address) => (u128::from(address) & !u128::from(u64::MAX)).to_be_bytes().into(),
        address => address,
    }
}

/// Who asked, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// The address that asked.
    pub from: IpAddr,
    /// Whether it asked over TLS.
    pub secure: bool,
}

impl Forwarded {
    /// `peer` is the other end of the connection, and `secure` whether that is TLS. Headers are
    /// believed only where the peer is one of `trusted`, from the right to the left, up to the
    /// first address that is not one of them: what stands before it anybody may have written.
    pub fn of(peer: IpAddr, secure: bool, trusted: &[Network], headers: &HeaderMap) -> Forwarded {
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.has(address));
        let direct = Forwarded { from: peer.to_canonical(), secure };
        if !is_trusted(peer) {
            return direct;
        }
        let mut found = direct;
        for hop in hops(headers).into_iter().rev() {
            // Whoever is left of what cannot be read is not known.
            let Some(from) = hop.from else { break };
            found = Forwarded { from, secure: hop.secure.unwrap_or(found.secure) };
            if !is_trusted(from) {
                break;
            }
        }
        found
    }
}

/// Whether a proxy says that it handed the request on, believed or not.
pub fn forwards(headers: &HeaderMap) -> bool {
    ["forwarded", "x-forwarded-for", "x-real-ip", "via"].iter().any(|it| headers.contains_key(*it))
}

/// One of those that handed a request on.
struct Hop {
    from: Option<IpAddr>,
    secure: Option<bool>,
}

/// `Forwarded` (RFC 7239), or else what most proxies send in its place.
fn hops(headers: &HeaderMap) -> Vec<Hop> {
    let standard = list(headers, "forwarded");
    if !standard.is_empty() {
        return standard.iter().map(|element| hop(element)).collect();
    }
    let schemes = list(headers, "x-forwarded-proto");
    let all = list(headers, "x-forwarded-for");
    let alone = schemes.len() == 1;
    let scheme = |at: usize| schemes.get(if alone { 0 } else { at }).map(|it| is_https(it));
    let hop = |(at, text): (usize, &String)| Hop { from: node(text), secure: scheme(at) };
    all.iter().enumerate().map(hop).collect()
}

fn hop(element: &str) -> Hop {
    let mut hop = Hop { from: None, secure: None };
    for pair in element.split(';') {
        let Some((name, value)) = pair.split_once('=') else { continue };
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "for" => hop.from = node(value),
            "proto" => hop.secure = Some(is_https(value)),
            _ => {}
        }
    }
    hop
}

fn is_https(text: &str) -> bool {
    text.eq_ignore_ascii_case("https")
}

/// An address, with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`,
/// `[2001:db8::1]:80`.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let alone = || text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|it| it.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    alone().or_else(with_port).or_else(bracketed).map(|it| it.to_canonical())
}

/// Every element of a header that is a list, in its order.
fn list(headers: &HeaderMap, name: &str) -> Vec<String> {
    let values = headers.get_all(name).iter();
    let texts = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    texts.flat_map(|text| split(&text)).collect()
}

/// Splits at commas that are not in quotes.
fn split(text: &str) -> Vec<String> {
    let mut quoted = false;
    let pieces = text.split(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    pieces.map(|piece| piece.trim().to_string()).filter(|piece| !piece.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_has_its_own_and_no_others() {
        for (network, inside, outside) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "11.0.0.0"),
            ("0.0.0.0/0", "8.8.8.8", "::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1", "::2"),
            ("::/0", "2001:db8::", "127.0.0.1"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.has(ip(inside)) && !network.has(ip(outside)), "{network:?}");
        }
        for wrong in ["", "a", "192.0.2.1/33", "::/129", "192.0.2.1/", "192.0.2.1/+8", "1.2.3"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    /// The address and the scheme that are found behind 192.0.2.9 with these headers.
    fn found(trusted: &[&str], lines: &[(&'static str, &str)]) -> (String, bool) {
        let trusted: Vec<Network> = trusted.iter().map(|it| it.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let it = Forwarded::of(ip("192.0.2.9"), false, &trusted, &headers);
        (it.from.to_string(), it.secure)
    }

    #[test]
    fn who_is_not_trusted_is_not_believed() {
        let lie = [("x-forwarded-for", "203.0.113.1"), ("x-forwarded-proto", "https")];
        let both = [("forwarded", "for=203.0.113.1;proto=https")];
        for trusted in [&[][..], &["192.0.2.8"], &["10.0.0.0/8"]] {
            assert_eq!(found(trusted, &lie), ("192.0.2.9".into(), false), "{trusted:?}");
            assert_eq!(found(trusted, &both), ("192.0.2.9".into(), false), "{trusted:?}");
        }
    }

    #[test]
    fn the_last_one_that_is_not_trusted_is_who_asked() {
        let trusted = ["192.0.2.9", "10.0.0.0/8"];
        let from = |text: &str| found(&trusted, &[("x-forwarded-for", text)]).0;
        assert_eq!(from("203.0.113.1"), "203.0.113.1");
        assert_eq!(from("198.51.100.7, 203.0.113.1"), "203.0.113.1", "the left one is invented");
        assert_eq!(from("203.0.113.1, 10.1.1.1"), "203.0.113.1", "through two of ours");
        assert_eq!(from("10.1.1.2, 10.1.1.1"), "10.1.1.2", "all are ours");
        assert_eq!(from("203.0.113.1:4711"), "203.0.113.1");
        assert_eq!(from("[2001:db8::1]:4711"), "2001:db8::1");
        assert_eq!(from("2001:db8::1"), "2001:db8::1");
        assert_eq!(from("::ffff:203.0.113.1"), "203.0.113.1");
        assert_eq!(from("203.0.113.1, unknown"), "192.0.2.9", "it ends at what is no address");
        assert_eq!(from(""), "192.0.2.9");
        let twice = [("x-forwarded-for", "198.51.100.7"), ("x-forwarded-for", "203.0.113.1")];
        assert_eq!(found(&trusted, &twice).0, "203.0.113.1");
    }

    #[test]
    fn the_standard_header_comes_first_and_says_the_scheme() {
        let trusted = ["192.0.2.9"];
        let it = found(
            &trusted,
            &[
                ("forwarded", "for=198.51.100.7, for=\"[2001:db8::1]:80\";Proto=https;by=a"),
                ("x-forwarded-for", "203.0.113.1"),
            ],
        );
        assert_eq!(it, ("2001:db8::1".into(), true));
        assert_eq!(found(&trusted, &[("forwarded", "for=_hidden;proto=https")]).0, "192.0.2.9");
        let quoted = "for=203.0.113.1;x=\"a, for=198.51.100.7\";proto=http";
        assert_eq!(found(&trusted, &[("forwarded", quoted)]), ("203.0.113.1".into(), false));
        let plain = [("x-forwarded-for", "203.0.113.1"), ("x-forwarded-proto", "https")];
        assert_eq!(found(&trusted, &plain), ("203.0.113.1".into(), true));
    }

    #[test]
    fn addresses_of_one_network_of_version_6_count_together() {
        assert_eq!(network(ip("2001:db8::1")), network(ip("2001:db8::ffff")));
        assert_ne!(network(ip("2001:db8::1")), network(ip("2001:db8:0:1::1")));
        assert_eq!(network(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
    }
}
