//! `nofx bench`: measures, never tests.

mod cold;
mod engine;
mod limits;
mod models;
mod options;
mod report;
mod stack;
mod ui;

pub(crate) use options::Bench;

use crate::exit::Outcome;
use crate::target::Target;

pub(crate) async fn run(target: &Target, what: Bench) -> Outcome {
    match what {
        Bench::Cold { output } => cold::run(target.json, &output).await,
        Bench::Limits => limits::run(target.json).await,
        Bench::Ui => ui::run(target.json).await,
        Bench::Models => models::run(target.json).await,
        Bench::Engine { only } => engine::run(target.json, only.as_deref()).await,
    }
}
