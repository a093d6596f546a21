//! Activations: the installations that a license is used on.

use super::given::Nothing;
use super::installed::{ActivationDetail, ListedActivation};
use super::licenses::Labels;
use super::requests::{Posted, SignedAnswer, SignedRequest};
use super::{
    Answer, Asked, Caller, Id, Origin, PageQuery, Problem, Scope, Shared, Stop, Work, Written,
};
use crate::error::{Code, Error, Result};
use crate::requests;
use crate::store::activations::{self, Filter};
use crate::store::licenses;
use crate::terms::Moment;
use axum::extract::State;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Characters of the short id of a machine, at most.
const MACHINE_MAX: usize = 64;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(activate, list))
        .routes(routes!(get, deactivate))
        .routes(routes!(of_license))
}

/// A license on an installation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Activation {
    id: Uuid,
    license_id: Uuid,
    /// The id of the installation.
    installation: Uuid,
    /// The short id of its machine, as the product shows it.
    machine: Option<String>,
    /// The key that signs its requests.
    public_key: String,
    /// The library that it uses.
    sdk: Option<String>,
    /// Where its last request came from.
    remote: Option<String>,
    /// Whether it takes one of the license's machines.
    active: bool,
    created_at: Moment,
    last_seen_at: Moment,
    deactivated_at: Option<Moment>,
    /// Who freed the machine: client, vendor, or replaced (another installation on the same one).
    deactivated_by: Option<String>,
}

impl Activation {
    /// As it is shown.
    pub fn of(row: &activations::Model) -> Activation {
        Activation {
            id: row.id,
            license_id: row.license_id,
            installation: row.installation,
            machine: row.machine_id.clone(),
            public_key: row.public_key.clone(),
            sdk: row.sdk.clone(),
            remote: row.remote.clone(),
            active: row.deactivated_at.is_none(),
            created_at: Moment(row.created_at),
            last_seen_at: Moment(row.last_seen_at),
            deactivated_at: row.deactivated_at.map(Moment),
            deactivated_by: row.deactivated_by.clone(),
        }
    }
}

/// A page of activations.
#[derive(Debug, Serialize, ToSchema)]
pub struct Activations {
    activations: Vec<ListedActivation>,
    total: u64,
    next_cursor: Option<String>,
}

/// Which activations are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ActivationQuery {
    /// Those of this license.
    license_id: Option<Uuid>,
    /// Those of this installation.
    installation: Option<Uuid>,
    /// Those on the machine with this short id.
    #[param(max_length = 64)]
    machine: Option<String>,
    /// Those that take a machine, or those that do not any more.
    active: Option<bool>,
    /// Which page, from 1. Not with `cursor`.
    #[param(minimum = 1, default = 1)]
    page: Option<u64>,
    /// Rows on a page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u64>,
    /// `next_cursor` of the page before.
    #[param(max_length = 64)]
    cursor: Option<String>,
}

/// Which activations of a license are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OfLicenseQuery {
    /// Those that take a machine, or those that do not any more.
    active: Option<bool>,
    /// Which page, from 1. Not with `cursor`.
    #[param(minimum = 1, default = 1)]
    page: Option<u64>,
    /// Rows on a page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u64>,
    /// `next_cursor` of the page before.
    #[param(max_length = 64)]
    cursor: Option<String>,
}

/// Activate a license on an installation
///
/// With the request that the product wrote for a license key, or for the license that it has. The
/// answer is for the product to apply, and the same as a connected product gets.
#[utoipa::path(post, path = "/activations", tag = "activations",
    request_body(content(
        (SignedRequest = "application/json"),
        (String = "text/plain"),
    )),
    security(()),
    responses(
        (status = 200, body = SignedAnswer, description = "It was activated before, or is refused"),
        (status = 201, body = SignedAnswer, description = "It is activated"),
        (status = "4XX", body = Problem)))]
async fn activate(State(server): State<Shared>, Posted { text, origin }: Posted) -> Result<Answer> {
    let request = requests::read(text.as_bytes())?;
    if !matches!(request.what.as_str(), "activation" | "license") {
        let what = format!(
            "A request for {:.32} activates nothing: post it to /api/v1/requests",
            request.what
        );
        return Err(Error::invalid(what));
    }
    let answered = requests::answer(&server, request, &origin).await?;
    let created = answered.activation.filter(|_| answered.created);
    let answer = SignedAnswer::of(answered);
    Ok(match created {
        Some(id) => Answer::created(&format!("/api/v1/activations/{id}"), &answer),
        None => Answer::ok(&answer),
    })
}

