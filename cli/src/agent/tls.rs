//! The certificate of the agent, from two files in PEM.

use super::config::TlsFiles;
use crate::input::Source;
use licentia::{Code, Error, Result};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;

/// Bytes of the longest of the two files.
const PEM_MAX: usize = 1024 * 1024;

/// What new connections are answered with, and where it is from.
pub struct Tls {
    files: TlsFiles,
    current: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the files. What is allowed and should be looked at goes to `warnings`.
    pub fn read(files: &TlsFiles, warnings: &mut Vec<String>) -> Result<Tls> {
        let current = RwLock::new(Arc::new(read(files, warnings)?));
        Ok(Tls { files: files.clone(), current })
    }

    /// Reads the files again. If that fails, what was read before stays.
    pub fn reload(&self) -> Result<()> {
        let new = Arc::new(read(&self.files, &mut Vec::new())?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current))
    }
}

fn read(files: &TlsFiles, warnings: &mut Vec<String>) -> Result<ServerConfig> {
    let pem = open(&files.certificate)?.bytes(PEM_MAX)?;
    let chain: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let wrong = |path: &Path, what: &str| {
        Error::new(Code::InvalidArgument, format!("{:.60}: {what}", path.display()))
    };
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| wrong(&files.certificate, "there is no certificate in it"))?;
    let mut source = open(&files.key)?;
    if let Err(error) = source.is_private() {
        warnings.push(error.to_string());
    }
    let pem = source.bytes(PEM_MAX)?;
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| wrong(&files.key, "there is no private key in it"))?;
    let provider = Arc::new(ring::default_provider());
    let failed = |error: rustls::Error| {
        wrong(&files.certificate, &format!("it cannot be used with the key ({error:.60})"))
    };
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_no_client_auth();
    let mut config = builder.with_single_cert(chain, key).map_err(failed)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn open(path: &Path) -> Result<Source<'_>> {
    let name = path.to_str();
    let name = name.ok_or_else(|| Error::new(Code::InvalidArgument, "a path is not UTF-8"))?;
    Source::open(name)
}
