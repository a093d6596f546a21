//! The license that something is of, as people know it.

use crate::api::Server;
use crate::error::{Code, Error, Result};
use crate::store::licenses;
use sea_orm::prelude::Uuid;
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// The license that something is of.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OfLicense {
    /// The serial number of the license.
    serial: String,
    product_id: Uuid,
    /// Who has it: the customer's name, else the address, else your id of them.
    customer: Option<String>,
}

/// Those of rows of an organization, by the ids of their licenses.
pub struct Labels(HashMap<Uuid, OfLicense>);

impl Labels {
    /// Reads those of all rows of a page at once.
    pub async fn read(
        server: &Server,
        organization: Uuid,
        licenses: impl Iterator<Item = Uuid>,
    ) -> Result<Labels> {
        let mut ids: Vec<Uuid> = licenses.collect();
        ids.sort_unstable();
        ids.dedup();
        let rows = licenses::labels(server.store.read(), organization, ids).await?;
        let label = |row: licenses::Label| {
            let licenses::Label { id, product_id, serial, customer } = row;
            (id, OfLicense { serial, product_id, customer })
        };
        Ok(Labels(rows.into_iter().map(label).collect()))
    }

    /// That of one.
    pub fn of(&self, license: Uuid) -> Result<OfLicense> {
        let found = self.0.get(&license).cloned();
        found.ok_or_else(|| Error::new(Code::Internal, "A license is missing"))
    }
}
