//! Whom the bus joins the topic of a tenant as: one of its viewers, whose token is renewed before it expires.

use uuid::Uuid;

use crate::auth::{self, Role};

/// A token of a viewer of a tenant, valid for five minutes.
pub(super) fn viewer_token(jwt_secret: &str, tenant: Uuid) -> String {
    auth::sign_for(jwt_secret, "feed", tenant, Role::Viewer, 300)
}
