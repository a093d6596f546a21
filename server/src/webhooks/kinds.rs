//! Every kind of event that there is.

/// A kind of event, and when there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Such as `license.created`. It never changes.
    pub name: &'static str,
    /// When there is one.
    pub when: &'static str,
}

const fn kind(name: &'static str, when: &'static str) -> Kind {
    Kind { name, when }
}

/// What a test of a webhook sends.
pub const TEST: &str = "webhook.test";

/// Every one but [`TEST`], which is sent to whom it tests and to nobody else.
pub const KINDS: &[Kind] = &[
    kind("license.created", "A license was made"),
    kind("license.updated", "A license was changed"),
    kind("license.renewed", "A license has a later end"),
    kind("license.reissued", "A license was signed anew"),
    kind("license.suspended", "A license was suspended"),
    kind("license.reinstated", "A suspended license counts again"),
    kind("license.revoked", "A license was revoked, for ever"),
    kind("license.expiring_soon", "A license ends in seven days or less"),
    kind("license.expired", "A license has ended"),
    kind("license.activated", "A license was activated on a machine"),
    kind("license.sync", "A product that has a license reported"),
    kind("activation.created", "An installation was activated"),
    kind("activation.replaced", "An installation took the place of another"),
    kind("activation.deactivated", "An installation gave its license back, or lost it"),
    kind("activation.forked", "An installation reports from two places by turns"),
    kind("activation.clone_suspected", "An installation seems to be a copy of another"),
    kind("seat.acquired", "Somebody has taken a seat"),
    kind("seat.released", "Somebody has given a seat back"),
    kind("seat.freed", "A seat was taken from whoever had it"),
    kind("product.created", "A product was made"),
    kind("product.updated", "A product was changed"),
    kind("product.deleted", "A product was deleted"),
    kind("product.revocations_adopted", "Revocations of a lost server were taken over"),
    kind("policy.created", "A policy was made"),
    kind("policy.updated", "A policy was changed"),
    kind("policy.deleted", "A policy was deleted"),
    kind("key_pair.created", "A key pair was made"),
    kind("key_pair.updated", "A key pair was changed"),
    kind("key_pair.rotated", "A key pair has new signing keys"),
    kind("key_pair.deleted", "A key pair was deleted"),
    kind("key.retired", "A signing key signs no more"),
    kind("key.compromised", "A signing key was said to be in other hands"),
    kind("api_key.created", "An API key was made"),
    kind("api_key.revoked", "An API key was revoked"),
    kind("organization.created", "An organization was made"),
    kind("organization.updated", "An organization was changed"),
    kind("organization.deleted", "An organization was deleted"),
    kind("webhook.created", "A webhook was made"),
    kind("webhook.updated", "A webhook was changed"),
    kind("webhook.secret_rotated", "A webhook has a new secret and a new key"),
    kind("webhook.disabled", "A webhook answered that it is gone for ever (410)"),
    kind("webhook.deleted", "A webhook was deleted"),
    kind("server.older_than_clients", "Clients know what this server has forgotten"),
];

/// Whether there is such a kind that can be asked for.
pub fn is_known(name: &str) -> bool {
    KINDS.iter().any(|kind| kind.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// Every text in the code of a folder that looks like a kind of event.
    fn texts(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                texts(&path, found);
                continue;
            }
            if path.extension().is_none_or(|it| it != "rs") || path.ends_with("webhooks/kinds.rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            // What is noted in the audit log alone is no event.
            let other = ["//", "note(", "Entry::by("];
            let lines = code.lines().filter(|line| !other.iter().any(|it| line.contains(it)));
            for word in lines.flat_map(|line| line.split('"').skip(1).step_by(2)) {
                if is_kind(word) {
                    found.insert(word.to_string());
                }
            }
        }
    }

    fn is_kind(word: &str) -> bool {
        let is_word = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        let subjects: BTreeSet<&str> =
            KINDS.iter().filter_map(|kind| Some(kind.name.split_once('.')?.0)).collect();
        word.split_once('.').is_some_and(|(of, what)| subjects.contains(of) && is_word(what))
    }

    #[test]
    fn the_list_has_every_kind_that_is_made_and_no_other() {
        let mut found = BTreeSet::new();
        texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        let known: BTreeSet<String> = KINDS.iter().map(|kind| kind.name.to_string()).collect();
        assert_eq!(known.len(), KINDS.len(), "one is there twice");
        assert_eq!(found, known);
    }

    #[test]
    fn the_docs_have_a_row_for_every_kind() {
        let page = include_str!("../../../docs/server.md");
        let (_, table) = page.split_once("\n### Kinds of events\n").unwrap();
        let rows = table.lines().skip_while(|line| !line.starts_with("| `"));
        let rows: Vec<&str> = rows.take_while(|line| line.starts_with("| `")).collect();
        let wanted: Vec<String> =
            KINDS.iter().map(|kind| format!("| `{}` | {} |", kind.name, kind.when)).collect();
        assert_eq!(rows, wanted);
    }
}
