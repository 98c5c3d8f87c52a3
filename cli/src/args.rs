//! The command line. These comments are its help; the options of a command are in its own file.

use clap::{Parser, Subcommand};

use crate::bench::Bench;
use crate::commands::artifact::Artifact;
use crate::commands::audit::Audit;
use crate::commands::decide::DecideArgs;
use crate::commands::dev::Dev;
use crate::commands::dlq::Dlq;
use crate::commands::events::Events;
use crate::commands::gate::Gate;
use crate::commands::id::Id;
use crate::commands::isolation::Isolation;
use crate::commands::policy::Policy;
use crate::commands::quota::Quota;
use crate::commands::retention::Retention;
use crate::commands::run::Run;
use crate::commands::runs::Runs;
use crate::commands::sandbox::Sandbox;
use crate::commands::smoke::Smoke;
use crate::commands::workspace::Workspace;
use crate::target::Target;

/// NOFX: run plans durably, stop at gates, see everything.
#[derive(Parser)]
#[command(name = "nofx", version)]
pub(crate) struct Args {
    #[command(flatten)]
    pub target: Target,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start everything on this machine: database, API, workers. Ctrl-C stops it.
    Dev(Dev),
    /// Run one worker with the NOFX_* and SUPABASE_* settings.
    Worker,
    /// Submit a plan.
    Run(Run),
    /// List runs, newest first.
    Runs(Runs),
    /// Show a run.
    Show(Id),
    /// Print events as JSON lines.
    Events(Events),
    /// Approve a gate.
    Approve(DecideArgs),
    /// Reject a gate.
    Reject(DecideArgs),
    /// Waive a gate.
    Waive(DecideArgs),
    /// Judge a working tree on the spot.
    #[command(subcommand)]
    Gate(Gate),
    /// Cancel a run.
    Cancel(Id),
    /// Retry a failed run.
    Retry(Id),
    /// Download an artifact, or verify its provenance.
    #[command(subcommand)]
    Artifact(Artifact),
    /// Inspect, requeue or purge dead letters: steps that ran out of attempts or crashed their workers.
    #[command(subcommand)]
    Dlq(Dlq),
    /// Show, set or clear the default workspace: the repository of plans that name none.
    #[command(subcommand)]
    Workspace(Workspace),
    /// Show or set where steps run and how isolated they are at least.
    Isolation(Isolation),
    /// Show or set what must be true before a tool runs: gates and what is asked of them, and approvals.
    Policy(Policy),
    /// Show how much the tenant may use and, of sandboxes, uses; or set it, for operators.
    Quota(Quota),
    /// Verify or export the audit log.
    #[command(subcommand)]
    Audit(Audit),
    /// Show or set for how long history is kept, and place legal holds.
    Retention(Retention),
    /// Show how far this machine can confine the programs of steps.
    #[command(subcommand)]
    Sandbox(Sandbox),
    /// Check a deployment without changing it: health, refusals, stream, schema, queue.
    Smoke(Smoke),
    /// Run benchmarks.
    #[command(subcommand)]
    Bench(Bench),
}
