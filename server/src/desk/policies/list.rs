//! All policies.

use super::super::choices::{self, Product};
use super::super::client::{Refusal, query};
use super::super::form::{Fields, Query};
use super::super::frame::Frame;
use super::super::pager::Pager;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, html, numbers, when};
use super::{Policies, SECTION};
use askama::Template;
use axum::response::Response;

#[derive(Template)]
#[template(path = "policies/list.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Policies,
    products: Vec<Product>,
    product: String,
    pager: Pager,
}

impl Page {
    /// What a product is called.
    fn named<'a>(&'a self, id: &'a str) -> &'a str {
        self.products.iter().find(|it| it.id == id).map_or(id, |it| it.name.as_str())
    }
}

pub async fn list(desk: State, visit: Visit, Query(asked): Query) -> Response {
    match page(&desk, &visit, &asked).await {
        Ok(page) => html::page(&page),
        Err(why) => refused(&visit, "/policies", SECTION, &why),
    }
}

async fn page(desk: &Desk, visit: &Visit, asked: &Fields) -> Result<Page, Refusal> {
    let product = asked.text("product_id");
    let pairs = [("product_id", product), ("cursor", asked.text("cursor"))];
    let it: Policies = desk.client.get(visit, &format!("/policies{}", query(pairs))).await?;
    let products = choices::products(desk, visit).await?;
    let done = [
        ("made", "The policy is made."),
        ("changed", "The policy was changed. Licenses stay as they are."),
        ("deleted", "The policy was deleted. Licenses stay as they are."),
    ];
    let frame =
        Frame::of(visit, "/policies", SECTION, "Policies").with_notice(asked.text("done"), &done);
    let pager = Pager::of("./policies", asked, it.next_cursor.as_deref());
    Ok(Page { frame, it, products, product: product.to_string(), pager })
}
