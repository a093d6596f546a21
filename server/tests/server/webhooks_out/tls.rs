//! Receivers on https: whose certificate counts, and for which name.

use super::names::Names;
use super::receiver::request;
use super::{PATIENCE, post};
use licentia_server::config::Webhooks;
use licentia_server::error::Code;
use licentia_server::webhooks::{Failure, Guard, Sender, Sent, Trust};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// Signs certificates of receivers.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    /// What a receiver of this name has, until the year.
    fn certify(&self, name: &str, until: i32) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_string()]).unwrap();
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.into(), PrivateKeyDer::Pkcs8(key.serialize_der().into()))
    }

    fn trust(&self, folder: &Path) -> Trust {
        let path = folder.join("ca.pem");
        std::fs::write(&path, &self.pem).unwrap();
        Trust::read(&path).unwrap()
    }
}

/// A receiver that says that everything is fine, to whoever takes its certificate. Its port.
fn receiver((certificate, key): (CertificateDer<'static>, PrivateKeyDer<'static>)) -> u16 {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            if request(&mut stream).is_some() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine");
                let _ = stream.flush();
            }
        }
    });
    port
}

/// To a name that leads to this machine, where this port is the one of https.
fn sent(trust: Trust, name: &str, port: u16) -> Sent {
    let guard = Guard::new(vec!["127.0.0.1".parse().unwrap()], false);
    let names = Arc::new(Names::that_say(&[&["127.0.0.1"]]));
    let sender = Sender::new(guard).with_trust(trust).with_names(names);
    post(&sender.with_patience(PATIENCE * 25), &format!("https://{name}:{port}/hook"))
}

#[test]
fn a_certificate_counts_for_its_name_and_in_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (Authority::new(), Authority::new());
    let name = "hooks.example.com";
    let good = receiver(ours.certify(name, 4000));
    let answered = sent(ours.trust(folder.path()), name, good);
    assert_eq!((answered.status, answered.excerpt.as_str()), (Some(200), "fine"));
    let by_address = receiver(ours.certify("127.0.0.1", 4000));
    let answered = sent(ours.trust(folder.path()), "127.0.0.1", by_address);
    assert_eq!(answered.status, Some(200), "{answered:?}");
    for (what, port, name) in [
        ("another name", good, "hooks.example.org"),
        ("a name below it", good, "a.hooks.example.com"),
        ("its address", good, "127.0.0.1"),
        ("a name, for an address", by_address, name),
        ("an authority that nobody knows", receiver(other.certify(name, 4000)), name),
        ("a time that is over", receiver(ours.certify(name, 2001)), name),
    ] {
        let sent = sent(ours.trust(folder.path()), name, port);
        assert_eq!((sent.status, sent.error), (None, Some(Failure::Tls)), "{what}");
    }
    // Without the setting, only those of the system are believed.
    assert_eq!(sent(Trust::default(), name, good).error, Some(Failure::Tls));
}

#[test]
fn who_speaks_no_tls_is_sent_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nsecret");
        }
    });
    let sent = sent(Authority::new().trust(folder.path()), "hooks.example.com", port);
    assert_eq!((sent.status, sent.error), (None, Some(Failure::Tls)));
    assert!(!format!("{sent:?}").contains("secret"));
}

#[test]
fn authorities_that_cannot_be_read_are_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let of = |path: &Path| {
        let authorities = Some(path.to_path_buf());
        Webhooks { authorities, ..Webhooks::default() }.sender().err().map(|error| error.code())
    };
    assert_eq!(of(&path), Some(Code::Setup));
    for wrong in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&path, wrong).unwrap();
        assert_eq!(of(&path), Some(Code::Setup), "{wrong}");
    }
    std::fs::write(&path, Authority::new().pem).unwrap();
    assert_eq!(of(&path), None);
}
