//! The one place that builds HTTP clients, so that all of them have our TLS provider and deadlines, and follow no redirects.
#![expect(clippy::disallowed_methods, reason = "the one place that builds clients")]

use std::sync::LazyLock;
use std::time::Duration;

use rustls_platform_verifier::ConfigVerifierExt;

/// How long a connection may be idle and still be used: shorter than any server keeps it open. A request that is sent while the server
/// closes the connection is lost, and the client cannot know whether it was received. PostgREST (Warp) closes after 30 to 60 s, our API
/// after 15 s.
const IDLE: Duration = Duration::from_secs(10);

/// The root certificates of the machine. Reading them takes longer than most calls, so it is done once per process.
static TLS: LazyLock<rustls::ClientConfig> = LazyLock::new(|| {
    provide_tls();
    let mut config = rustls::ClientConfig::with_platform_verifier().expect("the machine has root certificates (ca-certificates)");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
});

/// The same for what is HTTP/1.1 alone: a WebSocket begins as such a request.
pub(super) fn http1_tls() -> rustls::ClientConfig {
    let mut config = TLS.clone();
    config.alpn_protocols.clear();
    config
}

/// A client with our TLS provider and limits. It follows no redirects: callers check each hop.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(TLS.clone())
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(IDLE)
        .build()
        .expect("the TLS configuration is one of reqwest's own rustls")
}

/// Installs the TLS provider of the process.
pub fn provide_tls() {
    // The second call finds the provider installed: that is no error.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// A client that reaches one host only at the given addresses.
pub(super) fn pinned(host: &str, addresses: &[std::net::SocketAddr]) -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(TLS.clone())
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .resolve_to_addrs(host, addresses)
        .no_proxy()
        .build()
        .expect("the TLS configuration is one of reqwest's own rustls")
}
