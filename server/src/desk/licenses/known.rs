//! What a form lets one choose from.

use super::shapes::Named;
use crate::desk::client::{Client, Refusal, query};
use crate::desk::session::Visit;
use serde::Deserialize;

/// Pages of a list that are read: nobody looks for one of more than a thousand in a menu.
const PAGES: usize = 10;

#[derive(Deserialize)]
struct Page {
    #[serde(alias = "products", alias = "policies")]
    all: Vec<Named>,
    next_cursor: Option<String>,
}

/// The products.
pub async fn products(client: &Client, visit: &Visit) -> Result<Vec<Named>, Refusal> {
    all(client, visit, "/products").await
}

/// The policies.
pub async fn policies(client: &Client, visit: &Visit) -> Result<Vec<Named>, Refusal> {
    all(client, visit, "/policies").await
}

/// In the order of their names.
async fn all(client: &Client, visit: &Visit, path: &str) -> Result<Vec<Named>, Refusal> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    for _ in 0..PAGES {
        let asked = format!("{path}{}", query([("per_page", "100"), ("cursor", &cursor)]));
        let page: Page = client.get(visit, &asked).await?;
        found.extend(page.all);
        match page.next_cursor {
            Some(next) => cursor = next,
            None => break,
        }
    }
    found.sort_by_cached_key(|it: &Named| it.name.to_lowercase());
    Ok(found)
}
