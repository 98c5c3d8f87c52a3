//! The paths of `/auth/v1`.

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};

use super::{grants, links, published_keys, user};
use crate::project::Project;

/// Routes behind the `apikey` check.
pub(crate) fn keyed_routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Arc<Project>: FromRef<S>,
{
    Router::new()
        .route("/auth/v1/token", post(grants::token))
        .route("/auth/v1/user", get(user::show_user))
        .route("/auth/v1/otp", post(links::send_link))
        .route("/auth/v1/logout", post(grants::sign_out))
}

/// Routes that browsers follow and that clients read keys from: they need no key.
pub(crate) fn open_routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Arc<Project>: FromRef<S>,
{
    Router::new()
        .route("/auth/v1/.well-known/jwks.json", get(published_keys::show_keys))
        .route("/auth/v1/verify", get(links::verify_link))
        .route("/auth/v1/authorize", get(links::authorize))
}
