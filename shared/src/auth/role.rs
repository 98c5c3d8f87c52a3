//! Roles of people and API keys. Which of them a call needs is not here: the API decides it where it serves the call, and the database again.

use serde::{Deserialize, Serialize};

/// The rights of a person; each role includes the rights of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Viewer,
    Contributor,
    Supervisor,
    Admin,
}
