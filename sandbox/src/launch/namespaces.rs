//! Which namespaces are the program's own: known by comparing, not by trusting who started the helper.

use std::collections::BTreeMap;
use std::io;

use nofx_shared::drivers::Namespace;
use serde::{Deserialize, Serialize};

use super::Tcp;
use super::error::Error;

const FILES: [(Namespace, &str); 7] = [
    (Namespace::Cgroup, "cgroup"),
    (Namespace::Ipc, "ipc"),
    (Namespace::Mount, "mnt"),
    (Namespace::Network, "net"),
    (Namespace::Pid, "pid"),
    (Namespace::User, "user"),
    (Namespace::Uts, "uts"),
];

/// The namespaces of a process, by the names that `/proc/self/ns` gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Namespaces(BTreeMap<Namespace, String>);

impl Namespaces {
    pub fn of_this_process() -> io::Result<Self> {
        let read = |(kind, file): (Namespace, &str)| Ok((kind, std::fs::read_link(format!("/proc/self/ns/{file}"))?.display().to_string()));
        FILES.into_iter().map(read).collect::<io::Result<_>>().map(Self)
    }

    /// Those that differ; one that is unknown on either side does not.
    pub(super) fn other_than(&self, outside: &Self) -> Vec<Namespace> {
        let differs = |kind: &Namespace| outside.0.get(kind).is_some_and(|name| self.0.get(kind).is_some_and(|own| own != name));
        FILES.into_iter().map(|(kind, _)| kind).filter(differs).collect()
    }
}

/// Refuses a program of L3 that lacks one of the namespaces that make it L3.
pub(super) fn require(own: &[Namespace], tcp: &Tcp) -> Result<(), Error> {
    let always = FILES.into_iter().map(|(kind, _)| kind);
    let mut required = always.filter(|kind| *kind != Namespace::Network || tcp.is_inside());
    required.find(|kind| !own.contains(kind)).map_or(Ok(()), |kind| Err(Error::SharedNamespace(kind)))
}
