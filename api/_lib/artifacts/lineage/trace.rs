//! Reads a lineage: the steps and artifacts of a run, what the steps used, and what steps of other runs made of it.

use std::collections::{BTreeMap, BTreeSet};

use nofx_shared::auth::Caller;
use nofx_shared::db::Query;
use nofx_shared::problem::{Kind, Problem};
use serde::Deserialize;
use uuid::Uuid;

use super::graph::{EdgeKind, Lineage, LineageEdge, LineageNode, NodeKind};
use crate::App;
use crate::http::Refusal;

const STEP: &str = "id,run_id,name,tool,status";
const ARTIFACT: &str = "id,run_id,step_id,name,hash,attempt,step:step!artifact_step_id_fkey(id,run_id,name,tool,status)";

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

/// The lineage of a run of the caller's tenant.
pub(super) async fn trace(app: &App, caller: &Caller, run: Uuid) -> Result<Lineage, Refusal> {
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
