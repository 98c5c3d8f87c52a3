//! What happens when parts die.

mod fences;
mod functions;
mod hangs;
mod kills;
mod leases;
mod queues;
mod stacks;
mod tools;
mod workspaces;
