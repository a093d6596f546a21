//! Whose word counts for the name of a server on `https`: the authorities of the system, and those
//! of the setting `server_ca`. A license needs neither: it is signed.

use crate::errors::{Code, Error, Result};
use crate::store::open_to_read;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Bytes of a `server_ca`: all authorities of a system are 250 KiB.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// Where they are. What is there is read by each call.
pub(super) struct Authorities {
    system: System,
    own: Option<PathBuf>,
}

impl Authorities {
    pub(super) fn find(own: Option<&Path>) -> Authorities {
        Authorities { system: System::find(), own: own.map(Path::to_path_buf) }
    }

    pub(super) fn load(&self) -> Result<TlsConfig> {
        let own = match &self.own {
            Some(path) => read(path).map_err(|error| {
                Error::new(Code::Unreachable, error.detail().replace("the setting ", ""))
            })?,
            None => Vec::new(),
        };
        Ok(TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(self.system.with(own)?)
            .build())
    }
}

/// Whether a file can be a `server_ca`. Fails with `io` where it cannot be read, and with
/// `invalid_argument` where there is no certificate in it.
pub(crate) fn check(path: &Path) -> Result<()> {
    read(path).map(drop)
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let shown = path.display();
    let mut pem = Vec::new();
    open_to_read(path).and_then(|file| file.take(FILE_MAX).read_to_end(&mut pem)).map_err(
        |error| Error::new(Code::Io, format!("the setting server_ca, {shown:.60}: {error}")),
    )?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(|one| one.ok()).collect();
    // What is no authority, such as a key that is in it, is not looked at.
    match RootCertStore::empty().add_parsable_certificates(found.iter().cloned()) {
        (0, _) => {
            let what =
                format!("the setting server_ca: there is no certificate in PEM in {shown:.60}");
            Err(Error::new(Code::InvalidArgument, what))
        }
        _ => Ok(found),
    }
}

#[cfg(any(windows, target_vendor = "apple"))]
struct System;

#[cfg(any(windows, target_vendor = "apple"))]
impl System {
    fn find() -> System {
        System
    }

    /// The system judges itself, where it is not alone.
    fn with(&self, own: Vec<CertificateDer<'static>>) -> Result<RootCerts> {
        match own.is_empty() {
            true => Ok(RootCerts::PlatformVerifier),
            false => roots(own.into_iter().chain(rustls_native_certs::load_native_certs().certs)),
        }
    }
}

/// Where the system has its certificates: a file, and folders.
#[cfg(not(any(windows, target_vendor = "apple")))]
struct System {
    file: Option<PathBuf>,
    folders: Vec<PathBuf>,
}

#[cfg(not(any(windows, target_vendor = "apple")))]
impl System {
    /// Where they usually are, or where `SSL_CERT_FILE` and `SSL_CERT_DIR` say, as for other
    /// programs.
    fn find() -> System {
        let found = openssl_probe::probe();
        System { file: found.cert_file, folders: found.cert_dir }
    }

    fn with(&self, own: Vec<CertificateDer<'static>>) -> Result<RootCerts> {
        let load = rustls_native_certs::load_certs_from_paths;
        let of_file = load(self.file.as_deref(), None).certs;
        let of_folders = self.folders.iter().flat_map(|folder| load(None, Some(folder)).certs);
        roots(own.into_iter().chain(of_file).chain(of_folders))
    }
}

fn roots(found: impl Iterator<Item = CertificateDer<'static>>) -> Result<RootCerts> {
    let found: std::collections::HashSet<_> = found.collect();
    if found.is_empty() {
        let what = "this machine has no certificates of authorities: name a file in server_ca";
        return Err(Error::new(Code::Unreachable, what));
    }
    Ok(found.iter().map(|one| Certificate::from_der(one).to_owned()).collect::<Vec<_>>().into())
}
