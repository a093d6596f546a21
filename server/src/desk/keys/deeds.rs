//! What is done to the keys of a pair: first what it means for programs that are out, then the
//! deed.

use super::super::client::Refusal;
use super::super::form::Posted;
use super::super::frame::Frame;
use super::super::id::{Id, Ids};
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, html};
use super::{Dependents, Key, Pair, SECTION, get_pair};
use crate::error::Error;
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

/// What is about to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Rotate,
    Retire,
    Compromise,
    Delete,
}

impl Deed {
    const fn title(self) -> &'static str {
        match self {
            Deed::Rotate => "Rotate the keys",
            Deed::Retire => "Retire a key",
            Deed::Compromise => "A key is in other hands",
            Deed::Delete => "Delete the key pair",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Deed::Rotate => "rotate",
            Deed::Retire => "retire",
            Deed::Compromise => "compromise",
            Deed::Delete => "delete",
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Deed::Rotate => "rotated",
            Deed::Retire => "retired",
            Deed::Compromise => "compromised",
            Deed::Delete => "pair-deleted",
        }
    }
}

#[derive(Template)]
#[template(path = "keys/deed.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    deed: Deed,
    it: Pair,
    /// Which of its keys; `None` = all of it.
    key: Option<Key>,
    of: Dependents,
    wrong: Option<String>,
}

impl Page {
    fn is(&self, word: &str) -> bool {
        self.deed.word() == word
    }

    /// Where the form goes, below the first page.
    fn path(&self) -> String {
        path(self.deed, &self.it.id, self.key.as_ref().map(|key| key.id.as_str()))
    }

    fn key_has(&self, role: &str) -> bool {
        self.key.as_ref().is_some_and(|key| key.has(role))
    }
}

fn path(deed: Deed, id: &str, key: Option<&str>) -> String {
    match key {
        Some(key) => format!("keys/pairs/{id}/keys/{key}/{}", deed.word()),
        None => format!("keys/pairs/{id}/{}", deed.word()),
    }
}

async fn page(
    desk: &Desk,
    visit: &Visit,
    deed: Deed,
    id: &str,
    key: Option<&str>,
) -> Result<Page, Refusal> {
    let it = get_pair(desk, visit, id).await?;
    let key = match key {
        Some(key) => {
            let found = it.keys.iter().find(|it| it.id == key).cloned();
            Some(found.ok_or_else(|| Refusal::from(Error::not_found("key")))?)
        }
        None => None,
    };
    let of = Dependents::of(desk, visit, id).await?;
    let path = path(deed, id, key.as_ref().map(|key| key.id.as_str()));
    let frame = Frame::of(visit, &format!("/{path}"), SECTION, deed.title());
    Ok(Page { frame, deed, it, key, of, wrong: None })
}

async fn ask(desk: &Desk, visit: &Visit, deed: Deed, id: &str, key: Option<&str>) -> Response {
    match page(desk, visit, deed, id, key).await {
        Ok(page) => html::page(&page),
        Err(why) => refused(visit, &format!("/{}", path(deed, id, key)), SECTION, &why),
    }
}

async fn perform(
    desk: &Desk,
    posted: &Posted,
    deed: Deed,
    id: &str,
    key: Option<&str>,
) -> Response {
    let (visit, body) = (&posted.visit, json!({}));
    let (method, to) = match (deed, key) {
        (Deed::Delete, _) => (Method::DELETE, format!("/key-pairs/{id}")),
        (_, Some(key)) => (Method::POST, format!("/key-pairs/{id}/keys/{key}/{}", deed.word())),
        (_, None) => (Method::POST, format!("/key-pairs/{id}/{}", deed.word())),
    };
    let sent = desk.client.send::<Value>(visit, method, &to, &body, posted.once()).await;
    let here = format!("/{}", path(deed, id, key));
    let root = super::super::frame::root(&here);
    let why = match (sent, deed) {
        (Ok(_), Deed::Delete) => return html::on_to(&format!("{root}keys?done={}", deed.done())),
        (Ok(_), _) => return html::on_to(&format!("{root}keys/pairs/{id}?done={}", deed.done())),
        (Err(why), _) => why,
    };
    match page(desk, visit, deed, id, key).await {
        Ok(mut page) if why.is_typed() => {
            page.wrong = Some(why.detail);
            html::shown(StatusCode::CONFLICT, &page)
        }
        _ => refused(visit, &here, SECTION, &why),
    }
}

pub async fn rotating(desk: State, visit: Visit, Id(id): Id) -> Response {
    ask(&desk, &visit, Deed::Rotate, &id, None).await
}

pub async fn rotate(desk: State, Id(id): Id, posted: Posted) -> Response {
    perform(&desk, &posted, Deed::Rotate, &id, None).await
}

pub async fn deleting(desk: State, visit: Visit, Id(id): Id) -> Response {
    ask(&desk, &visit, Deed::Delete, &id, None).await
}

pub async fn delete(desk: State, Id(id): Id, posted: Posted) -> Response {
    perform(&desk, &posted, Deed::Delete, &id, None).await
}

pub async fn retiring(desk: State, visit: Visit, Ids(id, key): Ids) -> Response {
    ask(&desk, &visit, Deed::Retire, &id, Some(&key)).await
}

pub async fn retire(desk: State, Ids(id, key): Ids, posted: Posted) -> Response {
    perform(&desk, &posted, Deed::Retire, &id, Some(&key)).await
}

pub async fn accusing(desk: State, visit: Visit, Ids(id, key): Ids) -> Response {
    ask(&desk, &visit, Deed::Compromise, &id, Some(&key)).await
}

pub async fn accuse(desk: State, Ids(id, key): Ids, posted: Posted) -> Response {
    perform(&desk, &posted, Deed::Compromise, &id, Some(&key)).await
}
