//! An artifact, as clients get it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A file that a step saved.
#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Artifact {
    pub id: Uuid,
    pub run_id: Uuid,
    pub step_id: Uuid,
    pub name: String,
    pub path: String,
    pub media_type: String,
    pub size_bytes: i64,
    /// `sha256:…` of the bytes.
    pub hash: String,
    /// The attempt of the step that saved it.
    pub attempt: u32,
    pub created_at: DateTime<Utc>,
    /// Where the bytes are in Storage: not for clients, who get a signed URL.
    #[serde(skip_serializing, default)]
    #[schema(ignore)]
    pub blob: String,
}
