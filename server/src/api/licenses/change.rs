//! Licenses that become otherwise: changed, renewed, reissued, and their keys replaced.

use super::create::{CUSTOMER_MAX, EMAIL_MAX, template};
use super::grant::{
    COUNT_MAX, Entitlement, LicenseType, changed_terms, combine, defined, end, kind_of,
};
use super::view::{CreatedLicense, License, LicenseWithBlob};
use crate::api::given::{self, Nothing, maybe, maybe_object, some, some_objects};
use crate::api::products::VALID_DAYS_MAX;
use crate::api::{Answer, Caller, Id, Problem, Scope, Server, Shared, Stop, Work, Written};
use crate::binding::HardwareBinding;
use crate::claims::issue;
use crate::error::{Code, Error, Result};
use crate::license_key;
use crate::store::{licenses, products};
use crate::terms::{Moment, Terms};
use axum::extract::State;
use licentia::rfc3339;
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What is to be otherwise. A member that is absent stays as it is; null clears it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LicenseChange {
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = LicenseType)]
    pub(crate) license_type: Option<LicenseType>,
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    pub(crate) customer_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 320)]
    pub(crate) customer_email: Option<Option<String>>,
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    pub(crate) customer_name: Option<Option<String>>,
    /// The ids of all that is enabled from now on.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Vec<String>, max_items = 1024, nullable = false)]
    pub(crate) features: Option<Vec<String>>,
    /// All that is enabled from now on, in full; with `features`, those in full.
    #[serde(default, deserialize_with = "some_objects")]
    #[schema(value_type = Vec<Entitlement>, max_items = 1024, nullable = false)]
    pub(crate) entitlements: Option<Vec<Entitlement>>,
    /// The end, also an earlier one; null = without end.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<Moment>)]
    pub(crate) valid_until: Option<Option<Moment>>,
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = i64, minimum = 1, maximum = 1000000, nullable = false)]
    pub(crate) max_seats: Option<i64>,
    /// Null = as many as there are seats.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1000000)]
    pub(crate) max_machines: Option<Option<i64>>,
    /// Null = anywhere, and node_locked binds at the next activation.
    #[serde(default, deserialize_with = "maybe_object")]
    #[schema(value_type = Option<HardwareBinding>)]
    pub(crate) hardware_binding: Option<Option<HardwareBinding>>,
    /// The terms that change; one that is null is taken away.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Terms)]
    pub(crate) terms: Option<Map<String, Value>>,
}

impl LicenseChange {
    /// Changes the row. Fails with `invalid_argument` for what no license can be.
    pub(crate) fn apply(self, row: &mut licenses::Model, code: &str) -> Result<()> {
        if let Some(id) = self.customer_id {
            given::maybe_line("customer_id", id.as_deref(), CUSTOMER_MAX)?;
            row.customer_id = id;
        }
        if let Some(email) = self.customer_email {
            given::maybe_line("customer_email", email.as_deref(), EMAIL_MAX)?;
            row.customer_email_lower = email.as_ref().map(|email| email.to_lowercase());
            row.customer_email = email;
        }
        if let Some(name) = self.customer_name {
            given::maybe_line("customer_name", name.as_deref(), CUSTOMER_MAX)?;
            row.customer_name = name;
        }
        let granted = match (self.features, self.entitlements) {
            (None, None) => None,
            (None, Some(all)) => Some(combine(&[], all)?),
            (Some(ids), Some(full)) => Some(combine(&ids, full)?),
            (Some(ids), None) => {
                let known = row.features()?.into_iter().map(Entitlement::from);
                Some(defined(&ids, known.collect())?)
            }
        };
        if let Some(granted) = granted {
            row.features_json = serde_json::to_string(&granted).unwrap_or_default();
        }
        if let Some(seats) = self.max_seats {
            given::within("max_seats", Some(seats), 1, COUNT_MAX)?;
            row.max_seats = seats;
        }
        if let Some(machines) = self.max_machines {
            given::within("max_machines", machines, 1, COUNT_MAX)?;
            row.max_machines = machines;
        }
        if let Some(binding) = self.hardware_binding {
            let binding = binding.map(|given| given.complete(code)).transpose()?;
            row.hardware_binding_json =
                binding.and_then(|binding| serde_json::to_string(&binding).ok());
        }
        row.terms_json = changed_terms(&row.terms()?, self.terms)?.json();
        apply_dates(row, self.license_type, self.valid_until)
    }
}

