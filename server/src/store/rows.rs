//! Rows of every table alike, as a backup has them: the one place that treats tables as data.

use crate::error::{Code, Error, Result};
use crate::store::{
    activations, api_keys, audit, audit_heads, deliveries, documents, events, figures, idempotency,
    key_pairs, licenses, meta, organizations, policies, products, reports, seats, sessions,
    signing_keys, usage, webhooks, withdrawn,
};
use sea_orm::sea_query::{ColumnType, Expr, ExprTrait, Order, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IdenStatic, Iterable, QueryResult,
    Statement, Value,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

/// Rows that are read, and written, at a time.
const PAGE: usize = 200;

/// The same, of signed documents: each may have megabytes.
const DOCUMENTS: usize = 4;

/// Waits for who is writing, and keeps new ones out.
const LOCK: &str = "LOCK TABLE meta, organizations, api_keys, key_pairs, signing_keys, documents, \
                    products, policies, licenses, activations, reports, usage, seats, events, \
                    idempotency, withdrawn, webhooks, deliveries, audit, audit_heads, \
                    sessions, figures IN ACCESS EXCLUSIVE MODE";

/// A table, with nothing in it that only its own file knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    name: String,
    columns: Vec<(String, Kind)>,
    key: Vec<String>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Uuid,
    Text,
    Integer,
    SmallInteger,
    Boolean,
}

/// A row: a value for each column.
pub type Row = Vec<Value>;

/// Every table.
pub fn tables() -> Result<Vec<Table>> {
    Ok(vec![
        table::<meta::Entity>()?,
        table::<organizations::Entity>()?,
        table::<api_keys::Entity>()?,
        table::<key_pairs::Entity>()?,
        table::<signing_keys::Entity>()?,
        table::<documents::Entity>()?,
        table::<products::Entity>()?,
        table::<policies::Entity>()?,
        table::<licenses::Entity>()?,
        table::<activations::Entity>()?,
        table::<reports::Entity>()?,
        table::<usage::Entity>()?,
        table::<seats::Entity>()?,
        table::<events::Entity>()?,
        table::<idempotency::Entity>()?,
        table::<withdrawn::Entity>()?,
        table::<webhooks::Entity>()?,
        table::<deliveries::Entity>()?,
        table::<audit::Entity>()?,
        table::<audit_heads::Entity>()?,
        table::<sessions::Entity>()?,
        table::<figures::Entity>()?,
    ])
}

fn table<E: EntityTrait>() -> Result<Table> {
    let name = E::default().table_name();
    let column = |column: E::Column| -> Result<(String, Kind)> {
        let kind = match column.def().get_column_type() {
            ColumnType::Uuid => Kind::Uuid,
            ColumnType::String(_) | ColumnType::Text => Kind::Text,
            ColumnType::BigInteger => Kind::Integer,
            ColumnType::Integer => Kind::SmallInteger,
            ColumnType::Boolean => Kind::Boolean,
            other => {
                let what = format!("A column of {name} is of a type no backup has: {other:?}");
                return Err(Error::new(Code::Internal, what));
            }
        };
        Ok((column.as_str().to_string(), kind))
    };
    let columns = E::Column::iter().map(column).collect::<Result<_>>()?;
    let key = E::PrimaryKey::iter().map(|part| part.as_str().to_string()).collect();
    Ok(Table { name: name.to_string(), columns, key })
}

impl Table {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many rows are read and written at a time.
    pub fn at_once(&self) -> usize {
        if self.name == "documents" { DOCUMENTS } else { PAGE }
    }

    fn columns(&self) -> impl Iterator<Item = String> {
        self.columns.iter().map(|(name, _)| name.clone())
    }

    /// With the name of the table: SQLite takes a name alone that it does not know for a text.
    fn full_columns(&self) -> impl Iterator<Item = (String, String)> {
        self.columns().map(|column| (self.name.clone(), column))
    }

