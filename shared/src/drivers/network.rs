//! What a step's processes reach.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// UDP, raw, packet and netlink sockets are refused whatever this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// No socket of the internet's families at all.
    None,
    /// TCP to the worker's egress proxy, which applies the tenant's rules.
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
