//! The gate `audit`: known vulnerabilities of dependencies. Which tool audits which lock file is the list in `auditor`; how its report is
//! read is a file a tool. A report that does not say what was checked is no report.

mod auditor;
mod cargo;
mod gate;
mod go;
mod npm;
mod pip;
mod pnpm;
mod report;
mod uv;
mod yarn;

pub(crate) use gate::Audit;
