//! The audit log: who did what, when and from where, in a chain that only grows. Each entry is in
//! the transaction of what it tells of.

mod change;
mod entry;
mod walk;

pub use change::{changed, telling};
pub use entry::{Entry, GENESIS, append, append_to_all, canonical, hash};
pub use walk::{STEP, Walked, walk};

/// What machines do in the name of an API key: of that, the events tell.
const OF_MACHINES: [&str; 4] =
    ["license.sync", "seat.acquired", "seat.released", "server.older_than_clients"];

/// Whether an event of somebody with an API key is noted here.
pub fn is_noted(kind: &str) -> bool {
    !OF_MACHINES.contains(&kind)
}
