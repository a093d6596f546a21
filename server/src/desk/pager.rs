//! Links from one page of a list to the next.

use super::client::query;
use super::form::Fields;

/// Where the lists go on.
#[derive(Clone, Debug)]
pub struct Pager {
    /// The link to the next page; `None` after the last.
    pub next: Option<String>,
    /// The link to the first page; `None` on it.
    pub first: Option<String>,
}

impl Pager {
    /// That of a list at a path such as `./products`, with the filters it was asked with.
    pub fn of(here: &str, asked: &Fields, next_cursor: Option<&str>) -> Pager {
        let link = |cursor: &str| {
            let kept = asked.pairs().filter(|(name, _)| !matches!(*name, "cursor" | "done"));
            format!("{here}{}", query(kept.chain([("cursor", cursor)])))
        };
        Pager { next: next_cursor.map(link), first: asked.maybe("cursor").map(|_| link("")) }
    }
}
