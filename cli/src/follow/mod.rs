//! An event stream of the API, for as long as a command wants it. Prints nothing but why it reconnects.

mod connection;
mod follower;
mod pause;
#[cfg(test)]
mod tests;

pub(crate) use follower::Follower;
