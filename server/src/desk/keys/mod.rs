//! Keys: those that people and programs ask with, and those that sign.

mod api_key;
mod deeds;
mod list;
mod new;
mod pair;

use super::client::{Refusal, query};
use super::session::Visit;
use super::{Desk, numbers, when};
use axum::Router;
use axum::routing::get;
use serde::Deserialize;
use std::sync::Arc;

const SECTION: &str = "keys";

/// Products of a key pair that are counted, at most.
const COUNTED: usize = 20;

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    let key = "/keys/pairs/{id}/keys/{key_id}";
    Router::new()
        .route("/keys", get(list::list))
        .route("/keys/pairs", get(list::pairs))
        .route("/keys/api/new", get(api_key::blank).post(api_key::create))
        .route("/keys/api/{id}/revoke", get(api_key::ask).post(api_key::revoke))
        .route("/keys/pairs/new", get(new::blank).post(new::create))
        .route("/keys/pairs/{id}", get(pair::show).post(pair::rename))
        .route("/keys/pairs/{id}/rotate", get(deeds::rotating).post(deeds::rotate))
        .route("/keys/pairs/{id}/delete", get(deeds::deleting).post(deeds::delete))
        .route(&format!("{key}/retire"), get(deeds::retiring).post(deeds::retire))
        .route(&format!("{key}/compromise"), get(deeds::accusing).post(deeds::accuse))
}

/// As the API tells of it.
#[derive(Clone, Debug, Deserialize)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    pub hint: String,
    pub scopes: Vec<String>,
    pub state: String,
    pub created_at: String,
    pub expires_at: Option<String>,
    pub revoked_at: Option<String>,
    pub last_used_at: Option<String>,
}

impl ApiKey {
    /// How it looks.
    pub fn tone(&self) -> &'static str {
        if self.is_active() { "good" } else { "quiet" }
    }

    /// Whether it is good.
    pub fn is_active(&self) -> bool {
        self.state == "active"
    }

    /// When it ends, or did.
    pub fn end(&self) -> String {
        match (&self.revoked_at, &self.expires_at) {
            (Some(at), _) => format!("revoked {}", when::day(at)),
            (None, Some(at)) => when::minute(at),
            (None, None) => "never".to_string(),
        }
    }
}

/// As the API tells of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Pair {
    pub id: String,
    pub name: String,
    pub epoch: i64,
    pub keys: Vec<Key>,
    pub created_at: String,
    pub updated_at: String,
}

/// As the API tells of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Key {
    pub id: String,
    pub kid: String,
    pub roles: Vec<String>,
    pub state: String,
    pub public_key: String,
    pub created_at: String,
    pub retired_at: Option<String>,
    pub compromised_at: Option<String>,
}

impl Key {
    /// What it signs, in words.
    pub fn signs(&self) -> String {
        let word = |role: &String| match role.as_str() {
            "root" => "key sets (root)".to_string(),
            "license" => "licenses".to_string(),
            "server" => "what the server says".to_string(),
            other => other.to_string(),
        };
        self.roles.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    /// How it stands: look and words.
    pub fn look(&self) -> (&'static str, &str) {
        match self.state.as_str() {
            "active" => ("good", "signs"),
            "retired" => ("quiet", "retired"),
            "compromised" => ("bad", "in other hands"),
            other => ("quiet", other),
        }
    }

    /// Whether it signs for a role.
    pub fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|it| it == role)
    }

    /// Whether it may be taken out of use as a matter of course.
    pub fn can_retire(&self) -> bool {
        self.state == "active" && !self.has("root")
    }

    /// Whether somebody else has it.
    pub fn is_compromised(&self) -> bool {
        self.state == "compromised"
    }
}

impl Pair {
    /// How it stands: look and words.
    pub fn look(&self) -> (&'static str, &'static str) {
        let mut roots = self.keys.iter().filter(|key| key.has("root"));
        if roots.any(Key::is_compromised) {
            return ("bad", "root in other hands");
        }
        match self.keys.iter().any(|key| key.state == "active" && key.has("license")) {
            true => ("good", "signs"),
            false => ("bad", "signs no licenses"),
        }
    }

    /// How many of its keys sign.
    pub fn active(&self) -> i64 {
        let active = self.keys.iter().filter(|key| key.state == "active").count();
        i64::try_from(active).unwrap_or(i64::MAX)
    }
}

/// A product of a key pair.
#[derive(Clone, Debug, Deserialize)]
pub struct Product {
    pub id: String,
    pub name: String,
    pub code: String,
}

/// What depends on a key pair.
#[derive(Clone, Debug, Default)]
pub struct Dependents {
    pub products: Vec<Product>,
    /// How many products there are.
    pub total: i64,
    /// Licenses of those that are listed, and how many of them are active.
    pub licenses: i64,
    pub active: i64,
}

#[derive(Deserialize)]
struct Products {
    products: Vec<Product>,
    total: i64,
}

impl Dependents {
    /// Those of a pair.
    pub async fn of(desk: &Desk, visit: &Visit, pair: &str) -> Result<Dependents, Refusal> {
        let asked = query([("key_pair_id", pair), ("per_page", "100")]);
        let found: Products = desk.client.get(visit, &format!("/products{asked}")).await?;
        let mut of = Dependents { total: found.total, ..Dependents::default() };
        for product in found.products.iter().take(COUNTED) {
            let there = super::products::overview(desk, visit, &product.id).await?;
            of.licenses = of.licenses.saturating_add(there.licenses.total);
            of.active = of.active.saturating_add(there.licenses.active);
        }
        of.products = found.products;
        Ok(of)
    }

    /// Whether there are more than were counted.
    fn is_part(&self) -> bool {
        usize::try_from(self.total).is_ok_and(|total| total > COUNTED)
    }

    /// The licenses that are active, in words.
    pub fn active_words(&self) -> String {
        let least = if self.is_part() { "more than " } else { "" };
        format!("{least}{}", numbers::counted(self.active, "active license", "active licenses"))
    }

    /// The products, in words.
    pub fn product_words(&self) -> String {
        numbers::counted(self.total, "product", "products")
    }
}

/// One of the key pairs.
pub async fn get_pair(desk: &Desk, visit: &Visit, id: &str) -> Result<Pair, Refusal> {
    desk.client.get(visit, &format!("/key-pairs/{id}")).await
}
