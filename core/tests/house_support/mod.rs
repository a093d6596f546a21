//! A vendor that answers every word honestly, for the tests of what a product believes: its keys,
//! each in its role, its licenses, and what it has heard.
#![allow(dead_code)]

use crate::installation_support::{DAY, ISSUER, NOW, claims};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use licentia::issue::{
    IssuerStatus, Ledger, Request, SyncAnswer, Version, read_request, sign, sign_clock_reset,
    sign_keys, sign_lease, sign_revocations, sign_sync,
};
use licentia::{
    Claims, Code, Error, Issuer, KeySet, Lease, Message, Product, Role, SecretKey, TrustedKey,
};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

pub const KEY: &str = "ABCD-EFGH-4711";

pub fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32]).unwrap()
}

/// The keys that products pin: a root, one for licenses and one for answers.
pub const ROOT: u8 = 21;
pub const LICENSES: u8 = 22;
pub const ANSWERS: u8 = 23;

pub fn pinned() -> KeySet {
    KeySet::of(vec![
        TrustedKey::new(key(ROOT).public().clone(), &[Role::Root]),
        TrustedKey::new(key(LICENSES).public().clone(), &[Role::License]),
        TrustedKey::new(key(ANSWERS).public().clone(), &[Role::Server]),
    ])
    .unwrap()
}

/// The product of the house, on a machine, with its clock at a time.
pub fn product_at(machine: &str, at: i64) -> Product {
    let mut product = Product::new("myapp", &pinned().to_jwks()).unwrap();
    product.set("clock", &at.to_string()).unwrap();
    product.set("machine", machine).unwrap();
    product
}

pub fn sha256(document: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(document.as_bytes()))
}

/// Everything that the vendor has and knows.
#[derive(Clone)]
pub struct House {
    pub licenses: u8,
    pub answers: u8,
    /// The newest key set: its epoch and its text.
    pub keys: Option<(u64, String)>,
    /// The newest list, the same.
    pub list: Option<(u64, String)>,
    pub seq: u64,
    pub now: i64,
    pub issued: BTreeMap<String, Claims>,
    pub status: IssuerStatus,
    pub message: Option<String>,
    pub sync_after: Option<i64>,
    pub next_sync_by: Option<i64>,
    /// What it has heard: the place of each installation, and every total.
    pub heard: BTreeMap<String, Ledger>,
    pub used: BTreeMap<(String, String, String, Option<i64>), u64>,
    /// Whether an answer to a sync brings the license anew.
    pub brings: bool,
}

impl Default for House {
    fn default() -> House {
        let claims = claims();
        House {
            licenses: LICENSES,
            answers: ANSWERS,
            keys: None,
            list: None,
            seq: 0,
            now: NOW,
            issued: [(claims.license.id.clone(), claims)].into(),
            status: IssuerStatus::Ok,
            message: None,
            sync_after: None,
            next_sync_by: None,
            heard: BTreeMap::new(),
            used: BTreeMap::new(),
            brings: false,
        }
    }
}

impl House {
    /// The license as it is signed now.
    pub fn license(&self, id: &str) -> String {
        let mut claims = self.issued[id].clone();
        claims.iat = claims.iat.max(self.now);
        claims.jti = format!("{}-{}", self.licenses, claims.iat);
        sign(&key(self.licenses), &claims).unwrap()
    }

    /// The first of them, for whoever begins.
    pub fn usual(&self) -> String {
        self.license(&claims().license.id)
    }

    /// Signs the next key set, of keys that are listed.
    pub fn rotate(&mut self, keys: Vec<TrustedKey>) -> String {
        let epoch = self.epoch() + 1;
        let keys = KeySet::of(keys).unwrap();
        let set = sign_keys(&key(ROOT), "myapp", ISSUER, self.now, epoch, &keys).unwrap();
        self.keys = Some((epoch, set.clone()));
        set
    }

    pub fn epoch(&self) -> u64 {
        self.keys.as_ref().map_or(0, |(epoch, _)| *epoch)
    }

    /// Signs a list that withdraws licenses.
    pub fn withdraw(&mut self, version: u64, ids: &[&str]) -> String {
        let ids: BTreeSet<_> =
            ids.iter().map(|id| licentia::issue::license_id(id).unwrap()).collect();
        let signer = key(self.answers);
        let list = sign_revocations(&signer, "myapp", ISSUER, version, self.now, &ids).unwrap();
        self.list = Some((version, list.clone()));
        list
    }

