//! The schema by itself: its functions, its versions of Postgres, its guards under fire.

mod pgtap;
mod versions;
mod writes;
