//! What happens when parts die.

mod kills;
mod queues;
mod stacks;
mod tools;
