//! Outgoing HTTP: the one place that builds a client, and the rule about private addresses.
#![expect(clippy::disallowed_methods, reason = "the one place that builds clients")]

mod aws;
mod guard;
mod private_address;

use std::sync::LazyLock;
use std::time::Duration;

pub use aws::aws;
pub(crate) use aws::credentials;
pub use guard::{Unreachable, client_for, everywhere};
use private_address::is_private;
use rustls_platform_verifier::ConfigVerifierExt;

/// How long a connection may be idle and still be used: less than any server keeps one open. A request that is sent while the server
/// closes its end is lost, and nobody knows whether it was heard. PostgREST (Warp) closes after 30 s, our API after 15 s.
const IDLE: Duration = Duration::from_secs(10);

/// What every client trusts: the machine's root certificates. Reading them takes longer than most calls, so it is done once a process.
static TLS: LazyLock<rustls::ClientConfig> = LazyLock::new(|| {
    provide_tls();
    let mut config = rustls::ClientConfig::with_platform_verifier().expect("the machine has root certificates (ca-certificates)");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
});

/// A client with our TLS provider and limits. Redirects are not followed: whoever wants to checks each hop.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(TLS.clone())
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(IDLE)
        .build()
        .expect("the TLS configuration is one of reqwest's own rustls")
}

/// Tells all of the process which TLS provider to use.
pub fn provide_tls() {
    // The second call of a process finds the provider installed: that is no error.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// A client that reaches one host only at the given addresses.
fn pinned(host: &str, addresses: &[std::net::SocketAddr]) -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(TLS.clone())
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .resolve_to_addrs(host, addresses)
        .no_proxy()
        .build()
        .expect("the TLS configuration is one of reqwest's own rustls")
}
