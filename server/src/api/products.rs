//! Products: what licenses are for.

use super::{Answer, Asked, Caller, Id, PageQuery, Problem, Scope, Shared, Stop, Work, Written};
use crate::error::{Error, Result};
use crate::store::products;
use axum::extract::State;
use licentia::rfc3339;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Days a license is valid, if neither product nor vendor says.
const VALID_DAYS: i64 = 365;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(get))
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
    created_at: String,
    updated_at: String,
}

impl Product {
    fn of(row: &products::Model) -> Product {
        Product {
            id: row.id,
            name: row.name.clone(),
            code: row.code.clone(),
            description: row.description.clone(),
            default_features: serde_json::from_str(&row.default_features_json).unwrap_or_default(),
            default_valid_days: row.default_valid_days,
            key_pair_id: row.key_pair_id,
            created_at: rfc3339(row.created_at),
            updated_at: rfc3339(row.updated_at),
        }
    }
}

/// A page of products.
#[derive(Debug, Serialize, ToSchema)]
pub struct Products {
    products: Vec<Product>,
    total: u64,
    next_cursor: Option<String>,
}

/// A product to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// Lower case, digits and hyphens; there is one product with it.
    #[schema(min_length = 1, max_length = 100, pattern = "^[a-z0-9-]+$")]
    code: String,
    description: Option<String>,
    default_features: Option<Vec<String>>,
    #[schema(minimum = 0, default = 365)]
    default_valid_days: Option<i64>,
    key_pair_id: Option<Uuid>,
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
    let features = body.default_features.unwrap_or_default();
    let row = products::Model {
        id: Uuid::now_v7(),
        organization_id: caller.organization.id,
        name: body.name,
        code: body.code,
        description: body.description,
        default_features_json: serde_json::to_string(&features).unwrap_or_default(),
        default_valid_days: body.default_valid_days.unwrap_or(VALID_DAYS),
        key_pair_id: body.key_pair_id,
        revocations_version: 0,
        created_at: work.now,
        updated_at: work.now,
    };
    let product = Product::of(&row);
    products::insert(&work.tx, row).await?;
    work.event("product.created", product.id, &product);
    let location = format!("/api/v1/products/{}", product.id);
    work.commit(Answer::created(&location, &product)).await
}

/// List products
#[utoipa::path(get, path = "/products", tag = "products", params(PageQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Products), (status = "4XX", body = Problem)))]
async fn list(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<PageQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let page = query.page()?;
    let (rows, total) = products::list(server.store.read(), caller.organization.id, page).await?;
    let next_cursor = page.next(rows.len(), rows.last().map(|row| row.id));
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
