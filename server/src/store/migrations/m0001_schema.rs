//! The first schema. Times are seconds since 1970; what is called `…_json` is JSON as text.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, string, string_null, text, text_null, uuid,
    uuid_null,
};

/// The step.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_schema"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let groups = [tenants(), keys(), catalog(), licenses(), field(), counted(), records()];
        for table in groups.into_iter().flatten() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the first schema has nothing before it".to_string()))
    }
}

pub(super) fn table(
    name: &'static str,
    columns: Vec<ColumnDef>,
    key: &[&'static str],
) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for mut column in columns {
        table.col(&mut column);
    }
    let mut primary = Index::create();
    for column in key {
        primary.col(*column);
    }
    table.primary_key(&mut primary);
    table.take()
}

fn tenants() -> Vec<TableCreateStatement> {
    vec![
        // One row per fact about the whole: the check of the master key, the time of the last
        // signature.
        table("meta", vec![string("name"), text("value")], &["name"]),
        table(
            "organizations",
            vec![
                uuid("id"),
                string("name"),
                // The `iss` of what it signs.
                string("issuer"),
                big_integer("created_at"),
                big_integer("updated_at"),
            ],
            &["id"],
        ),
        table(
            "api_keys",
            vec![
                uuid("id"),
                uuid("organization_id"),
                string("name"),
                // The last characters, for people.
                string("hint"),
                // SHA-256 in hexadecimal: a key has 256 random bits and needs no slow hash.
                string("digest"),
                // Words with spaces between.
                string("scopes"),
                big_integer("created_at"),
                big_integer_null("expires_at"),
                big_integer_null("revoked_at"),
                big_integer_null("last_used_at"),
            ],
            &["id"],
        ),
    ]
}

fn keys() -> Vec<TableCreateStatement> {
    vec![
        table(
            "key_pairs",
            vec![
                uuid("id"),
                uuid("organization_id"),
                string("name"),
                // Rises with every change of its keys.
                big_integer("epoch"),
                big_integer("created_at"),
                big_integer("updated_at"),
            ],
            &["id"],
        ),
        table(
            "signing_keys",
            vec![
                uuid("id"),
                uuid("organization_id"),
                uuid("key_pair_id"),
                string("kid"),
                // `ed25519:` and 43 characters.
                string("public_key"),
                // Words with spaces between: root, license, server.
                string("roles"),
                // active, retired, compromised.
                string("state"),
                // The private half, under the master key.
                text("sealed"),
                big_integer("created_at"),
                big_integer_null("retired_at"),
                big_integer_null("compromised_at"),
            ],
            &["id"],
        ),
        // Signed and versioned: key sets and revocation lists.
        table(
            "documents",
            vec![
                uuid("organization_id"),
                uuid("product_id"),
                // keys, revocations.
                string("kind"),
                big_integer("version"),
                text("token"),
                // SHA-256 of the token in base64url.
                string("sha256"),
                big_integer("created_at"),
            ],
            &["product_id", "kind", "version"],
        ),
    ]
}

fn catalog() -> Vec<TableCreateStatement> {
    vec![
        table(
            "products",
            vec![
                uuid("id"),
                uuid("organization_id"),
                string("name"),
                string("code"),
                text_null("description"),
                text("default_features_json"),
                big_integer("default_valid_days"),
                uuid_null("key_pair_id"),
                // Rises with every revocation: max(previous + 1, now in microseconds).
                big_integer("revocations_version"),
                big_integer("created_at"),
                big_integer("updated_at"),
            ],
            &["id"],
        ),
        table(
            "policies",
            vec![
                uuid("id"),
                uuid("organization_id"),
                uuid_null("product_id"),
                string("name"),
                // What a license made from it begins with.
                text("template_json"),
                big_integer("created_at"),
                big_integer("updated_at"),
            ],
            &["id"],
        ),
    ]
}

