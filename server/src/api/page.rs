//! Lists, a page at a time: by number as people do, or by cursor as programs should, since what is
//! added meanwhile moves numbers and not cursors.

pub use crate::store::page::Page;

use crate::error::{Code, Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::prelude::Uuid;
use serde::Deserialize;
use utoipa::IntoParams;

/// Rows on a page, if nobody says.
pub const PER_PAGE: u64 = 20;

/// Rows on a page, at most.
pub const PER_PAGE_MAX: u64 = 100;

/// How a page is asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Which page, from 1. Not with `cursor`.
    #[param(minimum = 1, default = 1)]
    pub page: Option<u64>,
    /// Rows on a page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub per_page: Option<u64>,
    /// `next_cursor` of the page before.
    #[param(max_length = 64)]
    pub cursor: Option<String>,
}

impl PageQuery {
    /// Fails with `malformed` for what is out of bounds.
    pub fn page(&self) -> Result<Page> {
        let wrong = |what: &str| Error::new(Code::Malformed, what);
        let limit = self.per_page.unwrap_or(PER_PAGE);
        if !(1..=PER_PAGE_MAX).contains(&limit) {
            return Err(wrong("per_page is from 1 to 100"));
        }
        let after = self.cursor.as_deref().map(decode).transpose()?;
        if after.is_some() && self.page.is_some() {
            return Err(wrong("Send page or cursor, not both"));
        }
        let before = self.page.unwrap_or(1).checked_sub(1);
        let offset = before.and_then(|pages| pages.checked_mul(limit));
        let offset = offset.filter(|offset| i64::try_from(*offset).is_ok());
        let offset = offset.ok_or_else(|| wrong("page is a number from 1"))?;
        Ok(Page { limit, offset, after })
    }
}

impl Page {
    /// The same with one row more, which tells whether there is a next page.
    pub fn and_one(self) -> Page {
        Page { limit: self.limit.saturating_add(1), ..self }
    }

    /// Leaves the rows of this page of those that [`Page::and_one`] found, and gives the cursor
    /// after them; `None` after the last.
    pub fn cut<T>(&self, rows: &mut Vec<T>, id: impl Fn(&T) -> Uuid) -> Option<String> {
        let more = cut(rows, self.limit);
        rows.last().filter(|_| more).map(|row| URL_SAFE_NO_PAD.encode(id(row).as_bytes()))
    }
}

/// Leaves so many rows, and says whether there were more.
pub fn cut<T>(rows: &mut Vec<T>, limit: u64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    more
}

fn decode(text: &str) -> Result<Uuid> {
    let wrong = || Error::new(Code::Malformed, "The cursor is none of this server's: begin anew");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    Uuid::from_slice(&bytes).map_err(|_| wrong())
}