    /// How many rows it has.
    pub async fn count(&self, connection: &impl ConnectionTrait) -> Result<u64> {
        let mut query = Query::select();
        let first = self.key.first().cloned().unwrap_or_default();
        query.expr_as(Expr::col(first).count(), "rows").from(self.name.clone());
        let row = connection.query_one(&query).await?;
        let count: i64 = row.map(|row| row.try_get("", "rows")).transpose()?.unwrap_or(0);
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The next rows in the order of the key, after one.
    pub async fn page(
        &self,
        connection: &impl ConnectionTrait,
        after: Option<&Row>,
    ) -> Result<Vec<Row>> {
        let mut query = Query::select();
        query.columns(self.full_columns()).from(self.name.clone()).limit(self.at_once() as u64);
        for part in &self.key {
            query.order_by(part.clone(), Order::Asc);
        }
        if let Some(after) = after {
            let parts = Expr::tuple(self.key.iter().map(|part| Expr::col(part.clone())));
            let values = self.key.iter().filter_map(|part| self.value(after, part));
            query.and_where(parts.gt(Expr::tuple(values.map(Expr::val))));
        }
        let found = connection.query_all(&query).await?;
        found.iter().map(|row| self.read(row)).collect()
    }

    fn value(&self, row: &Row, name: &str) -> Option<Value> {
        let at = self.columns().position(|column| column == name)?;
        row.get(at).cloned()
    }

    fn read(&self, row: &QueryResult) -> Result<Row> {
        let value = |(name, kind): &(String, Kind)| -> Result<Value> {
            Ok(match kind {
                Kind::Uuid => Value::from(row.try_get::<Option<Uuid>>("", name)?),
                Kind::Text => Value::from(row.try_get::<Option<String>>("", name)?),
                Kind::Integer => Value::from(row.try_get::<Option<i64>>("", name)?),
                Kind::SmallInteger => Value::from(row.try_get::<Option<i32>>("", name)?),
                Kind::Boolean => Value::from(row.try_get::<Option<bool>>("", name)?),
            })
        };
        self.columns.iter().map(value).collect()
    }

    /// Adds rows. Fails with `conflict` for one that is there.
    pub async fn insert(&self, connection: &impl ConnectionTrait, rows: Vec<Row>) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut query = Query::insert();
        query.into_table(self.name.clone()).columns(self.columns());
        for row in rows {
            let values = query.values(row.into_iter().map(Expr::val));
            values.map_err(|error| Error::new(Code::Internal, error.to_string()))?;
        }
        connection.execute(&query).await?;
        Ok(())
    }

    /// Removes every row.
    pub async fn clear(&self, connection: &impl ConnectionTrait) -> Result<()> {
        let mut query = Query::delete();
        connection.execute(query.from_table(self.name.clone())).await?;
        Ok(())
    }

    /// A row as JSON: ids are text.
    pub fn to_json(&self, row: &Row) -> Vec<Json> {
        let json = |value: &Value| match value {
            Value::Uuid(Some(id)) => Json::from(id.to_string()),
            Value::String(Some(text)) => Json::from(text.as_str()),
            Value::BigInt(Some(number)) => Json::from(*number),
            Value::Int(Some(number)) => Json::from(*number),
            Value::Bool(Some(truth)) => Json::from(*truth),
            _ => Json::Null,
        };
        row.iter().map(json).collect()
    }

    /// A row from JSON; `None` when it is none of this table.
    pub fn from_json(&self, row: &[Json]) -> Option<Row> {
        let value = |(json, (_, kind)): (&Json, &(String, Kind))| -> Option<Value> {
            let none = json.is_null();
            Some(match kind {
                Kind::Uuid if none => Value::from(None::<Uuid>),
                Kind::Uuid => Value::from(Some(Uuid::parse_str(json.as_str()?).ok()?)),
                Kind::Text if none => Value::from(None::<String>),
                Kind::Text => Value::from(Some(json.as_str()?.to_string())),
                Kind::Integer if none => Value::from(None::<i64>),
                Kind::Integer => Value::from(Some(json.as_i64()?)),
                Kind::SmallInteger if none => Value::from(None::<i32>),
                Kind::SmallInteger => Value::from(Some(i32::try_from(json.as_i64()?).ok()?)),
                Kind::Boolean if none => Value::from(None::<bool>),
                Kind::Boolean => Value::from(Some(json.as_bool()?)),
            })
        };
        if row.len() != self.columns.len() {
            return None;
        }
        row.iter().zip(&self.columns).map(value).collect()
    }
}

