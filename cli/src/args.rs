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
    /// Where the API is.
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
    /// Run one worker against the NOFX_* and SUPABASE_* settings.
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
    Approve(Decide),
    /// Reject a gate.
    Reject(Decide),
    /// Waive a gate.
    Waive(Decide),
    /// Cancel a run.
    Cancel(Id),
    /// Retry a failed run.
    Retry(Id),
    /// Get an artifact, or check where it came from.
    #[command(subcommand)]
    Artifact(Artifact),
    /// Steps that ran out of attempts or killed their workers.
    #[command(subcommand)]
    Dlq(Dlq),
    /// The record of what was done to data and rights.
    #[command(subcommand)]
    Audit(Audit),
    /// Check a deployment without changing it: health, refusals, stream, schema, queue.
    Smoke(Smoke),
    /// Measure.
    #[command(subcommand)]
    Bench(Bench),
}

#[derive(Subcommand)]
pub(crate) enum Dlq {
    /// List them, or show one with its errors, inputs and evidence.
    Inspect(InspectDlq),
    /// Open their runs again.
    Requeue(DlqChoice),
    /// Give them up.
    Purge(DlqChoice),
}

#[derive(clap::Args)]
pub(crate) struct InspectDlq {
    /// One of them.
    pub id: Option<uuid::Uuid>,
    /// Only of this tool.
    #[arg(long)]
    pub tool: Option<String>,
    #[arg(long, default_value_t = 50)]
    pub limit: u16,
}

/// Which of them: all marks that are given must fit.
#[derive(clap::Args)]
pub(crate) struct DlqChoice {
    /// Ids, as `nofx dlq inspect` shows them.
    pub ids: Vec<uuid::Uuid>,
    /// Of this tool.
    #[arg(long)]
    pub tool: Option<String>,
    /// Of this run.
    #[arg(long)]
    pub run: Option<uuid::Uuid>,
    /// exhausted or poison.
    #[arg(long)]
    pub reason: Option<String>,
    /// Buried before this instant (RFC 3339).
    #[arg(long)]
    pub before: Option<chrono::DateTime<chrono::Utc>>,
    /// Every one.
    #[arg(long)]
    pub all: bool,
    /// At most so many, oldest first.
    #[arg(long, default_value_t = 100)]
    pub limit: u32,
    /// Only tell what would be done.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Subcommand, Clone, Copy)]
pub(crate) enum Audit {
    /// Prove that no row was changed or taken out. Exit code 1 when one was.
    Verify,
    /// Print the record as JSON lines, checking it on the way.
    Export,
}

#[derive(Subcommand)]
pub(crate) enum Artifact {
    /// Write an artifact's bytes to a file.
    Get(GetArtifact),
    /// Check bytes against the signed statements about them. With FILE, --attestation and --keys nothing is asked: it works offline.
    Verify(VerifyArtifact),
}

#[derive(clap::Args)]
pub(crate) struct GetArtifact {
    /// Id of the artifact.
    pub id: String,
    /// Where to write it; its name when not given.
    #[arg(long, short)]
    pub output: Option<PathBuf>,
    /// Write the signed statements beside it, as <output>.attestations.json.
    #[arg(long)]
    pub attestations: bool,
}

#[derive(clap::Args)]
pub(crate) struct VerifyArtifact {
    /// Id of the artifact, or a file.
    pub what: String,
    /// Signed statements: what `GET /api/artifacts/{id}/attestations` answered, or one DSSE envelope.
    #[arg(long, requires = "keys")]
    pub attestation: Option<PathBuf>,
    /// Public keys: what /.well-known/nofx-keys.json answered.
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
    /// Where everything that is kept is kept.
    #[arg(long, default_value = ".nofx")]
    pub data_dir: PathBuf,
    /// Worker processes.
    #[arg(long, default_value_t = 1)]
    pub workers: usize,
    /// How workers hear that there is work. `redis` starts a Redis of its own, from the PATH; `sqs` an emulator of AWS.
    #[arg(long, value_enum, default_value_t)]
    pub queue: Queue,
    /// Throw away what the data folder holds and begin anew.
    #[arg(long)]
    pub fresh: bool,
    /// For tests: once standard input ends, as it does when whoever holds its other end dies, stop and remove the data folder.
    #[arg(long, hide = true)]
    pub temporary: bool,
}

#[derive(clap::Args)]
pub(crate) struct Run {
    /// A plan: .json, .yaml or .yml.
    pub plan: PathBuf,
    /// Follow the run to its end. Exit code: 0 succeeded, 1 failed, 2 refused, 3 cancelled.
    #[arg(long)]
    pub watch: bool,
    /// Only check the plan.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(clap::Args)]
pub(crate) struct Runs {
    /// queued, running, paused, cancelling, succeeded, failed or cancelled.
    #[arg(long)]
    pub status: Option<String>,
    /// Only runs that wait for a person.
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
    /// Go on with what comes.
    #[arg(long)]
    pub follow: bool,
    /// Only this run's.
    #[arg(long)]
    pub run: Option<uuid::Uuid>,
    /// Only these types, comma-separated.
    #[arg(long)]
    pub types: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct Decide {
    /// The gate's id.
    pub gate: uuid::Uuid,
    /// Kept with the decision.
    #[arg(long)]
    pub reason: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct Smoke {
    /// Where the API is. Without it, the stack of this folder is checked.
    #[arg(long)]
    pub url: Option<String>,
    /// The Supabase project, to see that its public key reads nothing.
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
    /// Asking models: what routing, budget and record cost beside the provider.
    Models,
    /// Cold starts of the built functions: from exec to the first byte of /api/health, and the binary's size.
    Cold {
        /// What scripts/vercel-build.sh built.
        #[arg(long, default_value = ".vercel/output")]
        output: PathBuf,
    },
    /// The engine, on a stack of its own in a temporary folder.
    Engine {
        /// Only this measure (a key of the JSON), for tuning.
        #[arg(long)]
        only: Option<String>,
    },
}
