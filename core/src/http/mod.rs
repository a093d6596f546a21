//! The license API inside a product: one HTTP request in, its answer out. No sockets: the host's
//! own web server carries it, or `licentia agent` does. docs/http.md.
//!
//! Four families of endpoints, each as products already have them, are views of one verdict; what
//! they change goes through four actions: apply, remove, renew, request.

mod answer;
mod assign;
mod body;
mod call;
mod caller;
mod entitlements;
mod exchange;
mod openapi;
mod origin;
mod page;
mod problem;
mod public;
mod refusal;
mod routes;
mod token;
mod url;

#[cfg(all(test, feature = "issue"))]
mod tests;

pub use answer::Answer;
pub use caller::{Caller, Rights};
pub use exchange::Exchange;

use crate::installation::Installation;

impl Installation {
    /// Answers one HTTP request. Never fails: whatever is wrong is an answer too, with a status of
    /// its own. Who is asking is the host's word ([`Exchange::set_caller`]); without it, it is a
    /// stranger. Reads and writes the folder, and with an issuer talks to it: a host that serves
    /// many requests from one thread does this on another.
    pub fn handle(&self, exchange: &Exchange) -> Answer {
        routes::answer(self, exchange)
    }

    /// Whether the path of `target` is one that [`Installation::handle`] answers, whatever the
    /// method: for a host that has other routes. Needs neither body nor caller.
    pub fn serves(&self, target: &str) -> bool {
        let path = exchange::path(target);
        self.below_mount(path).is_some_and(routes::has)
    }
}
