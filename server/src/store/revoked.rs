//! Which licenses of a product are revoked: those that are here, and those that are not.

use super::{documents, licenses, products, withdrawn};
use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, QueryOrder, QuerySelect};
use std::collections::BTreeSet;

/// Rows that are read at a time.
const PAGE: u64 = 10_000;

/// Why a license is revoked that a list named.
const REASON: &str = "In a revocation list that was signed before a backup was restored";

/// The ids of all.
pub async fn ids(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    product: Uuid,
) -> Result<BTreeSet<[u8; 16]>> {
    let mut ids = BTreeSet::new();
    let mut last = None;
    loop {
        use licenses::Column;
        let mut page = licenses::Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::OrganizationId.eq(organization))
            .filter(Column::ProductId.eq(product))
            .filter(Column::RevokedAt.is_not_null())
            .order_by_asc(Column::Id)
            .limit(PAGE);
        if let Some(last) = last {
            page = page.filter(Column::Id.gt(last));
        }
        let page: Vec<Uuid> = page.into_tuple().all(connection).await?;
        last = page.last().copied();
        ids.extend(page.into_iter().map(Uuid::into_bytes));
        if last.is_none() {
            break;
        }
    }
    loop {
        use withdrawn::Column;
        let mut page = withdrawn::Entity::find()
            .select_only()
            .column(Column::LicenseId)
            .filter(Column::OrganizationId.eq(organization))
            .filter(Column::ProductId.eq(product))
            .order_by_asc(Column::LicenseId)
            .limit(PAGE);
        if let Some(last) = last {
            page = page.filter(Column::LicenseId.gt(last));
        }
        let page: Vec<Uuid> = page.into_tuple().all(connection).await?;
        last = page.last().copied();
        ids.extend(page.into_iter().map(Uuid::into_bytes));
        if last.is_none() {
            return Ok(ids);
        }
    }
}

/// Revokes those of some licenses that are here. Gives which they are: the rest is not.
pub async fn revoke(
    tx: &impl ConnectionTrait,
    organization: Uuid,
    product: Uuid,
    ids: &[Uuid],
    now: i64,
) -> Result<Vec<Uuid>> {
    use licenses::Column;
    let here = licenses::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::ProductId.eq(product))
        .filter(Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .into_tuple()
        .all(tx)
        .await?;
    licenses::Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .col_expr(Column::Reason, Expr::value(REASON))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Id.is_in(here.iter().copied()))
        .filter(Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    Ok(here)
}

/// Raises the version of a product's list, unless it is higher.
pub async fn raise(tx: &impl ConnectionTrait, product: &products::Model, to: i64) -> Result<()> {
    use products::Column;
    products::Entity::update_many()
        .col_expr(Column::RevocationsVersion, Expr::value(to))
        .filter(Column::Id.eq(product.id))
        .filter(Column::OrganizationId.eq(product.organization_id))
        .filter(Column::RevocationsVersion.lt(to))
        .exec(tx)
        .await?;
    Ok(())
}

/// Raises the version of the list of every product with a key pair: what one of its keys has
/// signed is not believed any more.
pub async fn renew(tx: &impl ConnectionTrait, pair: Uuid, to: i64) -> Result<()> {
    use products::Column;
    let version = || Expr::col(Column::RevocationsVersion);
    // A list that was taken up again may be of a clock that was ahead.
    let next = Expr::case(version().lt(to), Expr::value(to)).finally(version().add(1_i64));
    products::Entity::update_many()
        .col_expr(Column::RevocationsVersion, next.into())
        .filter(Column::KeyPairId.eq(pair))
        .exec(tx)
        .await?;
    Ok(())
}

/// Products whose list is not signed as it stands, at most `limit`.
pub async fn unsigned(
    connection: &impl ConnectionTrait,
    limit: u64,
) -> Result<Vec<products::Model>> {
    use products::Column;
    let signed = Query::select()
        .expr(Expr::val(1))
        .from(documents::Entity)
        .and_where(
            Expr::col((documents::Entity, documents::Column::ProductId))
                .equals((products::Entity, Column::Id)),
        )
        .and_where(documents::Column::Kind.eq(documents::REVOCATIONS))
        .and_where(
            Expr::col((documents::Entity, documents::Column::Version))
                .gte(Expr::col((products::Entity, Column::RevocationsVersion))),
        )
        .to_owned();
    let due = products::Entity::find()
        .filter(Column::RevocationsVersion.gt(0))
        .filter(Column::KeyPairId.is_not_null())
        .filter(Expr::exists(signed).not())
        .limit(limit);
    Ok(due.all(connection).await?)
}
