//! A license from a row: known by its serial number, or as the one license of a customer for a
//! product.

use super::table::Row;
use super::{Did, NewKey};
use crate::api::licenses::{
    License, LicenseChange, LicenseType, NewLicense, Status, make, revoke_row,
};
use crate::api::{Server, Work};
use crate::claims::{DAY, issue};
use crate::error::{Error, Result};
use crate::store::{licenses, organizations, policies, products};
use crate::terms::Moment;
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;

/// The columns that there are.
pub const COLUMNS: &[&str] = &[
    "product",
    "serial",
    "customer_id",
    "customer_email",
    "customer_name",
    "license_type",
    "policy",
    "features",
    "valid_days",
    "valid_from",
    "valid_until",
    "max_seats",
    "max_machines",
    "status",
    "reason",
];

/// Bytes of a serial number.
const SERIAL_MAX: usize = 128;

/// Makes it, or changes what is given.
pub async fn one(
    server: &Server,
    work: &mut Work,
    organization: &organizations::Model,
    row: &Row,
) -> Result<Did> {
    let code = row.needed("product")?;
    let product = products::by_code(&work.tx, organization.id, &code).await?;
    let product = product.ok_or_else(|| {
        Error::invalid(format!("product: there is none with the code {code:.100}"))
    })?;
    let serial = row.text("serial");
    if let Some(serial) = &serial {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if serial.len() > SERIAL_MAX || !serial.bytes().all(letter) {
            return Err(Error::invalid("serial has 1 to 128 of A-Z, a-z, 0-9, -, _ and ."));
        }
    }
    match known(&work.tx, &product, serial.as_deref(), row).await? {
        Some(id) => update(server, work, organization, &product, row, id).await,
        None => create(server, work, organization, &product, row, serial).await,
    }
}

/// The license that a row is about, where there is one.
async fn known(
    tx: &impl ConnectionTrait,
    product: &products::Model,
    serial: Option<&str>,
    row: &Row,
) -> Result<Option<Uuid>> {
    let organization = product.organization_id;
    if let Some(serial) = serial {
        let found = licenses::by_serial(tx, organization, serial).await?;
        return match found {
            Some(found) if found.product_id != product.id => {
                Err(Error::invalid("serial: the license with it is for another product"))
            }
            found => Ok(found.map(|found| found.id)),
        };
    }
    let customer = row.text("customer_id").ok_or_else(|| {
        Error::invalid("serial or customer_id: one of them says which license it is")
    })?;
    let found = licenses::of_customer(tx, organization, product.id, &customer).await?;
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        _ => Err(Error::invalid("serial: the customer has several licenses of the product")),
    }
}

/// What `status` says.
enum Wanted {
    Active,
    Suspended,
    Revoked,
}

fn wanted(row: &Row) -> Result<Option<Wanted>> {
    match row.text("status").as_deref() {
        None => Ok(None),
        Some("active") => Ok(Some(Wanted::Active)),
        Some("suspended") => Ok(Some(Wanted::Suspended)),
        Some("revoked") => Ok(Some(Wanted::Revoked)),
        Some(_) => Err(Error::invalid("status is active, suspended or revoked")),
    }
}

fn kind(row: &Row) -> Result<Option<LicenseType>> {
    let Some(word) = row.text("license_type") else { return Ok(None) };
    let kind = LicenseType::of(&word).map(Some);
    kind.ok_or_else(|| {
        let all = LicenseType::ALL.map(LicenseType::word).join(", ");
        Error::invalid(format!("license_type is one of {all}"))
    })
}

async fn create(
    server: &Server,
    work: &mut Work,
    organization: &organizations::Model,
    product: &products::Model,
    row: &Row,
    serial: Option<String>,
) -> Result<Did> {
    let policy_id = match row.text("policy") {
        Some(named) => Some(policy(&work.tx, organization.id, &named).await?),
        None => None,
    };
    let new = NewLicense {
        product_id: product.id,
        policy_id,
        license_type: kind(row)?,
        customer_id: row.text("customer_id"),
        customer_email: row.text("customer_email"),
        customer_name: row.text("customer_name"),
        features: row.words("features"),
        valid_days: row.number("valid_days")?,
        valid_from: row.time("valid_from")?,
        valid_until: row.time("valid_until")?,
        max_seats: row.number("max_seats")?,
        max_machines: row.number("max_machines")?,
        ..NewLicense::default()
    };
    let wanted = wanted(row)?;
    let mut made = make(server, &work.tx, organization, new, serial, work.now).await?;
    licenses::insert(&work.tx, made.row.clone()).await?;
    let license = License::of(&made.row, product, work.now)?;
    work.event("license.created", made.row.id, &license);
    if stand(server, work, organization, &mut made.row, wanted, row.text("reason")).await? {
        keep(work, product, made.row.clone()).await?;
    }
    Ok(Did::Created(Some(NewKey {
        serial: made.row.serial,
        customer_id: made.row.customer_id,
        license_key: made.key,
    })))
}

