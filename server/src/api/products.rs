//! Products: what licenses are for.

use super::given::{self, Nothing, maybe, some};
use super::{Answer, Asked, Caller, Id, PageQuery, Problem, Scope, Shared, Stop, Work, Written};
use crate::documents;
use crate::error::{Code, Error, Result};
use crate::key_pair;
use crate::store::{key_pairs, products, signing_keys};
use axum::extract::State;
use licentia::{is_product_code, rfc3339};
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Days a license is valid, if neither product nor vendor says.
const VALID_DAYS: i64 = 365;

/// Days a license is valid, at most, where a number of days says it: a century.
pub const VALID_DAYS_MAX: i64 = 36_525;

/// Characters of a name.
const NAME_MAX: usize = 255;

/// Characters of a description.
const DESCRIPTION_MAX: usize = 4096;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(get, change, delete))
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
pub struct Product {
    id: Uuid,
    name: String,
    code: String,
    description: Option<String>,
    default_features: Vec<String>,
    default_valid_days: i64,
    key_pair_id: Option<Uuid>,
    /// The version of its revocation list: it rises with every change.
    revocations_version: i64,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

impl Product {
    /// That of a row.
    pub fn of(row: &products::Model) -> Product {
        Product {
            id: row.id,
            name: row.name.clone(),
            code: row.code.clone(),
            description: row.description.clone(),
            default_features: row.default_features(),
            default_valid_days: row.default_valid_days,
            key_pair_id: row.key_pair_id,
            revocations_version: row.revocations_version,
            created_at: rfc3339(row.created_at),
            updated_at: rfc3339(row.updated_at),
        }
    }
}

impl products::Model {
    /// What its licenses grant unless they say otherwise.
    pub fn default_features(&self) -> Vec<String> {
        serde_json::from_str(&self.default_features_json).unwrap_or_default()
    }
}

/// A page of products.
#[derive(Debug, Serialize, ToSchema)]
pub struct Products {
    products: Vec<Product>,
    /// How many there are on all pages.
    total: u64,
    /// For the next page; null after the last.
    next_cursor: Option<String>,
}

/// A product to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    #[schema(min_length = 1, max_length = 255)]
    pub(crate) name: String,
    /// Lower case, digits and hyphens, a hyphen not first; one product has it.
    #[schema(min_length = 1, max_length = 100, pattern = "^[a-z0-9][a-z0-9-]*$")]
    pub(crate) code: String,
    #[schema(max_length = 4096)]
    pub(crate) description: Option<String>,
    /// What licenses grant unless they say otherwise.
    #[schema(max_items = 1024)]
    pub(crate) default_features: Option<Vec<String>>,
    /// How long licenses are valid unless they say otherwise; 0 = without end.
    #[schema(minimum = 0, maximum = 36525, default = 365)]
    pub(crate) default_valid_days: Option<i64>,
    /// The key pair that signs its licenses: without one it has none.
    pub(crate) key_pair_id: Option<Uuid>,
}

impl NewProduct {
    /// The row. Fails with `invalid_argument`.
    pub(crate) async fn row(
        self,
        tx: &impl ConnectionTrait,
        organization: Uuid,
        now: i64,
    ) -> Result<products::Model> {
        let row = products::Model {
            id: Uuid::now_v7(),
            organization_id: organization,
            name: self.name,
            code: self.code,
            description: self.description,
            default_features_json: json(&self.default_features.unwrap_or_default()),
            default_valid_days: self.default_valid_days.unwrap_or(VALID_DAYS),
            key_pair_id: self.key_pair_id,
            revocations_version: 0,
            created_at: now,
            updated_at: now,
        };
        check(&row, tx).await?;
        Ok(row)
    }
}

/// What is to be otherwise. A member that is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductChange {
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = String, min_length = 1, max_length = 255, nullable = false)]
    pub(crate) name: Option<String>,
    /// It stays as it is once there are licenses: they say it.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = String, min_length = 1, max_length = 100, nullable = false,
        pattern = "^[a-z0-9][a-z0-9-]*$")]
    pub(crate) code: Option<String>,
    /// Null clears it.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<String>, max_length = 4096)]
    pub(crate) description: Option<Option<String>>,
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Vec<String>, max_items = 1024, nullable = false)]
    pub(crate) default_features: Option<Vec<String>>,
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = i64, minimum = 0, maximum = 36525, nullable = false)]
    pub(crate) default_valid_days: Option<i64>,
    /// Null takes it away. Once there are licenses it stays: rotate the key pair instead.
    /// Where its root was compromised, another takes its place.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<Uuid>)]
    pub(crate) key_pair_id: Option<Option<Uuid>>,
}

impl ProductChange {
    /// Changes the row. Gives whether anything is otherwise now.
    pub(crate) async fn apply(
        self,
        row: &mut products::Model,
        tx: &impl ConnectionTrait,
        now: i64,
    ) -> Result<bool> {
        let before = row.clone();
        set(&mut row.name, self.name);
        set(&mut row.code, self.code);
        set(&mut row.description, self.description);
        set(&mut row.default_features_json, self.default_features.map(|features| json(&features)));
        set(&mut row.default_valid_days, self.default_valid_days);
        set(&mut row.key_pair_id, self.key_pair_id);
        if *row == before {
            return Ok(false);
        }
        check(row, tx).await?;
        if row.code != before.code || !may_rekey(&before, row, tx).await? {
            let licenses = products::licenses(tx, row).await?;
            if licenses > 0 {
                let what = format!(
                    "The product has {licenses} licenses that its programs know by its code and \
                     keys: both stay (rotate the key pair to have new keys)"
                );
                return Err(Error::new(Code::Conflict, what));
            }
        }
        if row.code != before.code || row.key_pair_id != before.key_pair_id {
            documents::begin_anew(tx, row, now).await?;
        }
        row.updated_at = now;
        Ok(true)
    }
}

