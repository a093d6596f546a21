//! URLs that would get to this machine, or to its network, if they were believed.

use super::canaries::Canaries;
use super::names::Names;
use super::{PATIENCE, open, post};
use licentia_server::error::Code;
use licentia_server::webhooks::{Failure, Guard, Sender};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Hosts of this machine in every spelling, asked over http and over https.
const HERE: &[&str] = &[
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "127.0.0.1.",
    "0177.0.0.1",
    "0177.0.0.01",
    "0x7f.0.0.1",
    "0x7f.1",
    "0X7F.0x0.0.0x1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "127.000.000.001",
    "0",
    "0.0.0.0",
    "0x0",
    "0.0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "here.localhost",
    "ｌｏｃａｌｈｏｓｔ",
    "１２７.０.０.１",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "127．0．0．1",
    "127%2e0%2e0%2e1",
    "%31%32%37.0.0.1",
    "%6c%6f%63%61lhost",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "user@127.0.0.1",
    "example.com@127.0.0.1",
    "example.com:443@127.0.0.1",
    "example.com%40@127.0.0.1",
    ":secret@127.0.0.1",
];

/// Hosts of networks that are somebody's own, and names that lead to this machine.
const NEAR: &[&str] = &[
    "[::]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:7f00:1::1]",
    "[2001::7f00:1]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[2606:4700::5efe:7f00:1]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.175.48.1",
    "[2001:db8::1]",
    "[2620:4f:8000::1]",
    "[3ffe::1]",
    "[3fff::1]",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "metadata.google.internal",
    "router.local",
    "nas.home.arpa",
    "intranet",
    "receiver.onion",
    "example.com",
    "127.0.0.1.nip.io",
    "xn--n3h.example.com",
];

/// What is wrong in other places than the host.
const ODD: &[&str] = &[
    "ftp://127.0.0.1:PORT/",
    "gopher://127.0.0.1:PORT/_POST",
    "dict://127.0.0.1:PORT/info",
    "ws://127.0.0.1:PORT/",
    "wss://127.0.0.1:PORT/",
    "h2c://127.0.0.1:PORT/",
    "unix://127.0.0.1:PORT/",
    "blob:http://127.0.0.1:PORT/",
    "view-source:http://127.0.0.1:PORT/",
    "file:///etc/passwd",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "//127.0.0.1:PORT/",
    "127.0.0.1:PORT",
    "http:127.0.0.1:PORT",
    "https:/127.0.0.1:PORT",
    "https:///127.0.0.1:PORT",
    "https:////127.0.0.1:PORT",
    "https:\\\\127.0.0.1:PORT\\",
    "https://127.0.0.1\\@example.com:PORT/",
    "https://example.com\\@127.0.0.1:PORT/",
    "https://127.0.0.1:PORT#@example.com/",
    "https://127.0.0.1:PORT?@example.com/",
    "https://127.0.0.1\t:PORT/",
    "https://127.0.\n0.1:PORT/",
    "\u{0}https://127.0.0.1:PORT/",
    " https://127.0.0.1:PORT/",
    "https://127.0.0.1:PORT/ HTTP/1.1\r\nHost: other\r\n\r\n",
    "https://127.0.0.1:PORT/\u{a0}",
    "https://[::1:PORT/",
    "https://[127.0.0.1]:PORT/",
    "https://127.0.0.1:0PORT/",
    "https://:PORT/",
    "https://",
    "",
    "http://127.0.0.1:22/",
    "http://127.0.0.1:6379/",
    "https://example.com:22/",
];

fn all(port: u16) -> Vec<String> {
    let of = |scheme: &'static str| {
        let url = move |host: &&str| format!("{scheme}://{host}:{port}/hook");
        HERE.iter().chain(NEAR).map(url)
    };
    let odd = ODD.iter().map(|url| url.replace("PORT", &port.to_string()));
    of("https").chain(of("http")).chain(odd).collect()
}

