//! What a webhook signs with: a secret that the receiver has too, and a private key. Both are kept
//! sealed, and both sign every time, so that a receiver may verify whichever it can.

use crate::error::{Code, Error, Result};
use crate::store::webhooks;
use crate::vault::Vault;
use licentia::webhook::SigningKey;
use sea_orm::prelude::Uuid;
use zeroize::Zeroizing;

/// The secret and the private key of one webhook.
pub struct Secrets {
    hmac: SigningKey,
    ed25519: SigningKey,
}

impl Secrets {
    /// New ones.
    pub fn generate() -> Result<Secrets> {
        Ok(Secrets {
            hmac: SigningKey::generate_symmetric()?,
            ed25519: SigningKey::generate_ed25519()?,
        })
    }

    /// The secret as its receiver gets it: `whsec_…`. It is told once.
    pub fn secret(&self) -> Zeroizing<String> {
        self.hmac.verifier()
    }

    /// The public key: `whpk_…`.
    pub fn public_key(&self) -> String {
        self.ed25519.verifier().to_string()
    }

    /// Seals them as those of a webhook: they open as no other's.
    pub fn seal(&self, vault: &Vault, webhook: Uuid) -> Result<String> {
        let text = Zeroizing::new(format!("{} {}", *self.hmac.to_text(), *self.ed25519.to_text()));
        vault.seal(&label(webhook), text.as_bytes())
    }

    /// Opens those of a webhook. Fails with `setup` under another master key.
    pub fn open(vault: &Vault, webhook: Uuid, sealed: &str) -> Result<Secrets> {
        let wrong = || Error::new(Code::Internal, "What signs for a webhook cannot be read");
        let text = vault.open(&label(webhook), sealed)?;
        let text = std::str::from_utf8(&text).map_err(|_| wrong())?;
        let (hmac, ed25519) = text.split_once(' ').ok_or_else(wrong)?;
        let parse = |text: &str| SigningKey::parse(text).map_err(|_| wrong());
        Ok(Secrets { hmac: parse(hmac)?, ed25519: parse(ed25519)? })
    }
}

/// As what those of a webhook are sealed.
pub fn label(webhook: Uuid) -> String {
    format!("webhook {webhook}")
}

/// What signs for a webhook at a time: its own, and those before them while both do.
pub fn signing(vault: &Vault, row: &webhooks::Model, now: i64) -> Result<Vec<SigningKey>> {
    let own = Secrets::open(vault, row.id, &row.sealed)?;
    let mut keys = vec![own.hmac, own.ed25519];
    let before = row.before_until.is_some_and(|until| now < until);
    if let Some(sealed) = row.sealed_before.as_deref().filter(|_| before) {
        let before = Secrets::open(vault, row.id, sealed)?;
        keys.extend([before.hmac, before.ed25519]);
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_signs_opens_for_its_webhook_and_no_other() {
        let vault = Vault::new(&Zeroizing::new([7; 32]));
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let made = Secrets::generate().unwrap();
        assert!(made.secret().starts_with("whsec_") && made.public_key().starts_with("whpk_"));
        let sealed = made.seal(&vault, one).unwrap();
        let opened = Secrets::open(&vault, one, &sealed).unwrap();
        assert_eq!(opened.secret(), made.secret());
        assert_eq!(opened.public_key(), made.public_key());
        let wrong = Secrets::open(&vault, other, &sealed).err().map(|error| error.code());
        assert_eq!(wrong, Some(Code::Setup));
        assert_ne!(Secrets::generate().unwrap().secret(), made.secret());
    }
}
