//! The people of an embedded stack: one for each role, seeded on first start.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Someone who can sign in with a password at `/auth/v1/token`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Person {
    pub id: Uuid,
    pub email: String,
    pub password: String,
    /// viewer, contributor, supervisor or admin.
    pub role: String,
}
