//! The way to a license server over HTTP: the one file that opens a socket. What goes out and what
//! comes back are the texts of requests and answers, which people can carry as well.

use crate::errors::{Code, Error, Result};
use crate::installation::{Issuer, Message};
use crate::product::Product;
use crate::settings::network::{Network, Proxy};
use serde::Deserialize;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// Where a server takes requests, below its root.
const DOOR: &str = "/api/v1/requests";

/// Addresses of one server that are tried.
const ADDRESSES: usize = 16;

/// Bytes of an answer beside what is signed in it.
const AROUND: usize = 4 * 1024;

/// One server, and how it is reached.
struct Server {
    root: String,
    network: Network,
    user_agent: String,
}

/// The servers that settings name: those of the site, else those of the product.
pub(crate) fn servers(network: &Network, product: &Product) -> Vec<Arc<dyn Issuer>> {
    let named = match network.servers.as_slice() {
        [] => &product.settings().servers,
        servers => servers,
    };
    let user_agent = format!("{} ({})", crate::messages::SDK, product.code());
    let server = |root: &String| {
        let (root, network, user_agent) = (root.clone(), network.clone(), user_agent.clone());
        Arc::new(Server { root, network, user_agent }) as Arc<dyn Issuer>
    };
    named.iter().map(server).collect()
}

/// What a server answers, whatever it says.
#[derive(Deserialize)]
struct Said {
    answer: Option<String>,
    code: Option<String>,
    detail: Option<String>,
}

impl Issuer for Server {
    fn ask(&self, message: &Message<'_>) -> Result<Vec<u8>> {
        let agent = self.agent(message)?;
        let body = serde_json::json!({ "request": message.request }).to_string();
        let answer = agent
            .post(format!("{}{DOOR}", self.root))
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .send(body);
        let mut answer = answer.map_err(|error| self.unreachable(&error.to_string()))?;
        let most = (message.answer_max + AROUND) as u64;
        let body = answer.body_mut().with_config().limit(most).read_to_vec();
        let body = body.map_err(|error| self.unreachable(&error.to_string()))?;
        self.read(answer.status().as_u16(), &body)
    }
}

impl Server {
    /// One for a single call: nothing of it is left afterwards, and a fork finds nothing half done.
    fn agent(&self, message: &Message<'_>) -> Result<Agent> {
        let config = Config::builder()
            .timeout_global(Some(message.patience))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .user_agent(&self.user_agent)
            .tls_config(self.tls()?)
            .proxy(self.proxy()?)
            .build();
        Ok(Agent::with_parts(config, DefaultConnector::default(), OnThisThread))
    }

    fn tls(&self) -> Result<TlsConfig> {
        let roots = match &self.network.authorities {
            None => RootCerts::PlatformVerifier,
            Some(path) => {
                let what = |error: &dyn std::fmt::Display| {
                    Error::new(
                        Code::Unreachable,
                        format!("server_ca {:.60}: {error}", path.display()),
                    )
                };
                let pem = std::fs::read(path).map_err(|error| what(&error))?;
                let own = ureq::tls::parse_pem(&pem).filter_map(|item| match item {
                    Ok(ureq::tls::PemItem::Certificate(one)) => Some(one),
                    _ => None,
                });
                let system = rustls_native_certs::load_native_certs().certs;
                let system = system.iter().map(|one| Certificate::from_der(one).to_owned());
                RootCerts::from(own.chain(system).collect::<Vec<_>>())
            }
        };
        Ok(TlsConfig::builder().root_certs(roots).build())
    }

    fn proxy(&self) -> Result<Option<ureq::Proxy>> {
        match &self.network.proxy {
            Proxy::Environment => Ok(ureq::Proxy::try_from_env()),
            Proxy::Direct => Ok(None),
            Proxy::Url(url) => ureq::Proxy::new(url).map(Some).map_err(|_| {
                Error::new(Code::Unreachable, "the setting proxy is not a URL of one")
            }),
        }
    }

    fn read(&self, status: u16, body: &[u8]) -> Result<Vec<u8>> {
        let said: Option<Said> = serde_json::from_slice(body).ok();
        match said {
            Some(Said { answer: Some(answer), .. }) if status == 200 => Ok(answer.into_bytes()),
            Some(Said { code: Some(code), detail, .. }) if is_no(status) => {
                let detail = detail.unwrap_or_else(|| code.clone());
                let code = if code == "no_seat" { Code::NoSeat } else { Code::Refused };
                Err(Error::new(code, detail))
            }
            _ => {
                Err(self.unreachable(&format!("it answered {status}, and nothing that was signed")))
            }
        }
    }

    fn unreachable(&self, why: &str) -> Error {
        Error::new(Code::Unreachable, format!("{}: {why}", self.root))
    }
}

/// Whether a status says no for good, and not for now.
fn is_no(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 407 | 408 | 425 | 429)
}

/// Looks names up on the thread that calls: others would be left running after a call.
#[derive(Debug)]
struct OnThisThread;

impl Resolver for OnThisThread {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> std::result::Result<ResolvedSocketAddrs, ureq::Error> {
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(ureq::Error::HostNotFound);
        };
        let address = DefaultResolver::host_and_port(scheme, authority);
        let mut found = self.empty();
        for address in address.ok_or(ureq::Error::HostNotFound)?.to_socket_addrs()?.take(ADDRESSES)
        {
            found.push(address);
        }
        match found.is_empty() {
            true => Err(ureq::Error::HostNotFound),
            false => Ok(found),
        }
    }
}
