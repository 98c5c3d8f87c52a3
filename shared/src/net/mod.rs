//! Outgoing HTTP: the one place that builds a client, and the rule about private addresses.
#![expect(clippy::disallowed_methods, reason = "the one place that builds clients")]

mod aws;
mod guard;
mod private_address;

use std::time::Duration;

pub use aws::aws;
pub(crate) use aws::credentials;
pub use guard::{Unreachable, client_for, everywhere};
use private_address::is_private;

/// A client with our TLS provider and limits. Making one reads all root certificates. Redirects are not followed: whoever wants
/// to checks each hop.
pub fn client() -> reqwest::Client {
    provide_tls();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(Duration::from_secs(60))
        .build()
        .expect("the TLS provider is installed in the line above")
}

/// Tells all of the process which TLS provider to use.
pub fn provide_tls() {
    // The second call of a process finds the provider installed: that is no error.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// A client that reaches one host only at the given addresses.
fn pinned(host: &str, addresses: &[std::net::SocketAddr]) -> reqwest::Client {
    provide_tls();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .resolve_to_addrs(host, addresses)
        .no_proxy()
        .build()
        .expect("the TLS provider is installed in the line above")
}
