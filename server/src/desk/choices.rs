//! What a field offers to choose from.

use super::Desk;
use super::client::{Refusal, query};
use super::session::Visit;
use serde::Deserialize;

/// Products that a field offers, at most.
const PAGES_MAX: usize = 10;

/// A product to choose.
#[derive(Clone, Debug, Deserialize)]
pub struct Product {
    pub id: String,
    pub name: String,
    pub code: String,
    pub key_pair_id: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    products: Vec<Product>,
    next_cursor: Option<String>,
}

/// The products, by name: the newest thousand of them.
pub async fn products(desk: &Desk, visit: &Visit) -> Result<Vec<Product>, Refusal> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    for _ in 0..PAGES_MAX {
        let asked = query([("per_page", "100"), ("cursor", cursor.as_str())]);
        let page: Page = desk.client.get(visit, &format!("/products{asked}")).await?;
        all.extend(page.products);
        match page.next_cursor {
            Some(next) => cursor = next,
            None => break,
        }
    }
    all.sort_by_cached_key(|product: &Product| product.name.to_lowercase());
    Ok(all)
}

/// A key pair to choose.
#[derive(Clone, Debug, Deserialize)]
pub struct KeyPair {
    pub id: String,
    pub name: String,
}

#[derive(Deserialize)]
struct PageOfPairs {
    key_pairs: Vec<KeyPair>,
    next_cursor: Option<String>,
}

/// The key pairs, by name: the newest thousand of them.
pub async fn key_pairs(desk: &Desk, visit: &Visit) -> Result<Vec<KeyPair>, Refusal> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    for _ in 0..PAGES_MAX {
        let asked = query([("per_page", "100"), ("cursor", cursor.as_str())]);
        let page: PageOfPairs = desk.client.get(visit, &format!("/key-pairs{asked}")).await?;
        all.extend(page.key_pairs);
        match page.next_cursor {
            Some(next) => cursor = next,
            None => break,
        }
    }
    all.sort_by_cached_key(|pair: &KeyPair| pair.name.to_lowercase());
    Ok(all)
}
