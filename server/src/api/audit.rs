//! The audit log.

use super::Shared;
use utoipa_axum::router::OpenApiRouter;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
}
