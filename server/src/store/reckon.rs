//! Figures, reckoned from the rows that they are of: grouped by the database, never row by row.

use super::figures::whole;
use crate::error::Result;
use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};

/// Seconds.
const DAY: i64 = 86_400;

/// How many there are of a product on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub organization_id: Uuid,
    pub product_id: Uuid,
    /// Its first second; 0 where no day was asked for.
    pub day: i64,
    pub count: i64,
}

/// How the licenses of a product stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub organization_id: Uuid,
    pub product_id: Uuid,
    pub active: i64,
    pub suspended: i64,
    pub expired: i64,
    pub revoked: i64,
    /// Seats that the active ones grant.
    pub seats: i64,
}

/// What was used of a product's feature in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    pub organization_id: Uuid,
    pub product_id: Uuid,
    pub feature: String,
    pub kind: String,
    /// Its first second, of hours that of their day; negative = of all that were too many to keep.
    pub period: i64,
    pub used: i64,
}

/// Something that happens once to a row, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A license was made.
    Created,
    /// One was revoked.
    Revoked,
    /// A license was activated somewhere.
    Activated,
    /// A machine was freed.
    Deactivated,
}

async fn ask<T>(
    connection: &impl ConnectionTrait,
    sql: String,
    values: Vec<Value>,
    row: impl Fn(&QueryResult) -> Result<T, DbErr>,
) -> Result<Vec<T>> {
    let query = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    let rows = connection.query_all_raw(query).await?;
    Ok(rows.iter().map(row).collect::<Result<_, DbErr>>()?)
}

fn count(row: &QueryResult) -> Result<Count, DbErr> {
    Ok(Count {
        organization_id: row.try_get("", "organization_id")?,
        product_id: row.try_get("", "product_id")?,
        day: row.try_get("", "day")?,
        count: row.try_get("", "count")?,
    })
}

/// Which licenses are meant.
#[derive(Clone, Copy, Debug)]
pub enum Licenses {
    /// Everybody's.
    All,
    /// An organization's.
    Organization(Uuid),
    /// Those of one product of an organization.
    Product(Uuid, Uuid),
}

impl Licenses {
    /// What is asked of the licenses `l`; ids are values from a number on.
    fn licenses(self, number: usize, values: &mut Vec<Value>) -> String {
        match self {
            Licenses::All => "1 = 1".to_string(),
            Licenses::Organization(id) => {
                values.push(id.into());
                format!("l.organization_id = ${number}")
            }
            Licenses::Product(organization, product) => {
                values.extend([organization.into(), product.into()]);
                let next = number.saturating_add(1);
                format!("l.organization_id = ${number} AND l.product_id = ${next}")
            }
        }
    }

    /// The same of rows that belong to licenses. Those of a product are found by the ids of its
    /// licenses alone: it may be a small one of an organization that is large.
    fn rows(self, number: usize, values: &mut Vec<Value>) -> String {
        let licenses = self.licenses(number, values);
        match self {
            Licenses::All => licenses,
            Licenses::Organization(_) => licenses.replace("l.", ""),
            Licenses::Product(..) => {
                format!("license_id IN (SELECT l.id FROM licenses l WHERE {licenses})")
            }
        }
    }
}

/// How licenses stand at a time, by product.
pub async fn standing(
    connection: &impl ConnectionTrait,
    of: Licenses,
    now: i64,
) -> Result<Vec<Standing>> {
    let mut values = vec![now.into()];
    let only = of.licenses(2, &mut values);
    let free = "revoked_at IS NULL AND suspended_at IS NULL";
    let sql = format!(
        "SELECT organization_id, product_id, COUNT(*) AS total, \
         COUNT(*) FILTER (WHERE revoked_at IS NOT NULL) AS revoked, \
         COUNT(*) FILTER (WHERE revoked_at IS NULL AND suspended_at IS NOT NULL) AS suspended, \
         COUNT(*) FILTER (WHERE {free} AND valid_until <= $1) AS expired, \
         SUM(CAST(max_seats AS double precision)) \
         FILTER (WHERE {free} AND (valid_until IS NULL OR valid_until > $1)) AS seats \
         FROM licenses l WHERE {only} GROUP BY organization_id, product_id"
    );
    let standing = |row: &QueryResult| {
        let number = |name: &str| row.try_get::<i64>("", name);
        let (total, revoked) = (number("total")?, number("revoked")?);
        let (suspended, expired) = (number("suspended")?, number("expired")?);
        Ok(Standing {
            organization_id: row.try_get("", "organization_id")?,
            product_id: row.try_get("", "product_id")?,
            active: total.saturating_sub(revoked).saturating_sub(suspended).saturating_sub(expired),
            suspended,
            expired,
            revoked,
            seats: whole(row, "seats")?,
        })
    };
    ask(connection, sql, values, standing).await
}

