//! The paths of `/storage/v1`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::routing::{delete, get, patch, post};

use super::{Storage, buckets, manage, read, resumable, signed, upload};
use crate::project::Project;

/// Largest body that is taken in one request, as in a hosted project's default.
const MAX_OBJECT_BYTES: usize = 50 * 1024 * 1024;

/// Routes behind the `apikey` check.
pub(crate) fn keyed_routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Arc<Project>: FromRef<S>,
    Arc<Storage>: FromRef<S>,
{
    Router::new()
        .route("/storage/v1/upload/resumable", post(resumable::begin))
        .route("/storage/v1/upload/resumable/{id}", patch(resumable::append).head(resumable::ask))
        .route("/storage/v1/bucket", get(buckets::list).post(buckets::create))
        .route("/storage/v1/bucket/{id}", get(buckets::show).put(buckets::update).delete(buckets::remove))
        .route("/storage/v1/bucket/{id}/empty", post(buckets::empty))
        .route("/storage/v1/object/list/{bucket}", post(manage::list))
        .route("/storage/v1/object/move", post(manage::rename))
        .route("/storage/v1/object/copy", post(manage::copy))
        .route("/storage/v1/object/info/{bucket}/{*name}", get(read::info))
        .route("/storage/v1/object/authenticated/{bucket}/{*name}", get(read::download))
        .route("/storage/v1/object/sign/{bucket}", post(signed::sign_many))
        .route("/storage/v1/object/{bucket}", delete(manage::remove_many))
        .route("/storage/v1/object/{bucket}/{*name}", get(read::download).post(upload::create).put(upload::replace).delete(manage::remove))
        .layer(DefaultBodyLimit::max(MAX_OBJECT_BYTES))
}

/// Routes that need no key: a signed URL carries its own right, a public bucket needs none.
/// Signing shares its path with fetching, so it checks the key itself.
pub(crate) fn open_routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Arc<Project>: FromRef<S>,
    Arc<Storage>: FromRef<S>,
{
    Router::new()
        .route("/storage/v1/object/sign/{bucket}/{*name}", get(signed::fetch).post(signed::sign))
        .route("/storage/v1/object/public/{bucket}/{*name}", get(read::public))
}
