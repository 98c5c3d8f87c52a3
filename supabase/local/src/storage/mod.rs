//! `/storage/v1`: buckets and objects in Supabase Storage's shapes. Rows are in `storage.objects`, bytes in files named by
//! the version's id: a key never becomes a path, so that no key can point anywhere.

mod buckets;
mod error;
mod manage;
mod read;
mod resumable;
mod signed;
mod upload;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use axum::routing::{get, patch, post};
use tokio::sync::Mutex;
use tokio_postgres::{Client, NoTls, Row};
use uuid::Uuid;

use crate::auth::{bearer, verify};
use crate::error::{At, Error};
use crate::project::Project;
use error::Refusal;

/// Largest body that is taken in one request, as in a hosted project's default.
const MAX_OBJECT_BYTES: usize = 50 * 1024 * 1024;
/// Largest object that is taken in pieces.
const MAX_UPLOAD_BYTES: u64 = 8 << 30;

pub(crate) struct Storage {
    dir: PathBuf,
    admin_url: String,
    /// One connection, opened again when Postgres was restarted.
    client: Mutex<Option<Arc<Client>>>,
}

impl Storage {
    pub(crate) fn open(dir: PathBuf, admin_url: String) -> Result<Self, Error> {
        std::fs::create_dir_all(&dir).at("could not create", &dir)?;
        Ok(Self { dir, admin_url, client: Mutex::new(None) })
    }

    async fn client(&self) -> Result<Arc<Client>, Refusal> {
        let mut slot = self.client.lock().await;
        if let Some(client) = slot.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        let (client, connection) = tokio_postgres::connect(&self.admin_url, NoTls).await?;
        tokio::spawn(connection);
        let client = Arc::new(client);
        *slot = Some(Arc::clone(&client));
        Ok(client)
    }

    fn file(&self, version: Uuid) -> PathBuf {
        self.dir.join(version.simple().to_string())
    }

    async fn object(&self, bucket: &str, name: &str) -> Result<Row, Refusal> {
        self.client()
            .await?
            .query_opt("select * from storage.objects where bucket_id = $1 and name = $2", &[&bucket, &name])
            .await?
            .ok_or_else(Refusal::no_such_key)
    }

    async fn bucket(&self, bucket: &str) -> Result<Row, Refusal> {
        self.client().await?.query_opt("select * from storage.buckets where id = $1", &[&bucket]).await?.ok_or_else(Refusal::no_such_bucket)
    }
}

/// Routes behind the `apikey` check.
pub(crate) fn keyed_routes() -> Router<Arc<Project>> {
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
        .route("/storage/v1/object/{bucket}", axum::routing::delete(manage::remove_many))
        .route("/storage/v1/object/{bucket}/{*name}", get(read::download).post(upload::create).put(upload::replace).delete(manage::remove))
        .layer(DefaultBodyLimit::max(MAX_OBJECT_BYTES))
}

/// Routes that need no key: a signed URL carries its own right, a public bucket needs none.
/// Signing shares its path with fetching, so it checks the key itself.
pub(crate) fn open_routes() -> Router<Arc<Project>> {
    Router::new()
        .route("/storage/v1/object/sign/{bucket}/{*name}", get(signed::fetch).post(signed::sign))
        .route("/storage/v1/object/public/{bucket}/{*name}", get(read::public))
}

/// Storage's row-level security without a policy: the service role may do everything, others nothing.
fn require_service(project: &Project, headers: &HeaderMap) -> Result<(), Refusal> {
    let token = bearer(headers).ok_or_else(Refusal::no_authorization)?;
    let claims = verify(project, token).map_err(|error| Refusal::bad_token(&error))?;
    if claims["role"] == "service_role" { Ok(()) } else { Err(Refusal::row_level_security()) }
}

/// Object names are what S3 allows; `..` needs no rule, since names never become paths.
fn check_name(name: &str) -> Result<(), Refusal> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_/!-.*'() &$@=;:+,?".contains(c);
    if !name.is_empty() && name.len() <= 1024 && name.chars().all(allowed) { Ok(()) } else { Err(Refusal::invalid_key(name)) }
}