/// Installations that take a machine, by product.
pub async fn activations(connection: &impl ConnectionTrait, of: Licenses) -> Result<Vec<Count>> {
    let mut values = Vec::new();
    let only = of.rows(1, &mut values);
    let sql = of_licenses(connection, "activations", "deactivated_at IS NULL", &only);
    ask(connection, sql, values, count).await
}

/// Seats that somebody has at a time, by product.
pub async fn seats(
    connection: &impl ConnectionTrait,
    of: Licenses,
    now: i64,
) -> Result<Vec<Count>> {
    let mut values = vec![now.into()];
    let only = of.rows(2, &mut values);
    let sql = of_licenses(connection, "seats", "expires_at > $1", &only);
    ask(connection, sql, values, count).await
}

/// Counts the rows of a table by the product of their license: by license first, so that each is
/// looked up once.
fn of_licenses(connection: &impl ConnectionTrait, table: &str, which: &str, only: &str) -> String {
    let joined = joined(connection);
    format!(
        "SELECT l.organization_id, l.product_id, CAST(0 AS bigint) AS day, \
         CAST(SUM(a.count) AS bigint) AS count FROM \
         (SELECT organization_id, license_id, COUNT(*) AS count FROM {table} \
         WHERE {which} AND {only} GROUP BY organization_id, license_id) AS a {joined} \
         GROUP BY l.organization_id, l.product_id"
    )
}

/// The licenses of rows `a`, read from an index alone: rows of licenses are long.
fn joined(connection: &impl ConnectionTrait) -> &'static str {
    match connection.get_database_backend() {
        DbBackend::Sqlite => {
            "JOIN licenses AS l INDEXED BY licenses_list \
             ON l.organization_id = a.organization_id AND l.id = a.license_id"
        }
        _ => "JOIN licenses AS l ON l.organization_id = a.organization_id AND l.id = a.license_id",
    }
}

/// How often something happened from a time on, by product and day.
pub async fn happened(
    connection: &impl ConnectionTrait,
    what: Happened,
    since: i64,
) -> Result<Vec<Count>> {
    let (table, column) = match what {
        Happened::Created => ("licenses", "created_at"),
        Happened::Revoked => ("licenses", "revoked_at"),
        Happened::Activated => ("activations", "created_at"),
        Happened::Deactivated => ("activations", "deactivated_at"),
    };
    by_day(connection, table, &format!("a.{column}"), since).await
}

/// Counts the rows of a table by a time that is an expression of theirs, from a time on.
async fn by_day(
    connection: &impl ConnectionTrait,
    table: &str,
    at: &str,
    since: i64,
) -> Result<Vec<Count>> {
    let (product, join) = match table {
        "licenses" => ("a.product_id", ""),
        _ => ("l.product_id", joined(connection)),
    };
    let sql = format!(
        "SELECT a.organization_id, {product}, {at} / {DAY} * {DAY} AS day, COUNT(*) AS count \
         FROM {table} AS a {join} WHERE {at} >= $1 GROUP BY 1, 2, 3"
    );
    ask(connection, sql, vec![since.into()], count).await
}

/// Licenses of each day on which they begin to be active, and of each on which they cease to.
///
/// What a row does not tell any more is left out: that one was suspended and reinstated, and what
/// its end was before it was renewed.
pub async fn licenses_active(
    connection: &impl ConnectionTrait,
) -> Result<(Vec<Count>, Vec<Count>)> {
    let (least, most) = match connection.get_database_backend() {
        DbBackend::Sqlite => ("MIN", "MAX"),
        _ => ("LEAST", "GREATEST"),
    };
    let never = i64::MAX;
    let ends = ["revoked_at", "suspended_at", "valid_until"];
    let ends = ends.map(|column| format!("COALESCE(a.{column}, {never})")).join(", ");
    let end = format!("{most}(a.created_at, {least}({ends}))");
    let begun = by_day(connection, "licenses", "a.created_at", i64::MIN).await?;
    let mut ended = by_day(connection, "licenses", &end, i64::MIN).await?;
    ended.retain(|row| row.day < never / DAY * DAY);
    Ok((begun, ended))
}

/// The same of installations that take a machine.
pub async fn activations_live(
    connection: &impl ConnectionTrait,
) -> Result<(Vec<Count>, Vec<Count>)> {
    let begun = by_day(connection, "activations", "a.created_at", i64::MIN).await?;
    let ended = by_day(connection, "activations", "a.deactivated_at", i64::MIN).await?;
    Ok((begun, ended))
}