/// Fails with `schema` where a table or a column of this version is missing.
pub async fn check(connection: &impl ConnectionTrait) -> Result<()> {
    for table in tables()? {
        let mut query = Query::select();
        query.columns(table.full_columns()).from(table.name.clone()).limit(0);
        if let Err(error) = connection.query_all(&query).await {
            tracing::error!(table = table.name, error = %error, "schema");
            let what = format!(
                "The table {} of the database is not as this version made it: restore a backup",
                table.name
            );
            return Err(Error::new(Code::Schema, what));
        }
    }
    Ok(())
}

/// Keeps everybody else out of every table until the transaction ends. On SQLite nobody else
/// writes anyway.
pub async fn lock(connection: &impl ConnectionTrait) -> Result<()> {
    if connection.get_database_backend() == DbBackend::Postgres {
        connection.execute_unprepared(LOCK).await?;
    }
    Ok(())
}

/// The number after the last event. The next event gets a higher one.
///
/// SQLite remembers by itself, also after the rows are gone.
pub async fn event_sequence(connection: &impl ConnectionTrait) -> Result<i64> {
    if connection.get_database_backend() != DbBackend::Postgres {
        return Ok(0);
    }
    let sql = "SELECT nextval(pg_get_serial_sequence($1, $2)) AS seq";
    let query = Statement::from_sql_and_values(DbBackend::Postgres, sql, sequence());
    let row = connection.query_one_raw(query).await?;
    Ok(row.map(|row| row.try_get("", "seq")).transpose()?.unwrap_or(0))
}

/// Makes the next event's number higher than `last`, and than those of all events.
pub async fn raise_event_sequence(connection: &impl ConnectionTrait, last: i64) -> Result<()> {
    if connection.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let sql = "SELECT setval(pg_get_serial_sequence($1, $2), \
               GREATEST($3, (SELECT COALESCE(MAX(seq), 1) FROM events)))";
    let values = sequence().into_iter().chain([Value::from(last)]);
    let query = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    connection.query_one_raw(query).await?;
    Ok(())
}

fn sequence() -> [Value; 2] {
    [Value::from("events"), Value::from("seq")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_locked() {
        let names: Vec<String> = tables().unwrap().iter().map(|it| it.name.clone()).collect();
        let locked = LOCK.strip_prefix("LOCK TABLE ").unwrap().split(" IN ").next().unwrap();
        assert_eq!(locked.split(", ").collect::<Vec<_>>(), names);
    }

    #[test]
    fn a_row_is_the_same_again() {
        let table = table::<seats::Entity>().unwrap();
        let id = Uuid::from_u128(7);
        let row: Row = table
            .columns
            .iter()
            .map(|(_, kind)| match kind {
                Kind::Uuid => Value::from(Some(id)),
                Kind::Text => Value::from(Some("a\u{0}\n\"ü".to_string())),
                Kind::Integer => Value::from(Some(i64::MIN)),
                Kind::SmallInteger => Value::from(None::<i32>),
                Kind::Boolean => Value::from(Some(true)),
            })
            .collect();
        let text = serde_json::to_string(&table.to_json(&row)).unwrap();
        let json: Vec<Json> = serde_json::from_str(&text).unwrap();
        assert_eq!(table.from_json(&json), Some(row));
        assert_eq!(table.from_json(&json[1..]), None, "a value is missing");
        let mut wrong = json.clone();
        wrong[0] = Json::from(1);
        assert_eq!(table.from_json(&wrong), None, "a number is no id");
    }
}
