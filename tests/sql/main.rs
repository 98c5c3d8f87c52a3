//! The schema by itself: its functions, its versions of Postgres, what Rust has a copy of, its guards against hostile input.

mod blobs;
mod leases;
mod partitions;
mod pgtap;
mod sandboxes;
mod tools;
mod versions;
mod writes;
