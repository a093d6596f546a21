//! Making an API key, and revoking one.

use super::super::client::{Refusal, query};
use super::super::form::{Fields, Posted};
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, html, when};
use super::{ApiKey, SECTION};
use askama::Template;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

const NEW: &str = "/keys/api/new";

/// The scopes, and what each is for.
const SCOPES: [(&str, &str); 7] = [
    ("read", "see everything, and sign in here; verify, check revocation"),
    ("issue", "make, change, renew and reissue licenses"),
    ("revoke", "revoke, suspend and reinstate licenses, deactivate machines, free seats"),
    ("sync", "what a product does: report, verify, check revocation, take seats"),
    ("catalog", "write products and policies"),
    ("admin", "all of these, and API keys, key pairs, webhooks"),
    ("operator", "organizations, and nothing in them"),
];

/// One that was made: the key is shown this once.
#[derive(Deserialize)]
struct Made {
    #[serde(flatten)]
    it: ApiKey,
    key: String,
}

#[derive(Template)]
#[template(path = "keys/api_key.html", config = "src/desk/askama.toml")]
struct Blank {
    frame: Frame,
    fields: Fields,
    wrong: Option<String>,
}

impl Blank {
    /// The scopes that may be given: nobody gives what they have not.
    fn scopes(&self) -> Vec<(&'static str, &'static str)> {
        SCOPES.into_iter().filter(|(word, _)| self.frame.may(word)).collect()
    }

    fn is_checked(&self, word: &str) -> bool {
        self.fields.all("scopes").any(|it| it == word)
    }

    fn is_about(&self, word: &str) -> bool {
        self.wrong.as_deref().is_some_and(|wrong| wrong.contains(word))
    }
}

pub async fn blank(visit: Visit) -> Response {
    form(&visit, Fields::read(b"scopes=read"), None)
}

fn form(visit: &Visit, fields: Fields, wrong: Option<String>) -> Response {
    let frame = Frame::of(visit, NEW, SECTION, "New API key");
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    html::shown(status, &Blank { frame, fields, wrong })
}

#[derive(Template)]
#[template(path = "keys/api_key_made.html", config = "src/desk/askama.toml")]
struct Shown {
    frame: Frame,
    made: Made,
}

pub async fn create(desk: State, posted: Posted) -> Response {
    let (visit, fields) = (&posted.visit, &posted.fields);
    let scopes: Vec<&str> = fields.all("scopes").collect();
    if scopes.is_empty() {
        let wrong = "scopes: choose at least one thing that it may do".to_string();
        return form(visit, fields.clone(), Some(wrong));
    }
    let end = fields.maybe("expires_at").map(|day| match day.len() {
        10 => format!("{day}T00:00:00Z"),
        _ => day.to_string(),
    });
    let body = json!({ "name": fields.text("name"), "scopes": scopes, "expires_at": end });
    let sent = desk.client.send(visit, Method::POST, "/api-keys", &body, posted.once()).await;
    match sent {
        Ok(made) => {
            let frame = Frame::of(visit, NEW, SECTION, "The API key is made");
            let mut response = html::page(&Shown { frame, made });
            let once = HeaderValue::from_static("no-store");
            response.headers_mut().insert(CACHE_CONTROL, once);
            response
        }
        Err(why) if why.is_typed() => form(visit, fields.clone(), Some(why.detail)),
        Err(why) => refused(visit, NEW, SECTION, &why),
    }
}

#[derive(Template)]
#[template(path = "keys/api_key_revoke.html", config = "src/desk/askama.toml")]
struct Ask {
    frame: Frame,
    it: ApiKey,
    /// Whether whoever asks has signed in with it.
    is_own: bool,
    wrong: Option<String>,
}

pub async fn ask(desk: State, visit: Visit, Id(id): Id) -> Response {
    page(&desk, &visit, &id, None).await
}

async fn page(desk: &Desk, visit: &Visit, id: &str, wrong: Option<Refusal>) -> Response {
    let path = format!("/keys/api/{id}/revoke");
    match desk.client.get::<ApiKey>(visit, &format!("/api-keys/{id}")).await {
        Ok(it) => {
            let frame = Frame::of(visit, &path, SECTION, "Revoke API key");
            let status = wrong.as_ref().and_then(|why| StatusCode::from_u16(why.status).ok());
            let is_own = visit.caller.key_id.to_string() == id;
            let wrong = wrong.map(|it| it.detail);
            html::shown(status.unwrap_or(StatusCode::OK), &Ask { frame, it, is_own, wrong })
        }
        Err(why) => refused(visit, &path, SECTION, &why),
    }
}

pub async fn revoke(desk: State, Id(id): Id, posted: Posted) -> Response {
    let (visit, to, body) = (&posted.visit, format!("/api-keys/{id}"), json!({}));
    let sent = desk.client.send::<Value>(visit, Method::DELETE, &to, &body, posted.once()).await;
    match sent {
        Ok(_) if visit.caller.key_id.to_string() == id => html::on_to("../../../sign-in"),
        Ok(_) => {
            let done = query([("done", "revoked")]);
            html::on_to(&format!("../../../keys{done}"))
        }
        Err(why) if why.is_typed() => page(&desk, visit, &id, Some(why)).await,
        Err(why) => refused(visit, &format!("/keys/api/{id}/revoke"), SECTION, &why),
    }
}
