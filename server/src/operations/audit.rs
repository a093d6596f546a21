//! The audit log, looked at by whoever has the database in hand.

use crate::audit::{STEP, walk};
use crate::error::{Error, Result};
use crate::store::{Store, audit, audit_heads, organizations};
use sea_orm::prelude::Uuid;

/// What has come of checking the log of one organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose it is.
    pub organization: Uuid,
    /// Entries that were checked.
    pub checked: u64,
    /// The first that is not as it was written, and why.
    pub broken: Option<(i64, &'static str)>,
    /// Number and hash of the last.
    pub head: Option<(i64, String)>,
}

/// Checks the log of an organization, or of all that have one: of those, too, that were deleted.
/// `head` is an entry that was kept elsewhere: its number and its hash.
///
/// Fails with `not_found` where the organization never was.
pub async fn verify(
    store: &Store,
    organization: Option<Uuid>,
    head: Option<&(i64, String)>,
) -> Result<Vec<Verified>> {
    let all = match organization {
        Some(id) => {
            let known = organizations::get(store.read(), id).await?.is_some()
                || audit_heads::get(store.read(), id).await?.is_some();
            known.then(|| vec![id]).ok_or_else(|| Error::not_found("organization"))?
        }
        None => {
            let mut all = organizations::ids(store.read()).await?;
            all.extend(audit_heads::ids(store.read()).await?);
            all.extend(audit::organizations(store.read()).await?);
            all.sort_unstable();
            all.dedup();
            all
        }
    };
    let mut verified = Vec::with_capacity(all.len());
    for id in all {
        verified.push(one(store, id, head).await?);
    }
    Ok(verified)
}

async fn one(store: &Store, organization: Uuid, kept: Option<&(i64, String)>) -> Result<Verified> {
    let mut all = Verified { organization, checked: 0, broken: None, head: None };
    let mut after = None;
    loop {
        let snapshot = store.snapshot().await?;
        let walked = walk(&snapshot, organization, after, STEP).await?;
        snapshot.rollback().await?;
        all.checked = all.checked.saturating_add(walked.checked);
        all.broken = walked.broken;
        all.head = walked.head.filter(|head| head.seq > 0).map(|head| (head.seq, head.hash));
        after = walked.next;
        if after.is_none() || all.broken.is_some() {
            break;
        }
    }
    if let (Some((seq, hash)), None) = (kept, all.broken) {
        let found = audit::get(store.read(), organization, *seq).await?;
        if found.is_none_or(|found| found.hash != *hash) {
            all.broken = Some((*seq, "it had another hash when its head was kept"));
        }
    }
    Ok(all)
}
