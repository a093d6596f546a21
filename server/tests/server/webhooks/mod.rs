//! Webhooks: what they are, what is sent, and that nothing is lost.

mod bounds;
mod crashes;
mod delivery;
mod fairness;
pub mod receiver;
mod resource;

use crate::support::client::Client;
use crate::support::{MASTER_KEY, Site};
use licentia_server::api::{self, Server, Shared};
use licentia_server::metrics::{Metrics, Standing};
use licentia_server::outbox::Outbox;
use licentia_server::vault::Vault;
use licentia_server::webhooks::dispatch::Dispatcher;
use licentia_server::webhooks::{Guard, Sender};
use receiver::Receiver;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

/// A server on the database of a site that may send to this machine.
pub struct Post<'a> {
    pub site: &'a Site,
    pub server: Shared,
    pub admin: Client,
    pub outbox: Outbox,
    pub metrics: Arc<Metrics>,
}

impl<'a> Post<'a> {
    pub fn new(site: &'a Site) -> Post<'a> {
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()], false);
        Post::sending(site, Sender::new(guard))
    }

    /// One that sends like this.
    pub fn sending(site: &'a Site, sender: Sender) -> Post<'a> {
        let store = site.wait(site.database().open());
        let vault = Vault::new(&Zeroizing::new(MASTER_KEY));
        let server = Server::new(store, vault, site.clock.clone());
        let server = Arc::new(server.with_webhooks(sender));
        let router = api::router(Arc::clone(&server));
        let address = site.wait(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
            address
        });
        let (admin, outbox) = (site.admin().at(address), Outbox::new(Arc::clone(&server), 10));
        Post { site, server, admin, outbox, metrics: Arc::new(Metrics::new()) }
    }

    /// A webhook to a receiver, with these members more.
    pub fn webhook(&self, to: &Receiver, members: Value) -> Value {
        let mut body = json!({ "url": to.url() });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        self.admin.post("/api/v1/webhooks", body).good()
    }

    /// Events of products: so many.
    pub fn happen(&self, prefix: &str, count: usize) {
        for number in 0..count {
            let body = json!({ "name": "P", "code": format!("{prefix}{number}") });
            self.admin.post("/api/v1/products", body).good();
        }
    }

    /// Makes deliveries of all events.
    pub fn fan_out(&self) {
        while self.site.wait(self.outbox.deliver()).unwrap() > 0 {}
    }

    pub fn dispatcher(&self) -> Dispatcher {
        Dispatcher::new(Arc::clone(&self.server), Arc::clone(&self.metrics))
    }

    /// Sends everything that is due, and waits for it.
    pub fn send(&self) {
        self.fan_out();
        self.site.wait(async { self.dispatcher().settle().await.unwrap() });
    }

    pub fn get(&self, path: &str) -> Value {
        self.admin.get(path).good()
    }

    /// A webhook as it is now.
    pub fn look(&self, webhook: &Value) -> Value {
        self.get(&format!("/api/v1/webhooks/{}", id(webhook)))
    }

    /// Its deliveries, the newest first.
    pub fn deliveries(&self, webhook: &Value, query: &str) -> Vec<Value> {
        let path = format!("/api/v1/webhooks/{}/deliveries?per_page=100{query}", id(webhook));
        self.get(&path)["deliveries"].as_array().unwrap().clone()
    }

    /// A delivery with all its tries.
    pub fn delivery(&self, delivery: &Value) -> Value {
        self.get(&format!("/api/v1/deliveries/{}", id(delivery)))
    }

    /// Asks for something to be done with a webhook.
    pub fn act(&self, webhook: &Value, what: &str, body: Value) -> crate::support::client::Answer {
        self.admin.post(&format!("/api/v1/webhooks/{}/{what}", id(webhook)), body)
    }

    /// How many tries went like this.
    pub fn counted(&self, outcome: &str) -> u64 {
        let page = self.metrics.page(Standing::default());
        let name = "licentia_server_webhook_deliveries_total";
        let line = format!("{name}{{outcome=\"{outcome}\"}} ");
        let line = page.lines().find_map(|it| it.strip_prefix(&line)).expect(&page);
        line.parse().unwrap()
    }
}

pub fn id(of: &Value) -> &str {
    of["id"].as_str().unwrap()
}

pub fn text<'a>(of: &'a Value, member: &str) -> &'a str {
    of[member].as_str().unwrap_or_else(|| panic!("no {member}: {of}"))
}