fn apply_dates(
    row: &mut licenses::Model,
    kind: Option<LicenseType>,
    until: Option<Option<Moment>>,
) -> Result<()> {
    if kind.is_none() && until.is_none() {
        return Ok(());
    }
    row.valid_until = match (kind, until) {
        (Some(LicenseType::Perpetual), None) => None,
        (_, Some(until)) => until.map(|at| at.0),
        (_, None) => row.valid_until,
    };
    if row.valid_until.is_some_and(|until| until <= row.valid_from) {
        let from = rfc3339(row.valid_from);
        return Err(Error::invalid(format!("valid_until is after valid_from, {from}")));
    }
    let before = LicenseType::of(&row.license_type);
    let kind = match (kind, before, row.valid_until) {
        (Some(kind), ..) => Some(kind),
        // What was called perpetual for its want of an end has one now.
        (None, Some(LicenseType::Perpetual), Some(_)) => None,
        (None, before, _) => before,
    };
    row.license_type = kind_of(kind, row.valid_until)?.word().to_string();
    Ok(())
}

/// How much longer a license is valid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// So many days after its end, or from now where that is past; 0 = without end. Absent = as
    /// many as its policy or its product says.
    #[schema(minimum = 0, maximum = 36525)]
    valid_days: Option<i64>,
    /// Its new end, instead of `valid_days`.
    valid_until: Option<Moment>,
}

impl Renewal {
    /// Fails with `invalid_argument` where the license would not be valid longer.
    fn apply(&self, row: &mut licenses::Model, usual: i64, now: i64) -> Result<()> {
        given::within("valid_days", self.valid_days, 0, VALID_DAYS_MAX)?;
        let Some(before) = row.valid_until else {
            return Err(Error::invalid("The license has no end: there is nothing to renew"));
        };
        let until = match (self.valid_days, self.valid_until) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid("Send valid_days or valid_until, not both"));
            }
            (None, Some(until)) => Some(until.0),
            (Some(days), None) => end(before.max(now), days)?,
            // Nobody gives a license away for ever by saying nothing.
            (None, None) if usual == 0 => {
                return Err(Error::invalid("Say for how long: valid_days or valid_until"));
            }
            (None, None) => end(before.max(now), usual)?,
        };
        if until.is_some_and(|until| until <= before) {
            let before = rfc3339(before);
            return Err(Error::invalid(format!(
                "The license is valid until {before} already: renewing makes that later, changing \
                 the license (PUT) makes it earlier"
            )));
        }
        row.valid_until = until;
        row.license_type = kind_of(LicenseType::of(&row.license_type), until)?.word().to_string();
        Ok(())
    }
}

/// A license that is being changed, which nobody else changes meanwhile.
pub(super) struct Changing {
    /// Its row.
    pub row: licenses::Model,
    /// Its product.
    pub product: products::Model,
    /// What it was.
    before: License,
}

impl Changing {
    /// One of the caller's.
    pub async fn begin(work: &Work, caller: &Caller, id: Uuid) -> Result<Changing> {
        let none = || Error::not_found("license");
        let organization = caller.organization.id;
        let row = licenses::lock(&work.tx, organization, id).await?.ok_or_else(none)?;
        let product = products::hold(&work.tx, organization, row.product_id).await?;
        let product = product.ok_or_else(none)?;
        let before = License::of(&row, &product, work.now)?;
        Ok(Changing { row, product, before })
    }

    /// Fails with `revoked` where it was withdrawn for ever.
    pub fn alive(&self) -> Result<()> {
        match self.row.revoked_at {
            None => Ok(()),
            Some(at) => {
                let what =
                    format!("The license was revoked on {}, for ever: make another", rfc3339(at));
                Err(Error::new(Code::Revoked, what))
            }
        }
    }

    /// Signs it as it is now.
    async fn sign(
        &mut self,
        server: &Server,
        tx: &impl ConnectionTrait,
        caller: &Caller,
    ) -> Result<()> {
        let issued = issue(server, tx, &caller.organization, &self.product, &self.row, None);
        let issued = issued.await?;
        self.row.sealed(issued);
        Ok(())
    }

