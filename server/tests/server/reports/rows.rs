//! A slow, plain recount of rows.

use super::day_of;
use crate::support::Site;
use licentia_server::store::{activations, events, licenses, seats, usage};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::BTreeMap;

/// All rows of an organization.
pub struct Rows {
    pub licenses: Vec<licenses::Model>,
    pub activations: Vec<activations::Model>,
    pub seats: Vec<seats::Model>,
    pub usage: Vec<usage::Model>,
    pub syncs: Vec<events::Model>,
}

impl Rows {
    pub fn read(site: &Site, organization: Uuid) -> Rows {
        let store = site.server.store.read();
        site.wait(async {
            let of = licenses::Column::OrganizationId.eq(organization);
            let sync = events::Column::Kind.eq("license.sync");
            let events = events::Entity::find().filter(sync);
            let of_events = events::Column::OrganizationId.eq(organization);
            Rows {
                licenses: licenses::Entity::find().filter(of).all(store).await.unwrap(),
                activations: activations::Entity::find()
                    .filter(activations::Column::OrganizationId.eq(organization))
                    .all(store)
                    .await
                    .unwrap(),
                seats: seats::Entity::find()
                    .filter(seats::Column::OrganizationId.eq(organization))
                    .all(store)
                    .await
                    .unwrap(),
                usage: usage::Entity::find()
                    .filter(usage::Column::OrganizationId.eq(organization))
                    .all(store)
                    .await
                    .unwrap(),
                syncs: events.filter(of_events).all(store).await.unwrap(),
            }
        })
    }

    /// The same rows, of one product.
    pub fn of(mut self, product: Option<Uuid>) -> Rows {
        let Some(product) = product else { return self };
        let of: BTreeMap<Uuid, Uuid> =
            self.licenses.iter().map(|row| (row.id, row.product_id)).collect();
        let is = |license: &Uuid| of[license] == product;
        self.activations.retain(|row| is(&row.license_id));
        self.seats.retain(|row| is(&row.license_id));
        self.usage.retain(|row| is(&row.license_id));
        self.syncs.retain(|row| is(&row.subject.parse().unwrap()));
        self.licenses.retain(|row| row.product_id == product);
        self
    }

    /// How many licenses have a status at a time.
    pub fn with_status(&self, status: &str, now: i64) -> usize {
        let is = |row: &&licenses::Model| {
            let ended = row.valid_until.is_some_and(|until| until <= now);
            status
                == match (row.revoked_at, row.suspended_at, ended) {
                    (Some(_), _, _) => "revoked",
                    (_, Some(_), _) => "suspended",
                    (_, _, true) => "expired",
                    _ => "active",
                }
        };
        self.licenses.iter().filter(is).count()
    }

    pub fn seats_in_use(&self, now: i64) -> usize {
        self.seats.iter().filter(|row| row.expires_at > now).count()
    }

    /// How many times of these are on a day.
    pub fn on<'a>(times: impl IntoIterator<Item = Option<i64>> + 'a, day: i64) -> usize {
        times.into_iter().flatten().filter(|at| day_of(*at) == day).count()
    }

    /// What each metric is on the day of a time, as this moment knows it.
    pub fn figures(&self, now: i64) -> BTreeMap<&'static str, i64> {
        let day = day_of(now);
        let granted: i64 = self
            .licenses
            .iter()
            .filter(|row| row.revoked_at.is_none() && row.suspended_at.is_none())
            .filter(|row| row.valid_until.is_none_or(|until| until > now))
            .map(|row| row.max_seats)
            .sum();
        let (licenses, activations) = (&self.licenses, &self.activations);
        let live = activations.iter().filter(|row| row.deactivated_at.is_none()).count();
        let syncs = self.syncs.iter().map(|row| Some(row.created_at));
        let count = |number: usize| i64::try_from(number).unwrap();
        BTreeMap::from([
            ("licenses_active", count(self.with_status("active", now))),
            ("licenses_suspended", count(self.with_status("suspended", now))),
            ("licenses_expired", count(self.with_status("expired", now))),
            (
                "licenses_created",
                count(Rows::on(licenses.iter().map(|row| Some(row.created_at)), day)),
            ),
            ("licenses_revoked", count(Rows::on(licenses.iter().map(|row| row.revoked_at), day))),
            ("activations", count(live)),
            (
                "activations_new",
                count(Rows::on(activations.iter().map(|row| Some(row.created_at)), day)),
            ),
            (
                "activations_ended",
                count(Rows::on(activations.iter().map(|row| row.deactivated_at), day)),
            ),
            ("seats_in_use", count(self.seats_in_use(now))),
            ("seats_granted", granted),
            ("syncs", count(Rows::on(syncs, day))),
        ])
    }

    /// Feature, kind and period, and what was used.
    pub fn used(&self) -> BTreeMap<(String, String, i64), i64> {
        let mut each: BTreeMap<(Uuid, String, String, i64), i64> = BTreeMap::new();
        for row in &self.usage {
            let key = (row.activation_id, row.feature.clone(), row.kind.clone(), row.period);
            let total = each.entry(key).or_default();
            match ["level", "distinct"].contains(&row.kind.as_str()) {
                true => *total = row.used.max(*total),
                false => *total += row.used,
            }
        }
        let mut all = BTreeMap::new();
        for ((_, feature, kind, period), used) in each {
            let period = if kind == "hour" { day_of(period) } else { period };
            *all.entry((feature, kind, period)).or_default() += used;
        }
        all
    }
}