fn licenses() -> Vec<TableCreateStatement> {
    vec![table(
        "licenses",
        vec![
            uuid("id"),
            uuid("organization_id"),
            uuid("product_id"),
            uuid_null("policy_id"),
            string("serial"),
            string("license_type"),
            string_null("customer_id"),
            string_null("customer_email"),
            // In lower case, to search in.
            string_null("customer_email_lower"),
            string_null("customer_name"),
            big_integer("valid_from"),
            big_integer_null("valid_until"),
            // Features as in the format: an array of objects.
            text("features_json"),
            big_integer("max_seats"),
            big_integer_null("max_machines"),
            // As it was given.
            text_null("hardware_binding_json"),
            // Stages, notice, refresh and contact days, borrowing, transfers, metadata.
            text("terms_json"),
            // The newest token, its jti and when it was signed.
            text("token"),
            string("token_id"),
            big_integer("token_at"),
            // SHA-256 of the license key in hexadecimal, and its last group.
            string_null("key_digest"),
            string_null("key_hint"),
            big_integer_null("suspended_at"),
            big_integer_null("revoked_at"),
            string_null("reason"),
            big_integer("transfers"),
            // Of its end: 0 = nothing, 1 = that it comes soon, 2 = that it came.
            big_integer("announced"),
            big_integer("created_at"),
            big_integer("updated_at"),
        ],
        &["id"],
    )]
}

fn field() -> Vec<TableCreateStatement> {
    vec![table(
        "activations",
        vec![
            uuid("id"),
            uuid("organization_id"),
            uuid("license_id"),
            // The id of the installation.
            uuid("installation"),
            // The pinned key: `ed25519:` and 43 characters.
            string("public_key"),
            // The machine report of the request, and its short id.
            text_null("machine_json"),
            string_null("machine_id"),
            string_null("sdk"),
            string_null("remote"),
            // The token that is bound to it; empty where the license binds nowhere.
            text_null("token"),
            string_null("token_id"),
            big_integer_null("token_at"),
            // The license's own token when it was signed: another one says that the license
            // was changed since.
            string_null("token_of"),
            // Of the last answer.
            big_integer("seq"),
            // What is known of its ledger.
            text("ledger_json"),
            big_integer("created_at"),
            big_integer("last_seen_at"),
            // Since when the machine is free again, and who freed it: client, vendor,
            // replaced.
            big_integer_null("deactivated_at"),
            string_null("deactivated_by"),
            // The requests that freed it, so that none frees it twice: words with spaces.
            text("spent"),
        ],
        &["id"],
    )]
}

fn counted() -> Vec<TableCreateStatement> {
    vec![
        // The last plain report of one machine.
        table(
            "reports",
            vec![
                uuid("organization_id"),
                uuid("license_id"),
                string("fingerprint"),
                string_null("app_version"),
                text("features_json"),
                big_integer_null("seats_in_use"),
                big_integer("count"),
                big_integer("created_at"),
                big_integer("last_seen_at"),
            ],
            &["license_id", "fingerprint"],
        ),
        // Licenses that a signed list names as revoked, and that are not here.
        table(
            "withdrawn",
            vec![
                uuid("organization_id"),
                uuid("product_id"),
                uuid("license_id"),
                big_integer("created_at"),
            ],
            &["product_id", "license_id"],
        ),
        // Totals, never sums: the highest that was reported.
        table(
            "usage",
            vec![
                uuid("organization_id"),
                uuid("license_id"),
                uuid("activation_id"),
                string("feature"),
                string("kind"),
                // The first second of the period; -1 = of all that were too many to keep.
                big_integer("period"),
                // How often the ledger had been lost when it was counted.
                big_integer("lost"),
                big_integer("used"),
                big_integer("updated_at"),
            ],
            &["activation_id", "feature", "kind", "period", "lost"],
        ),
        // A seat that is or was taken: a row is taken over by the next holder.
        table(
            "seats",
            vec![
                uuid("organization_id"),
                uuid("license_id"),
                // From 1 to the license's `max_seats`.
                big_integer("seat"),
                // Of the lease: what heartbeat and release name.
                uuid("id"),
                string("holder"),
                uuid_null("installation"),
                uuid_null("activation_id"),
                boolean("borrowed"),
                big_integer("acquired_at"),
                big_integer("renewed_at"),
                big_integer("expires_at"),
                big_integer_null("released_at"),
            ],
            &["license_id", "seat"],
        ),
    ]
}

