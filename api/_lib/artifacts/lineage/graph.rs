//! The graph of a lineage, as clients get it. How it is read is in `trace`, how it looks in `draw`.

use serde::Serialize;
use uuid::Uuid;

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
