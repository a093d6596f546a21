//! What every page has around it: where it is, who looks at it, and what has just been done.

use super::assets;
use super::session::Visit;
use crate::api::Scope;
use sea_orm::prelude::Uuid;

/// What every page has around it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The way back to the first page, for links: `./`, `../` and so on. There may be a proxy
    /// that adds to the path.
    pub root: String,
    /// What the page is called.
    pub title: String,
    /// Which entry of the menu it belongs to: its path, such as `licenses`.
    pub section: &'static str,
    /// The organization.
    pub organization: String,
    /// The API key of whoever signed in.
    pub key_name: String,
    /// What forms have in them.
    pub csrf: String,
    /// What makes a form, sent twice, one request: another one on each page.
    pub once: String,
    /// What has just been done, in one sentence.
    pub notice: Option<&'static str>,
    scopes: Vec<Scope>,
}

/// The menu: paths and names.
pub const MENU: [(&str, &str); 9] = [
    ("", "Overview"),
    ("products", "Products"),
    ("licenses", "Licenses"),
    ("activations", "Activations"),
    ("seats", "Seats"),
    ("usage", "Usage"),
    ("webhooks", "Webhooks"),
    ("keys", "Keys"),
    ("audit", "Audit"),
];

impl Frame {
    /// The frame of a page at a path, such as `/licenses/new`.
    pub fn of(visit: &Visit, path: &str, section: &'static str, title: &str) -> Frame {
        let all = Scope::ALL.into_iter().filter(|scope| visit.caller.scopes.has(*scope));
        Frame {
            root: root(path),
            title: title.to_string(),
            section,
            organization: visit.caller.organization.name.clone(),
            key_name: visit.key_name.clone(),
            csrf: visit.csrf.clone(),
            once: Uuid::new_v4().to_string(),
            notice: None,
            scopes: all.collect(),
        }
    }

    /// With one sentence about what has just been done: `done` is the word after the redirect.
    pub fn with_notice(mut self, done: &str, known: &[(&str, &'static str)]) -> Frame {
        let found = known.iter().find(|(word, _)| *word == done);
        self.notice = found.map(|(_, sentence)| *sentence);
        self
    }

    /// Whether whoever signed in may do what needs a scope: what they may not is not offered.
    pub fn may(&self, scope: &str) -> bool {
        self.scopes.iter().any(|it| it.word() == scope)
    }

    /// The menu.
    pub fn menu(&self) -> [(&'static str, &'static str); 9] {
        MENU
    }

    /// Whether the page belongs to an entry of the menu.
    pub fn is_at(&self, path: &str) -> bool {
        self.section == path
    }

    /// The address of a file, which changes with it.
    pub fn asset(&self, name: &str) -> String {
        format!("{}assets/{name}?v={}", self.root, assets::version(name))
    }
}

/// The way from a path to the first page.
pub fn root(path: &str) -> String {
    match path.matches('/').count() {
        0 | 1 => "./".to_string(),
        depth => "../".repeat(depth - 1),
    }
}
