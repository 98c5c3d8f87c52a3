//! `/api/db-write-rules`: which tables `db_write` steps of a tenant may change. Operators set them; a tenant reads its own.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use nofx_shared::db::Query;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Body, Operator, Page, Path, Refusal, cached};

/// The operations that steps of a tenant may perform on a table.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct DbWriteRule {
    id: Uuid,
    tenant_id: Uuid,
    /// `schema.table`
    table_name: String,
    /// Of insert, update, upsert and delete.
    allowed_ops: Vec<String>,
    /// `columns`, `read`, `rows`, `required_filters`, `checks`, `max_rows`; see docs/db-write.md.
    #[schema(value_type = Object)]
    constraints: Value,
}

/// A rule to set.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDbWriteRule {
    tenant_id: Uuid,
    table_name: String,
    allowed_ops: Vec<String>,
    #[schema(value_type = Object)]
    constraints: Value,
}

/// List the `db_write` rules of the tenant.
///
/// For every role. Returns all of them in one page, by table name; a table without a rule cannot be written by `db_write` steps.
#[utoipa::path(get, path = "/db-write-rules", security(("bearer" = [])),
    responses((status = 200, body = Page<DbWriteRule>), (status = 304)))]
pub(crate) async fn list_db_write_rules(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    let filters = vec![("order".to_owned(), "table_name".to_owned())];
    let data: Vec<DbWriteRule> = app.db(&caller).read(&Query { table: "db_write_rule", filters }).await?;
    Ok(cached(&headers, &Page { data, next_cursor: None }))
}

/// Set the `db_write` rule of a table.
///
/// For operators: an admin who also sends the deployment's key in `X-Internal-Api-Key`. Replaces the previous rule of the table, so sending
/// it twice changes nothing more. Returns the rule as it is stored.
#[utoipa::path(post, path = "/db-write-rules", request_body = NewDbWriteRule, security(("bearer" = [], "internal_key" = [])),
    responses((status = 200, body = DbWriteRule), (status = 404)))]
pub(crate) async fn set_db_write_rule(State(app): State<App>, operator: Operator, body: Body<NewDbWriteRule>) -> Result<Response, Refusal> {
    let wanted = &body.value;
    let arguments = json!({
        "p_tenant": wanted.tenant_id, "p_table": wanted.table_name, "p_ops": wanted.allowed_ops, "p_constraints": wanted.constraints,
    });
    let rule: DbWriteRule = app.db_for_operator(&operator.0).call("set_db_write_rule", &arguments).await?;
    Ok(axum::Json(rule).into_response())
}

/// Revoke the `db_write` rule of a table.
///
/// For operators: an admin who also sends the deployment's key in `X-Internal-Api-Key`. From then on `db_write` steps of the tenant cannot
/// write the table.
#[utoipa::path(delete, path = "/db-write-rules/{id}", security(("bearer" = [], "internal_key" = [])), params(("id" = Uuid, Path)),
    responses((status = 204)))]
pub(crate) async fn delete_db_write_rule(State(app): State<App>, operator: Operator, Path(id): Path<Uuid>) -> Result<StatusCode, Refusal> {
    app.db_for_operator(&operator.0).call::<_, ()>("delete_db_write_rule", &json!({"p_id": id})).await?;
    Ok(StatusCode::NO_CONTENT)
}
