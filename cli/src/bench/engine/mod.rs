//! `nofx bench engine`: the measures of the contract, in one run on one stack, in this order: what comes later finds a fuller database.
//! A file measures one key and puts it into the report; the stack and what several measures need is the `fixture`.

mod chain;
mod claim;
mod dag;
mod fixture;
mod idle;
mod only;
mod reference;
mod run;
mod start;
mod stream;

pub(super) use run::run;
