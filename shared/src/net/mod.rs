//! Outgoing HTTP, and each WebSocket: the one place that builds a client, and the rule about private addresses.

mod aws;
mod client;
mod egress;
mod private_address;
mod socket;

pub use aws::aws;
pub(crate) use aws::credentials;
pub use client::{client, provide_tls};
pub use egress::{Unreachable, client_for, everywhere};
pub(crate) use socket::open_socket;
