//! A request that has found its route.

use super::Exchange;
use super::caller::Caller;
use super::routes::Family;
use crate::installation::{Installation, Known};
use crate::verdict::{self, Verdict};
use std::sync::Arc;

/// A request, and what it is answered from.
pub(crate) struct Call<'a> {
    pub(crate) it: &'a Installation,
    pub(crate) exchange: &'a Exchange,
    pub(crate) family: Family,
}

impl Call<'_> {
    /// Who is asking; `None` = a stranger.
    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.exchange.caller()
    }

    /// What is known now, looked at anew, and what follows from it.
    pub(crate) fn verdict(&self) -> (Arc<Known>, Verdict) {
        judged(self.it.fresh())
    }

    /// The same, from what was last looked at, within this second.
    pub(crate) fn glance(&self) -> (Arc<Known>, Verdict) {
        judged(self.it.answers())
    }
}

fn judged(known: Arc<Known>) -> (Arc<Known>, Verdict) {
    let verdict = verdict::judge(&known.view.facts, &known.now);
    (known, verdict)
}
