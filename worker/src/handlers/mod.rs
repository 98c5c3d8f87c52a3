//! Tools: one file for each, and the list of all. `handler` defines what a tool is, `consume` how it is run and settled.

mod bash;
mod catalogue;
mod codegen;
mod db_write;
mod fail;
mod find;
mod gate;
mod git;
mod handler;
mod http;
mod manual;
mod noop;
mod planning;
mod portable;
mod sleep;
mod workspace_write;

#[cfg(test)]
mod tests;

use crate::gates;
pub(crate) use catalogue::tool_catalogue;
pub(crate) use find::{find, gates, name};
use handler::Tool;
pub(crate) use handler::{Erased, Handler};
pub(crate) use portable::{Portable, find_portable};

/// The one list of tools.
fn all() -> [&'static dyn Erased; 23] {
    [
        &Tool::<noop::Noop>::NEW,
        &Tool::<sleep::Sleep>::NEW,
        &Tool::<fail::Fail>::NEW,
        &Tool::<bash::Bash>::NEW,
        &Tool::<http::Http>::NEW,
        &Tool::<gate::GateHandler<gates::Typecheck>>::NEW,
        &Tool::<gate::GateHandler<gates::Lint>>::NEW,
        &Tool::<gate::GateHandler<gates::Unit>>::NEW,
        &Tool::<gate::GateHandler<gates::CoverageGate>>::NEW,
        &Tool::<gate::GateHandler<gates::Sast>>::NEW,
        &Tool::<gate::GateHandler<gates::Secrets>>::NEW,
        &Tool::<gate::GateHandler<gates::Audit>>::NEW,
        &Tool::<gate::GateHandler<gates::E2eSmoke>>::NEW,
        &Tool::<codegen::Codegen>::NEW,
        &Tool::<db_write::DbWrite>::NEW,
        &Tool::<workspace_write::WorkspaceWrite>::NEW,
        &Tool::<git::Branch>::NEW,
        &Tool::<git::Commit>::NEW,
        &Tool::<git::Push>::NEW,
        &Tool::<git::PullRequest>::NEW,
        &Tool::<planning::PlanMake>::NEW,
        &Tool::<planning::PlanSubmit>::NEW,
        &Tool::<manual::Manual>::NEW,
    ]
}
