//! Where steps run, how isolated they are, and what they can reach.

mod dependencies;
mod escape;
mod isolation;
mod planted;
mod real_work;
