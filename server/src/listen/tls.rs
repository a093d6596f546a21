//! A certificate and its key, from two files in PEM.

use licentia::{Code, Error, Result, SecretKey};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

/// Bytes of the longest of the two files.
const PEM_MAX: u64 = 1024 * 1024;

/// Characters of a name that may be a part of a key that was given in its place.
const NAME_MAX: usize = 40;

/// The two files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate, and those that it is signed with.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What new connections are answered with, and where it is from.
pub struct Tls {
    files: TlsFiles,
    current: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the files. What is allowed and should be looked at goes to `warnings`. Fails with
    /// `io`, or with `invalid_argument` for what is in them.
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

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current))
    }
}

fn read(files: &TlsFiles, warnings: &mut Vec<String>) -> Result<ServerConfig> {
    let pem = bytes(&mut open(&files.certificate)?, &files.certificate)?;
    let chain: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let wrong = |path: &Path, what: &str| {
        Error::new(Code::InvalidArgument, format!("{}: {what}", told(path)))
    };
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| wrong(&files.certificate, "there is no certificate in it"))?;
    let mut file = open(&files.key)?;
    if let Err(error) = SecretKey::check_mode(&file, &files.key) {
        warnings.push(error.to_string());
    }
    let pem = bytes(&mut file, &files.key)?;
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

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| failed(path, &error))
}

/// Wiped from memory when dropped: it may be a key.
fn bytes(file: &mut File, path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(PEM_MAX).read_to_end(&mut bytes).map_err(|error| failed(path, &error))?;
    Ok(bytes)
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::Io, format!("{}: {error}", told(path)))
}

/// The name of a file, unless somebody may have given what belongs into it.
fn told(path: &Path) -> String {
    let name = path.to_string_lossy();
    let is_name = !name.contains('\n') && name.split('/').all(|part| part.len() < NAME_MAX);
    match is_name || path.symlink_metadata().is_ok() {
        true => format!("{name:.80}"),
        false => "a file whose name is not shown, because it may be a key".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_place_of_its_name_is_not_told() {
        let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n", "MC4CAQ".repeat(10));
        for given in [key.as_str(), "MC4CAQAwBQYDK2VwBCIEIOkXpsfsPGpzTo4JXjrXAjVVz8yxzZhVD4oSo8rq"]
        {
            let files = TlsFiles { certificate: given.into(), key: given.into() };
            let error = Tls::read(&files, &mut Vec::new()).err().unwrap().to_string();
            assert!(!error.contains("MC4C") && error.contains("not shown"), "{error}");
        }
        assert_eq!(told(Path::new("/etc/licentia/key.pem")), "/etc/licentia/key.pem");
    }
}
