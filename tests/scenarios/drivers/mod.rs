//! Where steps run, how isolated they are, and what they can reach.

mod bounds;
mod dependencies;
mod escape;
mod function;
mod hard_link;
mod isolation;
mod planted;
mod planted_git;
mod quotas;
mod real_work;
