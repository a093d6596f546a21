//! What the vendor's desk needs: webhooks and their deliveries, the audit log, sessions, figures of
//! each day, and what licenses are searched in.

use super::m0001_schema::{index, table, unique};
use crate::store::audit;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, string, string_null, text, text_null, uuid, uuid_null,
};

/// The step.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0002_desk"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [webhooks(), deliveries(), audit(), audit_heads(), sessions(), figures()] {
            manager.create_table(table).await?;
        }
        audit::close(manager.get_connection()).await?;
        manager.alter_table(search()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("what was made for the desk stays".to_string()))
    }
}

fn webhooks() -> TableCreateStatement {
    table(
        "webhooks",
        vec![
            uuid("id"),
            uuid("organization_id"),
            string("url"),
            text_null("description"),
            // Words with spaces between; empty = every kind of event.
            text("kinds"),
            // Of one product only.
            uuid_null("product_id"),
            boolean("enabled"),
            // Why it is not, where nobody said so.
            string_null("disabled_why"),
            // The secret and the private key that sign, sealed, and the public key; and those
            // before them, until when.
            text("sealed"),
            string("public_key"),
            text_null("sealed_before"),
            string_null("public_key_before"),
            big_integer_null("before_until"),
            // Since when nothing arrives.
            big_integer_null("failing_since"),
            // Events up to this number were there before it.
            big_integer("after_event"),
            big_integer("created_at"),
            big_integer("updated_at"),
        ],
        &["id"],
    )
}

fn deliveries() -> TableCreateStatement {
    table(
        "deliveries",
        vec![
            uuid("id"),
            uuid("organization_id"),
            uuid("webhook_id"),
            uuid("event_id"),
            string("kind"),
            string("subject"),
            // What is sent, byte for byte the same each time.
            text("body"),
            // waiting, delivered, dead.
            string("state"),
            // How often it was tried since somebody last asked for it, and each try: an array.
            big_integer("tries"),
            text("tries_json"),
            big_integer_null("next_at"),
            big_integer_null("claimed_until"),
            big_integer("created_at"),
            big_integer_null("finished_at"),
        ],
        &["id"],
    )
}

fn audit() -> TableCreateStatement {
    table(
        "audit",
        vec![
            uuid("organization_id"),
            // From 1, without gaps.
            big_integer("seq"),
            big_integer("created_at"),
            // Who: the id of an API key, an installation, a word; and what it was called then.
            string("actor"),
            string_null("actor_name"),
            // What, such as license.revoked, and to what: its id, and what it was called then.
            string("action"),
            string("subject"),
            string_null("subject_name"),
            // From where.
            string_null("remote"),
            string_null("request_id"),
            text("detail_json"),
            // SHA-256 in hexadecimal of the entry before, and of this one with it.
            string("previous"),
            string("hash"),
        ],
        &["organization_id", "seq"],
    )
}

/// Where each organization's log ends.
fn audit_heads() -> TableCreateStatement {
    table(
        "audit_heads",
        vec![uuid("organization_id"), big_integer("seq"), string("hash")],
        &["organization_id"],
    )
}

fn sessions() -> TableCreateStatement {
    table(
        "sessions",
        vec![
            // SHA-256 of what the cookie holds, in hexadecimal.
            string("digest"),
            uuid("organization_id"),
            uuid("api_key_id"),
            string_null("remote"),
            big_integer("created_at"),
            big_integer("last_seen_at"),
            big_integer("expires_at"),
        ],
        &["digest"],
    )
}

/// What charts are drawn from: one number for each day.
fn figures() -> TableCreateStatement {
    table(
        "figures",
        vec![
            uuid("organization_id"),
            // Such as licenses_active, syncs, usage.
            string("metric"),
            uuid("product_id"),
            // Of usage: the feature; otherwise empty.
            string("label"),
            // Its first second (UTC).
            big_integer("day"),
            big_integer("value"),
            big_integer("updated_at"),
        ],
        &["organization_id", "metric", "product_id", "label", "day"],
    )
}

/// Serial number, customer's id, address and name in lower case, a line each. It is filled beside
/// the work of the server, which knows the letters of all languages.
fn search() -> TableAlterStatement {
    Table::alter().table("licenses").add_column(text("search").default("")).take()
}

/// What reports group licenses by, and what they sum up.
const LICENSES_DAYS: [&str; 7] = [
    "organization_id",
    "product_id",
    "created_at",
    "revoked_at",
    "suspended_at",
    "valid_until",
    "max_seats",
];

/// What is asked for beside a text.
const LICENSES_SEARCH: [&str; 8] = [
    "organization_id",
    "id",
    "search",
    "product_id",
    "revoked_at",
    "suspended_at",
    "valid_until",
    "key_hint",
];

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("webhooks_organization", "webhooks", &["organization_id", "id"]),
        unique("deliveries_event", "deliveries", &["webhook_id", "event_id"]),
        index("deliveries_due", "deliveries", &["webhook_id", "next_at"]),
        index("deliveries_webhook", "deliveries", &["webhook_id", "id"]),
        index("deliveries_all", "deliveries", &["organization_id", "id"]),
        index("deliveries_state", "deliveries", &["state", "organization_id", "id"]),
        // What each webhook has in a state is counted in it alone, without the rows.
        index("deliveries_standing", "deliveries", &["state", "webhook_id", "id"]),
        index("deliveries_finished", "deliveries", &["finished_at"]),
        index("audit_action", "audit", &["organization_id", "action", "seq"]),
        index("audit_actor", "audit", &["organization_id", "actor", "seq"]),
        index("audit_subject", "audit", &["organization_id", "subject", "seq"]),
        // Texts are searched in it alone, without the rows.
        index("licenses_search", "licenses", &LICENSES_SEARCH),
        // Those that are not filled yet: in the end there are none.
        index("licenses_unsearched", "licenses", &["id"])
            .and_where(Expr::cust("search = ''"))
            .take(),
        // What reports count, without the rows.
        index("licenses_days", "licenses", &LICENSES_DAYS),
        index(
            "activations_days",
            "activations",
            &["organization_id", "created_at", "deactivated_at", "license_id"],
        ),
        // What people look for.
        index("activations_machines", "activations", &["organization_id", "machine_id", "id"]),
        index("seats_holders", "seats", &["organization_id", "holder", "id"]),
        index("seats_live", "seats", &["organization_id", "expires_at", "license_id"]),
        index("sessions_key", "sessions", &["api_key_id"]),
        index("sessions_end", "sessions", &["expires_at"]),
    ]
}
