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
    /// Its media type (RFC 6838).
    pub r#type: String,
    /// Unique in the tenant: `runs/<run>/steps/<step>/<name>`, percent-encoded; `GET /api/artifacts/{id}/content` has the bytes.
    pub uri: String,
    pub size_bytes: i64,
    /// `sha256:<hex>` of the bytes.
    pub hash: String,
    /// The attempt of the step that saved it.
    pub attempt: u32,
    pub created_at: DateTime<Utc>,
    /// Where the bytes are in Storage: not for clients, who get a signed URL.
    #[serde(skip_serializing, default)]
    #[schema(ignore)]
    pub blob: String,
}
