//! Making a policy, and changing one: the form of a license, without a customer.

use super::super::choices::{self, Product};
use super::super::client::Refusal;
use super::super::form::{Fields, Posted, Query};
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::licenses::fields::{self, CAUSES, METERS, Row};
use super::super::licenses::words::KINDS;
use super::super::products::words;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, html};
use super::{Policy, SECTION};
use crate::error::Result;
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value};

/// What an activation binds a license to, and what people call it.
const BINDS: [(&str, &str); 3] = [
    ("machine", "the parts of the machine"),
    ("installation", "the installation"),
    ("nothing", "nothing"),
];

#[derive(Template)]
#[template(path = "policies/edit.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    /// The one that is changed.
    id: Option<String>,
    it: Fields,
    rows: Vec<Row>,
    products: Vec<Product>,
    wrong: Option<String>,
}

impl Page {
    fn of_cause(&self, cause: &str, what: &str) -> &str {
        self.it.text(&format!("{cause}_{what}"))
    }

    fn same(&self, one: &str, other: &str) -> bool {
        one == other
    }

    fn is_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.it.is_on(name))
    }

    /// Whether the sentence is about a field.
    fn is_about(&self, word: &str) -> bool {
        self.wrong.as_deref().is_some_and(|wrong| wrong.starts_with(word))
    }

    fn is_read_only(&self) -> bool {
        !self.frame.may("catalog")
    }
}

/// What the API is sent: all that the form has, so that what was emptied is taken away.
fn body(it: &Fields, before: Option<&Policy>) -> Result<Value> {
    let mut body = Map::new();
    body.insert("name".into(), it.text("name").into());
    for name in ["product_id", "license_type"] {
        body.insert(name.into(), it.maybe(name).into());
    }
    let numbers = [("valid_days", "Days"), ("max_seats", "Seats"), ("max_machines", "Machines")];
    for (name, label) in numbers {
        body.insert(name.into(), it.number(name, label)?.into());
    }
    let features = words(it.text("features"));
    let features = (!features.is_empty()).then_some(features);
    body.insert("features".into(), features.into());
    let granted = fields::granted(it)?;
    body.insert("entitlements".into(), (!granted.is_empty()).then_some(granted).into());
    let mut terms = fields::terms(it)?;
    let bind = before.and_then(|it| it.terms.bind.as_ref());
    // A rule that says more than the form does is left alone.
    if bind.is_some_and(|rule| rule.to == it.text("bind")) {
        terms.remove("bind");
    }
    body.insert("terms".into(), terms.into());
    Ok(body.into())
}

/// The form of a policy as it is.
fn of(it: &Policy) -> Fields {
    let text = |it: &Option<String>| it.clone().unwrap_or_default();
    let number = |it: Option<i64>| it.map(|it| it.to_string()).unwrap_or_default();
    let terms = &it.terms;
    let mut pairs = vec![
        ("name", it.name.clone()),
        ("product_id", text(&it.product_id)),
        ("license_type", text(&it.license_type)),
        ("valid_days", number(it.valid_days)),
        ("max_seats", number(it.max_seats)),
        ("max_machines", number(it.max_machines)),
        ("features", it.features.join(", ")),
        ("tier", text(&terms.tier)),
        ("description", text(&terms.description)),
        ("support_until", fields::local(terms.support_until.as_deref().unwrap_or_default())),
        ("bind", terms.bind.as_ref().map(|rule| rule.to.clone()).unwrap_or_default()),
        ("metadata", fields::lines(&terms.metadata)),
    ];
    pairs.extend(fields::numbers(terms));
    pairs.extend(it.entitlements.iter().flat_map(Row::pairs));
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs);
    let stages = &terms.stages;
    for (cause, stage) in
        [("ended", stages.ended), ("overdue", stages.overdue), ("suspended", stages.suspended)]
    {
        for (mode, days) in fields::of_stage(stage) {
            form.append_pair(&format!("{cause}_{mode}"), &days);
        }
    }
    Fields::read(form.finish().as_bytes())
}

fn path(id: Option<&str>) -> String {
    id.map_or("/policies/new".to_string(), |id| format!("/policies/{id}"))
}

pub async fn blank(desk: State, visit: Visit, Query(asked): Query) -> Response {
    form(&desk, &visit, None, asked, None).await
}

pub async fn filled(desk: State, visit: Visit, Id(id): Id) -> Response {
    match one(&desk, &visit, &id).await {
        Ok(it) => form(&desk, &visit, Some(id), of(&it), None).await,
        Err(why) => refused(&visit, &path(Some(&id)), SECTION, &why),
    }
}

/// One of them.
pub async fn one(desk: &Desk, visit: &Visit, id: &str) -> Result<Policy, Refusal> {
    desk.client.get(visit, &format!("/policies/{id}")).await
}

pub async fn create(desk: State, posted: Posted) -> Response {
    let Posted { visit, fields: it } = &posted;
    if it.text("do") == "more" {
        return form(&desk, visit, None, it.clone(), None).await;
    }
    let made = match body(it, None) {
        Ok(mut body) => {
            // What is not said of a new one is left out.
            if let Some(terms) = body.get_mut("terms").and_then(Value::as_object_mut) {
                terms.retain(|_, value| !value.is_null());
            }
            let (send, once) = (Method::POST, posted.once());
            desk.client.send::<Policy>(visit, send, "/policies", &body, once).await
        }
        Err(error) => Err(error.into()),
    };
    match made {
        Ok(made) => html::on_to(&on(&made, "made")),
        Err(why) if why.is_typed() => form(&desk, visit, None, it.clone(), Some(why.detail)).await,
        Err(why) => refused(visit, &path(None), SECTION, &why),
    }
}

pub async fn change(desk: State, Id(id): Id, posted: Posted) -> Response {
    let Posted { visit, fields: it } = &posted;
    if it.text("do") == "more" {
        return form(&desk, visit, Some(id), it.clone(), None).await;
    }
    match save(&desk, &posted, &id).await {
        Ok(changed) => html::on_to(&on(&changed, "changed")),
        Err(why) if why.is_typed() => {
            form(&desk, visit, Some(id), it.clone(), Some(why.detail)).await
        }
        Err(why) => refused(visit, &path(Some(&id)), SECTION, &why),
    }
}

async fn save(desk: &Desk, posted: &Posted, id: &str) -> Result<Policy, Refusal> {
    let Posted { visit, fields: it } = posted;
    let before = one(desk, visit, id).await?;
    let body = body(it, Some(&before))?;
    let to = format!("/policies/{id}");
    desk.client.send(visit, Method::PUT, &to, &body, posted.once()).await
}

/// Where one is listed: with its product, or with all of them.
pub fn on(it: &Policy, done: &str) -> String {
    match &it.product_id {
        Some(product) => format!("../products/{product}?done=policy-{done}#policies"),
        None => format!("../policies?done={done}"),
    }
}

async fn form(
    desk: &Desk,
    visit: &Visit,
    id: Option<String>,
    it: Fields,
    wrong: Option<String>,
) -> Response {
    let path = path(id.as_deref());
    let products = match choices::products(desk, visit).await {
        Ok(products) => products,
        Err(why) => return refused(visit, &path, SECTION, &why),
    };
    let mut frame = Frame::of(visit, &path, SECTION, "");
    let title = match &id {
        None => "New policy",
        Some(_) if frame.may("catalog") => "Change policy",
        Some(_) => "Policy",
    };
    frame.title = title.to_string();
    let rows = fields::rows(&it);
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    html::shown(status, &Page { frame, id, it, rows, products, wrong })
}
