//! Outgoing HTTP and web sockets: the one place that builds a client, the rule about private addresses, and how long a response asks to wait.

mod aws;
mod client;
mod egress;
mod private_address;
mod retry_after;
mod socket;

pub use aws::aws;
pub(crate) use aws::credentials;
pub use client::{client, direct_client, provide_tls};
pub use egress::{Unreachable, addresses_of, client_for, everywhere};
pub use retry_after::retry_after;
pub(crate) use socket::open_socket;
