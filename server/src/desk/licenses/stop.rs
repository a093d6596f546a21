//! What is done to a license with one more press, after it was said what will happen.

use super::create::Made;
use super::shapes::{Created, License, Outlook};
use super::words::{self, Doing};
use super::{SECTION, no, path};
use crate::desk::client::{Refusal, query};
use crate::desk::form::{Fields, Posted};
use crate::desk::frame::Frame;
use crate::desk::session::Visit;
use crate::desk::{Desk, State, html, when};
use askama::Template;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

/// What can be done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Revoke,
    Suspend,
    Reinstate,
    Reissue,
    Replace,
}

impl Deed {
    /// The last part of its path.
    const fn word(self) -> &'static str {
        match self {
            Deed::Revoke => "revoke",
            Deed::Suspend => "suspend",
            Deed::Reinstate => "reinstate",
            Deed::Reissue => "reissue",
            Deed::Replace => "key",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Deed::Revoke => "Revoke the license",
            Deed::Suspend => "Suspend the license",
            Deed::Reinstate => "Reinstate the license",
            Deed::Reissue => "Sign the license anew",
            Deed::Replace => "Replace the license key",
        }
    }

    const fn button(self) -> &'static str {
        match self {
            Deed::Revoke => "Revoke for ever",
            Deed::Suspend => "Suspend",
            Deed::Reinstate => "Reinstate",
            Deed::Reissue => "Sign anew",
            Deed::Replace => "Replace the key",
        }
    }

    const fn scope(self) -> &'static str {
        match self {
            Deed::Revoke | Deed::Suspend | Deed::Reinstate => "revoke",
            Deed::Reissue | Deed::Replace => "issue",
        }
    }

    /// Whether somebody may want to know why.
    const fn has_reason(self) -> bool {
        matches!(self, Deed::Revoke | Deed::Suspend)
    }

    const fn at(self) -> &'static str {
        "/licenses/id/deed"
    }

    /// What will happen.
    fn lines(self, it: &License, outlook: &Outlook, now: &str) -> Vec<String> {
        let lines: &[&str] = match self {
            Deed::Revoke => return words::offline(Doing::Revoking, it, outlook, now),
            Deed::Suspend => return words::offline(Doing::Suspending, it, outlook, now),
            Deed::Reinstate => &[
                "A program that has heard of the suspension works again with its next contact.",
                "One that has not asked meanwhile never noticed.",
            ],
            Deed::Reissue => &[
                "It is signed with the newest key of the product, and says what it said before.",
                "A program that asks the server takes the new one with its next contact.",
                "The files that are out stay as good as they say: those that a stolen key has \
                 signed are refused once a program has the new key set.",
            ],
            Deed::Replace => &[
                "The key before is good for nothing from that moment: nobody activates anything \
                 with it any more.",
                "Machines that are activated go on as they are.",
                "The new key is shown once.",
            ],
        };
        lines.iter().map(|line| (*line).to_string()).collect()
    }

    /// Why it cannot be done, if so.
    fn in_the_way(self, it: &License) -> Option<&'static str> {
        match self {
            _ if it.is_revoked() => Some("It was revoked, for ever: there is nothing to be done."),
            Deed::Suspend if it.is_suspended() => Some("It is suspended already."),
            Deed::Reinstate if !it.is_suspended() => Some("It is not suspended."),
            _ => None,
        }
    }
}

#[derive(Template)]
#[template(path = "licenses/deed.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    deed: Deed,
    license: License,
    lines: Vec<String>,
    it: Fields,
    wrong: Option<Refusal>,
}

impl Page {
    fn in_the_way(&self) -> Option<&'static str> {
        self.deed.in_the_way(&self.license)
    }

    fn is_revoking(&self) -> bool {
        self.deed == Deed::Revoke
    }
}

