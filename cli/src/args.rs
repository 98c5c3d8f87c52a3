//! The command line. These comments are its help.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// NOFX: run plans durably, stop at gates, see everything.
#[derive(Parser)]
#[command(name = "nofx", version)]
pub(crate) struct Args {
    #[command(flatten)]
    pub target: Target,
    #[command(subcommand)]
    pub command: Command,
}

/// Which NOFX to talk to. Without these, the one that `nofx dev` runs below this folder.
#[derive(clap::Args, Clone)]
pub(crate) struct Target {
    /// API base URL.
    #[arg(long, global = true, env = "NOFX_API_URL", hide_env_values = true)]
    pub api_url: Option<String>,
    /// A Supabase JWT or an API key.
    #[arg(long, global = true, env = "NOFX_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
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
    /// Cancel a run.
    Cancel(Id),
    /// Retry a failed run.
    Retry(Id),
    /// Download an artifact, or verify its provenance.
    #[command(subcommand)]
    Artifact(Artifact),
    /// Dead letters: steps that ran out of attempts or killed their workers.
    #[command(subcommand)]
    Dlq(Dlq),
    /// Verify or export the audit log.
    #[command(subcommand)]
    Audit(Audit),
    /// Check a deployment without changing it: health, refusals, stream, schema, queue.
    Smoke(Smoke),
    /// Run benchmarks.
    #[command(subcommand)]
    Bench(Bench),
}

#[derive(Subcommand)]
pub(crate) enum Dlq {
    /// List dead letters, or show one with its errors, inputs and evidence.
    Inspect(InspectDlq),
    /// Requeue dead letters; their runs continue.
    Requeue(DlqSelector),
    /// Purge dead letters; their steps stay failed.
    Purge(DlqSelector),
}

#[derive(clap::Args)]
pub(crate) struct InspectDlq {
    /// Id of one dead letter.
    pub id: Option<uuid::Uuid>,
    /// Only dead letters of this tool.
    #[arg(long)]
    pub tool: Option<String>,
    #[arg(long, default_value_t = 50)]
    pub limit: u16,
}

