//! What `nofx bench` can measure. These comments are its help.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Rate limits under four times the load that they allow.
    Limits,
    /// Pages: the list of 100,000 runs, a run of 1,000 steps.
    Ui,
    /// Model calls: the overhead of routing, budgets and recording.
    Models,
    /// A tenant beside a hostile one: how long its steps take, and how long they took while it was quiet.
    Neighbour,
    /// Starting a program as the worker does: bare, and at each isolation level.
    Spawn,
    /// A workspace of 10,000 files: proving that it is unchanged, packing what changed, copying it.
    Workspace,
    /// 32 hostile steps at once: how late the worker's loop is, and its memory.
    Bombs,
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
