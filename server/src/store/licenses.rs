//! Licenses.

pub use super::license_filter::Filter;
pub(super) use super::license_filter::literal;
use super::page::Page;
use super::status::Status;
use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Asterisk, Expr, Func, LockBehavior, LockType, Query};
use sea_orm::{
    ConnectionTrait, FromQueryResult, IntoActiveModel, QueryOrder, QuerySelect, QueryTrait, Select,
};

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
    pub transfers: i64,
    /// Of its end: 0 = nothing was announced, 1 = that it comes soon, 2 = that it came.
    pub announced: i64,
    pub created_at: i64,
    pub updated_at: i64,
    /// Serial number, customer's id, address and name in lower case, a line each: written with
    /// the row, whatever it says here.
    pub search: String,
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

/// So many ids are looked at before they are counted: of fewer, everything is known at once.
const FEW: u64 = 1_000;

/// Up to so many that end soon are found by their end, and more from the newest on.
const FEW_ENDING: u64 = 10_000;

/// So many are counted of those that are searched for.
const MANY: u64 = 10_000;

/// How many licenses are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// So many.
    Exactly(u64),
    /// So many or more: they were not counted to the end.
    AtLeast(u64),
}

/// A page of an organization's that are meant, and how many there are.
pub async fn list(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    filter: &Filter,
    page: Page,
) -> Result<(Vec<Model>, Total)> {
    if let (Some(_), Some(parts)) = (filter.ending, filter.parts(organization)) {
        return ending(connection, organization, filter, parts, page).await;
    }
    // The ids alone come from an index.
    let all = filter.of(organization).column(Column::Id);
    let newest = all.clone().order_by_desc(Column::Id).limit(FEW + 1);
    let mut ids: Vec<Uuid> = newest.into_tuple().all(connection).await?;
    let mut total = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    if total > FEW && !filter.words.is_empty() {
        return searched(connection, organization, filter, page).await;
    }
    if total > FEW {
        total = count(connection, organization, filter).await?;
        ids = place(connection, all, page, total).await?;
    } else {
        ids = on_page(ids, page);
    }
    Ok((by_ids(connection, organization, ids).await?, Total::Exactly(total)))
}

/// Those of all ids, the newest first, that are on a page.
fn on_page(mut ids: Vec<Uuid>, page: Page) -> Vec<Uuid> {
    ids.retain(|id| page.after.is_none_or(|after| *id < after));
    let left_out = usize::try_from(page.offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    ids.into_iter().skip(left_out).take(limit).collect()
}

/// A page of those that end soon. They are counted first, in the index of the status: what ends
/// soon was made long ago, so that whoever looks for a few of them from the newest on looks
/// through nearly all there are.
async fn ending(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    filter: &Filter,
    parts: Vec<Select<Entity>>,
    page: Page,
) -> Result<(Vec<Model>, Total)> {
    let total = count(connection, organization, filter).await?;
    if total > FEW_ENDING {
        let all = filter.of(organization).column(Column::Id);
        let ids = place(connection, all, page, total).await?;
        return Ok((by_ids(connection, organization, ids).await?, Total::Exactly(total)));
    }
    let mut ids = Vec::new();
    for part in parts {
        let part = part.column(Column::Id).into_tuple::<Uuid>();
        ids.extend(part.all(connection).await?);
    }
    ids.sort_unstable_by(|one, other| other.cmp(one));
    Ok((by_ids(connection, organization, on_page(ids, page)).await?, Total::Exactly(total)))
}

/// A page of many that texts are searched in: that takes its time for each, so that they are
/// counted as far as somebody may look through.
async fn searched(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    filter: &Filter,
    page: Page,
) -> Result<(Vec<Model>, Total)> {
    let all = filter.of(organization).column(Column::Id);
    let most = Ord::max(MANY, page.offset.saturating_add(page.limit)).saturating_add(1);
    let count = Query::select()
        .expr_as(Func::count(Expr::col(Asterisk)), "total")
        .from_subquery(all.clone().limit(most).into_query(), "found")
        .to_owned();
    let row = connection.query_one(&count).await?;
    let total = row.map(|row| row.try_get::<i64>("", "total")).transpose()?.unwrap_or_default();
    let total = u64::try_from(total).unwrap_or_default();
    let mut newest = all.order_by_desc(Column::Id).limit(page.limit).offset(page.offset);
    if let Some(after) = page.after {
        newest = newest.filter(Column::Id.lt(after));
    }
    let ids: Vec<Uuid> = newest.into_tuple().all(connection).await?;
    let total = match total >= most {
        true => Total::AtLeast(total.saturating_sub(1)),
        false => Total::Exactly(total),
    };
    Ok((by_ids(connection, organization, ids).await?, total))
}

async fn by_ids(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    ids: Vec<Uuid>,
) -> Result<Vec<Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Id.is_in(ids))
        .order_by_desc(Column::Id);
    Ok(rows.all(connection).await?)
}

