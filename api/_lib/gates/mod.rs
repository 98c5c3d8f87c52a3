//! `/api/gates`: ask for a decision, decide, list.

mod decide;
mod list;
mod request;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::App;
pub(crate) use list::{__path_list_run_gates, list_run_gates};

/// A barrier on a step, and how it was decided.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Gate {
    pub id: Uuid,
    pub run_id: Uuid,
    pub step_id: Uuid,
    /// `manual:…` waits for a person, `gate:…` was decided by a tool.
    pub kind: String,
    /// pending, passed, failed, waived or cancelled.
    pub status: String,
    pub question: Option<String>,
    /// Where the evidence is in Storage.
    pub evidence_path: Option<String>,
    pub decided_by: Option<String>,
    pub decided_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
    pub created_at: Option<DateTime<Utc>>,
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(request::request_gate))
        .routes(routes!(decide::approve_gate))
        .routes(routes!(decide::reject_gate))
        .routes(routes!(decide::waive_gate))
}
