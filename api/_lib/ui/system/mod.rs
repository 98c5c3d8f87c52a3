//! `/ui/system`: the page in `show`, and a file per section: what it reads, how it is drawn, its form.

mod alerts;
mod breakers;
mod dead_letters;
mod isolation;
mod limits;
mod queues;
mod show;
mod versions;
mod workers;

pub(super) use breakers::close_breaker;
pub(super) use dead_letters::requeue_or_purge;
pub(super) use show::show;
