//! `/ui/system`: the page in `show`, and a file a section: what it reads, how it is drawn, the form that it has.

mod alerts;
mod breakers;
mod dead_letters;
mod limits;
mod queues;
mod show;
mod versions;
mod workers;

pub(super) use breakers::close_breaker;
pub(super) use dead_letters::requeue_or_purge;
pub(super) use show::show;
