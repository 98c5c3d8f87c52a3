//! Gates that a tool decides. Each runs a tool, reads its findings and returns a judgement; `judge` makes the evidence document of it, and
//! `run_gate` saves that as a step. A gate that cannot judge does not pass. The list of gates is that of the tools: see `handlers`.

mod aside;
mod audit;
mod command;
mod context;
mod coverage;
mod e2e_smoke;
mod gate;
#[cfg(test)]
mod images;
mod judge;
mod judgement;
mod kinds;
mod known;
mod lint;
mod on_the_spot;
mod program;
mod readers;
mod run_gate;
mod sast;
mod secrets;
mod typecheck;
mod unit;

pub(crate) use audit::Audit;
pub(crate) use context::{GateContext, Runner};
pub(crate) use coverage::CoverageGate;
pub(crate) use e2e_smoke::E2eSmoke;
pub(crate) use gate::Gate;
pub(crate) use judge::{GateResult, document, evidence};
pub(crate) use judgement::Judgement;
pub(crate) use lint::Lint;
pub(crate) use on_the_spot::{AnyGate, OnTheSpot};
pub(crate) use run_gate::run_gate;
pub(crate) use sast::Sast;
pub(crate) use secrets::Secrets;
pub(crate) use typecheck::Typecheck;
pub(crate) use unit::Unit;
