//! The same over TLS.

use crate::running::{Agent, answers, read};
use crate::site::Site;
use rustix::process::Signal;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;

/// Writes a new certificate for localhost, and gives it; `None` = there is no openssl here.
pub fn certificate(site: &Site) -> Option<CertificateDer<'static>> {
    let mut command = Command::new("openssl");
    command.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ]);
    command.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
    command.args(["-addext", "basicConstraints=critical,CA:FALSE", "-days", "2"]);
    command.arg("-keyout").arg(site.path("key.pem")).arg("-out").arg(site.path("cert.pem"));
    let Ok(output) = command.output() else {
        println!("skipped: TLS (there is no openssl here; Debian package openssl)");
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    let mode = fs::Permissions::from_mode(0o600);
    fs::set_permissions(site.path("key.pem"), mode).unwrap();
    Some(CertificateDer::from_pem_file(site.path("cert.pem")).unwrap())
}

/// What a client that trusts this certificate alone gets; `None` = no handshake.
pub fn get(agent: &Agent, certificate: &CertificateDer<'static>) -> Option<u16> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(&agent.address).unwrap());
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).ok()?;
    Some(answers(&read(&mut stream))[0].status)
}

#[test]
fn a_certificate_is_used_and_read_again_when_it_is_told_to() {
    let site = Site::new();
    site.configure("", "[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n");
    let Some(first) = certificate(&site) else { return };
    let agent = Agent::start(&site);
    assert!(agent.greeting.contains("listening on https://127.0.0.1:"), "{}", agent.greeting);
    assert_eq!(get(&agent, &first), Some(200));
    // Who speaks plainly gets no answer, and keeps nobody from one.
    assert!(
        TcpStream::connect(&agent.address).unwrap().write_all(b"GET / HTTP/1.1\r\n\r\n").is_ok()
    );
    assert_eq!(get(&agent, &first), Some(200));

    let Some(second) = certificate(&site) else { return };
    assert_eq!(get(&agent, &second), None, "it was not told yet");
    agent.signal(Signal::HUP);
    let trusted = |_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        get(&agent, &second).is_some()
    };
    assert!((0..600).any(trusted), "it was read again");
    site.write("key.pem", "nothing");
    agent.signal(Signal::HUP);
    assert_eq!(get(&agent, &second), Some(200));
    let log = agent.stop();
    assert!(log.contains("the certificate was read again"), "{log}");
    assert!(log.contains("there is no private key in it"), "{log}");
}

#[test]
fn a_key_that_others_may_read_is_told_and_one_that_does_not_fit_refused() {
    let site = Site::new();
    site.configure("", "[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n");
    if certificate(&site).is_none() {
        return;
    }
    fs::set_permissions(site.path("key.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = site.run(&["--check"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && text.contains("has mode 0644"), "{text}");
    let key = fs::read(site.path("key.pem")).unwrap();
    certificate(&site);
    site.write("key.pem", key);
    let (status, text) = site.refusal(&[]);
    assert!(status == 2 && text.contains("it cannot be used with the key"), "{text}");
}
