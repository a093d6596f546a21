//! What every language has to answer alike: the cases of `tests/vectors/`, the protocol by which
//! the runners are asked, and the driver that compares.
//!
//! The generator writes documents by docs/format.md alone. It shares no code with the library
//! that it tests: keys, tokens and machine hashes are made here a second time.

pub mod books;
pub mod case;
pub mod command;
pub mod dice;
pub mod document;
pub mod folder;
pub mod http;
pub mod middle;
pub mod paths;
pub mod process;
pub mod protocol;
pub mod runner;
pub mod runners;
pub mod server;
pub mod signer;
pub mod story;
pub mod telling;
pub mod topics;
pub mod webhooks;
