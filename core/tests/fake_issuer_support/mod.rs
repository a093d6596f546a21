//! The lies of a fake issuer, and the stage for each of them.
#![allow(dead_code)]

mod documents;
mod lies;

pub use documents::{of_documents, of_kind, of_person};
pub use lies::{of_form, of_keys, of_values};

use crate::house_support::*;
use crate::http_support::Site;
use crate::installation_support::{ISSUER, NOW, claims, light_folder};
use licentia::issue::{Request, SyncAnswer, read_request, sign_bytes, sign_sync};
use licentia::{Code, Error, Installation, Issuer, Kind, Product, Role, TrustedKey, peek};
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;

pub const OTHER: &str = "11111111-2222-4333-8444-555555555555";
/// Keys of a newer set that were retired and stolen.
pub const RETIRED: u8 = 81;
pub const STOLEN: u8 = 82;

pub type Told = Result<Vec<u8>, Error>;
type Tell = Box<dyn FnMut(&mut House, &Request, &Record) -> Told + Send>;

/// One lie.
pub struct Lie {
    pub what: &'static str,
    /// What is asked.
    pub word: &'static str,
    /// What comes of it.
    pub code: Code,
    pub tell: Tell,
}

pub fn lie(
    word: &'static str,
    what: &'static str,
    code: Code,
    tell: impl FnMut(&mut House, &Request, &Record) -> Told + Send + 'static,
) -> Lie {
    Lie { what, word, code, tell: Box::new(tell) }
}

/// What a liar may have heard before.
#[derive(Default)]
pub struct Record {
    /// The last answer to a sync here, which was applied.
    pub old: String,
    /// The answers that somebody else got, by their words.
    pub others: Vec<(&'static str, String)>,
    /// Texts that this installation has asked, and whose answers were never given.
    pub waiting: Vec<(&'static str, Request)>,
    pub sets: Vec<String>,
    pub lists: Vec<String>,
}

impl Record {
    pub fn of_others(&self, word: &str) -> Told {
        let found = self.others.iter().find(|(of, _)| *of == word);
        Ok(found.unwrap().1.clone().into_bytes())
    }

    pub fn asked(&self, word: &str) -> &Request {
        &self.waiting.iter().find(|(of, _)| *of == word).unwrap().1
    }
}

/// An installation that has synced, with keys and a list, and an honest server.
pub struct Stage {
    pub it: Site,
    pub counter: Arc<Counter>,
    pub record: Arc<Record>,
    product: Product,
    _others: TempDir,
}

/// What goes with a word.
pub fn argument(word: &str) -> Option<&'static str> {
    match word {
        "activation" => Some(KEY),
        "seat" | "release" => Some("ann"),
        "borrow" => Some("3 ann"),
        _ => None,
    }
}

const WORDS: [&str; 9] = [
    "sync",
    "activation",
    "renewal",
    "license",
    "deactivation",
    "clock",
    "seat",
    "borrow",
    "release",
];

fn product() -> Product {
    let mut product = product_at("test", NOW);
    product.set("issuer", ISSUER).unwrap();
    product
}

impl Stage {
    pub fn new() -> Stage {
        let product = product();
        let mut house = House { seq: 100, ..House::default() };
        let listed = || {
            vec![
                TrustedKey::new(key(RETIRED).public().clone(), &[Role::Server]).retired(NOW),
                TrustedKey::new(key(STOLEN).public().clone(), &[Role::Server]).compromised(),
            ]
        };
        let sets = (0..3).map(|_| house.rotate(listed())).collect();
        let lists = [4, 5, 6].map(|version| house.withdraw(version, &[OTHER])).into();
        let mut record = Record { sets, lists, ..Record::default() };
        house.keys = Some((2, record.sets[1].clone()));
        house.list = Some((5, record.lists[1].clone()));
        let mut it = Site::within(&product, light_folder());
        it.apply(house.usual().as_bytes()).unwrap();
        let others = light_folder();
        let other = product.open(others.path()).unwrap();
        other.apply(house.usual().as_bytes()).unwrap();
        let counter = Counter::new(house);
        it.connect(counter.clone() as Arc<dyn Issuer>);
        it.sync().unwrap();
        for word in WORDS {
            record.waiting.push((word, asked(&it, word)));
            let answer = counter.house().answer(&asked(&other, word)).unwrap();
            record.others.push((word, answer));
        }
        let request = asked(&it, "sync");
        record.old = counter.house().answer(&request).unwrap();
        it.apply(record.old.as_bytes()).unwrap();
        counter.words();
        Stage { it, counter, record: Arc::new(record), product, _others: others }
    }

    /// Another process in the same folder, with the same server.
    pub fn again(&self) -> Installation {
        let mut it = self.product.open(self.it.folder.path()).unwrap();
        it.connect(self.counter.clone() as Arc<dyn Issuer>);
        it
    }
}

pub fn asked(it: &Installation, word: &str) -> Request {
    read_request(it.request(word, argument(word)).unwrap().as_bytes()).unwrap()
}

/// The honest answer about a license, changed, and signed.
pub fn said(house: &mut House, request: &Request, change: impl FnOnce(&mut SyncAnswer)) -> Told {
    let mut answer = house.said(request);
    change(&mut answer);
    Ok(house.sign(&answer).into_bytes())
}

/// The same by another key, product or issuer.
pub fn signed(
    house: &mut House,
    request: &Request,
    (signer, product, issuer): (u8, &str, &str),
) -> Told {
    let answer = house.said(request);
    Ok(sign_sync(&key(signer), product, issuer, &answer)?.into_bytes())
}

/// The payload of a document.
pub fn payload(document: &str) -> String {
    peek::peek(document.as_bytes()).unwrap().payload
}

/// The honest answer with its claims changed to what no honest vendor signs.
pub fn bent(house: &mut House, request: &Request, change: impl FnOnce(&mut Value)) -> Told {
    let answer = house.said(request);
    let mut claims: Value = serde_json::from_str(&payload(&house.sign(&answer))).unwrap();
    change(&mut claims);
    Ok(sign_bytes(&key(house.answers), Kind::Sync, claims.to_string().as_bytes()).into_bytes())
}

/// The same with its text changed.
pub fn torn(house: &mut House, request: &Request, change: impl FnOnce(String) -> String) -> Told {
    let answer = house.said(request);
    let text = change(payload(&house.sign(&answer)));
    Ok(sign_bytes(&key(house.answers), Kind::Sync, text.as_bytes()).into_bytes())
}

/// The three parts of the honest answer.
pub fn parts(house: &mut House, request: &Request) -> [String; 3] {
    let answer = house.said(request);
    let token = house.sign(&answer);
    let parts: Vec<String> = token.split('.').map(str::to_string).collect();
    parts.try_into().unwrap()
}

/// An answer by a key that nobody trusts.
pub fn forged(request: &Request) -> String {
    let mut house = House { answers: 99, seq: 9_000, ..House::default() };
    let answer = house.said(request);
    house.sign(&answer)
}

/// Another license than the one that is here.
pub fn other_license(signer: u8) -> String {
    let mut claims = claims();
    (claims.license.id, claims.iat) = ("22222222-2222-4333-8444-555555555555".to_string(), NOW + 5);
    licentia::issue::sign(&key(signer), &claims).unwrap()
}
