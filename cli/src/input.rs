//! Files and standard input, never more of them than any real one has.

use crate::secrecy::{PRIVATE, told, told_path};
use licentia::limits::{COAT_FACTOR, REVOCATIONS_MAX, TOKEN_MAX};
use licentia::{Code, Error, Result, SecretKey};
use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// The name of standard input.
pub const STDIN: &str = "-";
/// The name of standard output.
pub const STDOUT: &str = "-";

/// Bytes of the longest name of a file.
const NAME_MAX: usize = 255;

/// Bytes of a license or a key set in its coat.
pub const TOKEN_BYTES: usize = TOKEN_MAX * COAT_FACTOR;
/// Bytes of the largest document there is, in its coat.
pub const DOCUMENT_BYTES: usize = REVOCATIONS_MAX * COAT_FACTOR;

/// A file that was opened once, or standard input: what is asked of it and what is read from it
/// is the same file, and a pipe can be read.
pub struct Source<'a> {
    name: &'a str,
    /// None for standard input.
    file: Option<File>,
}

impl Source<'_> {
    pub fn open(name: &str) -> Result<Source<'_>> {
        let file = if name == STDIN { None } else { Some(File::open(name)) };
        let file = file.transpose().map_err(|error| failed(name, &error))?;
        Ok(Source { name, file })
    }

    /// Reads at most one byte more than `max`: what reads the bytes says that it is too large.
    /// Wiped from memory when dropped, because it may be a key.
    pub fn bytes(&mut self, max: usize) -> Result<Zeroizing<Vec<u8>>> {
        let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
        // Room for everything at once: a vector that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(max.min(TOKEN_BYTES) + 1));
        let read = match &mut self.file {
            None => io::stdin().lock().take(limit).read_to_end(&mut bytes),
            Some(file) => file.take(limit).read_to_end(&mut bytes),
        };
        read.map_err(|error| failed(self.name, &error))?;
        Ok(bytes)
    }

    /// The same as text. `code` says what it is if it is not UTF-8.
    pub fn text(&mut self, max: usize, code: Code) -> Result<Zeroizing<String>> {
        let bytes = self.bytes(max)?;
        let name = told(self.name);
        if bytes.len() > max {
            return Err(Error::new(Code::TooLarge, format!("{name} has more than {max} bytes")));
        }
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Error::new(code, format!("{name} is not UTF-8 text")))?;
        Ok(Zeroizing::new(text.to_string()))
    }

    /// Fails with `key_permissions` if it is a file that others than its owner may read or write.
    pub fn is_private(&self) -> Result<()> {
        let check = |file| SecretKey::check_mode(file, Path::new(self.name));
        self.file.as_ref().map_or(Ok(()), check)
    }
}

/// Reads a signed document from a file or standard input: see `Source::bytes`. One that was
/// given as the argument itself is told where it belongs.
pub fn document(name: &str, max: usize) -> Result<Zeroizing<Vec<u8>>> {
    let mut source = Source::open(name).map_err(|error| {
        let named =
            |what: &str| Error::new(Code::InvalidArgument, format!("a {what} is a file or -"));
        match name.trim_start() {
            text if text.starts_with("eJ") => named("request"),
            text if text.starts_with("eyJ") || text.len() > NAME_MAX => named("license"),
            _ => error,
        }
    })?;
    source.bytes(max)
}

/// Reads a file, or standard input: see `Source::text`.
pub fn read_text(name: &str, max: usize, code: Code) -> Result<Zeroizing<String>> {
    Source::open(name)?.text(max, code)
}

fn failed(name: &str, error: &io::Error) -> Error {
    refuse(Path::new(name), error)
}

fn refuse(path: &Path, what: impl Display) -> Error {
    Error::new(Code::Io, format!("{}: {what}", told_path(path)))
}

/// Why a file or a folder could not be made.
pub fn unwritten(path: &Path, error: &io::Error) -> Error {
    Error::new(unwritten_code(error), format!("{}: {error}", told_path(path)))
}

/// `disk_full` where making room would help, else `io`.
pub fn unwritten_code(error: &io::Error) -> Code {
    if error.kind() == ErrorKind::StorageFull { Code::DiskFull } else { Code::Io }
}

/// What happens to a file that is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Present {
    /// It is written over: --force was given.
    Replace,
    /// It stays: --force was not given.
    Keep,
    /// It stays, and there is no --force.
    KeepAlways,
}

impl Present {
    /// For a command with --force.
    pub fn forced(force: bool) -> Present {
        if force { Present::Replace } else { Present::Keep }
    }
}

/// Standard input can be read once: fails if more than one of these is it.
pub fn one_stdin<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<()> {
    if paths.into_iter().filter(|path| *path == STDIN).count() > 1 {
        return Err(Error::new(Code::InvalidArgument, "standard input (-) is named twice"));
    }
    Ok(())
}

/// Writes a public file (mode 0644), whole or not at all. One that is there is written over only
/// if `present` says so, and never a private key, a link or a device.
pub fn write(path: &Path, content: impl AsRef<[u8]>, present: Present) -> Result<()> {
    // What cannot be asked cannot be written either, and fails below.
    let there = path.symlink_metadata().ok();
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        return Err(refuse(path, "it is not a regular file, and is not written over"));
    }
    if present != Present::Replace {
        return create(path, content.as_ref()).map_err(|error| match (error.kind(), present) {
            (ErrorKind::AlreadyExists, Present::Keep) => {
                exists(path, "is written over only with --force")
            }
            (ErrorKind::AlreadyExists, _) => exists(path, "is not written over"),
            _ => unwritten(path, &error),
        });
    }
    if there.is_some() && has_key(path).map_err(|error| refuse(path, error))? {
        return Err(refuse(path, "it is a private key, and is not written over"));
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    create(&beside, content.as_ref()).map_err(|error| unwritten(path, &error))?;
    std::fs::rename(&beside, path).map_err(|error| {
        // What cannot be put in place is not left lying about; the first error is the one to tell.
        let _ = std::fs::remove_file(&beside);
        unwritten(path, &error)
    })
}

/// A file is in the way, and this is what is done about it.
pub fn exists(path: &Path, so: &str) -> Error {
    Error::new(Code::Io, format!("{} exists, and {so}", told_path(path)))
}

/// Whether there is a private key in the beginning of a file, or all of what is no larger than
/// what is written here.
fn has_key(path: &Path) -> io::Result<bool> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(TOKEN_BYTES));
    File::open(path)?.take(TOKEN_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(bytes.windows(PRIVATE.len()).any(|window| window == PRIVATE.as_bytes()))
}

fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    let mut file = options.open(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    drop(file);
    if written.is_err() {
        // It is ours, and half a file would be in the way of the whole one.
        let _ = std::fs::remove_file(path);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_what_may_not_be_written() {
        for (kind, code) in [
            (ErrorKind::StorageFull, Code::DiskFull),
            (ErrorKind::PermissionDenied, Code::Io),
            (ErrorKind::AlreadyExists, Code::Io),
        ] {
            assert_eq!(unwritten(Path::new("a.lic"), &kind.into()).code(), code, "{kind}");
        }
    }
}
