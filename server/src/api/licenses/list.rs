//! Licenses to look at.

use super::view::{License, LicenseWithBlob, Licenses};
use crate::api::{Answer, Asked, Caller, Id, PageQuery, Problem, Scope, Server, Shared};
use crate::error::{Code, Error, Result};
use crate::reports::DAY;
use crate::store::licenses::{Filter, Total};
use crate::store::status::Status;
use crate::store::{licenses, products};
use axum::extract::State;
use sea_orm::prelude::Uuid;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// Characters of what is searched for, at most.
const SEARCH_MAX: usize = 200;

/// Days within which an end is asked for, at most: ten years.
const ENDING_DAYS_MAX: i64 = 3650;

/// Characters that are shown of a license key.
const HINT: usize = 4;

/// Which licenses are asked for: those that meet everything that is given.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct LicenseQuery {
    /// Of this product.
    pub(crate) product_id: Option<Uuid>,
    /// With this status.
    #[param(inline)]
    pub(crate) status: Option<Status>,
    /// Active now, with an end within so many days, 1 to 3650.
    #[param(minimum = 1, maximum = 3650)]
    pub(crate) ending_within_days: Option<i64>,
    /// A part of the customer's address, in upper or lower case.
    #[param(max_length = 2048)]
    pub(crate) customer_email: Option<String>,
    /// Your id of the customer.
    #[param(max_length = 2048)]
    pub(crate) customer_id: Option<String>,
    /// The serial number.
    #[param(max_length = 2048)]
    pub(crate) serial: Option<String>,
    /// Words with blanks between, each of which is in the serial number, your id of the customer,
    /// or the customer's address or name, in upper or lower case (of each the first 120
    /// characters); or an id, a serial number, or how a license key ends.
    #[param(max_length = 200)]
    pub(crate) search: Option<String>,
    /// Which page, from 1. Not with `cursor`.
    #[param(minimum = 1, default = 1)]
    pub(crate) page: Option<u64>,
    /// Licenses on a page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub(crate) per_page: Option<u64>,
    /// `next_cursor` of the page before.
    #[param(max_length = 64)]
    pub(crate) cursor: Option<String>,
}

impl LicenseQuery {
    pub(crate) fn filter(&self, now: i64) -> Result<Filter> {
        let texts = [&self.customer_email, &self.customer_id, &self.serial];
        // PostgreSQL has no text with it, so that nothing could be found.
        if texts.into_iter().flatten().any(|text| text.contains('\0') || text.len() > 2048) {
            return Err(Error::new(
                Code::Malformed,
                "A filter is a text without NUL, not too long",
            ));
        }
        Ok(Filter {
            product: self.product_id,
            status: self.status.map(|status| (status, now)),
            ending: self.ending(now)?,
            // An empty text is part of every text.
            email: self.customer_email.clone().filter(|part| !part.is_empty()),
            customer: self.customer_id.clone(),
            serial: self.serial.clone(),
            ..self.found()?
        })
    }

    /// Between which times an end is asked for.
    fn ending(&self, now: i64) -> Result<Option<(i64, i64)>> {
        let Some(days) = self.ending_within_days else { return Ok(None) };
        if !(1..=ENDING_DAYS_MAX).contains(&days) {
            let what = format!("ending_within_days is a whole number from 1 to {ENDING_DAYS_MAX}");
            return Err(Error::new(Code::Malformed, what));
        }
        Ok(Some((now, now.saturating_add(days.saturating_mul(DAY)))))
    }

    /// What is searched for.
    fn found(&self) -> Result<Filter> {
        let text = self.search.as_deref().unwrap_or_default().trim();
        if text.contains('\0') || text.chars().count() > SEARCH_MAX {
            let what = format!("search is a text of at most {SEARCH_MAX} characters, without NUL");
            return Err(Error::new(Code::Malformed, what));
        }
        if let Ok(id) = Uuid::try_parse(text) {
            return Ok(Filter { id: Some(id), ..Filter::default() });
        }
        let words = text.to_lowercase().split_whitespace().map(str::to_string).collect();
        let hint = (text.len() == HINT).then(|| text.to_uppercase());
        Ok(Filter { words, hint, ..Filter::default() })
    }
}

