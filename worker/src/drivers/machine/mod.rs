//! Programs on a machine of the attempt's own, at a provider of sandboxes. The workspace stays on the worker, which is its truth: it goes up
//! before a program, and what the program changed comes back. The common part of all such drivers; how a provider is called is not here:
//! a driver implements `Account` and `Machine` in a folder of its own.

mod account;
mod accounts;
mod create;
mod exec;
mod fault;
mod here;
mod own;
mod receive;
mod received;
mod run;
mod script;
mod send;
mod spec;

pub(crate) use account::{Account, Bytes, Listed, Machine};
pub(crate) use accounts::Accounts;
pub(crate) use exec::{Exec, Sink};
pub(crate) use fault::Fault;
pub(crate) use own::{OwnMachine, Place};
pub(super) use run::run;
pub(crate) use spec::{Kind, Spec, Tags};
