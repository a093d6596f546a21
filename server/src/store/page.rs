//! Which rows of many are meant.

use sea_orm::prelude::Uuid;

/// Which rows are meant. Rows are in the order of their ids, the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many.
    pub limit: u64,
    /// How many before them are left out.
    pub offset: u64,
    /// They come after the row with this id.
    pub after: Option<Uuid>,
}
