//! A backup: every row of every table as one moment had them, in one file, from a server that goes
//! on meanwhile. It restores into either database.
//!
//! A line each: what it is; then of each table how it is made and its rows; then a SHA-256 of all
//! that. Private keys are in it as they are in the database: sealed. The master key is not.

use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::store::rows::{self, Table};
use crate::store::{Store, migrations};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The format that this version writes, and the newest that it reads.
pub(super) const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub backup: String,
    pub format: u32,
    /// The version of the server.
    pub version: String,
    /// How the schema was made: the names of the steps.
    pub schema: Vec<String>,
    /// When, in seconds since 1970.
    pub made_at: i64,
    pub tables: usize,
}

/// The line before the rows of a table.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Part {
    #[serde(flatten)]
    pub table: Table,
    pub rows: u64,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tail {
    /// Of every byte before this line, in hexadecimal.
    pub sha256: String,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Rows of all tables.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// When, in seconds since 1970.
    pub made_at: i64,
}

/// Writes a backup to a file that is not there yet, readable by its owner only. The file has its
/// name when it is whole and on the disk, not before.
///
/// Fails with `setup` where it cannot be written.
pub async fn backup(store: &Store, clock: &Clock, out: &Path) -> Result<Backup> {
    if out.symlink_metadata().is_ok() {
        let what = format!("{} is there already: name a new file", out.display());
        return Err(Error::new(Code::Setup, what));
    }
    let draft = draft(out);
    let written = write(store, clock, &draft).await;
    let placed = written.and_then(|backup| {
        fs::rename(&draft, out).map_err(|error| cannot(out, &error))?;
        sync_folder(out).map_err(|error| cannot(out, &error))?;
        Ok(backup)
    });
    if placed.is_err() {
        let _ = fs::remove_file(&draft);
    }
    placed
}

async fn write(store: &Store, clock: &Clock, draft: &Path) -> Result<Backup> {
    // One that was left behind may have another mode, or be somebody's link.
    let _ = fs::remove_file(draft);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(draft).map_err(|error| cannot(draft, &error))?;
    let mut lines = Lines::new(file);
    let failed = |error: io::Error| cannot(draft, &error);
    // One moment: what is written from here on is not seen.
    let moment = store.snapshot().await?;
    Store::patient(&moment).await?;
    let tables = rows::tables()?;
    let head = Head {
        backup: "licentia".to_string(),
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_string(),
        schema: migrations::applied(&moment).await?,
        made_at: clock.now(),
        tables: tables.len(),
    };
    lines.add(&head).map_err(failed)?;
    let mut count = 0;
    for table in tables {
        let rows = table.count(&moment).await?;
        lines.add(&Part { table: table.clone(), rows }).map_err(failed)?;
        copy(&moment, &table, &mut lines, draft).await?;
        count += rows;
    }
    moment.rollback().await?;
    let bytes = lines.end().map_err(failed)?;
    Ok(Backup { rows: count, bytes, made_at: head.made_at })
}

async fn copy(
    moment: &impl ConnectionTrait,
    table: &Table,
    lines: &mut Lines,
    draft: &Path,
) -> Result<()> {
    let mut after = None;
    loop {
        let rows = table.page(moment, after.as_ref()).await?;
        for row in &rows {
            let row: Vec<Json> = table.to_json(row);
            lines.add(&row).map_err(|error| cannot(draft, &error))?;
        }
        if rows.len() < table.at_once() {
            return Ok(());
        }
        after = rows.into_iter().last();
    }
}

/// Lines that are counted and hashed on their way to the disk.
struct Lines {
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Lines {
    fn new(file: File) -> Lines {
        Lines { file: BufWriter::new(file), hash: Sha256::new(), bytes: 0 }
    }

    fn add(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.hash.update(&text);
        self.bytes += text.len() as u64;
        self.file.write_all(&text)
    }

    /// Adds the hash, and waits for the disk. Gives the bytes of the file.
    fn end(mut self) -> io::Result<u64> {
        let sha256 = hexadecimal(self.hash.clone());
        self.add(&Tail { sha256 })?;
        self.file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(self.bytes)
    }
}

pub(super) fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Beside the file, so that it can be renamed.
fn draft(out: &Path) -> PathBuf {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!(".{name}.part"))
}

fn sync_folder(out: &Path) -> io::Result<()> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// What a file says that cannot be written or read.
pub(super) fn cannot(path: &Path, error: &io::Error) -> Error {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let code = if full { Code::DiskFull } else { Code::Setup };
    Error::new(code, format!("{}: {error}", path.display()))
}
