use super::super::error::Error;
use super::arguments::Sockets;
use super::filter::{digest, filters};

/// Filters the system calls of this thread for ever; returns the digest of the filters.
pub(crate) fn apply(sockets: Sockets, has_own_ipc: bool) -> Result<String, Error> {
    let filters = filters(sockets, has_own_ipc).map_err(|error| Error::Seccomp(error.into()))?;
    for filter in &filters {
        seccompiler::apply_filter(filter).map_err(Error::Seccomp)?;
    }
    Ok(digest(&filters))
}
