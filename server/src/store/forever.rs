//! What a restored backup must not undo: a license that was revoked stays revoked, a key that is
//! known to be stolen stays refused, and versions that clients have seen do not come again.

use crate::error::Result;
use crate::store::{
    api_keys, documents, key_pairs, licenses, organizations, products, signing_keys, withdrawn,
};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, Set,
};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What a database knew before it was replaced.
pub struct Forever {
    licenses: Vec<licenses::Model>,
    api_keys: Vec<api_keys::Model>,
    key_pairs: HashMap<Uuid, key_pairs::Model>,
    signing_keys: Vec<signing_keys::Model>,
    products: HashMap<Uuid, products::Model>,
    organizations: HashMap<Uuid, organizations::Model>,
    documents: Vec<documents::Model>,
    withdrawn: Vec<withdrawn::Model>,
}

impl Forever {
    /// Reads it from the database that will be replaced.
    pub async fn of(connection: &impl ConnectionTrait) -> Result<Forever> {
        let revoked = licenses::Column::RevokedAt.is_not_null();
        let licenses = licenses::Entity::find().filter(revoked).all(connection).await?;
        let revoked = api_keys::Column::RevokedAt.is_not_null();
        let api_keys = api_keys::Entity::find().filter(revoked).all(connection).await?;
        let key_pairs = key_pairs::Entity::find().all(connection).await?;
        let products = products::Entity::find().all(connection).await?;
        let organizations = organizations::Entity::find().all(connection).await?;
        Ok(Forever {
            licenses,
            api_keys,
            key_pairs: key_pairs.into_iter().map(|it| (it.id, it)).collect(),
            signing_keys: signing_keys::Entity::find().all(connection).await?,
            products: products.into_iter().map(|it| (it.id, it)).collect(),
            organizations: organizations.into_iter().map(|it| (it.id, it)).collect(),
            documents: newest(connection).await?,
            withdrawn: withdrawn::Entity::find().all(connection).await?,
        })
    }

    /// Whether private keys are among it, sealed under a master key.
    pub fn has_keys(&self) -> bool {
        !self.signing_keys.is_empty()
    }

    /// Writes it over what a backup brought. Gives how many licenses stay revoked that the backup
    /// had otherwise, or not at all.
    pub async fn keep(self, connection: &impl ConnectionTrait) -> Result<u64> {
        let kept = self.keep_revoked(connection).await?;
        withdrawn::add(connection, self.withdrawn.clone()).await?;
        for key in &self.api_keys {
            let revoked =
                api_keys::ActiveModel { revoked_at: Set(key.revoked_at), ..Default::default() };
            api_keys::Entity::update_many()
                .set(revoked)
                .filter(api_keys::Column::Id.eq(key.id))
                .filter(api_keys::Column::RevokedAt.is_null())
                .exec(connection)
                .await?;
        }
        self.keep_keys(connection).await?;
        self.keep_versions(connection).await?;
        Ok(kept)
    }

    async fn keep_revoked(&self, connection: &impl ConnectionTrait) -> Result<u64> {
        let mut kept = 0;
        for old in &self.licenses {
            match licenses::Entity::find_by_id(old.id).one(connection).await? {
                Some(new) if new.revoked_at.is_some() => {}
                Some(new) => {
                    let mut license = new.into_active_model();
                    license.revoked_at = Set(old.revoked_at);
                    license.reason = Set(old.reason.clone());
                    license.updated_at = Set(old.updated_at);
                    license.update(connection).await?;
                    kept += 1;
                }
                None => {
                    self.bring(connection, old).await?;
                    kept += 1;
                }
            }
        }
        Ok(kept)
    }

