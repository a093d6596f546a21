//! Settings of the network are judged when they are set, and never show a password.
#![cfg(feature = "net")]

mod net_support;

use licentia::Code;
use net_support::Customer;
use net_support::tls::Authority;

fn refused(it: &mut Customer, name: &str, value: &str) -> String {
    let Err(error) = it.it.set(name, value) else { panic!("{name} = {value} was taken") };
    assert_eq!(error.code(), Code::InvalidArgument, "{value}: {error}");
    assert!(error.detail().starts_with(&format!("the setting {name}: ")), "{error}");
    error.to_string()
}

#[test]
fn servers_are_urls() {
    let mut it = Customer::new();
    for good in [
        "https://licenses.example.com",
        "http://10.0.0.1:8080/licensing/",
        "https://[2001:db8::1]:8443",
        "http://a_b-c.example:65535 https://second.example,http://third.example\n",
        "",
    ] {
        it.set("server", good);
    }
    let many = "http://a ".repeat(9);
    let long = format!("http://{}.example", "a".repeat(254));
    for bad in [
        "licenses.example.com",
        "ftp://licenses.example.com",
        "http://",
        "https:///path",
        "http://name:hunter2@licenses.example.com",
        "http://a?x",
        "http://a#x",
        "http://a:0",
        "http://a:65536",
        "http://a:b",
        "http://a:",
        "http://:80",
        "http://[::1",
        "http://[::1]x",
        "http://[1.2.3.4]",
        "http://ä.example",
        "http://a\u{7f}",
        "http://%41",
        "http://a http://b;c",
        &many,
        &long,
    ] {
        assert!(!refused(&mut it, "server", bad).contains("hunter2"));
    }
}

#[test]
fn a_proxy_is_a_url_and_its_password_is_never_shown() {
    let mut it = Customer::new();
    for good in [
        "http://proxy:3128",
        "proxy:3128",
        "https://proxy",
        "socks5://name:p%40ss@10.0.0.1:1080",
        "SOCKS5H://[::1]:1080/",
        "http://name@proxy",
        "http://name:@proxy",
        "none",
        "",
    ] {
        it.set("proxy", good);
        let shown = format!("{:?} {}", it.it, it.it.status(None).unwrap());
        assert!(!shown.contains("p%40ss") && !shown.contains("p@ss"), "{shown}");
    }
    let long = format!("http://name:hunter2{}@proxy", "x".repeat(250));
    for (bad, what) in [
        ("ftp://name:hunter2@proxy", "http, https, socks5 and socks5h"),
        ("socks4://name:hunter2@proxy", "http, https, socks5 and socks5h"),
        ("http://name:hunter2@", "it is not a URL"),
        ("http://name:hunter2@proxy/path", "it is not a URL"),
        ("http://name:hunter2@proxy:port", "it is not a URL"),
        ("http://name:hunter2@proxy:0", "it is not a URL"),
        ("http://name:hunter2@pro xy", "it is not a URL"),
        ("http://name:hun@ter2@proxy", "%40"),
        ("http://name:hunter2%@proxy", "%40"),
        ("http://name:hunter2%f@proxy", "%40"),
        ("http://name:hunter2%+1@proxy", "%40"),
        ("http://name:hunter2%ff@proxy", "%40"),
        ("http://name:hunter2%0d%0aHost:%20x@proxy", "%40"),
        ("http://na\u{20}me:hunter2@proxy", "%40"),
        (&long, "%40"),
        ("http://:hunter2@proxy", "is missing"),
        ("http://na%3ame:hunter2@proxy", "is missing"),
        ("socks5://name@proxy", "is missing"),
        ("gopher://hunter2", "socks5h"),
    ] {
        let said = refused(&mut it, "proxy", bad);
        assert!(said.contains(what), "{bad}: {said}");
        assert!(!said.contains("hunter2") && !said.contains("ter2"), "{said}");
    }
}

#[test]
fn a_file_of_authorities_has_certificates() {
    let mut it = Customer::new();
    let path = it.folder.path().join("ca.pem");
    let text = path.to_str().unwrap().to_string();
    let error = it.it.set("server_ca", &text).unwrap_err();
    assert_eq!(error.code(), Code::Io);
    assert!(error.detail().contains("server_ca") && error.detail().contains("ca.pem"), "{error}");
    let folder = it.folder.path().to_str().unwrap().to_string();
    assert_eq!(it.it.set("server_ca", &folder).unwrap_err().code(), Code::Io);
    let authority = Authority::new("Acme").pem();
    let broken = authority.replace("MII", "MIA");
    for bad in ["", "not PEM", &broken, "-----BEGIN CERTIFICATE-----\nAAAA\n"] {
        std::fs::write(&path, bad).unwrap();
        assert!(refused(&mut it, "server_ca", &text).contains("no certificate in PEM"));
    }
    std::fs::write(&path, format!("{broken}\n{authority}")).unwrap();
    it.set("server_ca", &text);
    it.set("server_ca", "");
}

#[test]
fn a_time_is_a_number_of_seconds() {
    let mut it = Customer::new();
    for good in ["1", "300", ""] {
        it.set("server_timeout", good);
    }
    for bad in ["0", "301", "-1", "+5", "1.5", "1e2", " 5", "5s", "99999999999999999999"] {
        refused(&mut it, "server_timeout", bad);
    }
}
