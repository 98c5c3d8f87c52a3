//! The schema by itself: its functions, its versions of Postgres, its guards against hostile input.

mod leases;
mod partitions;
mod pgtap;
mod sandboxes;
mod versions;
mod writes;
