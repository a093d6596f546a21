//! What a disk refused, as an error for people.

use std::io::{self, ErrorKind};

use crate::errors::{Code, Error};

/// The error for a file, or the folder itself, that could not be `done`: read, written, locked.
pub(crate) fn failed(name: &str, done: &str, reason: &io::Error) -> Error {
    let what = match reason.kind() {
        ErrorKind::NotADirectory => "what should be the folder is a file".to_string(),
        ErrorKind::NotFound => format!("the folder is not there, so {name} cannot be {done}"),
        _ => format!("{name} cannot be {done}: {reason}"),
    };
    Error::new(code(reason), what)
}

fn code(reason: &io::Error) -> Code {
    match reason.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Code::DiskFull,
        ErrorKind::NotFound
        | ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::AlreadyExists
        | ErrorKind::Unsupported => Code::StateUnavailable,
        _ => Code::Io,
    }
}

/// Whether a file is not there.
pub(super) fn is_absent(reason: &io::Error) -> bool {
    reason.kind() == ErrorKind::NotFound
}

/// Whether the medium could not give the bytes back, as it does for good where it is worn out.
pub(super) fn is_bad_medium(reason: &io::Error) -> bool {
    // EIO, or ERROR_CRC on Windows.
    reason.raw_os_error() == Some(if cfg!(windows) { 23 } else { 5 })
}