/// The policy with an id or a name.
async fn policy(tx: &impl ConnectionTrait, organization: Uuid, named: &str) -> Result<Uuid> {
    let found = match Uuid::try_parse(named) {
        Ok(id) => policies::get(tx, organization, id).await?.into_iter().collect(),
        Err(_) => policies::named(tx, organization, named).await?,
    };
    match found.as_slice() {
        [one] => Ok(one.id),
        [] => Err(Error::invalid(format!("policy: there is no policy {named:.80}"))),
        _ => Err(Error::invalid(format!(
            "policy: several policies are called {named:.80}: give the id of one"
        ))),
    }
}

async fn update(
    server: &Server,
    work: &mut Work,
    organization: &organizations::Model,
    product: &products::Model,
    row: &Row,
    id: Uuid,
) -> Result<Did> {
    let wanted = wanted(row)?;
    let locked = licenses::lock(&work.tx, organization.id, id).await?;
    let mut license = locked.ok_or_else(|| Error::not_found("license"))?;
    let before = license.clone();
    if row.time("valid_from")?.is_some_and(|from| from.0 != license.valid_from) {
        return Err(Error::invalid("valid_from: the license is there and begins at another time"));
    }
    let change = LicenseChange {
        license_type: kind(row)?,
        customer_id: row.text("customer_id").map(Some),
        customer_email: row.text("customer_email").map(Some),
        customer_name: row.text("customer_name").map(Some),
        features: row.words("features"),
        valid_until: until(row, &license)?,
        max_seats: row.number("max_seats")?,
        max_machines: row.number("max_machines")?.map(Some),
        ..LicenseChange::default()
    };
    change.apply(&mut license, &product.code)?;
    let changed = license != before;
    if changed && license.revoked_at.is_some() {
        return Err(Error::invalid("The license was revoked, for ever: it stays as it is"));
    }
    if changed {
        license.updated_at = work.now;
        let issued = issue(server, &work.tx, organization, product, &license, None).await?;
        license.sealed(issued);
        work.event("license.updated", id, &License::of(&license, product, work.now)?);
    }
    let stands =
        stand(server, work, organization, &mut license, wanted, row.text("reason")).await?;
    if !changed && !stands {
        return Ok(Did::Nothing);
    }
    match stands {
        true => keep(work, product, license).await?,
        false => licenses::update(&work.tx, license).await?,
    }
    Ok(Did::Changed)
}

/// The end, reckoned from the beginning: the same however often the file is imported.
fn until(row: &Row, license: &licenses::Model) -> Result<Option<Option<Moment>>> {
    match (row.number("valid_days")?, row.time("valid_until")?) {
        (Some(_), Some(_)) => Err(Error::invalid("valid_days or valid_until, not both")),
        (Some(0), None) => Ok(Some(None)),
        (Some(days), None) => {
            let end = days.checked_mul(DAY).and_then(|time| license.valid_from.checked_add(time));
            let end = end.ok_or_else(|| Error::invalid("valid_days is too many"))?;
            Ok(Some(Some(Moment(end))))
        }
        (None, until) => Ok(until.map(Some)),
    }
}

/// Suspends, reinstates or revokes. Gives whether anything is otherwise.
async fn stand(
    server: &Server,
    work: &mut Work,
    organization: &organizations::Model,
    license: &mut licenses::Model,
    wanted: Option<Wanted>,
    reason: Option<String>,
) -> Result<bool> {
    let status = Status::of(license, work.now);
    match (wanted, status) {
        (Some(Wanted::Active | Wanted::Suspended), Status::Revoked) => {
            Err(Error::invalid("status: the license was revoked, for ever"))
        }
        (Some(Wanted::Revoked), now) if now != Status::Revoked => {
            revoke_row(server, &work.tx, organization.id, license, reason, work.now).await?;
            Ok(true)
        }
        (Some(Wanted::Suspended), now) if now != Status::Suspended => {
            license.suspended_at = Some(work.now);
            license.reason = reason;
            license.updated_at = work.now;
            Ok(true)
        }
        (Some(Wanted::Active), Status::Suspended) => {
            license.suspended_at = None;
            license.reason = None;
            license.updated_at = work.now;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Writes it, and notes how it stands.
async fn keep(work: &mut Work, product: &products::Model, license: licenses::Model) -> Result<()> {
    let event = match Status::of(&license, work.now) {
        Status::Revoked => "license.revoked",
        Status::Suspended => "license.suspended",
        Status::Active | Status::Expired => "license.reinstated",
    };
    work.event(event, license.id, &License::of(&license, product, work.now)?);
    licenses::update(&work.tx, license).await
}