/// List licenses
///
/// The newest first, without their files.
#[utoipa::path(get, path = "/licenses", tag = "licenses", params(LicenseQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Licenses), (status = "4XX", body = Problem)))]
pub(super) async fn list(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<LicenseQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let now = server.clock.now();
    let LicenseQuery { page, per_page, cursor, .. } = query.clone();
    let page = PageQuery { page, per_page, cursor }.page()?;
    let organization = caller.organization.id;
    let filter = direct(&server, organization, &query, query.filter(now)?).await?;
    // Texts are looked through one by one.
    let store = match filter.words.is_empty() && filter.email.is_none() {
        true => server.store.read(),
        false => server.store.slow(),
    };
    let (mut rows, total) = licenses::list(store, organization, &filter, page.and_one()).await?;
    let (total, total_is_at_least) = match total {
        Total::Exactly(total) => (total, false),
        Total::AtLeast(total) => (total, true),
    };
    let next_cursor = page.cut(&mut rows, |row| row.id);
    let licenses = shown(&server, organization, &rows, now).await?;
    Ok(Answer::ok(&Licenses { licenses, total, total_is_at_least, next_cursor }))
}

/// The same filter where nothing has to be searched for: a whole serial number is one license.
pub(crate) async fn direct(
    server: &Server,
    organization: Uuid,
    query: &LicenseQuery,
    filter: Filter,
) -> Result<Filter> {
    let text = query.search.as_deref().unwrap_or_default().trim();
    if filter.words.len() != 1 || filter.serial.is_some() {
        return Ok(filter);
    }
    for serial in [text.to_string(), text.to_uppercase()] {
        let found = licenses::by_serial(server.store.read(), organization, &serial).await?;
        if found.is_some() {
            let serial = Some(serial);
            return Ok(Filter { serial, words: Vec::new(), hint: None, ..filter });
        }
    }
    Ok(filter)
}

/// Licenses with their products, as they are shown.
pub(crate) async fn shown(
    server: &Server,
    organization: Uuid,
    rows: &[licenses::Model],
    now: i64,
) -> Result<Vec<License>> {
    let mut ids: Vec<Uuid> = rows.iter().map(|row| row.product_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let known = products::some(server.store.read(), organization, ids).await?;
    let mut licenses = Vec::with_capacity(rows.len());
    for row in rows {
        let product = known.iter().find(|product| product.id == row.product_id);
        let product = product.ok_or_else(|| Error::new(Code::Internal, "A product is missing"))?;
        licenses.push(License::of(row, product, now)?);
    }
    Ok(licenses)
}

/// A license of the caller's, and its product.
async fn one(
    server: &Server,
    caller: &Caller,
    id: Uuid,
) -> Result<(licenses::Model, products::Model)> {
    let (store, organization) = (server.store.read(), caller.organization.id);
    let row = licenses::get(store, organization, id).await?;
    let row = row.ok_or_else(|| Error::not_found("license"))?;
    let product = products::get(store, organization, row.product_id).await?;
    let product = product.ok_or_else(|| Error::not_found("license"))?;
    Ok((row, product))
}

/// Get a license
#[utoipa::path(get, path = "/licenses/{id}", tag = "licenses", params(("id" = Uuid, Path)),
    security(("api_key" = ["read"])),
    responses((status = 200, body = LicenseWithBlob), (status = "4XX", body = Problem)))]
pub(super) async fn get(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let (row, product) = one(&server, &caller, id).await?;
    let license = License::of(&row, &product, server.clock.now())?;
    Ok(Answer::ok(&license.with_blob(&row)))
}

/// A license file: the signed license as text.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it is there for its schema")]
pub struct LicenseFile(Vec<u8>);

/// Download a license file
#[utoipa::path(get, path = "/licenses/{id}/download", tag = "licenses",
    params(("id" = Uuid, Path)), security(("api_key" = ["read"])),
    responses((status = 200, body = LicenseFile, content_type = "application/octet-stream"),
        (status = "4XX", body = Problem)))]
pub(super) async fn download(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let (row, _) = one(&server, &caller, id).await?;
    let file = Answer { status: 200, headers: Vec::new(), body: row.token.into_bytes() };
    // The letters of a serial number need no quoting.
    let name = format!("attachment; filename=\"{}.lic\"", row.serial);
    Ok(file.with("content-type", "application/octet-stream").with("content-disposition", &name))
}
