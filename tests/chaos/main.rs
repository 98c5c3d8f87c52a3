//! What happens when parts die.

mod kills;
mod stacks;
