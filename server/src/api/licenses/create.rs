//! New licenses.

use super::grant::{COUNT_MAX, NewLicense, Template, changed_terms};
use super::view::{CreatedLicense, License, LicensePreview};
use crate::api::given;
use crate::api::{Answer, Caller, Problem, Scope, Server, Shared, Stop, Work, Written};
use crate::claims::{check as check_claims, issue};
use crate::error::{Code, Error, Result};
use crate::license_key;
use crate::store::{licenses, organizations, policies, products};
use axum::extract::State;
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;

/// Characters of a customer's id and name.
pub const CUSTOMER_MAX: usize = 255;

/// Characters of an address (RFC 5321, section 4.5.3.1).
pub const EMAIL_MAX: usize = 320;

/// How often a serial number is drawn that is taken, before something must be wrong.
const DRAWS: usize = 16;

/// A license that was made and is not written yet.
pub struct Made {
    /// Its row.
    pub row: licenses::Model,
    /// Its product.
    pub product: products::Model,
    /// Its key, as it is shown this once.
    pub key: String,
}

/// Makes a license. `serial` = its serial number, where it has one already.
///
/// Fails with `not_found` where there is no such product, with `no_key_pair` where it has none,
/// and with `invalid_argument` for what no license can be.
pub async fn make(
    server: &Server,
    tx: &impl ConnectionTrait,
    organization: &organizations::Model,
    new: NewLicense,
    serial: Option<String>,
    now: i64,
) -> Result<Made> {
    let mut made = draft(tx, organization, new, serial, now).await?;
    let issued = issue(server, tx, organization, &made.product, &made.row, None).await?;
    made.row.sealed(issued);
    Ok(made)
}

/// Everything of [`make`] but the signature.
async fn draft(
    tx: &impl ConnectionTrait,
    organization: &organizations::Model,
    new: NewLicense,
    serial: Option<String>,
    now: i64,
) -> Result<Made> {
    let product = products::hold(tx, organization.id, new.product_id).await?;
    let product = product.ok_or_else(|| Error::not_found("product"))?;
    let policy = match new.policy_id {
        Some(id) => template(tx, organization.id, id, product.id).await?,
        None => Template::default(),
    };
    check(&new)?;
    let dates = new.dates(&policy, &product, now)?;
    let features = new.granted(&policy, &product)?;
    let binding = new.hardware_binding.map(|given| given.complete(&product.code)).transpose()?;
    let terms = changed_terms(&policy.terms.unwrap_or_default(), new.terms)?;
    let serial = match serial {
        Some(serial) => serial,
        None => draw(tx, organization, &product.code, now).await?,
    };
    let key = license_key::generate()?;
    let row = licenses::Model {
        id: Uuid::now_v7(),
        organization_id: organization.id,
        product_id: product.id,
        policy_id: new.policy_id,
        serial,
        license_type: dates.kind.word().to_string(),
        customer_id: new.customer_id,
        customer_email_lower: new.customer_email.as_ref().map(|email| email.to_lowercase()),
        customer_email: new.customer_email,
        customer_name: new.customer_name,
        valid_from: dates.from,
        valid_until: dates.until,
        features_json: serde_json::to_string(&features).unwrap_or_default(),
        max_seats: new.max_seats.or(policy.max_seats).unwrap_or(1),
        max_machines: new.max_machines.or(policy.max_machines),
        hardware_binding_json: binding.and_then(|binding| serde_json::to_string(&binding).ok()),
        terms_json: terms.json(),
        token: String::new(),
        token_id: String::new(),
        token_at: now,
        key_digest: Some(key.digest),
        key_hint: Some(key.hint),
        suspended_at: None,
        revoked_at: None,
        reason: None,
        transfers: 0,
        announced: 0,
        created_at: now,
        updated_at: now,
        search: String::new(),
    };
    Ok(Made { row, product, key: key.shown })
}

/// What a policy says for a product.
pub async fn template(
    tx: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
    product: Uuid,
) -> Result<Template> {
    let policy = policies::get(tx, organization, id)
        .await?
        .ok_or_else(|| Error::invalid("policy_id: there is no such policy: look at its id"))?;
    if policy.product_id.is_some_and(|only| only != product) {
        return Err(Error::invalid("policy_id: the policy is for another product"));
    }
    policy.template()
}

fn check(new: &NewLicense) -> Result<()> {
    given::maybe_line("customer_id", new.customer_id.as_deref(), CUSTOMER_MAX)?;
    given::maybe_line("customer_email", new.customer_email.as_deref(), EMAIL_MAX)?;
    given::maybe_line("customer_name", new.customer_name.as_deref(), CUSTOMER_MAX)?;
    given::within("max_seats", new.max_seats, 1, COUNT_MAX)?;
    given::within("max_machines", new.max_machines, 1, COUNT_MAX)
}

/// A serial number that nothing has yet. Two servers that draw the same at the same time are told
/// apart by the database.
async fn draw(
    tx: &impl ConnectionTrait,
    organization: &organizations::Model,
    code: &str,
    now: i64,
) -> Result<String> {
    for _ in 0..DRAWS {
        let drawn = licentia::issue::draft(&organization.issuer, code, now)?.license.serial;
        let serial = drawn.unwrap_or_default();
        if licenses::by_serial(tx, organization.id, &serial).await?.is_none() {
            return Ok(serial);
        }
    }
    Err(Error::new(Code::Internal, "No serial number is free: report it"))
}

/// Create a license
///
/// The license is signed, and can be checked offline from then on.
#[utoipa::path(post, path = "/licenses", tag = "licenses", request_body = NewLicense,
    security(("api_key" = ["issue"])),
    responses((status = 201, body = CreatedLicense), (status = "4XX", body = Problem)))]
pub(super) async fn create(
    State(server): State<Shared>,
    caller: Caller,
    Written { body, origin }: Written<NewLicense>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Issue)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let made = make(&server, &work.tx, &caller.organization, body, None, work.now).await?;
    let license = License::of(&made.row, &made.product, work.now)?;
    work.event("license.created", made.row.id, &license);
    let location = format!("/api/v1/licenses/{}", made.row.id);
    let created = license.with_blob(&made.row).with_key(made.key);
    licenses::insert(&work.tx, made.row).await?;
    work.commit(Answer::created(&location, &created)).await
}

/// Preview a license
///
/// What creating one with the same body would give, and what comes of it by itself. Nothing is
/// kept, and nothing signed.
#[utoipa::path(post, path = "/licenses/preview", tag = "licenses", request_body = NewLicense,
    security(("api_key" = ["issue"])),
    responses((status = 200, body = LicensePreview), (status = "4XX", body = Problem)))]
pub(super) async fn preview(
    State(server): State<Shared>,
    caller: Caller,
    Written { body, .. }: Written<NewLicense>,
) -> Result<Answer> {
    caller.must(Scope::Issue)?;
    let (read, now) = (server.store.read(), server.clock.now());
    let organization = &caller.organization;
    let Made { row, product, .. } = draft(read, organization, body, None, now).await?;
    check_claims(&server, read, organization, &product, &row).await?;
    Ok(Answer::ok(&LicensePreview::of(&row, &product, now)?))
}
