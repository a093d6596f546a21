//! The license server as its callers see it: over sockets, on both databases.

#[macro_use]
mod support;

mod backup;
mod frame;
mod raw;
mod serving;
