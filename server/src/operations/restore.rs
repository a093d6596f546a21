//! Back from a backup: the whole of it or nothing, in one transaction.

use super::backup::{FORMAT, Head, Part, Tail, cannot, hexadecimal};
use crate::audit as audit_log;
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::master_key;
use crate::store::forever::Forever;
use crate::store::rows::{self, Table};
use crate::store::{Store, audit, meta, migrations, sessions, webhooks};
use licentia::rfc3339;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use uuid::Uuid;

/// What was brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Rows of all tables.
    pub rows: u64,
    /// When the backup was made, in seconds since 1970.
    pub made_at: i64,
    /// Licenses that stay revoked although the backup did not know them as revoked.
    pub still_revoked: u64,
    /// Webhooks that were disabled, so that a copy sends nothing.
    pub webhooks_disabled: u64,
}

/// How a backup is put into a database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// Replaces a database that is not empty.
    pub force: bool,
    /// Leaves webhooks enabled.
    pub keep_webhooks: bool,
}

/// Why a webhook is disabled that was not.
const RESTORED: &str = "Restored from a backup: enable it where it is to send";

/// Puts a backup into the database, which has to be empty, or with `force` is replaced. What was
/// revoked in a database that is replaced stays revoked, and its versions do not come again. Nobody
/// is signed in to the desk then, and what happens waits for webhooks until they are enabled.
///
/// Fails with `malformed` for a file that is damaged, with `schema` for one of a newer version,
/// and with `conflict` for a database that is not empty. The database is then as it was.
pub async fn restore(store: &Store, file: &Path, how: How) -> Result<Restored> {
    let (head, rows) = check(file)?;
    let steps = known(&head)?;
    let transaction = store.begin().await?;
    migrations::lock(&transaction).await?;
    let forever = prepare(&transaction, &head, steps, how.force).await?;
    let sequence = rows::event_sequence(&transaction).await?;
    load(&transaction, file).await?;
    rows::raise_event_sequence(&transaction, sequence).await?;
    migrations::up(&transaction, None).await?;
    let still_revoked = match forever {
        Some((forever, master)) => {
            same_master_key(&transaction, &forever, master).await?;
            forever.keep(&transaction).await?
        }
        None => 0,
    };
    let now = Clock::default().now();
    // Whoever signed out since has signed out.
    sessions::delete_all(&transaction).await?;
    webhooks::after_none(&transaction).await?;
    let webhooks_disabled = match how.keep_webhooks {
        true => 0,
        false => webhooks::disable_all(&transaction, RESTORED, now).await?,
    };
    let entry = audit_log::Entry {
        detail: json!({
            "made_at": rfc3339(head.made_at),
            "still_revoked": still_revoked,
            "webhooks_disabled": webhooks_disabled,
        }),
        ..audit_log::Entry::by("command", "server.restored", Uuid::nil(), now)
    };
    audit_log::append_to_all(&transaction, entry).await?;
    transaction.commit().await?;
    Ok(Restored { rows, made_at: head.made_at, still_revoked, webhooks_disabled })
}

/// Makes room: tables as the backup has them, without rows. Gives what must not be undone of a
/// database that is replaced.
async fn prepare(
    connection: &DatabaseTransaction,
    head: &Head,
    steps: u32,
    force: bool,
) -> Result<Option<(Forever, Option<String>)>> {
    if !migrations::exists(connection).await? {
        migrations::up(connection, Some(steps)).await?;
        return Ok(None);
    }
    migrations::check(connection).await?;
    migrations::up(connection, None).await?;
    if head.schema != migrations::known() {
        let what = format!(
            "This backup is of version {}, older than the tables here: restore it into a new \
             database, which is then brought up to date",
            head.version
        );
        return Err(Error::new(Code::Schema, what));
    }
    rows::lock(connection).await?;
    let tables = rows::tables()?;
    let mut count = 0;
    for table in &tables {
        count += table.count(connection).await?;
    }
    if count == 0 {
        return Ok(None);
    }
    if !force {
        let what = "The database is not empty: restore into a new one, or replace this one with \
                    --force";
        return Err(Error::new(Code::Conflict, what));
    }
    let forever = Forever::of(connection).await?;
    let master = meta::get(connection, master_key::CHECK).await?;
    audit::open(connection).await?;
    for table in &tables {
        table.clear(connection).await?;
    }
    audit::close(connection).await?;
    Ok(Some((forever, master)))
}

