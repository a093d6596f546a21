//! Products, and the policies of each.

mod edit;
mod list;
mod one;
mod remove;

use super::Desk;
use super::client::{Refusal, query};
use super::session::Visit;
use axum::Router;
use axum::routing::get;
use serde::Deserialize;
use std::sync::Arc;

/// Its entry of the menu.
pub const SECTION: &str = "products";

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/products", get(list::list))
        .route("/products/new", get(edit::blank).post(edit::create))
        .route("/products/{id}", get(one::show))
        .route("/products/{id}/keys.json", get(one::keys))
        .route("/products/{id}/edit", get(edit::filled).post(edit::change))
        .route("/products/{id}/delete", get(remove::ask).post(remove::remove))
}

/// As the API tells of them.
#[derive(Debug, Deserialize)]
pub struct Products {
    pub products: Vec<Product>,
    pub total: u64,
    pub next_cursor: Option<String>,
}

/// As the API tells of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Product {
    pub id: String,
    pub name: String,
    pub code: String,
    pub description: Option<String>,
    pub default_features: Vec<String>,
    pub default_valid_days: i64,
    pub key_pair_id: Option<String>,
    pub revocations_version: i64,
    pub created_at: String,
    pub updated_at: String,
}

/// How the licenses of one stand.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Standing {
    pub total: i64,
    pub active: i64,
    pub suspended: i64,
    pub expired: i64,
    pub revoked: i64,
}

/// What there is of one.
#[derive(Clone, Debug, Deserialize)]
pub struct Overview {
    pub licenses: Standing,
    pub activations: i64,
}

/// One of them.
pub async fn get_one(desk: &Desk, visit: &Visit, id: &str) -> Result<Product, Refusal> {
    desk.client.get(visit, &format!("/products/{id}")).await
}

/// What there is of one.
pub async fn overview(desk: &Desk, visit: &Visit, id: &str) -> Result<Overview, Refusal> {
    desk.client.get(visit, &format!("/reports/overview{}", query([("product_id", id)]))).await
}

/// Ids with blanks, commas or lines between.
pub fn words(text: &str) -> Vec<&str> {
    let between = |it: char| it.is_whitespace() || matches!(it, ',' | ';');
    text.split(between).filter(|word| !word.is_empty()).collect()
}
