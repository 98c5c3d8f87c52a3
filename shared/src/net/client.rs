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

/// A client with our TLS provider and limits, through the proxies that the environment names. It follows no redirects: callers check each hop.
pub fn client() -> reqwest::Client {
    builder().pool_idle_timeout(IDLE).build().expect("the TLS configuration is one of reqwest's own rustls")
}

/// The same, past all proxies: for what is reached by a private address, in plain text.
pub fn direct_client() -> reqwest::Client {
    builder().pool_idle_timeout(IDLE).no_proxy().build().expect("the TLS configuration is one of reqwest's own rustls")
}

/// Installs the TLS provider of the process.
pub fn provide_tls() {
    // The second call finds the provider installed: that is no error.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// A client that reaches one host only at the given addresses.
pub(super) fn pinned(host: &str, addresses: &[std::net::SocketAddr]) -> reqwest::Client {
    builder().resolve_to_addrs(host, addresses).no_proxy().build().expect("the TLS configuration is one of reqwest's own rustls")
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(TLS.clone())
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::{client, direct_client};

    /// Answers each connection with a name.
    async fn serve(listener: TcpListener, name: &'static str) {
        while let Ok((mut stream, _)) = listener.accept().await {
            // The request has a few headers and comes in one piece.
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{name}", name.len());
            drop(stream.write_all(answer.as_bytes()).await);
        }
    }

    /// A proxy is named by the environment, so the test runs itself once more.
    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "starts itself with a proxy, which a variable names")]
    async fn a_direct_client_goes_past_the_proxy_of_the_environment() {
        const URL: &str = "NOFX_TEST_DIRECT_URL";
        if let Ok(url) = std::env::var(URL) {
            let get = async |client: reqwest::Client| client.get(&url).send().await.expect("an answer").text().await.expect("text");
            assert_eq!((get(client()).await.as_str(), get(direct_client()).await.as_str()), ("proxy", "machine"));
            return;
        }
        let (proxy, machine) =
            (TcpListener::bind("127.0.0.1:0").await.expect("a port"), TcpListener::bind("127.0.0.1:0").await.expect("a port"));
        let [proxy_url, url] = [&proxy, &machine].map(|one| format!("http://{}/", one.local_addr().expect("an address")));
        tokio::spawn(serve(proxy, "proxy"));
        tokio::spawn(serve(machine, "machine"));
        let again = tokio::process::Command::new(std::env::current_exe().expect("a path"))
            .args(["--exact", "net::client::tests::a_direct_client_goes_past_the_proxy_of_the_environment"])
            .envs([("HTTP_PROXY", &proxy_url), ("http_proxy", &proxy_url), (URL, &url)])
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .env_remove("REQUEST_METHOD")
            .status();
        assert!(again.await.expect("it starts").success(), "see above");
    }
}
