//! An entry, and how it is chained to the one before.

use crate::error::Result;
use crate::store::{audit, audit_heads, organizations};
use licentia::rfc3339;
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What the first entry is chained to.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// How what is hashed begins: the form of an entry.
const FORM: &str = "licentia-audit-1";

/// What somebody did.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Whose log it is in.
    pub organization: Uuid,
    /// When, in seconds since 1970.
    pub at: i64,
    /// The id of an API key, or a word such as `server`.
    pub actor: String,
    /// What the API key was called then.
    pub actor_name: Option<String>,
    /// Such as `license.revoked`.
    pub action: String,
    /// The id of what it was done to.
    pub subject: String,
    /// What that was called then.
    pub subject_name: Option<String>,
    /// The address that it came from.
    pub remote: Option<String>,
    /// The request that did it.
    pub request_id: Option<String>,
    /// What else there is to say: an object without secrets.
    pub detail: Value,
}

impl Entry {
    /// Of whoever has the database in hand: `command`, or `server` for what it does by itself.
    pub fn by(actor: &str, action: &str, organization: Uuid, at: i64) -> Entry {
        Entry {
            organization,
            at,
            actor: actor.to_string(),
            actor_name: None,
            action: action.to_string(),
            subject: organization.to_string(),
            subject_name: None,
            remote: None,
            request_id: None,
            detail: Value::Object(serde_json::Map::new()),
        }
    }

    fn after(self, head: &audit_heads::Model) -> audit::Model {
        // What is empty is not there: the two have one form.
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        let mut row = audit::Model {
            organization_id: self.organization,
            seq: head.seq.saturating_add(1),
            created_at: self.at,
            actor: self.actor,
            actor_name: some(self.actor_name),
            action: self.action,
            subject: self.subject,
            subject_name: some(self.subject_name),
            remote: some(self.remote),
            request_id: some(self.request_id),
            detail_json: self.detail.to_string(),
            previous: head.hash.clone(),
            hash: String::new(),
        };
        row.hash = hash(&row);
        row
    }
}

/// Adds an entry to its organization's log: as the last thing before the transaction is committed,
/// since nobody else of the organization adds one until then. Gives its number.
pub async fn append(tx: &impl ConnectionTrait, entry: Entry) -> Result<i64> {
    let none = audit_heads::Model {
        organization_id: entry.organization,
        seq: 0,
        hash: GENESIS.to_string(),
    };
    let head = audit_heads::lock(tx, none).await?;
    let row = entry.after(&head);
    let next = audit_heads::Model { seq: row.seq, hash: row.hash.clone(), ..head };
    audit::insert(tx, row).await?;
    audit_heads::set(tx, next.clone()).await?;
    Ok(next.seq)
}

/// The same in the log of every organization, for what concerns the whole server. The subject is
/// the organization.
pub async fn append_to_all(tx: &impl ConnectionTrait, entry: Entry) -> Result<()> {
    // In one order, so that two that do this do not wait for each other.
    for organization in organizations::ids(tx).await? {
        let subject = organization.to_string();
        append(tx, Entry { organization, subject, ..entry.clone() }).await?;
    }
    Ok(())
}

/// What is hashed: a JSON array of texts without blanks between, as RFC 8785 writes it. What an
/// entry does not have is an empty text.
pub fn canonical(row: &audit::Model) -> String {
    let (organization, seq) = (row.organization_id.to_string(), row.seq.to_string());
    let at = rfc3339(row.created_at);
    let or_empty = |text: &'_ Option<String>| text.clone().unwrap_or_default();
    let texts = [
        FORM.to_string(),
        organization,
        seq,
        at,
        row.actor.clone(),
        or_empty(&row.actor_name),
        row.action.clone(),
        row.subject.clone(),
        or_empty(&row.subject_name),
        or_empty(&row.remote),
        or_empty(&row.request_id),
        row.detail_json.clone(),
        row.previous.clone(),
    ];
    serde_json::to_string(&texts).unwrap_or_default()
}

/// SHA-256 of that in hexadecimal.
pub fn hash(row: &audit::Model) -> String {
    Sha256::digest(canonical(row)).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_form_is_the_one_that_is_told() {
        let entry = Entry {
            detail: json!({ "a": "\u{1f}\u{7f}\"ü/" }),
            actor_name: Some("Ann \"A\"\n".to_string()),
            remote: Some(String::new()),
            ..Entry::by("server", "license.created", Uuid::nil(), 0)
        };
        let head =
            audit_heads::Model { organization_id: Uuid::nil(), seq: 6, hash: GENESIS.to_string() };
        let row = entry.after(&head);
        let nil = "00000000-0000-0000-0000-000000000000";
        assert_eq!(
            canonical(&row),
            format!(
                "[\"licentia-audit-1\",\"{nil}\",\"7\",\"1970-01-01T00:00:00Z\",\"server\",\
                 \"Ann \\\"A\\\"\\n\",\"license.created\",\"{nil}\",\"\",\"\",\"\",\
                 \"{{\\\"a\\\":\\\"\\\\u001f\u{7f}\\\\\\\"ü/\\\"}}\",\"{GENESIS}\"]"
            )
        );
        assert_eq!(row.hash.len(), 64);
        assert_eq!(row.remote, None);
    }
}
