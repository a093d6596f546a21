//! Who is signed in: a cookie that names a row, and the API key that it stands for, which is
//! looked at again for each page. The key itself is kept nowhere.

use super::Desk;
use crate::api::limits::Gate;
use crate::api::{Caller, Remote, RequestId, Scopes, Secure, digest};
use crate::audit;
use crate::error::{Code, Error, Result};
use crate::store::{api_keys, organizations, sessions};
use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Seconds after which somebody who does nothing is signed out.
pub const IDLE: i64 = 12 * 3600;
/// Seconds after which everybody is.
pub const LONGEST: i64 = 7 * 86_400;
/// Seconds between two notes of one session.
const NOTED: i64 = 300;

/// Somebody who looks at a page.
#[derive(Clone, Debug)]
pub struct Visit {
    /// As whom the API is asked.
    pub caller: Caller,
    /// What the API key is called.
    pub key_name: String,
    /// What a form of a page of this session has in it.
    pub csrf: String,
    /// The session, in the database.
    pub digest: String,
    /// Where they are.
    pub remote: Option<Remote>,
    /// The id of this request.
    pub request_id: Option<RequestId>,
}

/// Why nobody visits.
#[derive(Debug)]
pub enum Absent {
    /// Nobody is signed in: this leads to where one does, and back.
    SignIn(String),
    /// Something is wrong.
    Failed(Error),
}

impl IntoResponse for Absent {
    fn into_response(self) -> Response {
        match self {
            Absent::SignIn(to) => (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response(),
            Absent::Failed(error) => error.into_response(),
        }
    }
}

impl FromRequestParts<Arc<Desk>> for Visit {
    type Rejection = Absent;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Visit, Absent> {
        match visit(parts, desk).await {
            Ok(Some(visit)) => Ok(visit),
            Ok(None) => Err(Absent::SignIn(sign_in(parts))),
            Err(error) => Err(Absent::Failed(error)),
        }
    }
}

/// Whoever the cookie stands for; `None` = nobody, or no more.
pub async fn visit(parts: &Parts, desk: &Desk) -> Result<Option<Visit>> {
    let Some(token) = token(&parts.headers, is_secure(parts)) else { return Ok(None) };
    let (store, now) = (&desk.server.store, desk.server.clock.now());
    let digest = digest(token);
    let Some(session) = sessions::get(store.read(), &digest, now).await? else { return Ok(None) };
    let (organization, key) = (session.organization_id, session.api_key_id);
    let key = api_keys::get(store.read(), organization, key).await?;
    let organization = organizations::get(store.read(), organization).await?;
    let (Some(key), Some(organization)) = (key, organization) else { return Ok(None) };
    if !key.is_good(now) {
        return Ok(None);
    }
    if let Some(gate) = parts.extensions.get::<Gate>() {
        gate.known(organization.id, key.id);
    }
    if now.saturating_sub(session.last_seen_at) >= NOTED {
        let longest = session.created_at.saturating_add(LONGEST);
        let tx = store.begin().await?;
        sessions::seen(&tx, &digest, now, now.saturating_add(IDLE).min(longest)).await?;
        tx.commit().await?;
        desk.server.used.note(key.id, now);
    }
    let scopes = Scopes::parse(&key.scopes)?;
    let caller = Caller { organization, key_id: key.id, key_name: key.name.clone(), scopes };
    Ok(Some(Visit {
        caller,
        key_name: key.name,
        csrf: csrf(token),
        digest,
        remote: parts.extensions.get().copied(),
        request_id: parts.extensions.get().cloned(),
    }))
}

/// Begins a session of whoever has an API key. Gives what the cookie is set to.
pub async fn begin(desk: &Desk, caller: &Caller, parts: &Parts) -> Result<String> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    let token = URL_SAFE_NO_PAD.encode(random);
    let now = desk.server.clock.now();
    let row = sessions::Model {
        digest: digest(&token),
        organization_id: caller.organization.id,
        api_key_id: caller.key_id,
        remote: parts.extensions.get::<Remote>().map(|remote| remote.0.to_string()),
        created_at: now,
        last_seen_at: now,
        expires_at: now.saturating_add(IDLE),
    };
    let tx = desk.server.store.begin().await?;
    sessions::insert(&tx, row).await?;
    audit::append(&tx, told("desk.signed_in", caller, parts, now)).await?;
    tx.commit().await?;
    Ok(cookie(&token, is_secure(parts), LONGEST))
}

