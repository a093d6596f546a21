//! Every way to a license server there is: plain and over TLS, directly and by each kind of proxy,
//! and by the second server where the first is no use.
#![cfg(feature = "net")]

mod net_support;

use net_support::proxies::{Login, connect, join, socks};
use net_support::tls::{Authority, Certified};
use net_support::*;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;

const LOGIN: Login = Some(("käthe@acme", "p:ss/w%rd"));
/// As it is written in a URL.
const WRITTEN: &str = "k%C3%A4the%40acme:p%3Ass%2Fw%25rd";

fn private(certified: &Certified) -> Peer {
    let certified = certified.clone();
    Peer::new(move |stream| serve(&mut certified.over(stream)))
}

fn connect_proxy(login: Login) -> Peer {
    Peer::new(move |mut stream| {
        if let Some(there) = connect(&mut stream, login) {
            join(stream, there);
        }
    })
}

fn socks_proxy(login: Login) -> Peer {
    Peer::new(move |mut stream| {
        if let Some(there) = socks(&mut stream, login) {
            join(stream, there);
        }
    })
}

/// A customer who trusts an authority of his own.
fn customer(authority: &Authority) -> Customer {
    let mut it = Customer::new();
    let file = authority.file(&it.folder);
    it.set("server_ca", file.to_str().unwrap());
    it
}

#[test]
fn plain_and_over_tls() {
    let authority = Authority::new("Acme");
    let mut it = customer(&authority);
    let (plain, private) = (Peer::good(), private(&authority.certify("localhost")));
    for server in [plain.http(), plain.http() + "/", private.https()] {
        assert_eq!(it.sync(&server), "ok", "{server}");
    }
    assert_eq!((plain.met(), private.met()), (2, 1), "one connection for one call");
}

#[test]
fn what_is_asked_says_who_asks_and_wants_nothing_kept() {
    let (sender, heads) = channel();
    let sender = Mutex::new(sender);
    let peer = Peer::new(move |mut stream| {
        let (head, _) = read_http(&mut stream).unwrap();
        sender.lock().unwrap().send(head).unwrap();
    });
    assert!(Customer::new().sync(&format!("{}/below/it/", peer.http())).starts_with("unreachable"));
    let head = heads.recv().unwrap();
    assert!(head.starts_with("POST /below/it/api/v1/requests HTTP/1.1\r\n"), "{head}");
    let head = head.to_ascii_lowercase();
    let agent = format!("user-agent: licentia/{} (myapp)\r\n", env!("CARGO_PKG_VERSION"));
    for line in [agent.as_str(), "connection: close\r\n", "content-type: application/json\r\n"] {
        assert!(head.contains(line), "{line} in {head}");
    }
    for never in ["cookie", "accept-encoding", "referer", "authorization", "expect"] {
        assert!(!head.contains(never), "{never} in {head}");
    }
}

#[test]
fn by_every_kind_of_proxy_with_and_without_a_login() {
    let authority = Authority::new("Acme");
    let mut it = customer(&authority);
    let (plain, private) = (Peer::good(), private(&authority.certify("localhost")));
    let certified = authority.certify("localhost");
    let secret_proxy = Peer::new(move |stream| {
        let mut stream = certified.over(stream);
        // Both ends of TLS in one thread: the license server itself is behind this proxy.
        if connect(&mut stream, LOGIN).is_some() {
            serve(&mut stream);
        }
    });
    let secret = secret_proxy.https().replace("https://", &format!("https://{WRITTEN}@"));
    it.set("proxy", &secret);
    assert_eq!(it.sync(&plain.http()), "ok", "by a proxy over TLS");
    for login in [None, LOGIN] {
        let (http, socks) = (connect_proxy(login), socks_proxy(login));
        let given = login.map_or(String::new(), |_| format!("{WRITTEN}@"));
        let by = |scheme: &str, peer: &Peer| format!("{scheme}://{given}{}", peer.address);
        for proxy in [
            by("http", &http),
            by("socks5", &socks),
            by("socks5h", &socks),
            format!("{given}{}/", http.address),
        ] {
            it.set("proxy", &proxy);
            for server in [plain.http(), private.https()] {
                assert_eq!(it.sync(&server), "ok", "{server} by {proxy}");
            }
        }
        assert_eq!((http.met(), socks.met()), (4, 4), "nobody went past a proxy");
    }
}