/// Whether the key pair may become another although there are licenses: where there was none, or
/// one whose root is in other hands, which no program takes new keys from.
async fn may_rekey(
    before: &products::Model,
    row: &products::Model,
    tx: &impl ConnectionTrait,
) -> Result<bool> {
    let Some(pair) = before.key_pair_id.filter(|_| row.key_pair_id != before.key_pair_id) else {
        return Ok(true);
    };
    let keys = signing_keys::of_pair(tx, row.organization_id, pair).await?;
    Ok(row.key_pair_id.is_some() && !key_pair::has_root(&keys))
}

fn set<T>(member: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *member = given;
    }
}

fn json(features: &[String]) -> String {
    serde_json::to_string(features).unwrap_or_default()
}

/// Fails with `invalid_argument` for what no product can be.
async fn check(row: &products::Model, tx: &impl ConnectionTrait) -> Result<()> {
    given::line("name", &row.name, NAME_MAX)?;
    if !is_product_code(&row.code) {
        let what = "code has 1 to 100 of a-z, 0-9 and -, and does not begin with -";
        return Err(Error::invalid(what));
    }
    given::lines("description", row.description.as_deref(), DESCRIPTION_MAX)?;
    let features = row.default_features();
    given::feature_ids("default_features", features.iter().map(String::as_str))?;
    given::within("default_valid_days", Some(row.default_valid_days), 0, VALID_DAYS_MAX)?;
    if let Some(pair) = row.key_pair_id
        && key_pairs::hold(tx, row.organization_id, pair).await?.is_none()
    {
        return Err(Error::invalid("key_pair_id: there is no such key pair: look at its id"));
    }
    Ok(())
}

/// Create a product
#[utoipa::path(post, path = "/products", tag = "products", request_body = NewProduct,
    security(("api_key" = ["catalog"])),
    responses((status = 201, body = Product), (status = "4XX", body = Problem)))]
async fn create(
    State(server): State<Shared>,
    caller: Caller,
    Written { body, origin }: Written<NewProduct>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Catalog)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let row = body.row(&work.tx, caller.organization.id, work.now).await?;
    let product = Product::of(&row);
    products::insert(&work.tx, row).await?;
    work.event("product.created", product.id, &product);
    let location = format!("/api/v1/products/{}", product.id);
    work.commit(Answer::created(&location, &product)).await
}

/// Which products are asked for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ProductQuery {
    /// Those whose licenses this key pair signs.
    key_pair_id: Option<Uuid>,
    /// Which page, from 1. Not with `cursor`.
    #[param(minimum = 1, default = 1)]
    page: Option<u64>,
    /// Products on a page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u64>,
    /// `next_cursor` of the page before.
    #[param(max_length = 64)]
    cursor: Option<String>,
}

/// List products
#[utoipa::path(get, path = "/products", tag = "products", params(ProductQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Products), (status = "4XX", body = Problem)))]
async fn list(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<ProductQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let ProductQuery { key_pair_id, page, per_page, cursor } = query;
    let page = PageQuery { page, per_page, cursor }.page()?;
    let (store, organization) = (server.store.read(), caller.organization.id);
    let (mut rows, total) =
        products::list(store, organization, key_pair_id, page.and_one()).await?;
    let next_cursor = page.cut(&mut rows, |row| row.id);
    let products = rows.iter().map(Product::of).collect();
    Ok(Answer::ok(&Products { products, total, next_cursor }))
}

/// Get a product
#[utoipa::path(get, path = "/products/{id}", tag = "products", params(("id" = Uuid, Path)),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Product), (status = "4XX", body = Problem)))]
async fn get(State(server): State<Shared>, caller: Caller, Id(id): Id) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let row = products::get(server.store.read(), caller.organization.id, id).await?;
    let row = row.ok_or_else(|| Error::not_found("product"))?;
    Ok(Answer::ok(&Product::of(&row)))
}

/// Change a product
///
/// Only the members that are given change.
#[utoipa::path(put, path = "/products/{id}", tag = "products", params(("id" = Uuid, Path)),
    request_body = ProductChange, security(("api_key" = ["catalog"])),
    responses((status = 200, body = Product), (status = "4XX", body = Problem)))]
async fn change(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body, origin }: Written<ProductChange>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Catalog)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let row = products::lock(&work.tx, caller.organization.id, id).await?;
    let mut row = row.ok_or_else(|| Error::not_found("product"))?;
    let before = Product::of(&row);
    let changed = body.apply(&mut row, &work.tx, work.now).await?;
    let product = Product::of(&row);
    if changed {
        products::update(&work.tx, row).await?;
        work.changed("product.updated", id, &before, &product);
    }
    work.commit(Answer::ok(&product)).await
}

/// That something is done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    /// One sentence for people.
    pub message: String,
}

/// Delete a product
///
/// One that has licenses stays.
#[utoipa::path(delete, path = "/products/{id}", tag = "products", params(("id" = Uuid, Path)),
    security(("api_key" = ["catalog"])),
    responses((status = 200, body = Done), (status = "4XX", body = Problem)))]
async fn delete(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Catalog)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let row = products::lock(&work.tx, caller.organization.id, id).await?;
    let row = row.ok_or_else(|| Error::not_found("product"))?;
    let licenses = products::licenses(&work.tx, &row).await?;
    if licenses > 0 {
        let what = format!("The product has {licenses} licenses: it stays as long as they do");
        return Err(Error::new(Code::Conflict, what).into());
    }
    work.event("product.deleted", id, &Product::of(&row));
    products::delete(&work.tx, row).await?;
    work.commit(Answer::ok(&Done { message: "Product deleted successfully".into() })).await
}
