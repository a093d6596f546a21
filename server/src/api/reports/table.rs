//! A report as JSON, or as a table for spreadsheets.

use crate::api::Answer;
use crate::api::exports::sheet;
use crate::error::Result;
use licentia::rfc3339;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As JSON.
    #[default]
    Json,
    /// As CSV (RFC 4180), the names of the columns first.
    Csv,
}

/// A table: the names of its columns, and a value for each in every row.
pub struct Table {
    /// What the file is called.
    pub name: &'static str,
    /// The columns, in their order.
    pub columns: Vec<&'static str>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
}

impl Form {
    /// The answer in this form.
    pub fn answer(
        self,
        report: &impl Serialize,
        now: i64,
        table: impl FnOnce() -> Table,
    ) -> Result<Answer> {
        if self == Form::Json {
            return Ok(Answer::ok(report));
        }
        let Table { name, columns, rows } = table();
        let row = |row: Vec<Value>| -> Map<String, Value> {
            columns.iter().map(|name| (*name).to_string()).zip(row).collect()
        };
        let rows: Vec<_> = rows.into_iter().map(row).collect();
        let mut body = sheet::head(&columns)?;
        body.extend(sheet::lines(&columns, &rows)?);
        let day: String = rfc3339(now).chars().take("2025-01-15".len()).collect();
        let answer = Answer { status: 200, headers: Vec::new(), body };
        Ok(answer
            .with("content-type", "text/csv; charset=utf-8")
            .with("content-disposition", &format!("attachment; filename=\"{name}-{day}.csv\"")))
    }
}
