//! Git in the run's checkout: branch, commit, push, and pull requests at the forge. A retry repeats nothing that is done.

mod branch;
mod checkout;
mod clean;
mod commit;
mod credentials;
mod forge;
mod judged;
mod pull_request;
mod push;

pub(super) use branch::Branch;
pub(super) use commit::Commit;
pub(super) use pull_request::PullRequest;
pub(super) use push::Push;
