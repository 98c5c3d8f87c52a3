//! The gate `audit`: known vulnerabilities of dependencies. Which tool audits which lock file is the list in `auditor`; what it gets of the
//! repository and how its report is read is a file a tool. The repository configures no tool (`private`), and a report that does not say
//! what was checked is no report.

mod auditor;
mod cargo;
mod gate;
mod go;
mod npm;
mod pip;
mod pnpm;
mod private;
mod report;
mod run;
mod uv;
mod yarn;

#[cfg(test)]
pub(super) use auditor::commands;
pub(crate) use gate::Audit;
