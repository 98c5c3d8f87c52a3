//! What happens when parts die.

mod hangs;
mod kills;
mod leases;
mod queues;
mod stacks;
mod tools;