/// Fails with `malformed` for what is longer than any short id of a machine.
pub(super) fn check_machine(machine: Option<&str>) -> Result<()> {
    match machine.is_some_and(|machine| machine.chars().count() > MACHINE_MAX) {
        true => Err(Error::new(Code::Malformed, "machine is the short id of a machine")),
        false => Ok(()),
    }
}

/// List activations
#[utoipa::path(get, path = "/activations", tag = "activations", params(ActivationQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Activations), (status = "4XX", body = Problem)))]
async fn list(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<ActivationQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let ActivationQuery { license_id, installation, machine, active, .. } = query;
    check_machine(machine.as_deref())?;
    let filter = Filter { license: license_id, installation, machine, active };
    let ActivationQuery { page, per_page, cursor, .. } = query;
    let paging = PageQuery { page, per_page, cursor };
    page_of(&server, &caller, &filter, &paging).await
}

/// List the activations of a license
#[utoipa::path(get, path = "/licenses/{id}/activations", tag = "activations",
    params(("id" = Uuid, Path), OfLicenseQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Activations), (status = "4XX", body = Problem)))]
async fn of_license(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Asked(query): Asked<OfLicenseQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let license = licenses::get(server.store.read(), caller.organization.id, id).await?;
    let license = license.ok_or_else(|| Error::not_found("license"))?;
    let OfLicenseQuery { active, page, per_page, cursor } = query;
    let filter = Filter { license: Some(license.id), active, ..Filter::default() };
    let paging = PageQuery { page, per_page, cursor };
    page_of(&server, &caller, &filter, &paging).await
}

async fn page_of(
    server: &Shared,
    caller: &Caller,
    filter: &Filter,
    query: &PageQuery,
) -> Result<Answer> {
    let page = query.page()?;
    let organization = caller.organization.id;
    let (mut rows, total) =
        activations::list(server.store.read(), organization, filter, page.and_one()).await?;
    let next_cursor = page.cut(&mut rows, |row| row.id);
    let labels = Labels::read(server, organization, rows.iter().map(|row| row.license_id)).await?;
    let listed = |row| ListedActivation::of(row, &labels);
    let activations = rows.iter().map(listed).collect::<Result<_>>()?;
    Ok(Answer::ok(&Activations { activations, total, next_cursor }))
}

/// Get an activation
#[utoipa::path(get, path = "/activations/{id}", tag = "activations",
    params(("id" = Uuid, Path)),
    security(("api_key" = ["read"])),
    responses((status = 200, body = ActivationDetail), (status = "4XX", body = Problem)))]
async fn get(State(server): State<Shared>, caller: Caller, Id(id): Id) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let read = server.store.read();
    let row = activations::get(read, caller.organization.id, id).await?;
    let row = row.ok_or_else(|| Error::not_found("activation"))?;
    Ok(Answer::ok(&ActivationDetail::of(&server, read, &caller, &row).await?))
}

/// Deactivate an installation
///
/// Frees its machine for another. What it has it may use until its token ends: to withdraw that,
/// revoke the license.
#[utoipa::path(delete, path = "/activations/{id}", tag = "activations",
    params(("id" = Uuid, Path)),
    security(("api_key" = ["revoke"])),
    responses((status = 200, body = ActivationDetail), (status = "4XX", body = Problem)))]
async fn deactivate(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Revoke)?;
    deactivated(&server, &caller, id, &origin).await
}

async fn deactivated(
    server: &Shared,
    caller: &Caller,
    id: Uuid,
    origin: &Origin,
) -> Result<Answer, Stop> {
    let mut work = Work::begin(server, caller, origin).await?;
    let organization = caller.organization.id;
    let none = || Error::not_found("activation");
    let row = activations::get(&work.tx, organization, id).await?.ok_or_else(none)?;
    // Whoever gives out machines of the license waits, or has finished.
    licenses::lock(&work.tx, organization, row.license_id).await?.ok_or_else(none)?;
    let freed =
        activations::free(&work.tx, organization, id, requests::BY_VENDOR, work.now).await?;
    let row = activations::get(&work.tx, organization, id).await?.ok_or_else(none)?;
    let answer = ActivationDetail::of(server, &work.tx, caller, &row).await?;
    if freed {
        work.event("activation.deactivated", id, &Activation::of(&row));
        // What was borrowed is signed, and good without us: nobody else gets it until its end.
        crate::seats::leave(&mut work, row.license_id, row.installation, false).await?;
    }
    work.commit(Answer::ok(&answer)).await
}
