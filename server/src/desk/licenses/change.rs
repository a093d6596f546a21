//! A license that becomes otherwise.

use super::fields::{self, CAUSES, METERS, Row};
use super::shapes::License;
use super::words::{self, KINDS};
use super::{SECTION, no, path};
use crate::desk::client::Refusal;
use crate::desk::form::{Fields, Posted};
use crate::desk::frame::Frame;
use crate::desk::session::Visit;
use crate::desk::{State, html};
use askama::Template;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::Value;

#[derive(Template)]
#[template(path = "licenses/change.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    license: License,
    it: Fields,
    rows: Vec<Row>,
    wrong: Option<Refusal>,
}

impl Page {
    fn about(&self) -> &'static str {
        self.wrong.as_ref().map_or("", |why| fields::about(&why.detail))
    }

    fn is_new(&self) -> bool {
        false
    }

    fn of_cause(&self, cause: &str, what: &str) -> &str {
        self.it.text(&format!("{cause}_{what}"))
    }
}

const AT: &str = "/licenses/id/change";

fn shown(visit: &Visit, license: License, it: Fields, wrong: Option<Refusal>) -> Response {
    let mut frame = Frame::of(visit, AT, SECTION, "Change the license");
    if let Some(once) = it.maybe("once").filter(|_| wrong.is_none()) {
        frame.once = once.to_string();
    }
    let status = wrong.as_ref().and_then(|why| StatusCode::from_u16(why.status).ok());
    let rows = fields::rows(&it);
    html::shown(status.unwrap_or(StatusCode::OK), &Page { frame, license, it, rows, wrong })
}

/// The form, as the license is.
pub async fn form(desk: State, visit: Visit, Path(id): Path<String>) -> Response {
    match desk.client.get::<License>(&visit, &path(&id)).await {
        Ok(license) => {
            let it = fields::of(&license);
            shown(&visit, license, it, None)
        }
        Err(why) => no(&visit, AT, &why),
    }
}

/// Changes it.
pub async fn change(desk: State, Path(id): Path<String>, posted: Posted) -> Response {
    let (visit, it) = (&posted.visit, &posted.fields);
    let license: License = match desk.client.get(visit, &path(&id)).await {
        Ok(license) => license,
        Err(why) => return no(visit, AT, &why),
    };
    if it.text("do") == "preview" {
        return shown(visit, license, it.clone(), None);
    }
    let changed = match fields::change(it, &license) {
        Ok(body) => {
            let (at, once) = (path(&id), posted.once());
            desk.client.send::<Value>(visit, Method::PUT, &at, &body, once).await
        }
        Err(error) => Err(error.into()),
    };
    match changed {
        Ok(_) => html::on_to(&format!("../{}?done=changed", license.id)),
        Err(why) if why.status == StatusCode::FORBIDDEN.as_u16() => no(visit, AT, &why),
        Err(why) => shown(visit, license, it.clone(), Some(why)),
    }
}
