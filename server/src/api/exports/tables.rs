//! What there is as a table, and how its next page is read: after the last row of the page before,
//! so that what is added or taken away meanwhile moves nothing.

use super::stream::{ROWS, Row, Rows, row};
use crate::api::Shared;
use crate::api::activations::Activation;
use crate::api::events::Event;
use crate::api::licenses::shown;
use crate::api::seats::Seat;
use crate::api::usage::Used;
use crate::api::{Page, audit::AuditEntry, deliveries::Delivery};
use crate::error::Result;
use crate::store::{activations, audit, deliveries, events, licenses, seats, usage};
use sea_orm::prelude::Uuid;
use serde_json::Value;

/// Licenses whose usage is read at a time.
const LICENSES: u64 = 100;

/// Licenses, the newest first.
pub struct Licenses {
    pub organization: Uuid,
    pub filter: licenses::Filter,
    pub now: i64,
    pub after: Option<Uuid>,
}

impl Rows for Licenses {
    const NAME: &'static str = "licenses";

    const COLUMNS: &'static [&'static str] = &[
        "id",
        "product_id",
        "product_code",
        "product_name",
        "serial",
        "license_type",
        "policy_id",
        "customer_id",
        "customer_email",
        "customer_name",
        "status",
        "valid_from",
        "valid_until",
        "features",
        "max_seats",
        "max_machines",
        "license_key_hint",
        "created_at",
        "updated_at",
        "suspended_at",
        "revoked_at",
        "reason",
    ];

    async fn next(&mut self, server: &Shared) -> Result<Option<Vec<Row>>> {
        let store = server.store.slow();
        let rows = licenses::next(store, self.organization, &self.filter, self.after, ROWS).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        self.after = Some(last.id);
        let shown = shown(server, self.organization, &rows, self.now).await?;
        Ok(Some(shown.iter().map(row).collect()))
    }
}

/// Activations, the newest first.
pub struct Activations {
    pub organization: Uuid,
    pub filter: activations::Filter,
    pub after: Option<Uuid>,
}

impl Rows for Activations {
    const NAME: &'static str = "activations";

    const COLUMNS: &'static [&'static str] = &[
        "id",
        "license_id",
        "installation",
        "machine",
        "sdk",
        "remote",
        "active",
        "created_at",
        "last_seen_at",
        "deactivated_at",
        "deactivated_by",
    ];

    async fn next(&mut self, server: &Shared) -> Result<Option<Vec<Row>>> {
        let (store, organization) = (server.store.slow(), self.organization);
        let rows = activations::next(store, organization, &self.filter, self.after, ROWS).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        self.after = Some(last.id);
        Ok(Some(rows.iter().map(|it| row(&Activation::of(it))).collect()))
    }
}

/// Seats that are taken, the newest first.
pub struct Seats {
    pub organization: Uuid,
    pub filter: seats::Filter,
    pub now: i64,
    pub after: Option<Uuid>,
}

impl Rows for Seats {
    const NAME: &'static str = "seats";

    const COLUMNS: &'static [&'static str] = &[
        "id",
        "license_id",
        "seat",
        "holder",
        "installation",
        "borrowed",
        "acquired_at",
        "renewed_at",
        "expires_at",
    ];

    async fn next(&mut self, server: &Shared) -> Result<Option<Vec<Row>>> {
        let Seats { organization, filter, now, after } = self;
        let store = server.store.slow();
        let rows = seats::next(store, *organization, filter, *now, *after, ROWS).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        *after = Some(last.id);
        Ok(Some(rows.iter().map(|it| row(&Seat::of(it))).collect()))
    }
}

/// What was used, by license.
pub struct Usage {
    pub organization: Uuid,
    pub product: Option<Uuid>,
    pub filter: usage::Filter,
    pub after: Option<Uuid>,
}

impl Rows for Usage {
    const NAME: &'static str = "usage";

    const COLUMNS: &'static [&'static str] =
        &["license_id", "feature", "kind", "from", "used", "activations"];

    async fn next(&mut self, server: &Shared) -> Result<Option<Vec<Row>>> {
        let (store, organization) = (server.store.slow(), self.organization);
        let (sums, last) =
            usage::next(store, organization, self.product, &self.filter, (self.after, LICENSES))
                .await?;
        if last.is_none() {
            return Ok(None);
        }
        self.after = last;
        let of = |(license, sum): (Uuid, usage::Sum)| {
            let mut row = row(&Used::of(sum));
            row.insert("license_id".to_string(), Value::from(license.to_string()));
            row
        };
        Ok(Some(sums.into_iter().map(of).collect()))
    }
}

/// Events, the newest first.
pub struct Events {
    pub organization: Uuid,
    pub filter: events::Filter,
}

impl Rows for Events {
    const NAME: &'static str = "events";

    const COLUMNS: &'static [&'static str] =
        &["id", "kind", "subject", "created_at", "actor", "request_id", "data"];

    async fn next(&mut self, server: &Shared) -> Result<Option<Vec<Row>>> {
        let (store, organization) = (server.store.slow(), self.organization);
        let rows = events::list(store, organization, &self.filter, ROWS).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        self.filter.before = Some(last.seq);
        Ok(Some(rows.iter().map(|it| row(&Event::of(it))).collect()))
    }
}

/// The audit log, the oldest first.
pub struct Audit {
    pub organization: Uuid,
    pub filter: audit::Filter,
    pub after: Option<i64>,
}

impl Rows for Audit {
    const NAME: &'static str = "audit";

    /// What is hashed, in its order, and the hash.
    const COLUMNS: &'static [&'static str] = &[
        "organization_id",
        "seq",
        "created_at",
        "actor",
        "actor_name",
        "action",
        "subject",
        "subject_name",
        "remote",
        "request_id",
        "detail",
        "previous",
        "hash",
    ];

    async fn next(&mut self, server: &Shared) -> Result<Option<Vec<Row>>> {
        let (store, organization) = (server.store.slow(), self.organization);
        let rows = audit::meant(store, organization, &self.filter, self.after, ROWS).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        self.after = Some(last.seq);
        let of = |it: &audit::Model| {
            let mut row = row(&AuditEntry::of(it));
            row.insert("organization_id".to_string(), Value::from(it.organization_id.to_string()));
            // As it is hashed, letter for letter.
            row.insert("detail".to_string(), Value::from(it.detail_json.as_str()));
            row
        };
        Ok(Some(rows.iter().map(of).collect()))
    }
}

/// Deliveries, the newest first.
pub struct Deliveries {
    pub organization: Uuid,
    pub filter: deliveries::Filter,
    pub after: Option<Uuid>,
}

impl Rows for Deliveries {
    const NAME: &'static str = "deliveries";

    const COLUMNS: &'static [&'static str] = &[
        "id",
        "webhook_id",
        "event_id",
        "kind",
        "subject",
        "state",
        "tries",
        "last_status",
        "last_error",
        "created_at",
        "next_at",
        "finished_at",
    ];

    async fn next(&mut self, server: &Shared) -> Result<Option<Vec<Row>>> {
        let (store, organization) = (server.store.slow(), self.organization);
        let page = Page { limit: ROWS, offset: 0, after: self.after };
        let rows = deliveries::list(store, organization, &self.filter, page).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        self.after = Some(last.id);
        Ok(Some(rows.iter().map(|it| row(&Delivery::of(it))).collect()))
    }
}