/// The next of those that are meant, the newest first, after one.
pub async fn next(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    filter: &Filter,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>> {
    // The ids alone come from an index, however few of many are meant.
    let mut ids = filter.of(organization).column(Column::Id);
    if let Some(after) = after {
        ids = ids.filter(Column::Id.lt(after));
    }
    let ids = ids.order_by_desc(Column::Id).limit(limit).into_tuple();
    let ids: Vec<Uuid> = ids.all(connection).await?;
    by_ids(connection, organization, ids).await
}

async fn count(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    filter: &Filter,
) -> Result<u64> {
    let parts = filter.parts(organization).unwrap_or_else(|| vec![filter.of(organization)]);
    let mut total = 0_u64;
    for part in parts {
        let count = part.expr_as(Func::count(Expr::col(Asterisk)), "total");
        let found: Option<i64> = count.into_tuple().one(connection).await?;
        total = total.saturating_add(u64::try_from(found.unwrap_or_default()).unwrap_or_default());
    }
    Ok(total)
}

/// The ids on a page of many, from whichever end it is nearer to.
async fn place(
    connection: &impl ConnectionTrait,
    all: Select<Entity>,
    page: Page,
    total: u64,
) -> Result<Vec<Uuid>> {
    if let Some(after) = page.after {
        let ids = all.filter(Column::Id.lt(after)).order_by_desc(Column::Id).limit(page.limit);
        return Ok(ids.into_tuple().all(connection).await?);
    }
    let limit = Ord::min(page.limit, total.saturating_sub(page.offset));
    if limit == 0 {
        return Ok(Vec::new());
    }
    let behind = total.saturating_sub(page.offset).saturating_sub(limit);
    let ids = match page.offset <= behind {
        true => all.order_by_desc(Column::Id).limit(limit).offset(page.offset),
        false => all.order_by_asc(Column::Id).limit(limit).offset(behind),
    };
    Ok(ids.into_tuple().all(connection).await?)
}

/// So many characters of each text of a customer are searched in: an entry of an index is short.
pub const SEARCHED: usize = 120;

/// What a license is found by.
fn search(row: &Model) -> String {
    let texts = [&row.customer_id, &row.customer_email, &row.customer_name];
    let texts = texts.map(|text| {
        let lower = text.as_deref().unwrap_or_default().to_lowercase();
        lower.chars().take(SEARCHED).collect::<String>()
    });
    format!("{}\n{}", row.serial.to_lowercase(), texts.join("\n"))
}

/// What was not written yet: as the index of them says it, word for word.
fn is_empty() -> Expr {
    Expr::cust("search = ''")
}

/// Whether there are some that nothing is found by: an older version wrote them.
pub async fn is_unsearched(connection: &impl ConnectionTrait) -> Result<bool> {
    let one = Entity::find().select_only().column(Column::Id).filter(is_empty()).limit(1);
    Ok(one.into_tuple::<Uuid>().one(connection).await?.is_some())
}

/// Writes what some of these are found by. Gives how many; those that are being changed meanwhile
/// are written by that.
pub async fn fill_search(tx: &impl ConnectionTrait, limit: u64) -> Result<u64> {
    // SQLite has one writer, and takes no notice of the lock.
    let rows = Entity::find()
        .filter(is_empty())
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    for row in &rows {
        Entity::update_many()
            .col_expr(Column::Search, Expr::value(search(row)))
            .filter(Column::Id.eq(row.id))
            .exec(tx)
            .await?;
    }
    Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}

/// Adds one.
pub async fn insert(connection: &impl ConnectionTrait, mut row: Model) -> Result<()> {
    row.search = search(&row);
    Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

/// Writes all of one that was read under [`lock`].
pub async fn update(tx: &impl ConnectionTrait, mut row: Model) -> Result<()> {
    row.search = search(&row);
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

/// What a plain report has to know of a license.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    pub id: Uuid,
    pub organization_id: Uuid,
    pub product_id: Uuid,
    pub serial: String,
    pub valid_until: Option<i64>,
    pub suspended_at: Option<i64>,
    pub revoked_at: Option<i64>,
}

/// Those of an organization with these serial numbers, in no order.
pub async fn by_serials(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    serials: &[&str],
) -> Result<Vec<Brief>> {
    let some = Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::ProductId,
            Column::Serial,
            Column::ValidUntil,
            Column::SuspendedAt,
            Column::RevokedAt,
        ])
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Serial.is_in(serials.iter().copied()));
    type Row = (Uuid, Uuid, String, Option<i64>, Option<i64>, Option<i64>);
    let rows: Vec<Row> = some.into_tuple().all(connection).await?;
    let brief = |(id, product_id, serial, valid_until, suspended_at, revoked_at): Row| Brief {
        id,
        organization_id: organization,
        product_id,
        serial,
        valid_until,
        suspended_at,
        revoked_at,
    };
    Ok(rows.into_iter().map(brief).collect())
}

impl From<&Model> for Brief {
    fn from(row: &Model) -> Brief {
        Brief {
            id: row.id,
            organization_id: row.organization_id,
            product_id: row.product_id,
            serial: row.serial.clone(),
            valid_until: row.valid_until,
            suspended_at: row.suspended_at,
            revoked_at: row.revoked_at,
        }
    }
}

/// What people know a license by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub id: Uuid,
    pub product_id: Uuid,
    pub serial: String,
    /// The customer's name, else the address, else the vendor's id of them.
    pub customer: Option<String>,
}

/// Those of an organization with these ids, in no order.
pub async fn labels(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    ids: Vec<Uuid>,
) -> Result<Vec<Label>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let some = Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::ProductId,
            Column::Serial,
            Column::CustomerName,
            Column::CustomerEmail,
            Column::CustomerId,
        ])
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Id.is_in(ids));
    type Row = (Uuid, Uuid, String, Option<String>, Option<String>, Option<String>);
    let rows: Vec<Row> = some.into_tuple().all(connection).await?;
    let label = |(id, product_id, serial, name, email, own): Row| Label {
        id,
        product_id,
        serial,
        customer: name.or(email).or(own),
    };
    Ok(rows.into_iter().map(label).collect())
}
