//! Where steps run, how isolated they are, and what they can reach.

mod bounds;
mod escape;
mod isolation;
mod planted;