    /// A revoked license that the backup does not have, and what it needs to stay in a list.
    async fn bring(&self, connection: &impl ConnectionTrait, old: &licenses::Model) -> Result<()> {
        let license = old.clone().into_active_model();
        licenses::Entity::insert(license).exec_without_returning(connection).await?;
        let Some(product) = self.products.get(&old.product_id) else { return Ok(()) };
        if products::Entity::find_by_id(product.id).one(connection).await?.is_some() {
            return Ok(());
        }
        let row = product.clone().into_active_model();
        products::Entity::insert(row).exec_without_returning(connection).await?;
        if let Some(organization) = self.organizations.get(&product.organization_id) {
            let row = organization.clone().into_active_model();
            let there = OnConflict::column(organizations::Column::Id).do_nothing().to_owned();
            organizations::Entity::insert(row)
                .on_conflict(there)
                .exec_without_returning(connection)
                .await?;
        }
        let Some(pair) = product.key_pair_id.and_then(|id| self.key_pairs.get(&id)) else {
            return Ok(());
        };
        if key_pairs::Entity::find_by_id(pair.id).one(connection).await?.is_none() {
            let row = pair.clone().into_active_model();
            key_pairs::Entity::insert(row).exec_without_returning(connection).await?;
            self.bring_keys(connection, pair.id).await?;
        }
        Ok(())
    }

    /// The keys of a pair as they were.
    async fn bring_keys(&self, connection: &impl ConnectionTrait, pair: Uuid) -> Result<()> {
        for key in self.signing_keys.iter().filter(|key| key.key_pair_id == pair) {
            signing_keys::Entity::delete_by_id(key.id).exec(connection).await?;
            let row = key.clone().into_active_model();
            signing_keys::Entity::insert(row).exec_without_returning(connection).await?;
        }
        Ok(())
    }

    /// Of a key pair that was rotated after the backup, its newer keys; and who is known to be
    /// stolen.
    async fn keep_keys(&self, connection: &impl ConnectionTrait) -> Result<()> {
        let mut replaced = HashSet::new();
        for new in key_pairs::Entity::find().all(connection).await? {
            let Some(old) = self.key_pairs.get(&new.id).filter(|old| old.epoch > new.epoch) else {
                continue;
            };
            let mut pair = new.into_active_model();
            pair.epoch = Set(old.epoch);
            pair.updated_at = Set(old.updated_at);
            pair.update(connection).await?;
            self.bring_keys(connection, old.id).await?;
            replaced.insert(old.id);
        }
        let stolen = self.signing_keys.iter().filter(|key| key.compromised_at.is_some());
        for key in stolen.filter(|key| !replaced.contains(&key.key_pair_id)) {
            let compromised = signing_keys::ActiveModel {
                state: Set(key.state.clone()),
                compromised_at: Set(key.compromised_at),
                ..Default::default()
            };
            signing_keys::Entity::update_many()
                .set(compromised)
                .filter(signing_keys::Column::Id.eq(key.id))
                .filter(signing_keys::Column::CompromisedAt.is_null())
                .exec(connection)
                .await?;
        }
        Ok(())
    }

    /// What clients have seen, so that what they see next is newer.
    async fn keep_versions(self, connection: &impl ConnectionTrait) -> Result<()> {
        for new in products::Entity::find().all(connection).await? {
            let old = self.products.get(&new.id).map_or(0, |old| old.revocations_version);
            if old > new.revocations_version {
                let mut product = new.into_active_model();
                product.revocations_version = Set(old);
                product.update(connection).await?;
            }
        }
        let there =
            [documents::Column::ProductId, documents::Column::Kind, documents::Column::Version];
        for document in self.documents {
            let nothing = OnConflict::columns(there).do_nothing().to_owned();
            documents::Entity::insert(document.into_active_model())
                .on_conflict(nothing)
                .exec_without_returning(connection)
                .await?;
        }
        Ok(())
    }
}

/// The last of each kind of each product.
async fn newest(connection: &impl ConnectionTrait) -> Result<Vec<documents::Model>> {
    let last: Vec<(Uuid, String, i64)> = documents::Entity::find()
        .select_only()
        .columns([documents::Column::ProductId, documents::Column::Kind])
        .column_as(documents::Column::Version.max(), "version")
        .group_by(documents::Column::ProductId)
        .group_by(documents::Column::Kind)
        .into_tuple()
        .all(connection)
        .await?;
    let mut found = Vec::with_capacity(last.len());
    for key in last {
        found.extend(documents::Entity::find_by_id(key).one(connection).await?);
    }
    Ok(found)
}
