//! Whom a feed reads events as: a viewer of its tenant, whose token is renewed before it expires.

use uuid::Uuid;

use crate::auth::{self, Role};

/// A token of a viewer of a tenant, valid for five minutes.
pub fn viewer_token(jwt_secret: &str, tenant: Uuid) -> String {
    auth::sign_for(jwt_secret, "feed", tenant, Role::Viewer, 300)
}