/// Ends one. Gives what the cookie is set to.
pub async fn end(desk: &Desk, visit: &Visit, parts: &Parts) -> Result<String> {
    let tx = desk.server.store.begin().await?;
    sessions::delete(&tx, &visit.digest).await?;
    let now = desk.server.clock.now();
    audit::append(&tx, told("desk.signed_out", &visit.caller, parts, now)).await?;
    tx.commit().await?;
    Ok(cookie("", is_secure(parts), 0))
}

/// What is noted of a session.
fn told(action: &str, caller: &Caller, parts: &Parts, at: i64) -> audit::Entry {
    audit::Entry {
        organization: caller.organization.id,
        at,
        actor: caller.key_id.to_string(),
        actor_name: Some(caller.key_name.clone()),
        action: action.to_string(),
        subject: caller.key_id.to_string(),
        subject_name: Some(caller.key_name.clone()),
        remote: parts.extensions.get::<Remote>().map(|remote| remote.0.to_string()),
        request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()),
        detail: serde_json::json!({}),
    }
}

/// Fails with `forbidden` where a write was not asked for by a page of this session.
pub fn intended(visit: &Visit, headers: &HeaderMap, csrf: &str) -> Result<()> {
    same_site(headers)?;
    match visit.csrf.as_bytes().ct_eq(csrf.as_bytes()).into() {
        true => Ok(()),
        false => Err(Error::new(
            Code::Forbidden,
            "This form is of an earlier session: open the page again, and send it once more",
        )),
    }
}

/// Fails with `forbidden` where a browser says that a page elsewhere asks.
pub fn same_site(headers: &HeaderMap) -> Result<()> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let own = match (text("sec-fetch-site"), text("origin"), text("host")) {
        (Some(site), ..) => matches!(site, "same-origin" | "none"),
        // An older browser, or no TLS. A proxy may have left the port out.
        (None, Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, origin)| name_of(origin) == name_of(host))
        }
        _ => true,
    };
    match own {
        true => Ok(()),
        false => Err(Error::new(Code::Forbidden, "A page elsewhere asked for this: use the desk")),
    }
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// What a page has in its forms: whoever has it has the cookie.
fn csrf(token: &str) -> String {
    let digest = Sha256::new().chain_update("csrf ").chain_update(token).finalize();
    URL_SAFE_NO_PAD.encode(digest)
}

fn is_secure(parts: &Parts) -> bool {
    parts.extensions.get::<Secure>().is_some_and(|secure| secure.0)
}

/// A browser keeps the first from being set by anybody but this host over TLS.
const fn name(secure: bool) -> &'static str {
    if secure { "__Host-licentia" } else { "licentia" }
}

fn cookie(token: &str, secure: bool, seconds: i64) -> String {
    let tail = if secure { "; Secure" } else { "" };
    let name = name(secure);
    format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{tail}")
}

fn token(headers: &HeaderMap, secure: bool) -> Option<&str> {
    let all = headers.get_all(COOKIE).into_iter().filter_map(|header| header.to_str().ok());
    let mut pairs = all.flat_map(|header| header.split(';')).filter_map(|it| it.split_once('='));
    let found = pairs.find(|(found, _)| found.trim() == name(secure));
    found.map(|(_, token)| token.trim()).filter(|token| !token.is_empty())
}

/// Where to sign in and to come back from there. What was sent is not sent again.
fn sign_in(parts: &Parts) -> String {
    let root = super::frame::root(parts.uri.path());
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let back = if parts.method == axum::http::Method::GET { path } else { "" };
    let back = super::client::query([("to", back)]);
    format!("{root}sign-in{back}")
}
