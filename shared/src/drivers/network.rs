//! What a step's processes reach.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// UDP, raw, packet and netlink sockets are refused whatever this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Nothing outside: no socket of the internet's families at all; at L3 a network of the programs' own, with its loopback only.
    None,
    /// TCP to the worker's egress proxy, which reaches public addresses and those that an operator allowed, and records each host.
    Proxy,
    /// TCP to the ports of the web, DNS, SSH and git, without a proxy.
    All,
}

impl Network {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Proxy => "proxy",
            Self::All => "all",
        }
    }
}
