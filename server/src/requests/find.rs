//! Which license a request is about, and whether whoever sent it has the license.

use crate::api::Server;
use crate::error::{Code, Error, Result};
use crate::license_key::digest_of;
use crate::store::{activations, licenses, organizations, products};
use crate::token_id;
use licentia::issue::Request;
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;
use subtle::ConstantTimeEq;

/// A license that somebody may ask about, and whose it is.
pub struct Found {
    /// The vendor.
    pub organization: organizations::Model,
    /// The product.
    pub product: products::Model,
    /// The license, as it was when it was found.
    pub license: licenses::Model,
    /// The installation that asks.
    pub installation: Uuid,
    /// Its activation, taken or free, as it was then.
    pub activation: Option<activations::Model>,
}

/// Finds the license of a request, by its key or by its id and the id of a token of it.
///
/// Fails with `not_found` for every license that the request does not prove to have: nobody is
/// told which there are.
pub async fn find(
    server: &Server,
    connection: &impl ConnectionTrait,
    request: &Request,
) -> Result<Found> {
    let installation = uuid(&request.installation)?;
    let license = match (&request.key, &request.license) {
        (Some(key), _) => match digest_of(key) {
            Some(digest) => licenses::by_key_digest(connection, &digest).await?,
            None => None,
        },
        (None, Some(licensed)) => licenses::anywhere(connection, uuid(&licensed.id)?).await?,
        (None, None) => {
            let what = "The request names no license: install one first, or use a license key";
            return Err(Error::invalid(what));
        }
    };
    let license = license.ok_or_else(unknown)?;
    let activation =
        activations::of(connection, license.organization_id, license.id, installation).await?;
    if request.key.is_none() {
        prove(server, request, &license, activation.as_ref())?;
    }
    let product = products::get(connection, license.organization_id, license.product_id).await?;
    let product = product.filter(|it| it.code == request.product).ok_or_else(unknown)?;
    let organization = organizations::get(connection, license.organization_id).await?;
    let organization = organization.ok_or_else(unknown)?;
    Ok(Found { organization, product, license, installation, activation })
}

/// Fails with `not_found` unless the request names a token of the license, or the key signed it
/// that is pinned for a machine of the license: that was proved when it was pinned, and whatever
/// became of older tokens since, the customer has it.
pub fn prove(
    server: &Server,
    request: &Request,
    license: &licenses::Model,
    activation: Option<&activations::Model>,
) -> Result<()> {
    let bound = activation.and_then(|it| it.token_id.as_deref()).unwrap_or_default();
    let known = [license.token_id.as_str(), bound];
    let named = request.license.as_ref().filter(|it| uuid(&it.id).is_ok_and(|id| id == license.id));
    let vault = server.signer.vault();
    let active = activation.filter(|it| it.deactivated_at.is_none());
    let pinned = active.is_some_and(|it| is_pinned(request, it).is_ok());
    let proved = named.is_some_and(|it| token_id::proves(vault, license.id, &known, &it.token_id));
    match proved || (named.is_some() && pinned) {
        true => Ok(()),
        false => Err(unknown()),
    }
}

/// Fails with `bad_signature` unless the key that is pinned has signed the request.
pub fn is_pinned(request: &Request, activation: &activations::Model) -> Result<()> {
    match bool::from(signer(request).as_bytes().ct_eq(activation.public_key.as_bytes())) {
        true => Ok(()),
        false => {
            let what = "Another key has signed the request than the one that this installation \
                        was activated with: have the activation ended first, and activate anew";
            Err(Error::new(Code::BadSignature, what))
        }
    }
}

/// The key that signed the request, as it is pinned.
pub fn signer(request: &Request) -> String {
    request.signer.as_ref().map(licentia::PublicKey::to_short).unwrap_or_default()
}

/// There is no such license, or the request does not prove to have it.
pub fn unknown() -> Error {
    Error::not_found("license")
}

pub fn uuid(text: &str) -> Result<Uuid> {
    Uuid::try_parse(text).map_err(|_| unknown())
}
