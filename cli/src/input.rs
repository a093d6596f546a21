//! Files and standard input, never more of them than any real one has.

use licentia::limits::{COAT_FACTOR, REVOCATIONS_MAX, TOKEN_MAX};
use licentia::{Code, Error, Result};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// The name of standard input.
pub const STDIN: &str = "-";

/// Bytes of a license or a key set in its coat.
pub const TOKEN_BYTES: usize = TOKEN_MAX * COAT_FACTOR;
/// Bytes of the largest document there is, in its coat.
pub const DOCUMENT_BYTES: usize = REVOCATIONS_MAX * COAT_FACTOR;

/// Reads a file, or standard input, and at most one byte more than `max`: what reads the bytes
/// says that it is too large. Wiped from memory when dropped, because it may be a key.
pub fn read(path: &str, max: usize) -> Result<Zeroizing<Vec<u8>>> {
    let failed = |error: io::Error| Error::new(Code::Io, format!("{path:.80}: {error}"));
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    // Room for everything at once: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(max.min(TOKEN_BYTES) + 1));
    let read = if path == STDIN {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(failed)?;
    Ok(bytes)
}

/// The same as text. `code` says what it is if it is not UTF-8, or larger than `max`.
pub fn read_text(path: &str, max: usize, code: Code) -> Result<Zeroizing<String>> {
    let bytes = read(path, max)?;
    if bytes.len() > max {
        return Err(Error::new(Code::TooLarge, format!("{path:.80} has more than {max} bytes")));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Error::new(code, format!("{path:.80} is not UTF-8 text")))?;
    Ok(Zeroizing::new(text.to_string()))
}

/// Standard input can be read once: fails if more than one of these is it.
pub fn one_stdin<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<()> {
    if paths.into_iter().filter(|path| *path == STDIN).count() > 1 {
        return Err(Error::new(Code::InvalidArgument, "standard input (-) is named twice"));
    }
    Ok(())
}

/// Writes a public file (mode 0644), whole or not at all. One that is there is written over only
/// if `force` says so.
pub fn write(path: &Path, text: &str, force: bool) -> Result<()> {
    let failed = |error: io::Error| {
        Error::new(Code::Io, format!("{:.80}: {error}", path.display().to_string()))
    };
    if !force {
        return create(path, text).map_err(failed);
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    create(&beside, text).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(|error| {
        // What cannot be put in place is not left lying about; the first error is the one to tell.
        let _ = std::fs::remove_file(&beside);
        failed(error)
    })
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
