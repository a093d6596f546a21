//! Deleting a policy: first what that will do, then the deed.

use super::super::form::Posted;
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{State, html};
use super::edit::one;
use super::{Policy, SECTION};
use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

#[derive(Template)]
#[template(path = "policies/remove.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Policy,
}

pub async fn ask(desk: State, visit: Visit, Id(id): Id) -> Response {
    let path = format!("/policies/{id}/delete");
    match one(&desk, &visit, &id).await {
        Ok(it) => {
            html::page(&Page { frame: Frame::of(&visit, &path, SECTION, "Delete policy"), it })
        }
        Err(why) => refused(&visit, &path, SECTION, &why),
    }
}

pub async fn remove(desk: State, Id(id): Id, posted: Posted) -> Response {
    let (visit, to, body) = (&posted.visit, format!("/policies/{id}"), json!({}));
    let product = one(&desk, visit, &id).await.ok().and_then(|it| it.product_id);
    let sent = desk.client.send::<Value>(visit, Method::DELETE, &to, &body, posted.once()).await;
    match (sent, product) {
        (Ok(_), Some(product)) => {
            html::on_to(&format!("../../products/{product}?done=policy-deleted#policies"))
        }
        (Ok(_), None) => html::on_to("../../policies?done=deleted"),
        (Err(why), _) => refused(visit, &format!("{to}/delete"), SECTION, &why),
    }
}
