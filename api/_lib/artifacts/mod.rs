//! `/api/artifacts`: files that steps saved, their attestations and lineage, and the keys that verify them.

mod artifact;
mod attestations;
mod content;
mod get;
mod keys;
mod lineage;

use crate::http::{Routes, routes};

pub(crate) use artifact::Artifact;
pub(crate) use keys::{__path_get_signing_keys, get_signing_keys};
#[cfg(test)]
pub(crate) use lineage::LineageFormat;
pub(crate) use lineage::{__path_get_lineage, get_lineage};

pub(super) fn router<R: Routes>() -> R {
    R::default()
        .routes(routes!(get::get_artifact))
        .routes(routes!(content::get_artifact_content))
        .routes(routes!(attestations::list_attestations))
}
