//! The master key: where it is, how it is made, and whether it is the one of this database.

use crate::config::{Config, MasterKey};
use crate::error::{Code, Error, Result};
use crate::store::{Store, meta};
use crate::vault::{MASTER_KEY, Vault};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use licentia::SecretKey;
use sea_orm::ConnectionTrait;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The file in the data folder.
const FILE: &str = "master.key";

/// Bytes of the longest file with one: hexadecimal, and white space.
const FILE_MAX: u64 = 256;

/// What is sealed in the database to know the key again, and as what.
pub const CHECK: &str = "master_key";

/// A key.
pub type Key = Zeroizing<[u8; MASTER_KEY]>;

/// Where the key came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It was brought along in a variable.
    Given,
    /// It is in this file.
    File(PathBuf),
    /// It was made, in this file.
    Made(PathBuf),
}

/// A vault with the master key of a database that has its schema. At the first start of a database
/// the key is made, unless one is named.
///
/// Fails with `setup` where the key is not the one that the database was sealed with, and where
/// others than its owner may read its file.
pub async fn open(config: &Config, store: &Store) -> Result<(Vault, Found)> {
    let sealed = meta::get(store.read(), CHECK).await?;
    let (key, found) = match (&config.master_key, file(config)) {
        (MasterKey::Text(text), _) => (parse(text, "LICENTIA_MASTER_KEY")?, Found::Given),
        (_, Some(path)) if path.symlink_metadata().is_ok() => (read(&path)?, Found::File(path)),
        (MasterKey::Folder, Some(path)) if sealed.is_none() => make(&path)?,
        (_, Some(path)) if sealed.is_none() => (read(&path)?, Found::File(path)),
        (_, path) => return Err(missing(&path.unwrap_or_default())),
    };
    let vault = Vault::new(&key);
    match know(store, &vault, sealed).await {
        Ok(()) => Ok((vault, found)),
        Err(error) => match found {
            // Another server was first, and this key is nobody's.
            Found::Made(path) => {
                let _ = std::fs::remove_file(path);
                Err(error)
            }
            Found::File(path) => match finish(store, &path).await? {
                Some(vault) => Ok((vault, Found::File(path))),
                None => Err(error),
            },
            Found::Given => Err(error),
        },
    }
}

/// The vault of a database that has one: nothing is made, and nothing noted.
///
/// Fails as [`open`] does, and with `setup` for a database that no server has sealed anything in.
pub async fn open_existing(config: &Config, store: &Store) -> Result<Vault> {
    if meta::get(store.read(), CHECK).await?.is_none() {
        let what = "The database knows no master key: start a server on it first";
        return Err(Error::new(Code::Setup, what));
    }
    Ok(open(config, store).await?.0)
}

/// The file with the key, where it is in one.
fn file(config: &Config) -> Option<PathBuf> {
    match &config.master_key {
        MasterKey::Text(_) => None,
        MasterKey::File(path) => Some(path.clone()),
        MasterKey::Folder => Some(config.data.join(FILE)),
    }
}

/// Where the next key is while everything is sealed anew with it.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.next"))
}

/// Ends a change of the key that was cut short after the database had it. Gives the vault.
async fn finish(store: &Store, path: &Path) -> Result<Option<Vault>> {
    let next = beside(path);
    if next.symlink_metadata().is_err() {
        return Ok(None);
    }
    let vault = Vault::new(&read(&next)?);
    if check(store, &vault).await.is_err() {
        return Ok(None);
    }
    replace(&next, path)?;
    Ok(Some(vault))
}

fn replace(next: &Path, path: &Path) -> Result<()> {
    std::fs::rename(next, path).map_err(|error| cannot(path, &error))?;
    sync_folder(path);
    Ok(())
}

/// A key that takes the place of another.
pub struct Next {
    /// What it seals with.
    pub vault: Vault,
    /// Where it is, and where it belongs.
    files: Option<(PathBuf, PathBuf)>,
}

impl Next {
    /// A new key for a server: in a file beside the one that it will replace, on the disk before
    /// anything is sealed with it; or `given`, where the key of the server is brought along.
    ///
    /// Fails with `invalid_argument` where one is brought along and the other is not.
    pub fn make(config: &Config, given: Option<&str>) -> Result<Next> {
        match (file(config), given) {
            (None, Some(given)) => {
                let key = parse(given, "LICENTIA_NEW_MASTER_KEY")?;
                Ok(Next { vault: Vault::new(&key), files: None })
            }
            (None, None) => {
                let what = "The master key comes from LICENTIA_MASTER_KEY: give the new one in \
                            LICENTIA_NEW_MASTER_KEY";
                Err(Error::invalid(what))
            }
            (Some(_), Some(_)) => {
                let what = "The master key is in a file, so the new one is made in it: leave \
                            LICENTIA_NEW_MASTER_KEY out";
                Err(Error::invalid(what))
            }
            (Some(path), None) => {
                let (key, next) = (random()?, beside(&path));
                write(&next, text(&key).as_bytes()).map_err(|error| cannot(&next, &error))?;
                sync_folder(&next);
                Ok(Next { vault: Vault::new(&key), files: Some((next, path)) })
            }
        }
    }

