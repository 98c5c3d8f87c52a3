//! What the helper process receives.

use std::collections::BTreeMap;
use std::path::PathBuf;

use nofx_shared::drivers::{Level, Limits, Network, Toolchain};
use serde::{Deserialize, Serialize};

use super::Namespaces;

/// A program, and how it is confined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The program, sought in the `PATH` of `env`, and its arguments.
    pub argv: Vec<String>,
    /// The working folder.
    pub dir: PathBuf,
    /// The whole environment of the program.
    pub env: BTreeMap<String, String>,
    pub level: Level,
    pub limits: Limits,
    pub tcp: Tcp,
    /// Folders and files that the program may change; from L2 on it may change no others. No part of these paths may be a link, and none may be
    /// below a folder that another program can change.
    pub read_write: Vec<PathBuf>,
    /// Folders and files that the program may read and execute, beside those of the system (`files`). No part of these paths
    /// may be a link.
    pub read_only: Vec<PathBuf>,
    /// Folders and files below those that the program may read, also those of the system, which from L2 on it may not: toolchains that its step
    /// does not name. By their own paths.
    pub hidden: Vec<PathBuf>,
    /// The toolchains that its step names; none: all are in `read_only`.
    pub toolchains: Option<Vec<Toolchain>>,
    /// A folder of `read_write`; from L3 on it is also `/tmp`.
    pub scratch: PathBuf,
    /// A program with the verb `launch`. Its user need not be able to enter its folder.
    pub exe: PathBuf,
    /// The namespaces of who starts the program: those of the program differ at L3.
    pub outside: Namespaces,
}

/// The TCP connections that the program may open. There is no other protocol of the internet's at any level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tcp {
    /// To nothing outside. Without a network of its own the program has no socket of the internet's families.
    None,
    /// To this port of the host, where the egress proxy is. In a network of its own the program finds the proxy at the same port.
    Proxy(u16),
    /// To these ports of any host, this one too: in the network of the host.
    Ports(Vec<u16>),
}

impl Tcp {
    /// Whether a program of L3 has a network of its own, of which only its loopback is there: it talks with its own servers.
    pub(super) fn is_inside(&self) -> bool {
        !matches!(self, Self::Ports(_))
    }

    pub(super) fn ports(&self) -> &[u16] {
        match self {
            Self::None => &[],
            Self::Proxy(port) => std::slice::from_ref(port),
            Self::Ports(ports) => ports,
        }
    }

    /// The name of what holds at a level: ports are a matter of Landlock, so at L1 nothing holds but that there is no socket.
    pub(super) fn enforced(&self, level: Level) -> Option<Network> {
        match self {
            Self::None => Some(Network::None),
            Self::Proxy(_) if level >= Level::L2 => Some(Network::Proxy),
            Self::Ports(_) if level >= Level::L2 => Some(Network::All),
            Self::Proxy(_) | Self::Ports(_) => None,
        }
    }
}
