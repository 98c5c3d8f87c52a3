//! What a run's page shows, in as few bytes as it needs: a run may have 10,000 steps with 256 KiB of outputs each.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use nofx_shared::auth::Caller;
use nofx_shared::db::Query;
use nofx_shared::engine::RunStatus;
use nofx_shared::events::Cursor;
use nofx_shared::problem::{Kind, Problem};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::App;
use crate::gates::{COLUMNS as GATES, Gate};
use crate::http::{Refusal, one};
use crate::runs::attempts::{self, Attempt};
use crate::runs::usage::{EMBEDDED, RunUsage};

/// A run with its steps, without what only a step's own view shows.
pub(super) struct RunPage {
    pub run: Run,
    pub attempts: Vec<Attempt>,
    /// Needs of each step, by index.
    pub needs: Vec<Vec<usize>>,
    /// Children of each `for_each` step, by index, in their order.
    children: HashMap<Uuid, Vec<usize>>,
    pub cost_usd: f64,
    /// Where the page's stream begins.
    pub cursor: Option<Cursor>,
}

#[derive(Deserialize)]
pub(super) struct Run {
    pub id: Uuid,
    pub goal: String,
    pub status: RunStatus,
    pub plan: Value,
    pub steps_total: u32,
    pub open_steps: u32,
    pub error: Option<Value>,
    pub created_by: String,
    pub traceparent: Option<String>,
    pub created_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub steps: Vec<Step>,
    pub gates: Vec<Gate>,
    pub sandbox: Option<RunUsage>,
}

#[derive(Deserialize)]
pub(super) struct Step {
    pub id: Uuid,
    pub parent_id: Option<Uuid>,
    pub name: String,
    pub tool: String,
    pub status: String,
    pub waits_for: Option<String>,
    pub attempt: u32,
    pub ready_at: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Edge {
    step_id: Uuid,
    needs_id: Uuid,
}

#[derive(Deserialize)]
struct Newest {
    tx: i64,
    id: i64,
}

#[derive(Deserialize)]
struct Cost {
    cost_usd: Option<f64>,
}

/// Reads a run of the caller's tenant.
pub(super) async fn read(app: &App, caller: &Caller, id: Uuid) -> Result<RunPage, Refusal> {
    let db = app.db(caller);
    let of_run = format!("eq.{id}");
    // Before everything else: the stream has all events from here on.
    let newest = Query::of("event", [("run_id", of_run.as_str()), ("select", "tx,id"), ("order", "tx.desc,id.desc"), ("limit", "1")]);
    let newest: Vec<Newest> = db.read(&newest).await?;
    let select = format!(
        "id,goal,status,plan,steps_total,open_steps,error,created_by,traceparent,created_at,ended_at,\
         steps:step(id,parent_id,name,tool,status,waits_for:shown_waits_for,attempt,ready_at,started_at,ended_at),gates:gate({GATES}),{EMBEDDED}"
    );
    let run = Query::of(
        "run",
        [("id", of_run.as_str()), ("select", &select), ("steps.order", "position,item_index.nullsfirst"), ("gates.order", "created_at")],
    );
    let edges = Query::of("step_edge", [("run_id", of_run.as_str()), ("select", "step_id,needs_id")]);
    let attempts = attempts::of_run(id, attempts::COLUMNS);
    let costs =
        Query::of("model_call", [("run_id", of_run.as_str()), ("select", "cost_usd"), ("cost_usd", "not.is.null"), ("limit", "10000")]);
    let (runs, edges, attempts, costs): (Vec<Run>, Vec<Edge>, Vec<Attempt>, Vec<Cost>) =
        tokio::try_join!(db.read(&run), db.read(&edges), db.read(&attempts), db.read(&costs))?;
    let missing = || Problem::new(Kind::RunNotFound, format!("Run {id} was not found in your tenant. It may have been deleted."));
    let run = runs.into_iter().next().ok_or_else(missing)?;
    let places: HashMap<Uuid, usize> = run.steps.iter().enumerate().map(|(at, step)| (step.id, at)).collect();
    let mut needs = vec![vec![]; run.steps.len()];
    for edge in edges {
        if let (Some(step), Some(need)) = (places.get(&edge.step_id), places.get(&edge.needs_id)) {
            // A for_each step needs its children inside the engine; to people they are its parts.
            if run.steps[*need].parent_id.is_none() {
                needs[*step].push(*need);
            }
        }
    }
    let mut children: HashMap<Uuid, Vec<usize>> = HashMap::new();
    for (at, step) in run.steps.iter().enumerate() {
        if let Some(parent) = step.parent_id {
            children.entry(parent).or_default().push(at);
        }
    }
    let cost_usd = costs.iter().filter_map(|cost| cost.cost_usd).sum();
    Ok(RunPage { run, attempts, needs, children, cost_usd, cursor: newest.first().map(|Newest { tx, id }| Cursor { tx: *tx, id: *id }) })
}

impl RunPage {
    pub(super) fn step(&self, name: &str) -> Option<&Step> {
        self.run.steps.iter().find(|step| step.name == name)
    }

    pub(super) fn children(&self, of: &Step) -> impl Iterator<Item = &Step> {
        self.children.get(&of.id).into_iter().flatten().map(|at| &self.run.steps[*at])
    }

    /// How many children of a step have finished, and how many there are; none when it has none.
    pub(super) fn folded(&self, step: &Step) -> Option<(usize, usize)> {
        let all = self.children.get(&step.id)?.len();
        Some((self.children(step).filter(|child| child.ended_at.is_some()).count(), all))
    }

    /// Gates that wait for people.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Gate> {
        self.run.gates.iter().filter(|gate| gate.status == "pending")
    }
}

/// The rest of a step, which only its own view shows.
#[derive(Deserialize)]
pub(super) struct StepDetail {
    pub spec: Value,
    /// Those of its last attempt, if they are not as in its spec.
    pub inputs: Option<Value>,
    pub outputs: Option<Value>,
    pub error: Option<Value>,
    pub worker: Option<String>,
}

/// Reads the rest of a step.
pub(super) async fn read_step(app: &App, caller: &Caller, id: Uuid) -> Result<StepDetail, Refusal> {
    let step = Query::of("step", [("id", format!("eq.{id}")), ("select", "spec,inputs,outputs,error,worker".to_owned())]);
    one(&app.db(caller), &step, Kind::StepNotFound, format!("Step {id} was not found.")).await
}

/// Errors of the attempts of a step, oldest first.
pub(super) async fn read_errors(app: &App, caller: &Caller, run: Uuid, step: Uuid) -> Result<HashMap<u32, Value>, Refusal> {
    #[derive(Deserialize)]
    struct Row {
        attempt: u32,
        error: Value,
    }
    let filters = [
        ("run_id", format!("eq.{run}")),
        ("step_id", format!("eq.{step}")),
        ("select", "attempt,error".to_owned()),
        ("error", "not.is.null".to_owned()),
    ];
    let rows: Vec<Row> = app.db(caller).read(&Query::of("step_attempt", filters)).await?;
    Ok(rows.into_iter().map(|row| (row.attempt, row.error)).collect())
}