    /// The database has it now. Gives the file that has it too.
    pub fn done(self) -> Result<Option<PathBuf>> {
        let Some((next, path)) = self.files else { return Ok(None) };
        replace(&next, &path)?;
        Ok(Some(path))
    }

    /// Nothing came of it.
    pub fn drop(self) {
        if let Some((next, _)) = self.files {
            let _ = std::fs::remove_file(next);
        }
    }
}

/// Notes that the database is sealed with another key from now on.
pub async fn know_next(connection: &impl ConnectionTrait, next: &Vault) -> Result<()> {
    meta::set(connection, CHECK, next.seal(CHECK, CHECK.as_bytes())?).await
}

/// Fails with `setup` unless this is the vault of the database. Its first one is noted.
async fn know(store: &Store, vault: &Vault, sealed: Option<String>) -> Result<()> {
    if let Some(sealed) = sealed {
        return vault.open(CHECK, &sealed).map(|_| ());
    }
    let work = store.begin().await?;
    let is_first = meta::add(&work, CHECK, vault.seal(CHECK, CHECK.as_bytes())?).await?;
    work.commit().await?;
    if is_first {
        return Ok(());
    }
    check(store, vault).await
}

/// Fails with `setup` unless the vault opens what the database has.
pub async fn check(store: &Store, vault: &Vault) -> Result<()> {
    let sealed = meta::get(store.read(), CHECK).await?;
    let sealed = sealed.ok_or_else(|| Error::new(Code::Setup, "The database knows no key"))?;
    vault.open(CHECK, &sealed).map(|_| ())
}

/// Fails with `setup` where the database is sealed with another key by now: what this vault seals
/// nobody could open again.
pub async fn check_within(connection: &impl ConnectionTrait, vault: &Vault) -> Result<()> {
    match meta::get(connection, CHECK).await? {
        Some(sealed) => vault.open(CHECK, &sealed).map(|_| ()),
        None => Ok(()),
    }
}

fn missing(path: &Path) -> Error {
    let what = format!(
        "The private keys of this database are sealed with a master key, and there is none at {}: \
         put it back there, or name it with --master-key-file or LICENTIA_MASTER_KEY",
        path.display()
    );
    Error::new(Code::Setup, what)
}

fn read(path: &Path) -> Result<Key> {
    let failed = |error: std::io::Error| cannot(path, &error);
    let mut file = File::open(path).map_err(failed)?;
    SecretKey::check_mode(&file, path).map_err(|error| {
        let what = format!(
            "{}: others may read the master key. Take that from them (chmod 600)",
            error.detail()
        );
        Error::new(Code::Setup, what)
    })?;
    let mut text = Zeroizing::new(String::with_capacity(FILE_MAX as usize));
    Read::by_ref(&mut file).take(FILE_MAX).read_to_string(&mut text).map_err(failed)?;
    parse(&text, &path.display().to_string())
}

fn random() -> Result<Key> {
    let mut key = Zeroizing::new([0; MASTER_KEY]);
    getrandom::fill(&mut *key)
        .map_err(|_| Error::new(Code::Internal, "The system gives no randomness"))?;
    Ok(key)
}

fn text(key: &Key) -> Zeroizing<String> {
    let mut text = Zeroizing::new(URL_SAFE_NO_PAD.encode(**key));
    text.push('\n');
    text
}

/// 32 bytes in base64url or hexadecimal.
fn parse(text: &str, whence: &str) -> Result<Key> {
    let text = text.trim();
    let bytes = match text.len() {
        64 => hexadecimal(text),
        43 => URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok(),
        44 => URL_SAFE.decode(text).or_else(|_| STANDARD.decode(text)).ok(),
        _ => None,
    };
    let bytes = bytes.map(Zeroizing::new);
    let key = bytes.and_then(|bytes| <[u8; MASTER_KEY]>::try_from(bytes.as_slice()).ok());
    key.map(Zeroizing::new).ok_or_else(|| {
        let what = format!(
            "{whence:.200}: a master key is 32 random bytes in base64url (43 characters) or in \
             hexadecimal (64)"
        );
        Error::invalid(what)
    })
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs
        .map(|pair| {
            pair.filter(|it| !it.contains('+')).map(|it| u8::from_str_radix(it, 16).ok())?
        })
        .collect()
}

