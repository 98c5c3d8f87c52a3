use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where `worker-container` runs a step, if not beside its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Placement {
    /// In a container of its own at ECS, which has no role.
    #[serde(rename = "task")]
    Ecs,
}
