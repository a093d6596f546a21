//! The master key: where it is, how it is made, and whether it is the one of this database.

use crate::config::{Config, MasterKey};
use crate::error::{Code, Error, Result};
use crate::store::{Store, meta};
use crate::vault::{MASTER_KEY, Vault};
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use licentia::SecretKey;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The file in the data folder.
const FILE: &str = "master.key";

/// Bytes of the longest file with one: hexadecimal, and white space.
const FILE_MAX: u64 = 256;

/// What is sealed in the database to know the key again, and as what.
const CHECK: &str = "master_key";

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
/// Fails with `setup` where the key is not the one that the database was sealed with.
pub async fn open(
    config: &Config,
    store: &Store,
    warnings: &mut Vec<String>,
) -> Result<(Vault, Found)> {
    let sealed = meta::get(store.read(), CHECK).await?;
    let (key, found) = match &config.master_key {
        MasterKey::Text(text) => (parse(text, "LICENTIA_MASTER_KEY")?, Found::Given),
        MasterKey::File(path) => (read(path, warnings)?, Found::File(path.clone())),
        MasterKey::Folder => {
            let path = config.data.join(FILE);
            match path.symlink_metadata() {
                Ok(_) => (read(&path, warnings)?, Found::File(path)),
                Err(_) if sealed.is_some() => return Err(missing(&path)),
                Err(_) => make(&path)?,
            }
        }
    };
    let vault = Vault::new(&key);
    match know(store, &vault, sealed).await {
        Ok(()) => Ok((vault, found)),
        Err(error) => {
            // Another server was first, and this key is nobody's.
            if let Found::Made(path) = found {
                let _ = std::fs::remove_file(path);
            }
            Err(error)
        }
    }
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

fn missing(path: &Path) -> Error {
    let what = format!(
        "The private keys of this database are sealed with a master key, and there is none at {}: \
         put it back there, or name it with --master-key-file or LICENTIA_MASTER_KEY",
        path.display()
    );
    Error::new(Code::Setup, what)
}

fn read(path: &Path, warnings: &mut Vec<String>) -> Result<Key> {
    let failed = |error: std::io::Error| cannot(path, &error);
    let mut file = File::open(path).map_err(failed)?;
    if let Err(error) = SecretKey::check_mode(&file, path) {
        warnings.push(error.to_string());
    }
    let mut text = Zeroizing::new(String::with_capacity(FILE_MAX as usize));
    Read::by_ref(&mut file).take(FILE_MAX).read_to_string(&mut text).map_err(failed)?;
    parse(&text, &path.display().to_string())
}

/// 32 bytes in base64url or hexadecimal.
fn parse(text: &str, whence: &str) -> Result<Key> {
    let text = text.trim();
    let bytes = match text.len() {
        64 => hexadecimal(text),
        43 => URL_SAFE_NO_PAD.decode(text).ok(),
        44 => URL_SAFE.decode(text).ok(),
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
    let mut key = Zeroizing::new([0; MASTER_KEY]);
    getrandom::fill(&mut *key)
        .map_err(|_| Error::new(Code::Internal, "The system gives no randomness"))?;
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(*key) + "\n");
    let beside = path.with_file_name(format!("{FILE}.{}.new", std::process::id()));
    let written = write(&beside, text.as_bytes()).and_then(|()| {
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
            Ok((read(path, &mut Vec::new())?, Found::File(path.to_path_buf())))
        }
        Err(error) => Err(cannot(path, &error)),
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
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

    #[tokio::test]
    async fn a_database_keeps_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { data: folder.path().into(), ..Config::default() };
        let store = Store::sqlite(&config.sqlite()).await.unwrap();
        migrations::migrate(&store).await.unwrap();
        let mut warnings = Vec::new();
        let (_, found) = open(&config, &store, &mut warnings).await.unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(found, Found::Made(path.clone()));
        let (vault, found) = open(&config, &store, &mut warnings).await.unwrap();
        assert_eq!(found, Found::File(path.clone()));
        check(&store, &vault).await.unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        let names = std::fs::read_dir(folder.path()).unwrap();
        assert!(
            !names.into_iter().any(|it| it
                .unwrap()
                .file_name()
                .to_str()
                .unwrap()
                .ends_with(".new"))
        );

        let other = MasterKey::Text("00".repeat(32).into());
        let other = Config { master_key: other, ..config.clone() };
        let error = open(&other, &store, &mut warnings).await.unwrap_err();
        assert!(error.code() == Code::Setup && error.detail().contains("master key"), "{error}");
        std::fs::remove_file(&path).unwrap();
        let error = open(&config, &store, &mut warnings).await.unwrap_err();
        assert!(error.detail().contains("put it back there"), "{error}");
        assert!(!path.exists(), "no new one is made");
    }
}
