//! `/api/artifacts`: what steps made and keep.

mod content;
mod show;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::App;

/// What a step made and keeps.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Artifact {
    pub id: Uuid,
    pub run_id: Uuid,
    pub step_id: Uuid,
    pub name: String,
    pub path: String,
    pub media_type: String,
    pub size_bytes: i64,
    pub hash: String,
    pub created_at: DateTime<Utc>,
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show::show_artifact)).routes(routes!(content::show_artifact_content))
}
