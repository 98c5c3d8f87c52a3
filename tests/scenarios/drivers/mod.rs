//! Where steps run, how isolated they are, and what they can reach.

mod bounds;
mod escape;
mod function;
mod isolation;
mod planted;
mod quotas;