async fn ask(
    desk: &Desk,
    visit: &Visit,
    id: &str,
    deed: Deed,
    it: Fields,
    wrong: Option<Refusal>,
) -> Response {
    let license = desk.client.get::<License>(visit, &path(id)).await;
    let outlook = desk.client.get::<Outlook>(visit, &format!("{}/outlook", path(id))).await;
    let (license, outlook) = match (license, outlook) {
        (Ok(license), Ok(outlook)) => (license, outlook),
        (Err(why), _) | (_, Err(why)) => return no(visit, deed.at(), &why),
    };
    let now = when::exact(desk.server.clock.now());
    let lines = deed.lines(&license, &outlook, &now);
    let frame = Frame::of(visit, deed.at(), SECTION, deed.title());
    let status = wrong.as_ref().and_then(|why| StatusCode::from_u16(why.status).ok());
    let page = Page { frame, deed, license, lines, it, wrong };
    html::shown(status.unwrap_or(StatusCode::OK), &page)
}

async fn did(desk: &Desk, id: &str, deed: Deed, posted: Posted) -> Response {
    let (visit, once) = (&posted.visit, posted.once());
    let reason = posted.fields.text("reason");
    let (method, at, body) = match deed {
        Deed::Revoke => (Method::DELETE, query([("reason", reason)]), json!({})),
        Deed::Suspend => {
            let reason = posted.fields.maybe("reason");
            (Method::POST, "/suspend".to_string(), json!({ "reason": reason }))
        }
        other => (Method::POST, format!("/{}", other.word()), json!({})),
    };
    let at = format!("{}{at}", path(id));
    match desk.client.send::<Value>(visit, method, &at, &body, once).await {
        Ok(_) => html::on_to(&format!("../{}?done={}", encoded(id), deed.word())),
        Err(why) if why.is_typed() => {
            ask(desk, visit, id, deed, posted.fields.clone(), Some(why)).await
        }
        Err(why) => no(visit, deed.at(), &why),
    }
}

/// An id as a part of an address.
fn encoded(id: &str) -> String {
    form_urlencoded::byte_serialize(id.as_bytes()).collect()
}

/// Asks whether to revoke it.
pub async fn revoking(desk: State, visit: Visit, Path(id): Path<String>) -> Response {
    ask(&desk, &visit, &id, Deed::Revoke, Fields::default(), None).await
}

/// Revokes it.
pub async fn revoke(desk: State, Path(id): Path<String>, posted: Posted) -> Response {
    did(&desk, &id, Deed::Revoke, posted).await
}

/// Asks whether to suspend it.
pub async fn suspending(desk: State, visit: Visit, Path(id): Path<String>) -> Response {
    ask(&desk, &visit, &id, Deed::Suspend, Fields::default(), None).await
}

/// Suspends it.
pub async fn suspend(desk: State, Path(id): Path<String>, posted: Posted) -> Response {
    did(&desk, &id, Deed::Suspend, posted).await
}

/// Asks whether to reinstate it.
pub async fn reinstating(desk: State, visit: Visit, Path(id): Path<String>) -> Response {
    ask(&desk, &visit, &id, Deed::Reinstate, Fields::default(), None).await
}

/// Reinstates it.
pub async fn reinstate(desk: State, Path(id): Path<String>, posted: Posted) -> Response {
    did(&desk, &id, Deed::Reinstate, posted).await
}

/// Asks whether to sign it anew.
pub async fn reissuing(desk: State, visit: Visit, Path(id): Path<String>) -> Response {
    ask(&desk, &visit, &id, Deed::Reissue, Fields::default(), None).await
}

/// Signs it anew.
pub async fn reissue(desk: State, Path(id): Path<String>, posted: Posted) -> Response {
    did(&desk, &id, Deed::Reissue, posted).await
}

/// Asks whether to replace its key.
pub async fn replacing(desk: State, visit: Visit, Path(id): Path<String>) -> Response {
    ask(&desk, &visit, &id, Deed::Replace, Fields::default(), None).await
}

/// Replaces its key, and shows the new one.
pub async fn replace(desk: State, Path(id): Path<String>, posted: Posted) -> Response {
    let (visit, deed) = (&posted.visit, Deed::Replace);
    let at = format!("{}/license-key", path(&id));
    let (body, once) = (json!({}), posted.once());
    match desk.client.send::<Created>(visit, Method::POST, &at, &body, once).await {
        Ok(it) => {
            let frame = Frame::of(visit, deed.at(), SECTION, "The new license key");
            html::page(&Made { frame, it, is_new: false })
        }
        Err(why) if why.is_typed() => {
            ask(&desk, visit, &id, deed, posted.fields.clone(), Some(why)).await
        }
        Err(why) => no(visit, deed.at(), &why),
    }
}
