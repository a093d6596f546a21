//! The way to a license server over HTTP. What goes out and what comes back are the texts of
//! requests and answers, which people can carry as well.
//!
//! Nothing of a call is left once it is over: no thread, no connection, no open file; and the
//! child of a fork finds nothing half done. The environment is read where settings are, never by
//! a call: a host may change it at any time.

mod answer;
mod authorities;
mod proxy;
mod socket;

use crate::errors::{Code, Error, Result};
use crate::installation::{Issuer, Message};
use crate::product::Product;
use crate::settings::network::Network;
use answer::Heard;
use authorities::Authorities;
use std::sync::Arc;
use std::time::Instant;
use ureq::config::Config;
use ureq::tls::TlsConfig;
use ureq::{Agent, ProxyProtocol};

pub(crate) use authorities::check;

/// Where a server takes requests, below its root.
const DOOR: &str = "/api/v1/requests";

/// Bytes of an answer beside what is signed in it.
const AROUND: usize = 4 * 1024;

/// One server, and how it is reached.
struct Server {
    root: String,
    /// Or why it cannot be reached.
    config: Result<Config>,
    authorities: Authorities,
}

/// The servers that settings name: those of the site, else those of the product.
pub(crate) fn servers(network: &Network, product: &Product) -> Vec<Arc<dyn Issuer>> {
    let named = match network.servers.as_slice() {
        [] => &product.settings().servers,
        servers => servers,
    };
    let user_agent = format!("{} ({})", crate::messages::SDK, product.code());
    let server = |root: &String| {
        let config = proxy::of(root, &network.proxy).map(|proxy| {
            Config::builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .max_idle_connections(0)
                .user_agent(&user_agent)
                .proxy(proxy)
                .build()
        });
        let authorities = Authorities::find(network.authorities.as_deref());
        Arc::new(Server { root: root.clone(), config, authorities }) as Arc<dyn Issuer>
    };
    named.iter().map(server).collect()
}

impl Issuer for Server {
    fn ask(&self, message: &Message<'_>) -> Result<Vec<u8>> {
        let asked = self.config.clone().and_then(|config| {
            let authorities = self.is_private(&config).then(|| self.authorities.load());
            let heard = self.exchange(config, authorities.transpose()?, message);
            heard.map_err(|error| answer::why(&error, message.patience))?.read()
        });
        asked.map_err(|error| match error.code() {
            Code::Unreachable => {
                Error::new(Code::Unreachable, format!("{} ({})", error.detail(), self.root))
            }
            _ => error,
        })
    }
}

impl Server {
    /// Whether there is TLS anywhere on the way.
    fn is_private(&self, config: &Config) -> bool {
        let by = config.proxy().map(ureq::Proxy::protocol);
        self.root.starts_with("https:") || by == Some(ProxyProtocol::Https)
    }

    fn exchange(
        &self,
        config: Config,
        authorities: Option<TlsConfig>,
        message: &Message<'_>,
    ) -> std::result::Result<Heard, ureq::Error> {
        let ends = Instant::now() + message.patience;
        let agent = Agent::with_parts(config, socket::connector(ends), socket::OnThisThread);
        let request = agent
            .post(format!("{}{DOOR}", self.root))
            .header("content-type", "application/json")
            .header("accept", "application/json, application/problem+json")
            .header("connection", "close")
            .config()
            .timeout_global(Some(message.patience));
        let request = match authorities {
            Some(tls) => request.tls_config(tls),
            None => request,
        };
        let body = serde_json::json!({ "request": message.request }).to_string();
        let mut answer = request.build().send(body)?;
        let most = message.answer_max.saturating_add(AROUND);
        let body = answer.body_mut().with_config().limit(most as u64).read_to_vec()?;
        let text = |name: &str| {
            let value = answer.headers().get(name)?.to_str().ok()?;
            Some(value.to_string())
        };
        Ok(Heard {
            status: answer.status().as_u16(),
            media: text("content-type").unwrap_or_default(),
            elsewhere: text("location"),
            body,
        })
    }
}
