//! Making a product, and changing one.

use super::super::choices::{self, KeyPair};
use super::super::form::{Fields, Posted};
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{State, html};
use super::{Overview, Product, SECTION, get_one, overview, words};
use crate::error::Result;
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

/// What is in the fields.
#[derive(Default)]
struct Typed {
    name: String,
    code: String,
    description: String,
    features: String,
    days: String,
    key_pair: String,
}

impl Typed {
    fn of(fields: &Fields) -> Typed {
        let text = |name: &str| fields.text(name).to_string();
        Typed {
            name: text("name"),
            code: text("code"),
            description: text("description"),
            features: text("default_features"),
            days: text("default_valid_days"),
            key_pair: text("key_pair_id"),
        }
    }

    fn from(it: Product) -> Typed {
        Typed {
            name: it.name,
            code: it.code,
            description: it.description.unwrap_or_default(),
            features: it.default_features.join(", "),
            days: it.default_valid_days.to_string(),
            key_pair: it.key_pair_id.unwrap_or_default(),
        }
    }

    /// As the API takes it.
    fn body(&self, fields: &Fields) -> Result<Value> {
        let some = |text: &str| Some(text.to_string()).filter(|text| !text.is_empty());
        let mut body = json!({
            "name": self.name,
            "code": self.code,
            "description": some(&self.description),
            "default_features": words(&self.features),
            "key_pair_id": some(&self.key_pair),
        });
        let days = fields.number("default_valid_days", "Valid for")?;
        if let (Some(days), Some(all)) = (days, body.as_object_mut()) {
            all.insert("default_valid_days".to_string(), json!(days));
        }
        Ok(body)
    }
}

#[derive(Template)]
#[template(path = "products/edit.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    /// The one that is changed, and what there is of it.
    one: Option<(String, Overview)>,
    typed: Typed,
    pairs: Vec<KeyPair>,
    wrong: Option<String>,
}

impl Page {
    /// Whether the sentence is about a field.
    fn is_about(&self, word: &str) -> bool {
        self.wrong.as_deref().is_some_and(|wrong| wrong.to_lowercase().contains(word))
    }

    /// Whether programs know it by its code and its keys.
    fn is_known(&self) -> bool {
        self.one.as_ref().is_some_and(|(_, it)| it.licenses.total > 0)
    }

    /// Where the form goes, below the first page.
    fn path(&self) -> String {
        path(self.one.as_ref().map(|(id, _)| id.as_str()))
    }

    /// Where whoever changes nothing goes.
    fn back(&self) -> String {
        self.one.as_ref().map_or("products".to_string(), |(id, _)| format!("products/{id}"))
    }
}

fn path(id: Option<&str>) -> String {
    id.map_or("products/new".to_string(), |id| format!("products/{id}/edit"))
}

pub async fn blank(desk: State, visit: Visit) -> Response {
    let typed = Typed { days: "365".to_string(), ..Typed::default() };
    form(&desk, &visit, None, typed, None).await
}

pub async fn filled(desk: State, visit: Visit, Id(id): Id) -> Response {
    match get_one(&desk, &visit, &id).await {
        Ok(it) => form(&desk, &visit, Some(id), Typed::from(it), None).await,
        Err(why) => refused(&visit, &format!("/{}", path(Some(&id))), SECTION, &why),
    }
}

pub async fn create(desk: State, posted: Posted) -> Response {
    save(&desk, &posted, None).await
}

pub async fn change(desk: State, Id(id): Id, posted: Posted) -> Response {
    save(&desk, &posted, Some(id)).await
}

async fn save(desk: &State, posted: &Posted, id: Option<String>) -> Response {
    let (visit, typed) = (&posted.visit, Typed::of(&posted.fields));
    let body = match typed.body(&posted.fields) {
        Ok(body) => body,
        Err(error) => {
            return form(desk, visit, id, typed, Some(error.detail().to_string())).await;
        }
    };
    let (method, to) = match &id {
        Some(id) => (Method::PUT, format!("/products/{id}")),
        None => (Method::POST, "/products".to_string()),
    };
    let sent = desk.client.send::<Product>(visit, method, &to, &body, posted.once()).await;
    match sent {
        Ok(it) if id.is_some() => html::on_to(&format!("../{}?done=changed", it.id)),
        Ok(it) => html::on_to(&format!("./{}?done=made", it.id)),
        Err(why) if why.is_typed() => form(desk, visit, id, typed, Some(why.detail)).await,
        Err(why) => refused(visit, &format!("/{}", path(id.as_deref())), SECTION, &why),
    }
}

async fn form(
    desk: &State,
    visit: &Visit,
    id: Option<String>,
    typed: Typed,
    wrong: Option<String>,
) -> Response {
    let path = format!("/{}", path(id.as_deref()));
    let pairs = match choices::key_pairs(desk, visit).await {
        Ok(pairs) => pairs,
        Err(why) => return refused(visit, &path, SECTION, &why),
    };
    let one = match id {
        Some(id) => match overview(desk, visit, &id).await {
            Ok(there) => Some((id, there)),
            Err(why) => return refused(visit, &path, SECTION, &why),
        },
        None => None,
    };
    let title = if one.is_some() { "Change product" } else { "New product" };
    let frame = Frame::of(visit, &path, SECTION, title);
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    html::shown(status, &Page { frame, one, typed, pairs, wrong })
}