fn records() -> Vec<TableCreateStatement> {
    let mut sequence = ColumnDef::new("seq");
    sequence.big_integer().not_null().auto_increment().primary_key();
    let mut events = Table::create();
    events.table("events").col(&mut sequence);
    for mut column in [
        uuid("id"),
        uuid("organization_id"),
        // Such as license.created.
        string("kind"),
        string("subject"),
        text("data_json"),
        // Who did it: the id of an API key, of an activation, or a word.
        string("actor"),
        string_null("request_id"),
        big_integer("created_at"),
        big_integer_null("claimed_until"),
        big_integer_null("delivered_at"),
    ] {
        events.col(&mut column);
    }
    vec![
        events.take(),
        table(
            "idempotency",
            vec![
                uuid("organization_id"),
                // SHA-256 of who asked and the key they sent.
                string("digest"),
                // SHA-256 of method, path and body.
                string("request"),
                integer("status"),
                text("headers_json"),
                text("body"),
                big_integer("created_at"),
            ],
            &["organization_id", "digest"],
        ),
    ]
}

pub(super) fn index(
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index.take()
}

pub(super) fn unique(
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> IndexCreateStatement {
    index(name, table, columns).unique().take()
}

/// What a list of licenses is filtered by, after the id or the product.
const fn licenses_list(first: &'static str) -> [&'static str; 7] {
    let second = if first.len() == 2 { "product_id" } else { "id" };
    let email = "customer_email_lower";
    ["organization_id", first, second, "revoked_at", "suspended_at", "valid_until", email]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("api_keys_digest", "api_keys", &["digest"]),
        index("api_keys_organization", "api_keys", &["organization_id", "id"]),
        index("key_pairs_organization", "key_pairs", &["organization_id", "id"]),
        unique("signing_keys_kid", "signing_keys", &["organization_id", "kid"]),
        index("signing_keys_pair", "signing_keys", &["key_pair_id"]),
        unique("products_code", "products", &["organization_id", "code"]),
        index("products_organization", "products", &["organization_id", "id"]),
        index("policies_organization", "policies", &["organization_id", "id"]),
        unique("licenses_serial", "licenses", &["organization_id", "serial"]),
        unique("licenses_key", "licenses", &["key_digest"]),
        // Lists are counted and their pages found in these alone, without the rows.
        index("licenses_list", "licenses", &licenses_list("id")),
        index("licenses_product", "licenses", &licenses_list("product_id")),
        index(
            "licenses_status",
            "licenses",
            &["organization_id", "revoked_at", "suspended_at", "valid_until", "product_id"],
        ),
        index("licenses_customer", "licenses", &["organization_id", "customer_id", "id"]),
        index("licenses_revoked", "licenses", &["organization_id", "revoked_at", "product_id"]),
        index("licenses_until", "licenses", &["organization_id", "valid_until", "id"]),
        index("licenses_announced", "licenses", &["announced", "valid_until"]),
        unique("activations_license", "activations", &["license_id", "installation"]),
        index("activations_machine", "activations", &["license_id", "machine_id"]),
        index(
            "activations_installation",
            "activations",
            &["organization_id", "installation", "last_seen_at"],
        ),
        index("activations_organization", "activations", &["organization_id", "id"]),
        index("usage_license", "usage", &["organization_id", "license_id"]),
        unique("seats_id", "seats", &["id"]),
        index("seats_holder", "seats", &["license_id", "holder"]),
        index("seats_taken", "seats", &["license_id", "expires_at"]),
        index("seats_organization", "seats", &["organization_id", "id"]),
        unique("events_id", "events", &["id"]),
        index("events_organization", "events", &["organization_id", "seq"]),
        index("events_kind", "events", &["organization_id", "kind", "seq"]),
        index("events_subject", "events", &["organization_id", "subject", "seq"]),
        index("events_undelivered", "events", &["delivered_at", "seq"]),
        index("idempotency_age", "idempotency", &["created_at"]),
    ]
}
