//! A product from a row: known by its code.

use super::Did;
use super::table::Row;
use crate::api::Work;
use crate::api::products::{NewProduct, Product, ProductChange};
use crate::error::{Error, Result};
use crate::store::{key_pairs, organizations, products};
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;

/// The columns that there are.
pub const COLUMNS: &[&str] =
    &["code", "name", "description", "default_features", "default_valid_days", "key_pair"];

/// Makes it, or changes what is given.
pub async fn one(work: &mut Work, organization: &organizations::Model, row: &Row) -> Result<Did> {
    let code = row.needed("code")?;
    let key_pair_id = match row.text("key_pair") {
        Some(named) => Some(pair(&work.tx, organization.id, &named).await?),
        None => None,
    };
    let Some(known) = products::by_code(&work.tx, organization.id, &code).await? else {
        let new = NewProduct {
            name: row.needed("name")?,
            code,
            description: row.text("description"),
            default_features: row.words("default_features"),
            default_valid_days: row.number("default_valid_days")?,
            key_pair_id,
        };
        let made = new.row(&work.tx, organization.id, work.now).await?;
        let product = Product::of(&made);
        work.event("product.created", made.id, &product);
        products::insert(&work.tx, made).await?;
        return Ok(Did::Created(None));
    };
    let change = ProductChange {
        name: row.text("name"),
        code: None,
        description: row.text("description").map(Some),
        default_features: row.words("default_features"),
        default_valid_days: row.number("default_valid_days")?,
        key_pair_id: key_pair_id.map(Some),
    };
    let id = known.id;
    let locked = products::lock(&work.tx, organization.id, id).await?;
    let mut locked = locked.ok_or_else(|| Error::not_found("product"))?;
    if !change.apply(&mut locked, &work.tx, work.now).await? {
        return Ok(Did::Nothing);
    }
    work.event("product.updated", id, &Product::of(&locked));
    products::update(&work.tx, locked).await?;
    Ok(Did::Changed)
}

/// The key pair with an id or a name.
async fn pair(tx: &impl ConnectionTrait, organization: Uuid, named: &str) -> Result<Uuid> {
    let found = match Uuid::try_parse(named) {
        Ok(id) => key_pairs::get(tx, organization, id).await?.into_iter().collect(),
        Err(_) => key_pairs::named(tx, organization, named).await?,
    };
    match found.as_slice() {
        [one] => Ok(one.id),
        [] => Err(Error::invalid(format!("key_pair: there is no key pair {named:.80}"))),
        _ => Err(Error::invalid(format!(
            "key_pair: several key pairs are called {named:.80}: give the id of one"
        ))),
    }
}