/// The sentence says what is wrong with the proxy, and never the password.
#[test]
fn a_proxy_that_wants_another_login_is_named_without_the_password() {
    let server = Peer::good();
    let (http, socks) = (connect_proxy(LOGIN), socks_proxy(LOGIN));
    let mut it = Customer::new();
    for proxy in [
        format!("http://{}", http.address),
        format!("http://ann:hunter2@{}", http.address),
        format!("socks5://{}", socks.address),
        format!("socks5://ann:hunter2@{}", socks.address),
    ] {
        it.set("proxy", &proxy);
        let said = it.sync(&server.http());
        assert!(said.starts_with("unreachable: the proxy wants a name and a password"), "{said}");
        let seen = format!("{said} {:?} {}", it.it, it.it.status(None).unwrap());
        assert!(!seen.contains("hunter2"), "{seen}");
    }
    assert_eq!(server.met(), 0);
    it.set("proxy", "none");
    assert_eq!(it.sync(&server.http()), "ok");
}

#[test]
fn a_proxy_that_does_not_connect_is_named() {
    let server = Peer::good();
    let no = Peer::saying(http("403 Forbidden", "", "this port is not allowed"));
    let mut it = Customer::new();
    it.set("proxy", &no.http());
    let said = it.sync(&server.http());
    assert!(said.starts_with("unreachable: the proxy does not connect to it"), "{said}");
    assert!(said.contains("403"), "{said}");
    it.set("proxy", &nobody());
    assert!(it.sync(&server.http()).starts_with("unreachable: nobody listens there"));
    assert_eq!(server.met(), 0);
}

#[test]
fn the_second_server_is_asked_where_the_first_is_no_use() {
    let good = Peer::good();
    let mut it = Customer::new();
    it.set("server_timeout", "4");
    for (number, bad) in [
        nobody(),
        "http://no-such-machine.invalid".into(),
        Peer::saying(http("200 OK", "content-type: text/html\r\n", "<html>sign in")).http(),
        Peer::saying(http("503 Unavailable", "", "")).http(),
        Peer::new(|mut stream| drop(read_http(&mut stream))).http(),
        // One that hangs leaves time for the next.
        Peer::new(|_stream| {
            loop {
                std::thread::park();
            }
        })
        .http(),
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(it.sync(&format!("{bad} {}", good.http())), "ok", "{bad}");
        assert_eq!(good.met(), number + 1);
    }
    let neither = it.sync(&format!("{}, {}", nobody(), nobody()));
    assert!(neither.starts_with("unreachable: "), "{neither}");
}

/// What a child of the next test does: its environment names a proxy.
#[test]
#[ignore = "a child of another test"]
fn a_child() {
    let Ok(server) = std::env::var("LICENTIA_TEST_SERVER") else { return };
    println!("came to {}", Customer::of_environment().sync(&server));
}

fn in_environment(server: &str, variables: &[(&str, String)]) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        child.env_remove(name).env_remove(name.to_ascii_uppercase());
    }
    child.args(["--exact", "a_child", "--ignored", "--nocapture"]).stdin(Stdio::null());
    child.env("LICENTIA_TEST_SERVER", server).envs(variables.iter().cloned());
    let output = String::from_utf8(child.output().unwrap().stdout).unwrap();
    let said = output.lines().find_map(|line| line.split_once("came to "));
    said.unwrap_or_else(|| panic!("{output}")).1.to_string()
}

#[test]
fn the_environment_names_a_proxy_and_what_goes_past_it() {
    let server = Peer::good();
    let proxy = connect_proxy(LOGIN);
    let url = || format!("http://{WRITTEN}@{}", proxy.address);
    let by = |variables: &[(&str, String)]| {
        let before = proxy.met();
        assert_eq!(in_environment(&server.http(), variables), "ok", "{variables:?}");
        proxy.met() > before
    };
    assert!(!by(&[]));
    assert!(by(&[("http_proxy", url())]));
    assert!(by(&[("ALL_PROXY", url())]));
    assert!(!by(&[("HTTP_PROXY", url())]), "anybody who asks a web server may set that");
    assert!(!by(&[("https_proxy", url())]));
    assert!(!by(&[("http_proxy", url()), ("no_proxy", "127.0.0.0/8".into())]));
    let said = in_environment(&server.http(), &[("http_proxy", "gopher://ann:hunter2@x".into())]);
    assert!(said.starts_with("unreachable: the variable http_proxy: its scheme"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

/// Whoever trusts nobody by the environment trusts nobody.
#[test]
fn the_system_s_authorities_may_be_named_by_the_environment() {
    let authority = Authority::new("Acme");
    let folder = tempfile::tempdir().unwrap();
    let file = authority.file(&folder).to_str().unwrap().to_string();
    let peer = private(&authority.certify("localhost"));
    assert_eq!(in_environment(&peer.https(), &[("SSL_CERT_FILE", file)]), "ok");
    assert!(in_environment(&peer.https(), &[]).contains("server_ca"));
}
