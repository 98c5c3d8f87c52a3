//! `POST /ui/runs/bulk`: retries or cancels several runs, selected one by one or by the filter of the list. Each is a call of the API,
//! so that a refused one does not stop the others.

use axum::extract::State;
use axum::response::Response;
use nofx_shared::problem::{Kind, Problem};
use serde_json::json;
use uuid::Uuid;

use super::query::Query;
use crate::http::{Paging, Refusal};
use crate::runs::list::list;
use crate::ui::Ui;
use crate::ui::forms::{Form, Refused, back};

/// Number of runs that one request changes at most.
const MAX_RUNS: u16 = 100;

pub(in crate::ui) async fn act(State(ui): State<Ui>, form: Form) -> Result<Response, Refusal> {
    let fields = &form.fields;
    let field = |name| fields.text(name).unwrap_or_default().to_owned();
    let query = Query {
        status: field("status"),
        goal: field("goal"),
        tool: field("tool"),
        since: field("since"),
        mine: field("mine"),
        cursor: String::new(),
    };
    let (verb, is_all) = match fields.text("action") {
        Some("retry") => ("retry", false),
        Some("cancel") => ("cancel", false),
        Some("retry-all") => ("retry", true),
        Some("cancel-all") => ("cancel", true),
        _ => return Err(Problem::new(Kind::InvalidRequest, "Runs can only be retried or cancelled in bulk.").into()),
    };
    let to = query.url(None);
    let reason = fields.text("reason");
    if is_all && reason.is_none() {
        let missing = Refused { title: "Enter a reason to change several runs at once".to_owned(), ..Refused::default() };
        return Ok(back(&form, &to, &Err(missing)));
    }
    let runs: Vec<Uuid> = if is_all {
        let paging = Paging::first(MAX_RUNS);
        list(&ui.app, &form.session.caller, &query.filter(), &paging).await?.data.iter().map(|run| run.id).collect()
    } else {
        fields.all("run").take(MAX_RUNS.into()).filter_map(|run| run.parse().ok()).collect()
    };
    if runs.is_empty() {
        return Ok(back(&form, &to, &Err(Refused { title: "Select at least one run".to_owned(), ..Refused::default() })));
    }
    let (mut done, mut refused) = (0, vec![]);
    for run in &runs {
        match ui.post(&form, &format!("/runs/{run}/{verb}"), &json!({"reason": reason})).await {
            Ok(_) => done += 1,
            Err(why) => refused.push(why),
        }
    }
    let did = if verb == "retry" { "Retried" } else { "Cancelled" };
    let outcome = match refused.first() {
        None => Ok(format!("{did} {done} of {} runs.", runs.len())),
        Some(why) => Err(Refused {
            title: format!("{did} {done} of {} runs, {} refused", runs.len(), refused.len()),
            detail: why.text(),
            errors: vec![],
        }),
    };
    Ok(back(&form, &to, &outcome))
}
