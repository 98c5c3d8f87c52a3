//! Delivers events to hooks: reads new events and enqueues a delivery for each hook that matches (`enqueue`), and attempts deliveries that are
//! due (`deliver`, `attempt`). It is woken by settles of this worker, by the sweep, and when the next attempt is due. Deliveries are rows of
//! their own: a slow hook delays no run. Neither half waits for the other, and no delivery for another.

mod attempt;
mod deliver;
mod enqueue;
mod run;
mod slack;

pub(super) use run::run;
