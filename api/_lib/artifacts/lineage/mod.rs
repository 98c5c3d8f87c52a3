//! `GET /api/runs/{id}/lineage`: which step made which artifact from what, across runs; as JSON, and as a drawing.

mod draw;

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use nofx_shared::auth::Caller;
use nofx_shared::db::Query;
use nofx_shared::problem::{Kind, Problem};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Params, Path, Refusal, cached};

/// A graph of artifacts and steps.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Lineage {
    pub nodes: Vec<LineageNode>,
    pub edges: Vec<LineageEdge>,
}

#[derive(Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct LineageNode {
    pub id: Uuid,
    pub kind: NodeKind,
    pub name: String,
    /// The run of the node: another one where lineage crosses runs.
    pub run_id: Uuid,
    /// Of a step.
    pub tool: Option<String>,
    pub status: Option<String>,
    /// Of an artifact.
    pub hash: Option<String>,
    pub attempt: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NodeKind {
    Step,
    Artifact,
}

#[derive(Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct LineageEdge {
    pub from: Uuid,
    pub to: Uuid,
    pub kind: EdgeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EdgeKind {
    /// A step made an artifact.
    Produced,
    /// A step used an artifact.
    Consumed,
    /// A step came after another one, in the same workspace.
    Followed,
}

#[derive(Deserialize)]
pub(crate) struct Options {
    format: Option<LineageFormat>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LineageFormat {
    Json,
    Svg,
}

#[derive(Deserialize)]
struct Step {
    id: Uuid,
    run_id: Uuid,
    name: String,
    tool: String,
    status: String,
}

#[derive(Deserialize)]
struct SavedArtifact {
    id: Uuid,
    run_id: Uuid,
    step_id: Uuid,
    name: String,
    hash: String,
    attempt: u32,
    step: Step,
}

#[derive(Deserialize)]
struct Use {
    step: Step,
    artifact: SavedArtifact,
}

#[derive(Deserialize)]
struct Need {
    step_id: Uuid,
    needs_id: Uuid,
}

const STEP: &str = "id,run_id,name,tool,status";
const ARTIFACT: &str = "id,run_id,step_id,name,hash,attempt,step:step!artifact_step_id_fkey(id,run_id,name,tool,status)";

/// Show the lineage of a run's artifacts, in this run and in others.
#[utoipa::path(get, path = "/runs/{id}/lineage", security(("bearer" = [])),
    params(("id" = Uuid, Path), ("format" = Option<LineageFormat>, Query, description = "`json`, or `svg` for a drawing")),
    responses((status = 200, body = Lineage), (status = 304), (status = 401), (status = 404)))]
pub(crate) async fn get_lineage(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    Params(options): Params<Options>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let lineage = trace(&app, &caller, id).await?;
    if options.format == Some(LineageFormat::Svg) {
        return Ok(([(header::CONTENT_TYPE, "image/svg+xml")], draw::draw(&lineage, id)).into_response());
    }
    Ok(cached(&headers, &lineage))
}

/// The lineage of a run of the caller's tenant.
pub(crate) async fn trace(app: &App, caller: &Caller, run: Uuid) -> Result<Lineage, Refusal> {
    let db = app.db(caller);
    let of_run = format!("eq.{run}");
    let use_of = |artifact: &str| format!("step({STEP}),artifact{artifact}({ARTIFACT})");
    let (steps, artifacts, needs, used, elsewhere) = (
        Query::of("step", [("run_id", of_run.as_str()), ("select", STEP), ("order", "position,item_index.nullsfirst")]),
        Query::of("artifact", [("run_id", of_run.as_str()), ("select", ARTIFACT), ("order", "created_at,id")]),
        Query::of("step_edge", [("run_id", of_run.as_str()), ("select", "step_id,needs_id")]),
        Query::of("artifact_use", [("run_id", of_run.as_str()), ("select", &use_of(""))]),
        Query::of("artifact_use", [("artifact.run_id", &of_run), ("run_id", &format!("neq.{run}")), ("select", &use_of("!inner"))]),
    );
    let (steps, artifacts, needs, used, elsewhere) = tokio::try_join!(
        db.read::<Vec<Step>>(&steps),
        db.read::<Vec<SavedArtifact>>(&artifacts),
        db.read::<Vec<Need>>(&needs),
        db.read::<Vec<Use>>(&used),
        db.read::<Vec<Use>>(&elsewhere),
    )?;
    if steps.is_empty() {
        return Err(Problem::new(Kind::RunNotFound, format!("Run {run} was not found. List runs with GET /api/runs.")).into());
    }
    let mut graph = Graph::default();
    steps.iter().for_each(|step| graph.step(step));
    artifacts.iter().for_each(|one| graph.artifact(one));
    for one in used.iter().chain(&elsewhere) {
        graph.step(&one.step);
        graph.artifact(&one.artifact);
        graph.edges.push(LineageEdge { from: one.artifact.id, to: one.step.id, kind: EdgeKind::Consumed });
    }
    graph.edges.extend(needs.iter().map(|need| LineageEdge { from: need.needs_id, to: need.step_id, kind: EdgeKind::Followed }));
    Ok(Lineage { nodes: graph.order.iter().filter_map(|id| graph.nodes.remove(id)).collect(), edges: graph.edges })
}

#[derive(Default)]
struct Graph {
    nodes: BTreeMap<Uuid, LineageNode>,
    order: Vec<Uuid>,
    edges: Vec<LineageEdge>,
    made: BTreeSet<Uuid>,
}

impl Graph {
    fn add(&mut self, node: LineageNode) {
        let id = node.id;
        if self.nodes.insert(id, node).is_none() {
            self.order.push(id);
        }
    }

    fn step(&mut self, step: &Step) {
        self.add(LineageNode {
            id: step.id,
            kind: NodeKind::Step,
            name: step.name.clone(),
            run_id: step.run_id,
            tool: Some(step.tool.clone()),
            status: Some(step.status.clone()),
            hash: None,
            attempt: None,
        });
    }

    /// An artifact comes with the step that made it.
    fn artifact(&mut self, artifact: &SavedArtifact) {
        self.step(&artifact.step);
        self.add(LineageNode {
            id: artifact.id,
            kind: NodeKind::Artifact,
            name: artifact.name.clone(),
            run_id: artifact.run_id,
            tool: None,
            status: None,
            hash: Some(artifact.hash.clone()),
            attempt: Some(artifact.attempt),
        });
        if self.made.insert(artifact.id) {
            self.edges.push(LineageEdge { from: artifact.step_id, to: artifact.id, kind: EdgeKind::Produced });
        }
    }
}
