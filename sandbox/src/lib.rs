//! Confinement of the processes that steps run: what a helper process does to itself before it becomes the program, and what this host
//! offers. Knows no step, tool or database: see `worker`.

pub mod launch;
pub mod probe;