/// Makes one, in a file that is there whole or not at all.
fn make(path: &Path) -> Result<(Key, Found)> {
    let key = random()?;
    let beside = path.with_file_name(format!("{FILE}.{}.new", std::process::id()));
    let written = write(&beside, text(&key).as_bytes()).and_then(|()| {
        // Unlike a rename, this never replaces one that another server has made meanwhile.
        std::fs::hard_link(&beside, path)
    });
    let _ = std::fs::remove_file(&beside);
    match written {
        Ok(()) => {
            sync_folder(path);
            Ok((key, Found::Made(path.to_path_buf())))
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Ok((read(path)?, Found::File(path.to_path_buf())))
        }
        Err(error) => Err(cannot(path, &error)),
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // One that was left behind may have another mode.
    let _ = std::fs::remove_file(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// What is in it survives a loss of power, where the system can say so.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
}

fn cannot(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::Setup, format!("The master key {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrations;

    #[test]
    fn a_key_is_read_in_both_alphabets_and_nothing_else_is_one() {
        let hex = "00ff".repeat(16);
        let key = parse(&format!(" {hex}\n"), "it").unwrap();
        assert_eq!(&key[..2], [0, 255]);
        let text = URL_SAFE_NO_PAD.encode(*key);
        assert_eq!(parse(&text, "it").unwrap(), key);
        assert_eq!(parse(&URL_SAFE.encode(*key), "it").unwrap(), key);
        for wrong in ["", "secret", &hex[1..], &text[1..], &"+f".repeat(32), &"é".repeat(32)] {
            let error = parse(wrong, "it").unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument, "{wrong}");
            assert!(wrong.is_empty() || !error.detail().contains(wrong), "{error}");
        }
    }

    async fn server(folder: &Path) -> (Config, Store) {
        let config = Config { data: folder.into(), ..Config::default() };
        let store = Store::sqlite(&config.sqlite()).await.unwrap();
        migrations::migrate(&store).await.unwrap();
        (config, store)
    }

    fn names(folder: &Path) -> Vec<String> {
        let names = std::fs::read_dir(folder).unwrap();
        let names = names.map(|it| it.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.contains("key")).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_database_keeps_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let (config, store) = server(folder.path()).await;
        let (_, found) = open(&config, &store).await.unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(found, Found::Made(path.clone()));
        let (vault, found) = open(&config, &store).await.unwrap();
        assert_eq!(found, Found::File(path.clone()));
        check(&store, &vault).await.unwrap();
        assert_eq!(names(folder.path()), [FILE]);

        let other = MasterKey::Text("00".repeat(32).into());
        let other = Config { master_key: other, ..config.clone() };
        let error = open(&other, &store).await.unwrap_err();
        assert!(error.code() == Code::Setup && error.detail().contains("master key"), "{error}");
        std::fs::remove_file(&path).unwrap();
        let error = open(&config, &store).await.unwrap_err();
        assert!(error.detail().contains("put it back there"), "{error}");
        assert!(!path.exists(), "no new one is made");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (config, store) = server(folder.path()).await;
        open(&config, &store).await.unwrap();
        let path = folder.path().join(FILE);
        let set = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o620, 0o644, 0o777] {
            set(mode);
            let error = open(&config, &store).await.unwrap_err();
            assert!(error.code() == Code::Setup && error.detail().contains("chmod 600"), "{error}");
        }
        set(0o400);
        open(&config, &store).await.unwrap();
    }

    #[tokio::test]
    async fn a_change_of_the_key_that_was_cut_short_is_ended_or_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let (config, store) = server(folder.path()).await;
        open(&config, &store).await.unwrap();
        let path = folder.path().join(FILE);
        let before = std::fs::read(&path).unwrap();
        // Before the database had it: the old key goes on.
        let next = Next::make(&config, None).unwrap();
        let (_, found) = open(&config, &store).await.unwrap();
        assert_eq!(found, Found::File(path.clone()));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        // After it: the new one is put in its place.
        let tx = store.begin().await.unwrap();
        know_next(&tx, &next.vault).await.unwrap();
        tx.commit().await.unwrap();
        drop(next);
        open(&config, &store).await.unwrap();
        assert_ne!(std::fs::read(&path).unwrap(), before);
        assert_eq!(names(folder.path()), [FILE]);
        open(&config, &store).await.unwrap();
    }

    #[test]
    fn a_key_is_brought_along_where_the_last_one_was() {
        let hex = "00ff".repeat(16);
        let file = Config::default();
        let text = Config { master_key: MasterKey::Text(hex.clone().into()), ..Config::default() };
        assert!(Next::make(&file, Some(&hex)).is_err());
        assert!(Next::make(&text, None).is_err() && Next::make(&text, Some("x")).is_err());
        assert!(Next::make(&text, Some(&hex)).unwrap().done().unwrap().is_none());
    }
}
