//! What a program can still do at each level, tried for real: hostile ones (`escape`, `bounds`, `start`, `keeper`), and honest ones (`work`);
//! and what a host says it offers (`offer`).
//! They run as users of their own, which only root can start.

mod bounds;
mod escape;
mod keeper;
mod offer;
mod program;
mod start;
mod work;