    /// Writes it, and notes what happened.
    pub async fn keep(self, work: &mut Work, event: &str) -> Result<LicenseWithBlob> {
        let license = License::of(&self.row, &self.product, work.now)?;
        work.changed(event, self.row.id, &self.before, &license);
        let shown = license.with_blob(&self.row);
        licenses::update(&work.tx, self.row).await?;
        Ok(shown)
    }

    /// As it is.
    pub fn shown(&self, now: i64) -> Result<LicenseWithBlob> {
        Ok(License::of(&self.row, &self.product, now)?.with_blob(&self.row))
    }
}

/// Change a license
///
/// Only the members that are given change. It is signed anew: products take the new license with
/// their next renewal.
#[utoipa::path(put, path = "/licenses/{id}", tag = "licenses", params(("id" = Uuid, Path)),
    request_body = LicenseChange, security(("api_key" = ["issue"])),
    responses((status = 200, body = LicenseWithBlob), (status = "4XX", body = Problem)))]
pub(super) async fn change(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body, origin }: Written<LicenseChange>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Issue)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let mut changing = Changing::begin(&work, &caller, id).await?;
    let before = changing.row.clone();
    body.apply(&mut changing.row, &changing.product.code)?;
    if changing.row == before {
        let shown = changing.shown(work.now)?;
        return work.commit(Answer::ok(&shown)).await;
    }
    changing.alive()?;
    changing.row.updated_at = work.now;
    changing.sign(&server, &work.tx, &caller).await?;
    let shown = changing.keep(&mut work, "license.updated").await?;
    work.commit(Answer::ok(&shown)).await
}

/// Reissue a license
///
/// Signs it anew, also where nothing changes: with a new binding after a machine was replaced, or
/// with the new key after a rotation.
#[utoipa::path(post, path = "/licenses/{id}/reissue", tag = "licenses",
    params(("id" = Uuid, Path)), request_body = LicenseChange, security(("api_key" = ["issue"])),
    responses((status = 200, body = LicenseWithBlob), (status = "4XX", body = Problem)))]
pub(super) async fn reissue(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body, origin }: Written<LicenseChange>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Issue)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let mut changing = Changing::begin(&work, &caller, id).await?;
    changing.alive()?;
    body.apply(&mut changing.row, &changing.product.code)?;
    changing.row.updated_at = work.now;
    changing.sign(&server, &work.tx, &caller).await?;
    let shown = changing.keep(&mut work, "license.reissued").await?;
    work.commit(Answer::ok(&shown)).await
}

/// Renew a license
#[utoipa::path(post, path = "/licenses/{id}/renew", tag = "licenses",
    params(("id" = Uuid, Path)), request_body = Renewal, security(("api_key" = ["issue"])),
    responses((status = 200, body = LicenseWithBlob), (status = "4XX", body = Problem)))]
pub(super) async fn renew(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body, origin }: Written<Renewal>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Issue)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let mut changing = Changing::begin(&work, &caller, id).await?;
    changing.alive()?;
    let product = &changing.product;
    let policy = match changing.row.policy_id {
        // A policy that was deleted says nothing any more.
        Some(policy) => template(&work.tx, product.organization_id, policy, product.id).await.ok(),
        None => None,
    };
    let usual = policy.and_then(|policy| policy.valid_days).unwrap_or(product.default_valid_days);
    body.apply(&mut changing.row, usual, work.now)?;
    changing.row.updated_at = work.now;
    changing.sign(&server, &work.tx, &caller).await?;
    let shown = changing.keep(&mut work, "license.renewed").await?;
    work.commit(Answer::ok(&shown)).await
}

/// Replace a license key
///
/// For one that was lost: the old one is good for nothing any more.
#[utoipa::path(post, path = "/licenses/{id}/license-key", tag = "licenses",
    params(("id" = Uuid, Path)), security(("api_key" = ["issue"])),
    responses((status = 200, body = CreatedLicense), (status = "4XX", body = Problem)))]
pub(super) async fn replace_key(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Issue)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let mut changing = Changing::begin(&work, &caller, id).await?;
    changing.alive()?;
    let key = license_key::generate()?;
    changing.row.key_digest = Some(key.digest);
    changing.row.key_hint = Some(key.hint);
    changing.row.updated_at = work.now;
    let shown = changing.keep(&mut work, "license.updated").await?;
    work.commit(Answer::ok(&shown.with_key(key.shown))).await
}
