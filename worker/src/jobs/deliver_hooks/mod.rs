//! Delivers events to hooks: reads new events and enqueues a delivery for each hook that matches (`deliver`), and attempts deliveries that
//! are due (`attempt`). It is woken by settles of this worker, by the sweep, and when the next attempt is due. Deliveries are rows of their
//! own: a slow hook delays no run.

mod attempt;
mod deliver;
mod slack;

pub(super) use deliver::run;
