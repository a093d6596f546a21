//! A license that is valid longer.

use super::fields;
use super::shapes::License;
use super::{SECTION, no, path};
use crate::desk::client::Refusal;
use crate::desk::form::{Fields, Posted};
use crate::desk::frame::Frame;
use crate::desk::session::Visit;
use crate::desk::{State, html, when};
use crate::error::Result;
use askama::Template;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value};

const AT: &str = "/licenses/id/renew";

#[derive(Template)]
#[template(path = "licenses/renew.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    license: License,
    it: Fields,
    wrong: Option<Refusal>,
}

fn shown(visit: &Visit, license: License, it: Fields, wrong: Option<Refusal>) -> Response {
    let frame = Frame::of(visit, AT, SECTION, "Renew the license");
    let status = wrong.as_ref().and_then(|why| StatusCode::from_u16(why.status).ok());
    html::shown(status.unwrap_or(StatusCode::OK), &Page { frame, license, it, wrong })
}

/// The form.
pub async fn form(desk: State, visit: Visit, Path(id): Path<String>) -> Response {
    match desk.client.get::<License>(&visit, &path(&id)).await {
        Ok(license) => shown(&visit, license, Fields::default(), None),
        Err(why) => no(&visit, AT, &why),
    }
}

fn body(it: &Fields) -> Result<Value> {
    let mut body = Map::new();
    let (days, until) = (it.number("valid_days", "Days")?, it.maybe("valid_until"));
    match (it.text("valid"), days, until) {
        ("forever", ..) => drop(body.insert("valid_days".into(), 0.into())),
        ("until", _, Some(until)) => {
            body.insert("valid_until".into(), fields::moment("valid_until", until)?.into());
        }
        (_, Some(days), _) => drop(body.insert("valid_days".into(), days.into())),
        _ => {}
    }
    Ok(body.into())
}

/// Renews it.
pub async fn renew(desk: State, Path(id): Path<String>, posted: Posted) -> Response {
    let (visit, it) = (&posted.visit, &posted.fields);
    let at = format!("{}/renew", path(&id));
    let renewed = match body(it) {
        Ok(body) => {
            let sent = desk.client.send::<License>(visit, Method::POST, &at, &body, posted.once());
            sent.await
        }
        Err(error) => Err(error.into()),
    };
    let why = match renewed {
        Ok(license) => return html::on_to(&format!("../{}?done=renewed", license.id)),
        Err(why) if why.is_typed() => why,
        Err(why) => return no(visit, AT, &why),
    };
    match desk.client.get::<License>(visit, &path(&id)).await {
        Ok(license) => shown(visit, license, it.clone(), Some(why)),
        Err(why) => no(visit, AT, &why),
    }
}
