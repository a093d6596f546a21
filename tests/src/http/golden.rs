//! The committed answers: `tests/vectors/http.json`.

use crate::http::script::{self, Ask, Kind};
use crate::http::sites::{self, Site};
use crate::paths;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use licentia::{Caller, Exchange, Installation, Product};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// A body of more bytes than this is kept by its digest.
const BODY_MAX: usize = 8 * 1024;

/// What has to be the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Told {
    /// The HTTP status.
    pub status: u16,
    /// The header `content-type`, or empty.
    pub content_type: String,
    /// The header `cache-control`, or empty.
    pub cache_control: String,
    /// The body, or its size and SHA-256 where it is long or not UTF-8.
    pub body: String,
}

impl Told {
    /// What is compared of an answer.
    pub fn new(status: u16, header: impl Fn(&str) -> Option<String>, body: &[u8]) -> Told {
        let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= BODY_MAX);
        let digest =
            || format!("{} bytes, SHA-256 {}", body.len(), STANDARD.encode(Sha256::digest(body)));
        let of = |name| header(name).unwrap_or_default();
        Told {
            status,
            content_type: of("content-type"),
            cache_control: of("cache-control"),
            body: text.map_or_else(digest, str::to_string),
        }
    }
}

/// The file.
#[derive(Serialize, Deserialize)]
pub struct Golden {
    /// What the file is about.
    pub comment: String,
    /// Every answer there is, once.
    pub answers: Vec<Told>,
    /// Every site, with everything it is asked.
    pub cases: Vec<Case>,
}

/// One site.
#[derive(Serialize, Deserialize)]
pub struct Case {
    /// Its name.
    pub site: String,
    /// `who METHOD target` and the place of the answer, for each that it is asked.
    pub asked: Vec<(String, usize)>,
}

/// The folder of a site for whoever is named.
pub fn folder(teller: &str, site: &Site) -> PathBuf {
    paths::target().join("http").join(teller).join(site.name)
}

/// Makes the folders of all sites anew.
///
/// # Panics
/// If that fails.
pub fn prepare(teller: &str, sites: &[Site]) {
    let root = paths::target().join("http").join(teller);
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).expect("a folder for sites");
    for site in sites {
        site.write(&folder(teller, site));
    }
}

/// Opens a site as a host would.
///
/// # Panics
/// If a setting is refused.
pub fn open(site: &Site, folder: &Path) -> Installation {
    let mut product = Product::new(site.product(), &site.keys()).expect("a product");
    for (name, value) in &site.set {
        product.set(name, value).expect("a setting of a product");
    }
    let mut installation = product.open(folder).expect("an installation");
    for (name, value) in &site.site {
        installation.set(name, value).expect("a setting of a site");
    }
    installation
}

/// What the core answers.
///
/// # Panics
/// If the request is none.
pub fn core(installation: &Installation, ask: &Ask, kinds: &[Kind]) -> Told {
    let mut exchange = Exchange::new(ask.method, &ask.target).expect("a request");
    for (name, value) in &ask.headers {
        exchange.add_header(name, value);
    }
    exchange.set_body(ask.body.as_bytes());
    let rights = kinds.iter().find(|kind| kind.name == ask.who).and_then(|kind| kind.rights);
    if let Some(rights) = rights {
        exchange.set_caller(Caller::new(ask.who, rights).expect("a caller"));
    }
    let answer = installation.handle(&exchange);
    let header = |name: &str| answer.header(name).map(str::to_string);
    Told::new(answer.status(), header, answer.body())
}

/// The file as the core writes it.
pub fn generate() -> Golden {
    let (sites, kinds) = (sites::all(), script::kinds());
    prepare("core", &sites);
    let mut answers: Vec<Told> = Vec::new();
    let mut cases = Vec::new();
    for site in &sites {
        let installation = open(site, &folder("core", site));
        let asked = script::of(site).into_iter().map(|ask| {
            let told = core(&installation, &ask, &kinds);
            let known = answers.iter().position(|known| *known == told);
            let place = known.unwrap_or_else(|| {
                answers.push(told);
                answers.len() - 1
            });
            (label(&ask), place)
        });
        cases.push(Case { site: site.name.to_string(), asked: asked.collect() });
    }
    let comment = "What the license API answers, for every site of tests/src/http/sites.rs and \
                   everything it is asked by tests/src/http/script.rs.";
    Golden { comment: comment.to_string(), answers, cases }
}

/// An ask in a line.
pub fn label(ask: &Ask) -> String {
    format!("{} {} {}", ask.who, ask.method, ask.target)
}

/// The text of the file: an answer, and a thing that is asked, per line.
pub fn text(golden: &Golden) -> String {
    let answers: Vec<String> = golden.answers.iter().map(line).collect();
    let case = |case: &Case| {
        let asked: Vec<String> = case.asked.iter().map(line).collect();
        let site = serde_json::to_string(&case.site).expect("a name");
        format!("{{\"site\": {site}, \"asked\": [\n{}\n]}}", asked.join(",\n"))
    };
    let cases: Vec<String> = golden.cases.iter().map(case).collect();
    let comment = serde_json::to_string(&golden.comment).expect("a comment");
    format!(
        "{{\"comment\": {comment},\n\"answers\": [\n{}\n],\n\"cases\": [\n{}\n]}}\n",
        answers.join(",\n"),
        cases.join(",\n")
    )
}

/// A value in one line of JSON.
fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a line of JSON")
}

/// The committed file.
///
/// # Panics
/// If it is not there, or not in its form.
pub fn committed() -> Golden {
    let text = fs::read_to_string(paths::vectors().join("http.json")).expect("a vector file");
    serde_json::from_str(&text).expect("a vector file in its form")
}
