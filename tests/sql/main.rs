//! The schema by itself: its functions, its versions of Postgres, its guards against hostile input.

mod pgtap;
mod versions;
mod writes;