/// Fails with `conflict` where keys stay that are sealed under another master key than those of the
/// backup: one server opens one of them.
async fn same_master_key(
    connection: &impl ConnectionTrait,
    forever: &Forever,
    replaced: Option<String>,
) -> Result<()> {
    let brought = meta::get(connection, master_key::CHECK).await?;
    if !forever.has_keys() || brought == replaced {
        return Ok(());
    }
    let what = "The master key was changed after this backup, or the database is another: restore \
                the backup into a new database, with the master key it was made under";
    Err(Error::new(Code::Conflict, what))
}

/// How many steps made the schema of the backup.
fn known(head: &Head) -> Result<u32> {
    let known = migrations::known();
    if head.format > FORMAT || !known.starts_with(&head.schema) {
        let what = format!(
            "A newer version made this backup ({:.20}): restore it with that version",
            head.version
        );
        return Err(Error::new(Code::Schema, what));
    }
    u32::try_from(head.schema.len()).map_err(|_| damaged("its schema"))
}

/// The lines of a file.
struct Lines {
    file: BufReader<File>,
    line: Vec<u8>,
}

impl Lines {
    fn open(path: &Path) -> Result<Lines> {
        let file = File::open(path).map_err(|error| cannot(path, &error))?;
        Ok(Lines { file: BufReader::new(file), line: Vec::new() })
    }

    /// The next line with its end; empty after the last.
    fn next(&mut self, path: &Path) -> Result<&[u8]> {
        self.line.clear();
        let read = self.file.read_until(b'\n', &mut self.line);
        read.map_err(|error| cannot(path, &error))?;
        Ok(&self.line)
    }

    fn parse<T: DeserializeOwned>(&mut self, path: &Path, what: &str) -> Result<T> {
        let line = self.next(path)?.strip_suffix(b"\n").ok_or_else(|| damaged(what))?;
        serde_json::from_slice(line).map_err(|_| damaged(what))
    }
}

/// Reads all of a file before anything is done with it, and gives its first line and how many rows
/// it has.
fn check(path: &Path) -> Result<(Head, u64)> {
    let mut lines = Lines::open(path)?;
    let first = lines.next(path)?;
    let no_backup = || {
        let what = "This is no backup: make one with `licentia server backup`";
        Error::new(Code::Malformed, what)
    };
    let head: Head = serde_json::from_slice(first).map_err(|_| no_backup())?;
    if head.backup != "licentia" {
        return Err(no_backup());
    }
    let mut hash = Sha256::new();
    hash.update(first);
    let mut total = 0;
    for _ in 0..head.tables {
        let line = lines.next(path)?;
        hash.update(line);
        let part: Part = serde_json::from_slice(line).map_err(|_| damaged("a table"))?;
        for _ in 0..part.rows {
            let line = lines.next(path)?;
            if line.is_empty() {
                return Err(damaged("its end is missing"));
            }
            hash.update(line);
        }
        total += part.rows;
    }
    let tail: Tail = lines.parse(path, "its end is missing")?;
    if tail.sha256 != hexadecimal(hash) || !lines.next(path)?.is_empty() {
        return Err(damaged("its SHA-256 is another"));
    }
    Ok((head, total))
}

async fn load(connection: &impl ConnectionTrait, path: &Path) -> Result<()> {
    let mut lines = Lines::open(path)?;
    let head: Head = lines.parse(path, "its first line")?;
    for _ in 0..head.tables {
        let Part { table, rows } = lines.parse(path, "a table")?;
        let mut batch = Vec::new();
        for _ in 0..rows {
            let row: Vec<Json> = lines.parse(path, "a row")?;
            batch.push(row_of(&table, &row)?);
            if batch.len() == table.at_once() {
                table.insert(connection, std::mem::take(&mut batch)).await?;
            }
        }
        table.insert(connection, batch).await?;
    }
    Ok(())
}

fn row_of(table: &Table, row: &[Json]) -> Result<rows::Row> {
    table.from_json(row).ok_or_else(|| damaged("a row"))
}

fn damaged(what: &str) -> Error {
    Error::new(Code::Malformed, format!("The backup is damaged ({what}): use another one"))
}
