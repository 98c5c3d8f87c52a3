//! `GET /api/health` and `GET /api/ready`

use axum::Json;
use axum::extract::State;
use nofx_shared::db::Query;
use serde_json::{Value, json};

use crate::App;
use crate::http::Refusal;

/// Whether the process answers. Asks nothing else.
#[utoipa::path(get, path = "/health", responses((status = 200)))]
pub(crate) async fn show_health() -> Json<Value> {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

/// Whether the database answers.
#[utoipa::path(get, path = "/ready", responses((status = 200), (status = 503)))]
pub(crate) async fn show_ready(State(app): State<App>) -> Result<Json<Value>, Refusal> {
    let filters = vec![("select".to_owned(), "machine".to_owned()), ("limit".to_owned(), "1".to_owned())];
    app.service_db().read::<Value>(&Query { table: "transition", filters }).await?;
    Ok(Json(json!({"status": "ready"})))
}
