//! `nofx bench`: measures, never tests.

mod bombs;
mod cold;
mod engine;
mod histogram;
mod limits;
mod memory;
mod models;
mod neighbour;
mod options;
mod report;
mod spawn;
mod stack;
mod ui;
mod workspace;

pub(crate) use options::Bench;

use nofx_sandbox::Sandbox;

use crate::exit::Outcome;
use crate::target::Target;

pub(crate) async fn run(target: &Target, what: Bench, sandbox: Option<Sandbox>) -> Outcome {
    match what {
        Bench::Spawn => spawn::run(target.json, sandbox),
        Bench::Workspace => workspace::run(target.json, sandbox),
        Bench::Bombs => bombs::run(target.json).await,
        Bench::Cold { output } => cold::run(target.json, &output).await,
        Bench::Limits => limits::run(target.json).await,
        Bench::Ui => ui::run(target.json).await,
        Bench::Models => models::run(target.json).await,
        Bench::Neighbour => neighbour::run(target.json).await,
        Bench::Engine { only } => engine::run(target.json, only.as_deref()).await,
    }
}
