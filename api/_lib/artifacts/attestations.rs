//! `GET /api/artifacts/{id}/attestations`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use nofx_shared::db::Query;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::get::find;
use crate::App;
use crate::http::{Authenticated, Page, Path, Refusal, cached};

/// An attestation about an artifact.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Attestation {
    id: Uuid,
    /// Type of the predicate: SLSA provenance, a test result, …
    predicate_type: String,
    /// Digests of the subjects.
    subjects: Vec<String>,
    /// The key that signed it; see /.well-known/nofx-keys.json.
    key_id: String,
    /// DSSE envelope of an in-toto statement.
    #[schema(value_type = Object)]
    envelope: Value,
    created_at: DateTime<Utc>,
}

/// List the attestations of an artifact, oldest first.
///
/// For every role. Each is a signed in-toto statement: how the artifact was made (SLSA provenance), or what a gate found in it. The keys
/// are at `/api/.well-known/nofx-keys.json`.
#[utoipa::path(get, path = "/artifacts/{id}/attestations", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = Page<Attestation>), (status = 304)))]
pub(crate) async fn list_attestations(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    find(&app, &caller, id).await?;
    let columns = "id,predicate_type,subjects,key_id,envelope,created_at";
    let filters = [("artifact_id", format!("eq.{id}")), ("select", columns.to_owned()), ("order", "created_at,id".to_owned())];
    let data: Vec<Attestation> = app.db(&caller).read(&Query::of("attestation", filters)).await?;
    Ok(cached(&headers, &Page { data, next_cursor: None }))
}
