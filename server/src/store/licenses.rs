//! Licenses.

use crate::api::Page;
use crate::api::licenses::Status;
use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Func, LikeExpr};
use sea_orm::{ConnectionTrait, FromQueryResult, IntoActiveModel, QueryOrder, QuerySelect, Select};

/// A row of `licenses`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "licenses")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub product_id: Uuid,
    pub policy_id: Option<Uuid>,
    pub serial: String,
    pub license_type: String,
    pub customer_id: Option<String>,
    pub customer_email: Option<String>,
    /// In lower case, to search in.
    pub customer_email_lower: Option<String>,
    pub customer_name: Option<String>,
    pub valid_from: i64,
    pub valid_until: Option<i64>,
    /// Features as in the format: an array of objects.
    pub features_json: String,
    pub max_seats: i64,
    pub max_machines: Option<i64>,
    /// As it was given.
    pub hardware_binding_json: Option<String>,
    /// Stages, notice, refresh and contact days, borrowing, transfers, metadata.
    pub terms_json: String,
    /// The newest token, its jti and when it was signed.
    pub token: String,
    pub token_id: String,
    pub token_at: i64,
    /// SHA-256 of the license key in hexadecimal, and its last group.
    pub key_digest: Option<String>,
    pub key_hint: Option<String>,
    pub suspended_at: Option<i64>,
    pub revoked_at: Option<i64>,
    pub reason: Option<String>,
    /// Written first by whoever gives out machines or seats: the row is their lock.
    pub turn: i64,
    pub transfers: i64,
    pub last_sync_at: Option<i64>,
    /// Of its end: 0 = nothing was announced, 1 = that it comes soon, 2 = that it came.
    pub announced: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// One of an organization's.
pub async fn get(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<Model>> {
    let one = Entity::find_by_id(id).filter(Column::OrganizationId.eq(organization));
    Ok(one.one(connection).await?)
}

/// One of an organization's, which nobody else changes until the transaction ends.
pub async fn lock(
    tx: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<Model>> {
    let one = Entity::find_by_id(id).filter(Column::OrganizationId.eq(organization));
    // SQLite has one writer, and takes no notice.
    Ok(one.lock_exclusive().one(tx).await?)
}

/// The one with a serial number.
pub async fn by_serial(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    serial: &str,
) -> Result<Option<Model>> {
    let one = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Serial.eq(serial));
    Ok(one.one(connection).await?)
}

/// The ids of a customer's licenses for a product, at most two.
pub async fn of_customer(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    product: Uuid,
    customer: &str,
) -> Result<Vec<Uuid>> {
    let some = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::CustomerId.eq(customer))
        .filter(Column::ProductId.eq(product))
        .limit(2);
    Ok(some.into_tuple().all(connection).await?)
}

/// What decides the status of a license.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Standing {
    pub serial: String,
    pub valid_until: Option<i64>,
    pub suspended_at: Option<i64>,
    pub revoked_at: Option<i64>,
}

impl Standing {
    /// The status at a time.
    pub fn status(&self, now: i64) -> Status {
        Status::at(self.revoked_at, self.suspended_at, self.valid_until, now)
    }
}

/// How those stand that have these serial numbers.
pub async fn of_serials(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    serials: &[String],
) -> Result<Vec<Standing>> {
    let some = Entity::find()
        .select_only()
        .columns([Column::Serial, Column::ValidUntil, Column::SuspendedAt, Column::RevokedAt])
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Serial.is_in(serials));
    Ok(some.into_model().all(connection).await?)
}

/// Which licenses are meant: those that meet everything that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this product.
    pub product: Option<Uuid>,
    /// With this status at this time.
    pub status: Option<(Status, i64)>,
    /// With this in the customer's address.
    pub email: Option<String>,
    /// Of this customer.
    pub customer: Option<String>,
    /// With this serial number.
    pub serial: Option<String>,
}

impl Filter {
    fn of(&self, organization: Uuid) -> Select<Entity> {
        let mut some = Entity::find().filter(Column::OrganizationId.eq(organization));
        if let Some(product) = self.product {
            some = some.filter(Column::ProductId.eq(product));
        }
        if let Some((status, now)) = self.status {
            let (revoked, suspended) = (Column::RevokedAt, Column::SuspendedAt);
            let ended = Column::ValidUntil.lte(now);
            let goes_on = Column::ValidUntil.is_null().or(Column::ValidUntil.gt(now));
            let neither = revoked.is_null().and(suspended.is_null());
            some = some.filter(match status {
                Status::Revoked => revoked.is_not_null(),
                Status::Suspended => revoked.is_null().and(suspended.is_not_null()),
                Status::Expired => neither.and(ended),
                Status::Active => neither.and(goes_on),
            });
        }
        if let Some(part) = &self.email {
            let like = LikeExpr::new(format!("%{}%", literal(&part.to_lowercase()))).escape('\\');
            some = some.filter(Column::CustomerEmailLower.like(like));
        }
        if let Some(customer) = &self.customer {
            some = some.filter(Column::CustomerId.eq(customer));
        }
        if let Some(serial) = &self.serial {
            some = some.filter(Column::Serial.eq(serial));
        }
        some
    }
}

/// A text that means itself in a pattern.
fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            literal.push('\\');
        }
        literal.push(letter);
    }
    literal
}

/// A page of an organization's that are meant, and how many there are.
pub async fn list(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    filter: &Filter,
    page: Page,
) -> Result<(Vec<Model>, u64)> {
    let all = filter.of(organization).select_only();
    let count = all.clone().expr_as(Func::count(Expr::col(Asterisk)), "total");
    let total: Option<i64> = count.into_tuple().one(connection).await?;
    let total = u64::try_from(total.unwrap_or_default()).unwrap_or_default();
    // The ids alone come from an index, however many rows are left out before them.
    let mut ids = all.column(Column::Id).order_by_desc(Column::Id);
    if let Some(after) = page.after {
        ids = ids.filter(Column::Id.lt(after));
    }
    let ids = ids.limit(page.limit).offset(page.offset);
    let ids: Vec<Uuid> = ids.into_tuple().all(connection).await?;
    let rows = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Id.is_in(ids))
        .order_by_desc(Column::Id);
    Ok((rows.all(connection).await?, total))
}

/// Adds one.
pub async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

/// Writes all of one that was read under [`lock`].
pub async fn update(tx: &impl ConnectionTrait, row: Model) -> Result<()> {
    Entity::update(row.into_active_model().reset_all()).exec(tx).await?;
    Ok(())
}

/// The one with this digest of its license key, whoever's it is.
pub async fn by_key_digest(
    connection: &impl ConnectionTrait,
    digest: &str,
) -> Result<Option<Model>> {
    Ok(Entity::find().filter(Column::KeyDigest.eq(digest)).one(connection).await?)
}

/// One by its id, whoever's it is: for whoever proves to have it.
pub async fn anywhere(connection: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).one(connection).await?)
}

/// Those with these ids, whoever's they are: for whoever proves to have them.
pub async fn all_anywhere(connection: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(Entity::find().filter(Column::Id.is_in(ids)).all(connection).await?)
}

/// Those of an organization with these serial numbers, in no order.
pub async fn by_serials(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    serials: &[&str],
) -> Result<Vec<Model>> {
    let some = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Serial.is_in(serials.iter().copied()));
    Ok(some.all(connection).await?)
}
