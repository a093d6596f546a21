//! The license server as a vendor has it: `licentia serve` on a database of its own.

use crate::http::client::client;
use crate::http::hosts::Host;
use crate::runners;
use serde_json::{Value, json};
use std::path::Path;
use ureq::http::Request;
use ureq::{Agent, RequestExt};

/// What its administrator signs in with.
pub const ADMIN_KEY: &str = "an-administrator-key-that-is-for-tests-only";

/// Below it is everything.
const API: &str = "/api/v1";

/// A running server; it ends when this is dropped.
pub struct Server {
    /// `None` = it is somebody else who ends it.
    host: Option<Host>,
    root: String,
    agent: Agent,
}

/// What a vendor made there.
pub struct Sold {
    /// The product.
    pub product: String,
    /// The public keys of the product, as a program has them: a JWK set.
    pub keys: String,
    /// The license, as it was made.
    pub license: Value,
}

impl Server {
    /// Starts one with its data in a folder; `None` = the command is not built, which is said.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(folder: &Path, database: Option<&str>) -> Option<Server> {
        let mut command = runners::ready("cli")?;
        command.arg("serve").args(["--listen", "127.0.0.1:0"]).arg("--data").arg(folder);
        command.env("LICENTIA_ADMIN_KEY", ADMIN_KEY);
        if let Some(url) = database {
            command.args(["--database", url]);
        }
        let host = Host::start(command).expect("a license server");
        Some(Server { root: host.root.clone(), host: Some(host), agent: client() })
    }

    /// One that runs already: `http://127.0.0.1:PORT`.
    pub fn at(root: &str) -> Server {
        Server { host: None, root: root.to_string(), agent: client() }
    }

    /// Where it is: `http://127.0.0.1:PORT`.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Asks as the administrator; gives the status and the body.
    ///
    /// # Panics
    /// If there is no answer, or none in JSON.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{API}{path}", self.root()))
            .header("authorization", format!("Bearer {ADMIN_KEY}"))
            .header("content-type", "application/json");
        let answer = if body.is_null() {
            request.body(()).expect("a request").with_agent(&self.agent).run()
        } else {
            let request = request.body(body.to_string()).expect("a request");
            request.with_agent(&self.agent).run()
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let text = answer.body_mut().read_to_string().expect("a body");
        let body =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{method} {path}: {text}"));
        (answer.status().as_u16(), body)
    }

    /// Looks at something that is there.
    ///
    /// # Panics
    /// If it is not.
    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, &Value::Null);
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// Makes something.
    ///
    /// # Panics
    /// If it cannot be.
    pub fn make(&self, path: &str, body: &Value) -> Value {
        let (status, made) = self.ask("POST", path, body);
        assert!(matches!(status, 200 | 201), "POST {path}: {status} {made}");
        made
    }

    /// Makes a key pair, a product of this code, and a license with what is given here besides.
    ///
    /// # Panics
    /// If one of them cannot be made.
    pub fn sell(&self, code: &str, more: &Value) -> Sold {
        let pair = self.make("/key-pairs", &json!({"name": code}));
        let product = json!({"name": code, "code": code, "key_pair_id": pair["id"]});
        let product = self.make("/products", &product)["id"].as_str().expect("an id").to_string();
        let mut body = more.clone();
        body["product_id"] = json!(product);
        let license = self.make("/licenses", &body);
        let keys = self.get(&format!("/products/{product}/public-key"))["keys"].clone();
        let keys = if keys.is_array() { json!({"keys": keys}) } else { keys };
        Sold { product, keys: keys.to_string(), license }
    }

    /// Stops it.
    ///
    /// # Errors
    /// A sentence, unless it ends well.
    pub fn stop(self) -> Result<(), String> {
        self.host.map_or(Ok(()), Host::stop)
    }
}
