//! Private keys: made, kept and used by a vendor, never by a product.

use crate::errors::{Code, Error, Result};
use crate::keys::PublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use ed25519_dalek::{Signer, SigningKey};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// The largest file that is read as a private key: ours has 119 bytes.
const FILE_MAX: u64 = 4096;

/// A private key. It is wiped from memory when dropped, and never shown.
pub struct SecretKey {
    signing: SigningKey,
    public: PublicKey,
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey({})", self.public.kid())
    }
}

impl SecretKey {
    /// Makes a key from the system's randomness. Fails with `io` if there is none.
    pub fn generate() -> Result<SecretKey> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed)
            .map_err(|error| Error::new(Code::Io, format!("no randomness: {error}")))?;
        SecretKey::from_seed(&seed)
    }

    /// The key of a seed (RFC 8032, section 5.1.5). For keys that are kept elsewhere, and tests.
    pub fn from_seed(seed: &[u8; 32]) -> Result<SecretKey> {
        SecretKey::new(SigningKey::from_bytes(seed))
    }

    fn new(signing: SigningKey) -> Result<SecretKey> {
        let public = PublicKey::from_bytes(signing.verifying_key().as_bytes())?;
        Ok(SecretKey { signing, public })
    }

    /// Reads PKCS#8 in PEM (RFC 5958, RFC 8410). Fails with `invalid_key`, also if the public
    /// half in it is not the key's.
    pub fn from_pem(pem: &str) -> Result<SecretKey> {
        let signing = SigningKey::from_pkcs8_pem(pem.trim()).map_err(|_| {
            Error::new(Code::InvalidKey, "the text is not an Ed25519 PRIVATE KEY (PKCS#8, PEM)")
        })?;
        SecretKey::new(signing)
    }

    /// PKCS#8 in PEM.
    pub fn to_pem(&self) -> Result<Zeroizing<String>> {
        self.signing
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| Error::new(Code::Internal, "the key could not be written as PEM"))
    }

    /// Writes a new file that only its owner may read (mode 0600), and waits until it is on disk.
    /// Fails with `io`, also if the file exists: a key is never written over. A failure leaves no
    /// file behind.
    pub fn save(&self, path: &Path) -> Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let pem = self.to_pem()?;
        let mut file = options.open(path).map_err(|error| io(path, &error))?;
        let written = file.write_all(pem.as_bytes()).and_then(|()| file.sync_all());
        drop(file);
        written.map_err(|error| {
            // It is ours, and half a key would be in the way of the whole one.
            let _ = std::fs::remove_file(path);
            io(path, &error)
        })
    }

    /// Reads a file. Fails with `invalid_key` if it is no private key, and with `key_permissions`
    /// if it is one that others than its owner may read or write.
    pub fn load(path: &Path) -> Result<SecretKey> {
        let file = File::open(path).map_err(|error| io(path, &error))?;
        // Of its full size from the start: growing would leave copies behind that nobody wipes.
        let mut pem = Zeroizing::new(String::with_capacity(FILE_MAX as usize));
        let most = (&file).take(FILE_MAX).read_to_string(&mut pem);
        most.map_err(|error| io(path, &error))?;
        let key = SecretKey::from_pem(&pem)?;
        SecretKey::check_mode(&file, path)?;
        Ok(key)
    }

    /// Asks a file that is open, and not its name, which could be another's a moment later: fails
    /// with `key_permissions` if others than its owner may read or write it. `path` is for the
    /// message. What is no regular file, such as a pipe, has no mode to judge.
    #[cfg(unix)]
    pub fn check_mode(file: &File, path: &Path) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let found = file.metadata().map_err(|error| io(path, &error))?;
        let mode = found.permissions().mode() & 0o777;
        if !found.is_file() || mode & 0o077 == 0 {
            return Ok(());
        }
        let what = format!("the key file {:.80} has mode {mode:04o}", path.display());
        Err(Error::new(Code::KeyPermissions, what))
    }

    /// Other systems keep this in lists that are not looked at.
    #[cfg(not(unix))]
    pub fn check_mode(_: &File, _: &Path) -> Result<()> {
        Ok(())
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }
}

fn io(path: &Path, error: &std::io::Error) -> Error {
    let full = error.kind() == std::io::ErrorKind::StorageFull;
    let code = if full { Code::DiskFull } else { Code::Io };
    Error::new(code, format!("the key file {:.80}: {error}", path.display()))
}
