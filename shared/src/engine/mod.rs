//! Runs and steps: their states, and one call per SQL function of the engine.

mod claimed_step;
mod create_run;
mod ended_attempts;
mod enforce_deadlines;
mod expire_leases;
mod extend_leases;
mod fire_timers;
mod outcome;
mod read_claims;
mod settle_steps;
mod settle_write;
mod spec;
mod status;
mod summarise_metrics;
mod unfinished_runs;
mod worker;
mod workspace;

pub use claimed_step::{Approval, Child, ClaimedStep, GateDecision, Hold, StepQuota, TenantIsolation};
pub use create_run::{CreatedRun, create_run, create_run_for};
pub use ended_attempts::ended_attempts;
pub use enforce_deadlines::enforce_deadlines;
pub use expire_leases::expire_all_leases;
pub use extend_leases::{ExtendedLease, extend_leases};
pub use fire_timers::{TimersFired, fire_timers};
pub use outcome::{Failure, Outcome};
pub use settle_steps::{Settled, settle_steps};
pub use settle_write::settle_write;
pub use spec::Spec;
pub use status::{RunStatus, StepStatus};
pub use summarise_metrics::{MetricsSummary, summarise_metrics};
pub use unfinished_runs::unfinished_runs;
pub use worker::WorkerHeartbeat;
pub use workspace::{Head, Left, TreesBefore, pin_workspace, record_snapshot, trees_before};
