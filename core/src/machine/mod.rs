//! Which machine this is, as far as a license needs to know.
//!
//! A [`Report`] lists what was found on a machine: for each [`Kind`] of part, keyed hashes of
//! the values, never the values. A [`Binding`] is what a license carries: some of those hashes
//! and how many kinds of them must be there. `docs/machine.md` specifies both so that they can
//! be written a second time.

#[cfg(any(target_os = "macos", test))]
mod apple;
mod binding;
mod container;
mod cpu;
mod digest;
mod disks;
mod environment;
mod firmware;
mod junk;
mod kinds;
mod linux;
#[cfg(target_os = "macos")]
mod macos;
mod network;
mod parts;
#[cfg(any(windows, test))]
mod registry;
mod report;
mod root_fs;
#[cfg(any(windows, test))]
mod smbios;
mod source;
#[cfg(windows)]
mod windows;

#[cfg(feature = "issue")]
mod choose;

pub use binding::{Binding, Comparison, Outcome, Part};
pub use environment::Environment;
pub use kinds::Kind;
pub use report::{Component, Report, State};
pub use source::{Folder, Source, resolve};

#[cfg(feature = "issue")]
pub use choose::Options;

/// The version of the algorithm: what is read, how it is normalized, hashed and compared.
pub const VERSION: u32 = 1;

/// Characters of a hash: 16 bytes in base64url without padding.
pub const HASH_LEN: usize = 22;

/// Kinds in a binding: twice as many as there are, so that there may be more.
pub const KINDS_MAX: usize = 32;

/// Hashes of one kind in a binding, and values of one kind in a report.
pub const HASHES_MAX: usize = 64;

/// Bytes of a report as text: every kind at its limit, with room to spare.
pub const REPORT_MAX: usize = 256 * 1024;
