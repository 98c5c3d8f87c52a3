//! `/api/secret-rules`: which tools may use a secret of the tenant. The secrets themselves are in the store of the workers: see docs/operations.md.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use nofx_shared::db::Query;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::App;
use crate::http::{Authenticated, Body, Page, Refusal, cached};

/// The tools that may use a secret.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct SecretRule {
    /// The name of the secret, as steps name it.
    name: String,
    /// Names of tools; one that ends with `*` stands for all that begin like it. Empty: no step may use the secret.
    tools: Vec<String>,
    changed_by: String,
    changed_at: DateTime<Utc>,
}

/// A rule to set.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSecretRule {
    name: String,
    /// Null: the default of the name, which for tokens of forges is `git:*` and for others every tool.
    // Required: a body that leaves it out must not remove a rule.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    tools: Option<Vec<String>>,
}

/// The rule of a secret; null: the default of its name.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct SecretRuleState {
    rule: Option<SecretRule>,
}

/// List the rules for secrets of the tenant.
///
/// For every role. Returns all of them in one page, by name. A secret without a rule may be used by every tool, except tokens of forges
/// (`GITHUB_TOKEN`, `GITLAB_TOKEN`, …), which are for `git:*`.
#[utoipa::path(get, path = "/secret-rules", security(("bearer" = [])),
    responses((status = 200, body = Page<SecretRule>), (status = 304)))]
pub(crate) async fn list_secret_rules(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    let query = Query::of("secret_rule", [("select", "name,tools,changed_by,changed_at"), ("order", "name")]);
    let data: Vec<SecretRule> = app.db(&caller).read(&query).await?;
    Ok(cached(&headers, &Page { data, next_cursor: None }))
}

/// Set which tools may use a secret.
///
/// For admins. Replaces the previous rule; null for the default. A step of another tool that names the secret is refused: when it is
/// submitted, and, if it was submitted before, when it is claimed. Sending it twice changes nothing more. Returns the rule, null for none.
#[utoipa::path(post, path = "/secret-rules", request_body = NewSecretRule, security(("bearer" = [])),
    responses((status = 200, body = SecretRuleState)))]
pub(crate) async fn set_secret_rule(State(app): State<App>, caller: Authenticated, body: Body<NewSecretRule>) -> Result<Response, Refusal> {
    let arguments = json!({"p_name": body.value.name, "p_tools": body.value.tools});
    let rule = app.db(&caller).call("set_secret_rule", &arguments).await?;
    Ok(axum::Json(SecretRuleState { rule }).into_response())
}
