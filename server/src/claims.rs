//! From the record of a license to the license that is signed.

use crate::api::Server;
use crate::error::{Code, Error, Result};
use crate::store::{licenses, organizations, policies, products};
use crate::token_id;
use crate::vault::{BACK_MAX, Ready};
use licentia::limits::TIME_MAX;
use licentia::{Binding, Claims, Customer, Feature, Notice, ProductName, Role};
use sea_orm::ConnectionTrait;

/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// A license as it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Its compact serialization.
    pub token: String,
    /// Its `jti`: only whoever has the token knows it.
    pub token_id: String,
    /// When it was signed: seconds since 1970.
    pub at: i64,
}

/// Signs a license as its record stands now, bound as told; `None` = as the record says.
///
/// Fails with `no_key_pair` where the product has no key to sign with, and with
/// `invalid_argument` for a record that no license can be made of.
pub async fn issue(
    server: &Server,
    tx: &impl ConnectionTrait,
    organization: &organizations::Model,
    product: &products::Model,
    license: &licenses::Model,
    binding: Option<Binding>,
) -> Result<Issued> {
    let (ready, mut claims) = draft(server, tx, organization, product, license).await?;
    let signing = server.signer.sign(ready)?;
    if binding.is_some() {
        claims.license.binding = binding;
    }
    let token = licentia::issue::sign(&signing.key, &claims)?;
    Ok(Issued { token, token_id: claims.jti, at: claims.iat })
}

/// Whether a license can be signed as its record stands now: everything that [`issue`] does but
/// the signature. Fails as it does.
pub async fn check(
    server: &Server,
    tx: &impl ConnectionTrait,
    organization: &organizations::Model,
    product: &products::Model,
    license: &licenses::Model,
) -> Result<()> {
    let (_, claims) = draft(server, tx, organization, product, license).await?;
    Ok(licentia::issue::check(&claims)?)
}

/// What is to be signed, and with which key.
async fn draft(
    server: &Server,
    tx: &impl ConnectionTrait,
    organization: &organizations::Model,
    product: &products::Model,
    license: &licenses::Model,
) -> Result<(Ready, Claims)> {
    let policy = match license.policy_id {
        Some(id) => policies::get(tx, organization.id, id).await?.map(|policy| policy.name),
        None => None,
    };
    let mut ready = server.signer.ready(tx, organization, product, Role::License).await?;
    ready.at = not_before(ready.at, license.token_at);
    let mut claims = claims(&ready, product, license, policy)?;
    claims.jti = token_id::new(server.signer.vault(), license.id)?;
    Ok((ready, claims))
}

/// When a token is signed that comes after another: not before it, or programs would take it for
/// the older one. The clock may go back a little.
fn not_before(now: i64, previous: i64) -> i64 {
    match previous.saturating_sub(now) {
        1..=BACK_MAX => previous,
        _ => now,
    }
}

/// What the record says, as claims.
fn claims(
    ready: &Ready,
    product: &products::Model,
    license: &licenses::Model,
    policy: Option<String>,
) -> Result<Claims> {
    let terms = license.terms()?;
    let mut claims = licentia::issue::draft(&ready.issuer, &product.code, ready.at)?;
    claims.sub = license.customer_id.clone();
    claims.exp = terms.token_days.map(|days| (ready.at + i64::from(days) * DAY).min(TIME_MAX));
    let customer = Customer {
        name: license.customer_name.clone(),
        email: license.customer_email.clone(),
        ..Customer::default()
    };
    let binding = license.hardware_binding()?;
    let details = &mut claims.license;
    details.id = license.id.hyphenated().to_string();
    details.serial = Some(license.serial.clone());
    details.kind = license.license_type.clone();
    details.tier = terms.tier;
    details.description = terms.description;
    details.policy = policy;
    let (id, name) = (product.id.hyphenated().to_string(), product.name.clone());
    details.product = Some(ProductName { id: Some(id), name: Some(name) });
    details.customer = (customer != Customer::default()).then_some(customer);
    details.created_at = Some(license.created_at);
    details.updated_at = Some(license.updated_at);
    details.valid_from = license.valid_from;
    details.valid_until = license.valid_until;
    details.support_until = terms.support_until.map(|at| at.0);
    details.seats = u64::try_from(license.max_seats).ok();
    details.machines = u64::try_from(license.machines()).ok();
    details.features = license.features()?;
    details.binding = binding.map(|binding| binding.binding(&product.code)).transpose()?;
    details.refresh_days = terms.refresh_days;
    details.notice =
        terms.notice.map(|notice| Notice { license: notice.license, token: notice.token });
    details.stages = terms.stages.as_ref().map(licentia::Stages::from);
    details.metadata = terms.metadata;
    Ok(claims)
}

impl licenses::Model {
    /// On how many machines it may be activated.
    pub fn machines(&self) -> i64 {
        self.max_machines.unwrap_or(self.max_seats)
    }

    /// What it grants.
    pub fn features(&self) -> Result<Vec<Feature>> {
        serde_json::from_str(&self.features_json).map_err(|error| {
            tracing::error!(%error, "features of a license that cannot be read");
            Error::new(Code::Internal, "The features of the license cannot be read")
        })
    }

    /// Takes over what was signed.
    pub fn sealed(&mut self, issued: Issued) {
        self.token = issued.token;
        self.token_id = issued.token_id;
        self.token_at = issued.at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_looks_older_than_the_one_it_replaces() {
        assert_eq!(not_before(1000, 1030), 1030);
        assert_eq!(not_before(1000, 1000 + BACK_MAX), 1000 + BACK_MAX);
        assert_eq!(not_before(1000, 1001 + BACK_MAX), 1000);
        assert_eq!(not_before(1000, 900), 1000);
        assert_eq!(not_before(1000, i64::MIN), 1000);
    }
}
