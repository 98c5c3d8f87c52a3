//! `GET /.well-known/nofx-keys.json`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use nofx_shared::crypto::PublicKey;
use nofx_shared::db::Query;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::App;
use crate::http::{Refusal, cached};

/// A JSON Web Key Set (RFC 7517).
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct KeySet {
    #[schema(value_type = Vec<Object>)]
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Row {
    key: PublicKey,
}

/// List the public keys that verify signatures.
///
/// Needs no credential. A JSON Web Key Set with the key of every worker that signed something, so that attestations can be verified
/// offline.
#[utoipa::path(get, path = "/.well-known/nofx-keys.json", responses((status = 200, body = KeySet), (status = 304)))]
pub(crate) async fn get_signing_keys(State(app): State<App>, headers: HeaderMap) -> Result<Response, Refusal> {
    let filters = vec![("select".to_owned(), "key".to_owned()), ("order".to_owned(), "created_at".to_owned())];
    let rows: Vec<Row> = app.service_db().read(&Query { table: "signing_key", filters }).await?;
    let keys = rows.into_iter().filter_map(|row| serde_json::to_value(row.key).ok()).collect();
    Ok(cached(&headers, &KeySet { keys }))
}
