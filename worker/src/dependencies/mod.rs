//! The cache of dependencies: files of packages that lock files name by their digests. A process finds those of its folder's lock files in its
//! home, where cargo and npm look for what they have downloaded; what it downloaded beside them is taken over. A file is only ever what its
//! digest says, when it is stored and each time that it is given: what a step leaves, and what it writes into a lock file, changes nothing for
//! another run. Tenants share nothing. How lock files are read is not here: see `sbom`.

mod cache;
mod counters;
mod digest;
mod home;
mod locked;
mod pip;
mod store;
mod wheel;

pub(crate) use cache::{Dependencies, Given};
pub(crate) use counters::Counters;
pub(crate) use digest::Digest;
pub(crate) use locked::{Locked, Tool};
