//! Who is asking.

use super::Shared;
use super::limits::Gate;
use super::scope::{Scope, Scopes};
use crate::api_key::digest;
use crate::error::{Code, Error, Result};
use crate::store::organizations;
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use sea_orm::prelude::Uuid;

/// Somebody with an API key that is good at this moment.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Whose key it is: nothing else is seen or touched.
    pub organization: organizations::Model,
    /// The key.
    pub key_id: Uuid,
    /// What it is called.
    pub key_name: String,
    /// What it may do.
    pub scopes: Scopes,
}

impl Caller {
    /// Fails with `forbidden` unless the key has this scope.
    pub fn must(&self, scope: Scope) -> Result<()> {
        self.must_any(&[scope])
    }

    /// Fails with `forbidden` unless the key has one of these scopes.
    pub fn must_any(&self, scopes: &[Scope]) -> Result<()> {
        if scopes.iter().any(|scope| self.scopes.has(*scope)) {
            return Ok(());
        }
        let words = scopes.iter().map(|scope| scope.word()).collect::<Vec<_>>().join(" or ");
        let what = format!("This API key may not do that: use one with the scope {words}");
        Err(Error::new(Code::Forbidden, what))
    }
}

/// The API key of a request.
pub fn bearer(parts: &Parts) -> Result<&str> {
    let none = || {
        let what = "Not signed in: send an API key as `Authorization: Bearer KEY`";
        Error::new(Code::Unauthorized, what)
    };
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (headers.next(), headers.next()) else { return Err(none()) };
    let text = header.to_str().map_err(|_| none())?;
    let (scheme, key) = text.split_once(' ').ok_or_else(none)?;
    let key = key.trim();
    match scheme.eq_ignore_ascii_case("bearer") && !key.is_empty() {
        true => Ok(key),
        false => Err(none()),
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, server: &Shared) -> Result<Caller> {
        // No request from outside has one: the desk knows who signed in.
        if let Some(caller) = parts.extensions.get::<Caller>() {
            return Ok(caller.clone());
        }
        let digest = digest(bearer(parts)?);
        let gate = parts.extensions.get::<Gate>();
        if let Some(gate) = gate {
            gate.may_try(&digest)?;
        }
        let now = server.clock.now();
        let Some((key, organization)) = server.callers.find(&digest, now).await? else {
            if let Some(gate) = gate {
                gate.wrong(&digest);
            }
            // One sentence for all of these: nobody learns that a key was one.
            let what = "This API key is not good: it is unknown, over or revoked";
            return Err(Error::new(Code::Unauthorized, what));
        };
        if let Some(gate) = gate {
            gate.good(&digest, organization.id, key.id);
        }
        server.used.note(key.id, now);
        let scopes = Scopes::parse(&key.scopes)?;
        Ok(Caller { organization, key_id: key.id, key_name: key.name, scopes })
    }
}
