//! The ids in a path.

use super::Shared;
use crate::error::{Error, Result};
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use sea_orm::prelude::Uuid;

/// The one id in the path, `{id}`. What is no id is an id that nothing has.
#[derive(Clone, Copy, Debug)]
pub struct Id(pub Uuid);

impl FromRequestParts<Shared> for Id {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, server: &Shared) -> Result<Id> {
        let text = Path::<String>::from_request_parts(parts, server).await;
        let id = text.ok().and_then(|Path(text)| Uuid::try_parse(&text).ok());
        Ok(Id(id.unwrap_or(Uuid::nil())))
    }
}

/// The two ids in the path, in their order.
#[derive(Clone, Copy, Debug)]
pub struct Ids(pub Uuid, pub Uuid);

impl FromRequestParts<Shared> for Ids {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, server: &Shared) -> Result<Ids> {
        let texts = Path::<(String, String)>::from_request_parts(parts, server).await;
        let id = |text: &str| Uuid::try_parse(text).unwrap_or(Uuid::nil());
        Ok(texts.map_or(Ids(Uuid::nil(), Uuid::nil()), |Path((a, b))| Ids(id(&a), id(&b))))
    }
}