#[test]
fn no_hostile_url_reaches_a_canary_on_the_port_that_is_allowed() {
    let canaries = Canaries::everywhere();
    let port = canaries.port;
    let urls = all(port);
    assert!(urls.iter().collect::<BTreeSet<_>>().len() >= 80, "{}", urls.len());
    // Every name leads here, and this port is the one of https, and of http.
    let names = Arc::new(Names::that_say(&[&["127.0.0.1"]]));
    let usual = Guard::default().with_ports(port, port);
    let plain = Guard::new(Vec::new(), true).with_ports(port, port);
    let elsewhere = Guard::new(vec!["10.200.200.200".parse().unwrap()], true);
    for guard in [Guard::default(), usual, plain, elsewhere.with_ports(port, port)] {
        let sender = Sender::new(guard).with_names(names.clone()).with_patience(PATIENCE);
        for url in &urls {
            let sent = post(&sender, url);
            let failures = [Failure::NotAllowed, Failure::NoAddress];
            assert!(sent.error.is_some_and(|it| failures.contains(&it)), "{url:?}: {sent:?}");
            assert_eq!(sent.excerpt, "", "{url:?}");
            assert_eq!(canaries.heard(), [], "{url:?}");
        }
    }
}

/// The check above can fail: who may reach this machine does, with most of the same URLs.
#[test]
fn the_same_urls_reach_it_where_the_operator_allows_it() {
    let canaries = Canaries::everywhere();
    let names = Arc::new(Names::that_say(&[&["127.0.0.1"]]));
    let sender = open().with_names(names).with_patience(PATIENCE / 8);
    let reached = |host: &&&str| {
        let sent = post(&sender, &format!("http://{host}:{}/hook", canaries.port));
        assert_ne!(sent.error, Some(Failure::Unreachable), "{host}");
        !canaries.heard().is_empty()
    };
    let count = HERE.iter().filter(reached).count();
    assert!(count >= 30, "only {count} of {} get here", HERE.len());
    let url = format!("https://127.0.0.1:{}/", canaries.port);
    assert_eq!(post(&sender, &url).error, Some(Failure::Timeout));
    assert_eq!(canaries.heard().len(), 1);
}

#[test]
fn what_is_hostile_in_itself_is_refused_before_it_is_kept() {
    let sender = Sender::default();
    let mut wordings = BTreeSet::new();
    let hosts = HERE.iter().chain(NEAR).filter(|host| !host.contains(".com"));
    let hosts = hosts.filter(|host| !host.contains("nip.io") && !host.contains('@'));
    for host in hosts {
        for url in [format!("https://{host}/hook"), format!("http://{host}/hook")] {
            let error = sender.check(&url).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument, "{url}");
            if licentia_server::webhooks::Guard::new(Vec::new(), true).target(&url).is_err() {
                wordings.insert(error.detail().to_string());
            }
        }
    }
    // What is not a URL at all is said to be none; no place is told from another.
    wordings.retain(|wording| !wording.starts_with("This is no URL"));
    assert_eq!(wordings.len(), 1, "{wordings:?}");
    for url in ["https://example.com/hook", "https://example.com:443/hook?a=b", "https://1.1.1.1/"]
    {
        assert_eq!(sender.check(url), Ok(()), "{url}");
    }
    for (url, why) in [
        ("https://user@example.com/", "user name"),
        ("https://:secret@example.com/", "user name"),
        ("https://example.com/a b", "blanks"),
        ("https://exam\tple.com/", "blanks"),
        ("https://example.com\\hook", "backslashes"),
        ("https://example.com/\u{a0}", "blanks"),
        ("https://example.com/#part", "#"),
    ] {
        let error = sender.check(url).unwrap_err();
        assert!(error.detail().contains(why), "{url}: {}", error.detail());
    }
    let long = format!("https://example.com/{}", "a".repeat(2_048));
    assert_eq!(sender.check(&long).unwrap_err().code(), Code::InvalidArgument);
}
