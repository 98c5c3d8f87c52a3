//! The system calls of the program: a list of those that it may make (all others do not exist), and refusals by name and by argument.

mod allowed;
mod apply;
mod arguments;
mod denied;
mod filter;
mod search;

pub(super) use apply::apply;
pub(super) use arguments::Sockets;
