//! `GET /api/gates`

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use nofx_shared::auth::Caller;
use serde::Deserialize;

use super::gate::{COLUMNS_TO_DECIDE, Gate};
use crate::App;
use crate::http::{Authenticated, Cursor, Page, Paging, Params, Refusal};

#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GateStatus {
    Pending,
    Passed,
    Failed,
    Waived,
    Expired,
    Cancelled,
}

impl GateStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Waived => "waived",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

#[derive(Clone, Default, Deserialize)]
pub(crate) struct Filter {
    pub status: Option<GateStatus>,
    /// A gate type, or a prefix that ends in `*`.
    pub gate_type: Option<String>,
    /// Whether it was decided, whichever way.
    pub decided: Option<bool>,
    /// Only gates that the caller may decide.
    pub waits_for_me: Option<bool>,
}

/// A page of the gates of the caller's tenant, with their steps and runs.
pub(crate) async fn list(app: &App, caller: &Caller, filter: &Filter, paging: &Paging) -> Result<Page<Gate>, Refusal> {
    let mut filters =
        vec![("select".to_owned(), COLUMNS_TO_DECIDE.to_owned()), ("gate_decision.order".to_owned(), "created_at".to_owned())];
    filters.extend(filter.status.map(|status| ("status".to_owned(), format!("eq.{}", status.as_str()))));
    if let Some(gate_type) = &filter.gate_type {
        let wanted = match gate_type.strip_suffix('*') {
            Some(prefix) => format!("like.{}*", prefix.replace('%', "\\%").replace('_', "\\_")),
            None => format!("eq.{gate_type}"),
        };
        filters.push(("gate_type".to_owned(), wanted));
    }
    if let Some(decided) = filter.decided {
        filters.push(("status".to_owned(), if decided { "neq.pending" } else { "eq.pending" }.to_owned()));
    }
    if filter.waits_for_me == Some(true) {
        filters.push(("waits_for_me".to_owned(), "is.true".to_owned()));
    }
    paging.fetch(&app.db(caller), "gate", filters, |gate: &Gate| Cursor { created_at: gate.created_at, id: gate.id }).await
}

/// List the gates of all runs, newest first.
///
/// For every role. `status=pending` lists those that wait for a decision, `waits_for_me=true` those that the caller may decide. Each comes
/// with its decisions, its step and its run.
#[utoipa::path(get, path = "/gates", security(("bearer" = [])),
    params(("status" = Option<GateStatus>, Query),
        ("gate_type" = Option<String>, Query, description = "A gate type, or a prefix: `manual:*`."),
        ("decided" = Option<bool>, Query, description = "Only gates that are decided, expired or cancelled (true), or pending (false)."),
        ("waits_for_me" = Option<bool>, Query, description = "Only gates that the caller may decide."), ("limit" = Option<u16>, Query),
        ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Page<Gate>), (status = 304)))]
pub(crate) async fn list_gates(
    State(app): State<App>,
    caller: Authenticated,
    Params(filter): Params<Filter>,
    Params(paging): Params<Paging>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    Ok(list(&app, &caller, &filter, &paging).await?.respond(&uri, &headers))
}
