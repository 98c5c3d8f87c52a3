use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an attempt reached, or tried to reach, through the egress proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct Destination {
    /// Name or address, as the program gave it.
    pub host: String,
    pub port: u16,
    /// Connections that were opened.
    pub connections: u64,
    /// Connections that were not: a private address, another port, an unknown name, nobody there.
    pub refused: u64,
    pub sent_bytes: u64,
    pub received_bytes: u64,
}
