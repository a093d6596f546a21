//! Certificates, and the server's end of TLS.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

/// A connection over TLS, at the server's end.
pub type Private = StreamOwned<ServerConnection, TcpStream>;

/// Somebody who signs certificates.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate, and how it is used.
#[derive(Clone)]
pub struct Certified(pub Arc<ServerConfig>);

impl Authority {
    pub fn new(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Authority { issuer }
    }

    /// In PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// The same in a file of a folder.
    pub fn file(&self, folder: &tempfile::TempDir) -> PathBuf {
        let path = folder.path().join("authority.pem");
        std::fs::write(&path, self.pem()).unwrap();
        path
    }

    /// A certificate for a server of this name.
    pub fn certify(&self, name: &str) -> Certified {
        self.certify_until(name, 2099)
    }

    /// One that ends with the first day of a year.
    pub fn certify_until(&self, name: &str, year: i32) -> Certified {
        let (params, key) = (params(name, year), KeyPair::generate().unwrap());
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Certified::new(certificate.der().clone(), &key)
    }
}

impl Certified {
    /// A certificate that nobody but itself speaks for.
    pub fn by_itself(name: &str) -> Certified {
        let key = KeyPair::generate().unwrap();
        let certificate = params(name, 2099).self_signed(&key).unwrap();
        Certified::new(certificate.der().clone(), &key)
    }

    fn new(certificate: rustls::pki_types::CertificateDer<'static>, key: &KeyPair) -> Certified {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Certified(Arc::new(config))
    }

    /// The server's end of TLS. The handshake follows with the first byte.
    pub fn over(&self, stream: TcpStream) -> Private {
        StreamOwned::new(ServerConnection::new(Arc::clone(&self.0)).unwrap(), stream)
    }
}

fn params(name: &str, year: i32) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_string()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(year, 1, 1);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}
