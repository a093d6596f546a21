//! Products and licenses from a CSV file: all of it or nothing, and the same file again changes
//! nothing.

mod licenses;
mod products;
mod table;

pub use table::safe;

use crate::api::{Origin, Shared, Stop, Work};
use crate::error::{Code, Error, Result};
use crate::store::organizations;
use serde_json::Value;
use table::{Row, Table};

/// What is told of at once, where more is wrong.
const FLAWS_MAX: usize = 20;

/// What a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Products.
    Products,
    /// Licenses.
    Licenses,
}

/// A license key that was made. It is shown this once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// The serial number of the license.
    pub serial: String,
    /// Your id of its customer.
    pub customer_id: Option<String>,
    /// The key.
    pub license_key: String,
}

/// What came of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// What was not there.
    pub created: u64,
    /// What was there and is otherwise now.
    pub changed: u64,
    /// What was there as the file has it.
    pub same: u64,
    /// The keys of new licenses, in the order of the file.
    pub keys: Vec<NewKey>,
}

/// What came of one line.
enum Did {
    Created(Option<NewKey>),
    Changed,
    Nothing,
}

/// Imports a file. With `dry_run` everything is done but the last step: nothing is kept.
///
/// Fails with `invalid_argument`, naming each line of the file that is wrong, and then nothing is
/// kept either.
pub async fn import(
    server: &Shared,
    organization: &organizations::Model,
    kind: Kind,
    file: &[u8],
    dry_run: bool,
) -> Result<Imported> {
    let columns = match kind {
        Kind::Products => products::COLUMNS,
        Kind::Licenses => licenses::COLUMNS,
    };
    let table = Table::read(file, columns)?;
    let nobody = Origin::default();
    let mut work = Work::of(server, organization.id, "import", &nobody).await?.by_hand();
    let mut imported = Imported::default();
    let mut flaws = Vec::new();
    for row in &table.rows {
        let did = match kind {
            Kind::Products => products::one(&mut work, organization, row).await,
            Kind::Licenses => licenses::one(server, &mut work, organization, row).await,
        };
        match did {
            Ok(Did::Created(key)) => {
                imported.created += 1;
                imported.keys.extend(key);
            }
            Ok(Did::Changed) => imported.changed += 1,
            Ok(Did::Nothing) => imported.same += 1,
            Err(error) if is_of_the_row(&error) => flaws.push(at(row, &error)),
            // The transaction is of no use any more.
            Err(error) => return Err(Error::new(error.code(), at(row, &error))),
        }
        if flaws.len() >= FLAWS_MAX {
            flaws.push("and maybe more".to_string());
            break;
        }
    }
    if !flaws.is_empty() {
        return Err(Error::invalid(format!("Nothing was imported: {}", flaws.join("; "))));
    }
    if imported.created + imported.changed > 0 {
        let what = match kind {
            Kind::Products => "products",
            Kind::Licenses => "licenses",
        };
        let detail = [
            ("of".to_string(), Value::from(what)),
            ("created".to_string(), Value::from(imported.created)),
            ("changed".to_string(), Value::from(imported.changed)),
        ];
        work.note("data.imported", organization.id, detail.into_iter().collect());
    }
    if !dry_run {
        let done = crate::api::Answer::empty();
        match work.commit(done).await {
            Ok(_) | Err(Stop::Again(_)) => {}
            Err(Stop::Refused(error)) => return Err(error),
        }
    }
    Ok(imported)
}

fn at(row: &Row, error: &Error) -> String {
    format!("line {}: {}", row.line, error.detail())
}

/// Whether it says something of the line, and not of the database.
fn is_of_the_row(error: &Error) -> bool {
    matches!(
        error.code(),
        Code::Malformed | Code::InvalidArgument | Code::Revoked | Code::NoKeyPair | Code::NotFound
    )
}