/// Filters; all that are given must match.
#[derive(clap::Args)]
pub(crate) struct DlqSelector {
    /// Ids, as `nofx dlq inspect` shows them.
    pub ids: Vec<uuid::Uuid>,
    /// Dead letters of this tool.
    #[arg(long)]
    pub tool: Option<String>,
    /// Dead letters of this run.
    #[arg(long)]
    pub run: Option<uuid::Uuid>,
    /// exhausted or poison.
    #[arg(long)]
    pub reason: Option<String>,
    /// Dead-lettered before this time (RFC 3339).
    #[arg(long)]
    pub before: Option<chrono::DateTime<chrono::Utc>>,
    /// All dead letters.
    #[arg(long)]
    pub all: bool,
    /// Maximum number, oldest first.
    #[arg(long, default_value_t = 100)]
    pub limit: u32,
    /// Show what would be done.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Subcommand, Clone, Copy)]
pub(crate) enum Audit {
    /// Verify the audit log's hash chain; exits 1 if a row was changed or removed.
    Verify,
    /// Print the audit log as JSON lines, verifying it on the way.
    Export,
}

#[derive(Subcommand)]
pub(crate) enum Artifact {
    /// Download an artifact to a file.
    Get(GetArtifact),
    /// Verify an artifact against its attestations. Works offline with a file, --attestation and --keys.
    Verify(VerifyArtifact),
}

#[derive(clap::Args)]
pub(crate) struct GetArtifact {
    /// Id of the artifact.
    pub id: String,
    /// Output file; default: the artifact's name.
    #[arg(long, short)]
    pub output: Option<PathBuf>,
    /// Also save the attestations, as <output>.attestations.json.
    #[arg(long)]
    pub attestations: bool,
}

#[derive(clap::Args)]
pub(crate) struct VerifyArtifact {
    /// Id of the artifact, or a file.
    pub what: String,
    /// Attestations: the response of `GET /api/artifacts/{id}/attestations`, or one DSSE envelope.
    #[arg(long, requires = "keys")]
    pub attestation: Option<PathBuf>,
    /// Public keys: the response of /.well-known/nofx-keys.json.
    #[arg(long, requires = "attestation")]
    pub keys: Option<PathBuf>,
}

#[derive(clap::ValueEnum, Clone, Copy, Default)]
pub(crate) enum Queue {
    #[default]
    Postgres,
    Redis,
    Sqs,
}

#[derive(clap::Args, Clone)]
pub(crate) struct Dev {
    /// Port of the API.
    #[arg(long, default_value_t = 3000)]
    pub port: u16,
    /// Data directory.
    #[arg(long, default_value = ".nofx")]
    pub data_dir: PathBuf,
    /// Worker processes.
    #[arg(long, default_value_t = 1)]
    pub workers: usize,
    /// Queue driver that wakes workers. `redis` starts a Redis of its own, from the PATH; `sqs` an AWS emulator.
    #[arg(long, value_enum, default_value_t)]
    pub queue: Queue,
    /// Delete the data directory and start fresh.
    #[arg(long)]
    pub fresh: bool,
    /// For tests: once standard input ends, as it does when whoever holds its other end dies, stop and remove the data folder.
    #[arg(long, hide = true)]
    pub temporary: bool,
}

#[derive(clap::Args)]
pub(crate) struct Run {
    /// Plan file: .json, .yaml or .yml.
    pub plan: PathBuf,
    /// Follow the run until it finishes. Exit code: 0 succeeded, 1 failed, 2 refused, 3 cancelled.
    #[arg(long)]
    pub watch: bool,
    /// Validate the plan without creating a run.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(clap::Args)]
pub(crate) struct Runs {
    /// queued, running, paused, cancelling, succeeded, failed or cancelled.
    #[arg(long)]
    pub status: Option<String>,
    /// Only runs waiting for approval.
    #[arg(long)]
    pub needs_approval: bool,
    #[arg(long, default_value_t = 20)]
    pub limit: u16,
}

#[derive(clap::Args)]
pub(crate) struct Id {
    /// The run's id.
    pub id: uuid::Uuid,
}

#[derive(clap::Args)]
pub(crate) struct Events {
    /// Keep streaming new events.
    #[arg(long)]
    pub follow: bool,
    /// Only events of this run.
    #[arg(long)]
    pub run: Option<uuid::Uuid>,
    /// Only these types, comma-separated.
    #[arg(long)]
    pub types: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct DecideArgs {
    /// The gate's id.
    pub gate: uuid::Uuid,
    /// Saved with the decision.
    #[arg(long)]
    pub reason: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct Smoke {
    /// API base URL. Defaults to the local stack.
    #[arg(long)]
    pub url: Option<String>,
    /// URL of the Supabase project, to check that its public key reads nothing.
    #[arg(long, env = "SUPABASE_URL", hide_env_values = true)]
    pub supabase_url: Option<String>,
    #[arg(long, env = "SUPABASE_ANON_KEY", hide_env_values = true)]
    pub supabase_anon_key: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Rate limits under four times the load that they allow.
    Limits,
    /// Pages: the list of 100,000 runs, a run of 1,000 steps.
    Ui,
    /// Model calls: the overhead of routing, budgets and recording.
    Models,
    /// Cold starts of the built functions: from exec to the first byte of /api/health, and the binary's size.
    Cold {
        /// Output folder of scripts/vercel-build.sh.
        #[arg(long, default_value = ".vercel/output")]
        output: PathBuf,
    },
    /// The engine, on a stack of its own in a temporary folder.
    Engine {
        /// Run only this measurement (a key of the JSON), for tuning.
        #[arg(long)]
        only: Option<String>,
    },
}
