//! `/api/artifacts`: files that steps saved, their attestations and lineage, and the keys that verify them.

mod attestations;
mod content;
mod get;
mod keys;
mod lineage;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::http::{Routes, routes};

pub(crate) use keys::{__path_get_signing_keys, get_signing_keys};
#[cfg(test)]
pub(crate) use lineage::LineageFormat;
pub(crate) use lineage::{__path_get_lineage, get_lineage};

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

pub(super) fn router<R: Routes>() -> R {
    R::default()
        .routes(routes!(get::get_artifact))
        .routes(routes!(content::get_artifact_content))
        .routes(routes!(attestations::list_attestations))
}
