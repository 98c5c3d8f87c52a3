//! Roles of people and API keys. Which of them a call needs is not here: the API decides it where it serves the call, and the database again.

use serde::{Deserialize, Serialize};

/// What a person may do; each role may do all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Viewer,
    Contributor,
    Supervisor,
    Admin,
}
