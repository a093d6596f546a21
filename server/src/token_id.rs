//! Ids of license tokens that prove themselves. Whoever names one has had a token of that license
//! in hand, however old, and nobody has to remember which there were: not over renewals, and not
//! over a restored backup.

use crate::error::Result;
use crate::vault::Vault;
use sea_orm::prelude::Uuid;
use subtle::ConstantTimeEq;

/// A new id for a token of a license: 38 characters, of which nobody can make another.
pub fn new(vault: &Vault, license: Uuid) -> Result<String> {
    vault.seal(&label(license), &[])
}

/// Whether an id is that of a token of the license: one of these, or one that was made here. It
/// takes as long whichever it is.
pub fn proves(vault: &Vault, license: Uuid, known: &[&str], id: &str) -> bool {
    let same = known.iter().fold(false, |same, known| {
        let equal = !known.is_empty() && bool::from(known.as_bytes().ct_eq(id.as_bytes()));
        same | equal
    });
    vault.open(&label(license), id).is_ok_and(|nothing| nothing.is_empty()) | same
}

fn label(license: Uuid) -> String {
    format!("token of license {license}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    #[test]
    fn an_id_proves_its_own_license_and_no_other() {
        let vault = Vault::new(&Zeroizing::new([7; 32]));
        let (license, other) = (Uuid::now_v7(), Uuid::now_v7());
        let id = new(&vault, license).unwrap();
        assert_eq!(id.len(), 38);
        assert!(proves(&vault, license, &[], &id));
        assert!(!proves(&vault, other, &[], &id));
        assert_ne!(id, new(&vault, license).unwrap());
        // Under another master key it is known only where it is remembered.
        let anew = Vault::new(&Zeroizing::new([8; 32]));
        assert!(!proves(&anew, license, &["", "x"], &id));
        assert!(proves(&anew, license, &["", &id], &id));
        assert!(!proves(&anew, license, &[""], ""));
        for at in 0..id.len() {
            let mut wrong = id.clone().into_bytes();
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert!(!proves(&vault, license, &[&id], &wrong), "{wrong}");
        }
        let sealed = vault.seal("token of license", b"").unwrap();
        assert!(!proves(&vault, license, &[], &sealed));
    }
}
