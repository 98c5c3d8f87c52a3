use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A legal hold: what it names is not deleted, whatever its retention.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LegalHold {
    pub id: Uuid,
    /// Null: everything of the tenant.
    pub run_id: Option<Uuid>,
    pub reason: String,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
}

impl LegalHold {
    /// Columns of `nofx.legal_hold`.
    pub const COLUMNS: &str = "id,run_id,reason,created_by,created_at";
}
