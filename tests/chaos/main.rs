//! What happens when parts die.

mod kills;
mod leases;
mod queues;
mod stacks;
mod tools;
