//! Runs and steps: their states, and one call per SQL function of the engine.

mod claimed_step;
mod create_run;
mod extend_leases;
mod jobs;
mod outcome;
mod record;
mod settle_steps;
mod status;

pub use claimed_step::{Approval, Child, ClaimedStep, GateDecision, Hold};
pub use create_run::{CreatedRun, create_run, create_run_for};
pub use extend_leases::extend_leases;
pub use jobs::{Expired, TimersFired, WorkerHeartbeat, enforce_deadlines, expire_leases, prune_logs, prune_requests, maintain_event_partitions, fire_timers};
pub use outcome::{Failure, Outcome};
pub use record::record_gate;
pub use settle_steps::{Settled, settle_steps};
pub use status::{RunStatus, StepStatus};
