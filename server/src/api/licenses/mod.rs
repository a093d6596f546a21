//! Licenses: made, looked at, changed, withdrawn, verified.

mod change;
mod create;
mod grant;
mod label;
mod list;
mod look;
mod stop;
mod verify;
mod view;

pub use crate::store::status::Status;
pub use change::LicenseChange;
pub use create::{Made, make};
pub use grant::{Entitlement, LicenseType, NewLicense, Template};
pub use label::{Labels, OfLicense};
pub(crate) use list::{LicenseQuery, direct, shown};
pub use stop::revoke_row;
pub use view::License;

use super::Shared;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(create::preview))
        .routes(routes!(look::outlook))
        .routes(routes!(verify::verify))
        .routes(routes!(verify::check_revocation))
        .routes(routes!(list::get, change::change, stop::revoke))
        .routes(routes!(list::download))
        .routes(routes!(change::renew))
        .routes(routes!(change::reissue))
        .routes(routes!(change::replace_key))
        .routes(routes!(stop::suspend))
        .routes(routes!(stop::reinstate))
}
