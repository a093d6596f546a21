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
        let known = self.it.fresh();
        let verdict = verdict::judge(&known.view.facts, &known.now);
        (known, verdict)
    }
}
