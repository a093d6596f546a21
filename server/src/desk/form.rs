//! What a form sends.

use super::Desk;
use super::session::{Absent, Visit, intended};
use crate::error::{Code, Error, Result};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http_body_util::{BodyExt, Limited};
use std::sync::Arc;

/// Bytes of a form, at most.
const FORM_MAX: usize = 256 * 1024;

/// The fields of a form or of a query, in their order.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads what is encoded as a query.
    pub fn read(text: &[u8]) -> Fields {
        Fields(form_urlencoded::parse(text).into_owned().collect())
    }

    /// A field without the blanks around it; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(it, _)| it == name).map_or("", |(_, value)| value.trim())
    }

    /// The same; `None` where it is empty.
    pub fn maybe(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// All fields of a name, such as boxes that are checked.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(it, _)| it == name).map(|(_, value)| value.trim())
    }

    /// All of them.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether a box is checked.
    pub fn is_on(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// A whole number; `None` where the field is empty.
    ///
    /// Fails with `invalid_argument` for anything else, with what the field is called.
    pub fn number(&self, name: &str, label: &str) -> Result<Option<i64>> {
        let wrong = |_| Error::invalid(format!("{label} is a whole number"));
        self.maybe(name).map(str::parse).transpose().map_err(wrong)
    }
}

/// A form that a page of this session sent, and who sent it.
#[derive(Debug)]
pub struct Posted {
    /// Who.
    pub visit: Visit,
    /// What.
    pub fields: Fields,
}

impl Posted {
    /// What makes this form, sent twice, one request.
    pub fn once(&self) -> Option<&str> {
        self.fields.maybe("once")
    }
}

impl FromRequest<Arc<Desk>> for Posted {
    type Rejection = Absent;

    async fn from_request(request: Request, desk: &Arc<Desk>) -> Result<Posted, Absent> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, desk).await?;
        let fields = fields(body).await.map_err(Absent::Failed)?;
        intended(&visit, &parts.headers, fields.text("csrf")).map_err(Absent::Failed)?;
        Ok(Posted { visit, fields })
    }
}

/// The fields of a body.
pub async fn fields(body: axum::body::Body) -> Result<Fields> {
    let body = Limited::new(body, FORM_MAX).collect().await;
    let body: Bytes =
        body.map_err(|_| Error::new(Code::TooLarge, "The form is too long"))?.to_bytes();
    Ok(Fields::read(&body))
}

/// The fields of a query.
#[derive(Debug)]
pub struct Query(pub Fields);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Query, Self::Rejection> {
        Ok(Query(Fields::read(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}