    /// What it says to a request about a license: all is well.
    pub fn said(&mut self, request: &Request) -> SyncAnswer {
        self.seq += 1;
        let told = |it: &Option<(u64, String)>| {
            it.as_ref().map(|(version, text)| Version { version: *version, sha256: sha256(text) })
        };
        let license_id = match (&request.license, &request.key) {
            (Some(license), None) => license.id.clone(),
            _ => self.issued.keys().next().unwrap().clone(),
        };
        SyncAnswer {
            iat: self.now,
            nonce: request.nonce.clone(),
            license_id,
            installation: request.installation.clone(),
            activation: None,
            seq: self.seq,
            epoch: self.epoch(),
            server_time: self.now,
            status: self.status,
            message: self.message.clone(),
            license: None,
            keys: told(&self.keys),
            revocations: told(&self.list),
            ack: None,
            sync_after: self.sync_after,
            next_sync_by: self.next_sync_by,
            machine: licentia::issue::machine_of(request),
        }
    }

    pub fn sign(&self, answer: &SyncAnswer) -> String {
        sign_sync(&key(self.answers), "myapp", ISSUER, answer).unwrap()
    }

    /// A lease of an hour, or the end of one.
    pub fn lease(&self, request: &Request) -> Lease {
        let seat = request.seat.as_ref().unwrap();
        let length = seat.days.map_or(3_600, |days| i64::from(days) * DAY);
        let length = if request.what == "release" { 0 } else { length };
        Lease {
            jti: format!("lease {}", request.nonce),
            iat: self.now,
            exp: self.now + length,
            nonce: Some(request.nonce.clone()),
            license_id: request.license.as_ref().unwrap().id.clone(),
            installation: Some(request.installation.clone()),
            holder: seat.holder.clone(),
            seat: 1,
            borrowed: request.what == "borrow",
        }
    }

    /// Hears what was used, as the server does: the highest total of a period counts.
    fn hear(&mut self, request: &Request) -> Option<Ledger> {
        let told = request.sync.as_ref()?;
        for row in &told.usage {
            let name =
                (request.installation.clone(), row.feature.clone(), row.kind.clone(), row.from);
            let known = self.used.entry(name).or_default();
            *known = row.used.max(*known);
        }
        let place = told.ledger.clone()?;
        self.heard.insert(request.installation.clone(), place.clone());
        Some(place)
    }

    /// The honest answer to any word.
    pub fn answer(&mut self, request: &Request) -> Result<String, Error> {
        let none = |what: &str| Error::new(Code::Refused, what);
        match request.what.as_str() {
            "keys" => self.keys.clone().map(|it| it.1).ok_or_else(|| none("there is no key set")),
            "revocations" => {
                self.list.clone().map(|it| it.1).ok_or_else(|| none("there is no list"))
            }
            "clock" => {
                Ok(sign_clock_reset(&key(self.answers), request, ISSUER, self.now, self.now)?)
            }
            "seat" | "borrow" | "release" => {
                sign_lease(&key(self.answers), "myapp", ISSUER, &self.lease(request))
            }
            "activation" if request.key.as_ref().is_some_and(|key| key != KEY) => {
                Err(none("there is no such key"))
            }
            word => {
                let ack = self.hear(request);
                let mut answer = self.said(request);
                answer.ack = ack;
                if !matches!(word, "sync" | "deactivation") || (word == "sync" && self.brings) {
                    answer.license = Some(self.license(&answer.license_id));
                }
                Ok(self.sign(&answer))
            }
        }
    }
}

type Bending = dyn FnMut(&mut House, &Request) -> Option<Result<Vec<u8>, Error>> + Send;

/// The server of the house, which may be told to answer something else.
pub struct Counter {
    pub house: Mutex<House>,
    pub asked: Mutex<Vec<Request>>,
    bent: Mutex<Option<Box<Bending>>>,
}

impl Counter {
    pub fn new(house: House) -> Arc<Counter> {
        Arc::new(Counter {
            house: Mutex::new(house),
            asked: Mutex::default(),
            bent: Mutex::default(),
        })
    }

    pub fn house(&self) -> MutexGuard<'_, House> {
        self.house.lock().unwrap()
    }

    /// What it answers from now on; where that is `None`, what is honest.
    pub fn bend(
        &self,
        how: impl FnMut(&mut House, &Request) -> Option<Result<Vec<u8>, Error>> + Send + 'static,
    ) {
        *self.bent.lock().unwrap() = Some(Box::new(how));
    }

    /// Is honest again.
    pub fn mend(&self) {
        *self.bent.lock().unwrap() = None;
    }

    /// The words that were asked since the last time, in their order.
    pub fn words(&self) -> Vec<String> {
        self.asked.lock().unwrap().drain(..).map(|request| request.what).collect()
    }
}

impl Issuer for Counter {
    fn ask(&self, message: &Message<'_>) -> Result<Vec<u8>, Error> {
        let request = read_request(message.request.as_bytes()).unwrap();
        assert!(request.signer.is_some());
        self.asked.lock().unwrap().push(request.clone());
        let mut house = self.house.lock().unwrap();
        let bent = match self.bent.lock().unwrap().as_mut() {
            Some(bent) => bent(&mut house, &request),
            None => None,
        };
        bent.unwrap_or_else(|| house.answer(&request).map(String::into_bytes))
    }
}
