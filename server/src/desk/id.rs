//! The id in the path of a page.

use crate::error::Error;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use sea_orm::prelude::Uuid;

/// An id, written as the API writes it: nothing else gets from the path of a page into one of the
/// API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id(pub String);

/// Two ids, the second of something that belongs to the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids(pub String, pub String);

fn read(text: &str) -> Result<String, Error> {
    let id = Uuid::try_parse(text).map_err(|_| Error::not_found("page"))?;
    Ok(id.hyphenated().to_string())
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Id, Error> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = path.map_err(|_| Error::not_found("page"))?;
        Ok(Id(read(&text)?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Ids, Error> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((one, other)) = path.map_err(|_| Error::not_found("page"))?;
        Ok(Ids(read(&one)?, read(&other)?))
    }
}
