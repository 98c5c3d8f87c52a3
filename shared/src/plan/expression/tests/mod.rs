//! Expressions as a whole: their values, that charging changes none, and that each ends.

mod bombs;
mod unchanged;
mod values;
