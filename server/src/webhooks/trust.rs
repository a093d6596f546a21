//! Whose word counts for the name of a receiver on https: the authorities of the system, and those
//! of the operator.

use crate::error::{Code, Error, Result};
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, IpAddr, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tokio_rustls::TlsConnector;
use url::Host;

/// Bytes of a file of authorities: all of a system are 250 KiB.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// Authorities. Those of the system are read when they are first needed.
#[derive(Default)]
pub struct Trust {
    own: Vec<CertificateDer<'static>>,
    config: Arc<OnceLock<Option<Arc<ClientConfig>>>>,
}

impl Trust {
    /// Also the authorities in a file, in PEM. Fails with `setup` where there is none in it.
    pub fn read(path: &Path) -> Result<Trust> {
        let shown = path.display();
        let wrong = |what: String| Error::new(Code::Setup, what);
        let mut pem = Vec::new();
        File::open(path).and_then(|file| file.take(FILE_MAX).read_to_end(&mut pem)).map_err(
            |error| wrong(format!("The authorities of webhooks, {shown}, cannot be read: {error}")),
        )?;
        let own: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(|one| one.ok()).collect();
        match RootCertStore::empty().add_parsable_certificates(own.iter().cloned()) {
            (0, _) => {
                let what = format!(
                    "There is no certificate in {shown}: name a file in PEM (--webhook-ca)"
                );
                Err(wrong(what))
            }
            _ => Ok(Trust { own, config: Arc::default() }),
        }
    }

    /// What opens TLS. `None` = there are no authorities at all.
    pub(super) async fn connector(&self) -> Option<TlsConnector> {
        let config = match self.config.get() {
            Some(config) => config.clone(),
            None => {
                let (own, kept) = (self.own.clone(), Arc::clone(&self.config));
                let read = move || kept.get_or_init(|| config(own)).clone();
                tokio::task::spawn_blocking(read).await.ok()?
            }
        };
        config.map(TlsConnector::from)
    }

    /// A host as a certificate names it.
    pub(super) fn name(host: &Host<String>) -> Option<ServerName<'static>> {
        match host {
            Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_string()).ok(),
            Host::Ipv4(address) => Some(ServerName::IpAddress(IpAddr::V4((*address).into()))),
            Host::Ipv6(address) => Some(ServerName::IpAddress(IpAddr::V6((*address).into()))),
        }
    }
}

fn config(own: Vec<CertificateDer<'static>>) -> Option<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(own);
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        tracing::error!("this machine has no certificates of authorities: webhooks do not go out");
        return None;
    }
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // One receiver is not told that it was asked before.
    config.resumption = Resumption::disabled();
    Some(Arc::new(config))
}
