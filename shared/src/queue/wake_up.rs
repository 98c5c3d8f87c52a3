//! A wake-up on its way to a queue. It says where something may be ready, never what to do there.

use uuid::Uuid;

use crate::telemetry::TraceParent;

/// A hint for workers that a run or a step may be ready.
#[derive(Clone, Debug)]
pub struct WakeUp {
    pub id: Uuid,
    /// The priority of the run, if it is known.
    pub priority: i32,
    pub trace: Option<TraceParent>,
}

impl WakeUp {
    pub fn new(id: Uuid) -> Self {
        Self { id, priority: 0, trace: None }
    }
}
