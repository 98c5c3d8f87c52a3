//! `nofx dev`: the whole of NOFX on this machine. `run` starts the parts and stops them; the database and PostgREST are `nofx-local`'s.

mod dev_file;
mod options;
mod queue;
mod run;
mod running;
mod worker;

pub(crate) use options::Dev;
pub(crate) use run::run;
