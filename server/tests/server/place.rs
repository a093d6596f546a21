//! A product that is installed somewhere: what a customer has.

use crate::shop::Shop;
use crate::support::Site;
use crate::support::client::{Answer, Client};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use licentia::{Installation, Product, rfc3339};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// An installation, and the way to its server.
pub struct Place {
    pub folder: TempDir,
    pub code: String,
    pub keys: String,
    pub machine: String,
    pub nobody: Client,
    /// Seconds since 1970, here.
    pub at: i64,
}

impl Place {
    /// A new one on a machine.
    pub fn new(site: &Site, shop: &Shop, machine: &str) -> Place {
        let keys = shop.admin.get(&format!("/api/v1/products/{}/public-key", shop.id())).good();
        Place {
            folder: tempfile::tempdir().unwrap(),
            code: shop.product["code"].as_str().unwrap().to_string(),
            keys: keys["keys"].to_string(),
            machine: machine.to_string(),
            nobody: site.nobody(),
            at: site.clock.now(),
        }
    }

    /// A copy of it: another folder with the same files.
    pub fn copy(&self) -> Place {
        let folder = tempfile::tempdir().unwrap();
        copy(self.folder.path(), folder.path());
        Place {
            folder,
            code: self.code.clone(),
            keys: self.keys.clone(),
            machine: self.machine.clone(),
            nobody: self.nobody.clone(),
            at: self.at,
        }
    }

    /// The folder is as it was in another.
    pub fn become_again(&mut self, other: &Place) {
        self.folder = other.copy().folder;
    }

    pub fn open(&self) -> Installation {
        let mut product = Product::new(&self.code, &self.keys).unwrap();
        product.set("clock", &rfc3339(self.at)).unwrap();
        product.set("machine", &self.machine).unwrap();
        product.open(self.folder.path()).unwrap()
    }

    /// Time goes by, here and at the server.
    pub fn pass(&mut self, site: &Site, seconds: i64) {
        self.at += seconds;
        site.clock.set(Some(self.at.max(site.clock.now())));
    }

    /// Takes the license file of a vendor's record.
    pub fn install(&self, license: &Value) {
        let blob = STANDARD.decode(license["license_blob"].as_str().unwrap()).unwrap();
        self.open().apply(&blob).unwrap();
    }

    /// What it asks, as a text.
    pub fn request(&self, what: &str, argument: Option<&str>) -> String {
        self.open().request(what, argument).unwrap()
    }

    /// Posts a text.
    pub fn post(&self, request: &str) -> Answer {
        self.nobody.post("/api/v1/requests", json!({ "request": request }))
    }

    /// Asks, and gives the answer.
    pub fn ask(&self, what: &str, argument: Option<&str>) -> Answer {
        self.post(&self.request(what, argument))
    }

    /// Asks, and applies the answer, which has to be good.
    #[track_caller]
    pub fn do_it(&self, what: &str, argument: Option<&str>) -> Value {
        let answer = self.ask(what, argument).good();
        self.open().apply(answer["answer"].as_str().unwrap().as_bytes()).unwrap();
        answer
    }

    /// What is in a signed answer.
    pub fn said(answer: &Value) -> Value {
        let seen = licentia::peek::peek(answer["answer"].as_str().unwrap().as_bytes()).unwrap();
        serde_json::from_str(&seen.payload).unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => {
                std::fs::create_dir_all(&to).unwrap();
                copy(&entry.path(), &to);
            }
            false => {
                std::fs::copy(entry.path(), to).unwrap();
            }
        }
    }
}
