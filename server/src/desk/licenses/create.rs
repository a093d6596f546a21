//! A new license, and what it will be while one still writes.

use super::fields::{self, CAUSES, METERS, Row};
use super::shapes::{Created, License, Named};
use super::words::{self, KINDS};
use super::{SECTION, known, no};
use crate::desk::client::Refusal;
use crate::desk::form::{Fields, Posted, Query};
use crate::desk::frame::Frame;
use crate::desk::session::Visit;
use crate::desk::{Desk, State, html, numbers, when};
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::Value;

const AT: &str = "/licenses/new";

/// What the license would be.
pub enum Preview {
    /// Nothing was written yet.
    None,
    /// There would be none: a sentence, and the field that it is about.
    Refused(String, &'static str),
    /// This.
    License(Box<License>),
}

#[derive(Template)]
#[template(path = "licenses/new.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Fields,
    rows: Vec<Row>,
    products: Vec<Named>,
    policies: Vec<Named>,
    wrong: Option<Refusal>,
    preview: Preview,
}

impl Page {
    fn about(&self) -> &'static str {
        self.wrong.as_ref().map_or("", |why| fields::about(&why.detail))
    }

    fn is_new(&self) -> bool {
        true
    }

    fn of_cause(&self, cause: &str, what: &str) -> &str {
        self.it.text(&format!("{cause}_{what}"))
    }
}

#[derive(Template)]
#[template(path = "licenses/preview.html", config = "src/desk/askama.toml")]
struct Beside {
    preview: Preview,
}

#[derive(Template)]
#[template(path = "licenses/created.html", config = "src/desk/askama.toml")]
pub struct Made {
    pub frame: Frame,
    pub it: Created,
    /// Whether the license is new, and not only its key.
    pub is_new: bool,
}

async fn asked(desk: &Desk, visit: &Visit, it: &Fields) -> Preview {
    if !it.is_on("product_id") {
        return Preview::None;
    }
    let refused = |why: Refusal| {
        let about = fields::about(&why.detail);
        Preview::Refused(why.detail, about)
    };
    let body = match fields::new_license(it) {
        Ok(body) => body,
        Err(error) => return refused(error.into()),
    };
    let found = desk.client.send(visit, Method::POST, "/licenses/preview", &body, None).await;
    match found {
        Ok(license) => Preview::License(Box::new(license)),
        Err(why) => refused(why),
    }
}

async fn shown(
    desk: &Desk,
    visit: &Visit,
    it: Fields,
    preview: Preview,
    wrong: Option<Refusal>,
) -> Response {
    let products = known::products(&desk.client, visit).await;
    let policies = known::policies(&desk.client, visit).await;
    let (products, policies) = match (products, policies) {
        (Ok(products), Ok(policies)) => (products, policies),
        (Err(why), _) | (_, Err(why)) => return no(visit, AT, &why),
    };
    let mut frame = Frame::of(visit, AT, SECTION, "New license");
    // What was refused was not done: the same form may be sent again.
    if let Some(once) = it.maybe("once").filter(|_| wrong.is_none()) {
        frame.once = once.to_string();
    }
    let status = wrong.as_ref().and_then(|why| StatusCode::from_u16(why.status).ok());
    let rows = fields::rows(&it);
    let page = Page { frame, it, rows, products, policies, wrong, preview };
    html::shown(status.unwrap_or(StatusCode::OK), &page)
}

/// The form. What stands in the query is filled in.
pub async fn form(desk: State, visit: Visit, Query(it): Query) -> Response {
    let preview = asked(&desk, &visit, &it).await;
    shown(&desk, &visit, it, preview, None).await
}

/// What is beside the form.
pub async fn preview(desk: State, posted: Posted) -> Response {
    let preview = asked(&desk, &posted.visit, &posted.fields).await;
    html::page(&Beside { preview })
}

/// Makes it, and shows its key; or shows the form again.
pub async fn create(desk: State, posted: Posted) -> Response {
    let Posted { visit, fields: it } = &posted;
    if it.text("do") == "preview" {
        let preview = asked(&desk, visit, it).await;
        return shown(&desk, visit, it.clone(), preview, None).await;
    }
    let made = match fields::new_license(it) {
        Ok(body) => make(&desk, &posted, &body).await,
        Err(error) => Err(error.into()),
    };
    match made {
        Ok(it) => {
            let frame = Frame::of(visit, AT, SECTION, "The license is made");
            html::page(&Made { frame, it, is_new: true })
        }
        Err(why) if why.status == StatusCode::FORBIDDEN.as_u16() => no(visit, AT, &why),
        Err(why) => {
            let preview = asked(&desk, visit, it).await;
            shown(&desk, visit, it.clone(), preview, Some(why)).await
        }
    }
}

async fn make(desk: &Desk, posted: &Posted, body: &Value) -> Result<Created, Refusal> {
    let (visit, once) = (&posted.visit, posted.once());
    desk.client.send(visit, Method::POST, "/licenses", body, once).await
}