/// How many licenses end within so many seconds after a time: for each, the number of them.
pub async fn ending_within(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    product: Option<Uuid>,
    now: i64,
    within: [i64; 3],
) -> Result<[i64; 3]> {
    let last = within.into_iter().max().unwrap_or_default();
    let until = |seconds: i64| Value::from(now.saturating_add(seconds));
    let mut values = vec![organization.into(), now.into(), until(last)];
    values.extend(within.map(until));
    let of = product.map_or("", |id| {
        values.push(id.into());
        "AND product_id = $7"
    });
    let sql = format!(
        "SELECT COUNT(*) FILTER (WHERE valid_until <= $4) AS first, \
         COUNT(*) FILTER (WHERE valid_until <= $5) AS second, \
         COUNT(*) FILTER (WHERE valid_until <= $6) AS third \
         FROM licenses WHERE organization_id = $1 AND revoked_at IS NULL \
         AND suspended_at IS NULL AND valid_until > $2 AND valid_until <= $3 {of}"
    );
    let numbers = |row: &QueryResult| {
        Ok([row.try_get("", "first")?, row.try_get("", "second")?, row.try_get("", "third")?])
    };
    let rows = ask(connection, sql, values, numbers).await?;
    Ok(rows.first().copied().unwrap_or_default())
}

/// Licenses that end after a time and until another, by the day of their end, in its order.
pub async fn ending(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    product: Option<Uuid>,
    (after, until): (i64, i64),
) -> Result<Vec<(i64, i64)>> {
    let mut values = vec![organization.into(), after.into(), until.into()];
    let of = product.map_or("", |id| {
        values.push(id.into());
        "AND product_id = $4"
    });
    let sql = format!(
        "SELECT valid_until / {DAY} * {DAY} AS day, COUNT(*) AS count FROM licenses \
         WHERE organization_id = $1 AND revoked_at IS NULL AND suspended_at IS NULL \
         AND valid_until > $2 AND valid_until <= $3 {of} GROUP BY 1 ORDER BY 1"
    );
    let day = |row: &QueryResult| Ok((row.try_get("", "day")?, row.try_get("", "count")?));
    ask(connection, sql, values, day).await
}

/// How many licenses an organization has made since a time.
pub async fn created_since(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    product: Option<Uuid>,
    since: i64,
) -> Result<i64> {
    let mut values = vec![organization.into(), since.into()];
    let of = match product {
        Some(id) => {
            values.push(id.into());
            "product_id = $3"
        }
        // So that the index is of use, which begins with the product.
        None => "product_id IN (SELECT id FROM products WHERE organization_id = $1)",
    };
    let sql = format!(
        "SELECT COUNT(*) AS count FROM licenses \
         WHERE organization_id = $1 AND {of} AND created_at >= $2"
    );
    let rows = ask(connection, sql, values, |row| row.try_get::<i64>("", "count")).await?;
    Ok(rows.first().copied().unwrap_or_default())
}

/// Whose usage is meant.
#[derive(Clone, Copy, Debug)]
pub enum Whose {
    /// Everybody's.
    All,
    /// That of one license of an organization.
    License(Uuid, Uuid),
}

/// What was used in periods that begin then or later, and in those that are longer than a month.
///
/// What was counted before a ledger was lost and after it adds up; of levels and keys, whose
/// totals are the highest of a month, the higher one counts.
pub async fn used(
    connection: &impl ConnectionTrait,
    whose: Whose,
    since: i64,
) -> Result<Vec<Used>> {
    let mut values: Vec<Value> = vec![since.into()];
    let only = match whose {
        Whose::All => "1 = 1",
        Whose::License(organization, license) => {
            values.extend([organization.into(), license.into()]);
            "a.organization_id = $2 AND a.license_id = $3"
        }
    };
    let joined = joined(connection);
    let recent = "(a.period >= $1 OR a.period < 1 OR a.kind IN ('year', 'ever'))";
    let period = format!(
        "CASE WHEN a.kind = 'hour' AND a.period > 0 THEN a.period / {DAY} * {DAY} \
         ELSE a.period END"
    );
    let counters = format!(
        "SELECT l.organization_id, l.product_id, a.feature, a.kind, {period} AS period, \
         SUM(CAST(a.used AS double precision)) AS used FROM usage AS a {joined} \
         WHERE {only} AND {recent} AND a.kind NOT IN ('level', 'distinct') \
         GROUP BY 1, 2, 3, 4, 5"
    );
    let levels = format!(
        "SELECT l.organization_id, l.product_id, a.feature, a.kind, a.period, \
         SUM(CAST(a.most AS double precision)) AS used FROM \
         (SELECT organization_id, license_id, activation_id, feature, kind, period, \
         MAX(used) AS most FROM usage AS a \
         WHERE {only} AND {recent} AND kind IN ('level', 'distinct') \
         GROUP BY organization_id, license_id, activation_id, feature, kind, period) AS a {joined} \
         GROUP BY 1, 2, 3, 4, 5"
    );
    let used = |row: &QueryResult| {
        Ok(Used {
            organization_id: row.try_get("", "organization_id")?,
            product_id: row.try_get("", "product_id")?,
            feature: row.try_get("", "feature")?,
            kind: row.try_get("", "kind")?,
            period: row.try_get("", "period")?,
            used: whole(row, "used")?,
        })
    };
    let mut rows = ask(connection, counters, values.clone(), used).await?;
    rows.extend(ask(connection, levels, values, used).await?);
    Ok(rows)
}
