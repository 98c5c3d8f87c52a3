//! Calls of URLs that a tenant chose: the name is resolved once, checked and pinned, so that a second look-up cannot lead elsewhere.
//! Redirects are never followed: their addresses are not checked.

use std::net::SocketAddr;

use ipnet::IpNet;
use reqwest::Url;

use super::client::pinned;
use super::private_address::is_private;

/// Why a URL may not or cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    #[error("the URL must be http or https and name a host")]
    Scheme,
    #[error("could not resolve {host}")]
    Unknown {
        host: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{0} is a private address; an operator must allow its network for the tenant (POST /api/networks)")]
    Private(String),
}

impl Unreachable {
    /// Whether another attempt may succeed.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}

/// Every network: for workers that may call private addresses.
pub fn everywhere() -> Vec<IpNet> {
    ["0.0.0.0/0", "::/0"].map(|text| text.parse().expect("a network")).to_vec()
}

/// A client that reaches the URL's host at the addresses that were checked, and nothing else. `allowed`: private networks that it may
/// reach.
pub async fn client_for(url: &Url, allowed: &[IpNet]) -> Result<reqwest::Client, Unreachable> {
    let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")).ok_or(Unreachable::Scheme)?;
    let host = host.trim_matches(['[', ']']).to_owned();
    let addresses = addresses_of(&host, url.port_or_known_default().unwrap_or(443), allowed).await?;
    Ok(pinned(&host, &addresses))
}

/// The addresses of a host, all of which may be reached: whoever connects uses these and does not resolve the name again. `allowed`: private
/// networks that may be reached.
pub async fn addresses_of(host: &str, port: u16, allowed: &[IpNet]) -> Result<Vec<SocketAddr>, Unreachable> {
    let unknown = |source| Unreachable::Unknown { host: host.to_owned(), source };
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await.map_err(unknown)?.collect();
    let is_allowed = |address: &SocketAddr| {
        let ip = address.ip().to_canonical();
        !is_private(ip) || allowed.iter().any(|network| network.contains(&ip))
    };
    // One private address is enough: the resolver decides which of them is called.
    if addresses.is_empty() || !addresses.iter().all(is_allowed) {
        return Err(Unreachable::Private(host.to_owned()));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::{Unreachable, client_for};

    #[tokio::test]
    async fn an_address_is_private_however_it_is_written() {
        let hosts = [
            "127.0.0.1",
            "2130706433",
            "0177.0.0.1",
            "0x7f.1",
            "127.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "169.254.169.254",
            "169.254.170.2",
            "localhost",
            "0",
            "10.0.0.1",
            "[fd00:ec2::254]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:7f00:1::1]",
        ];
        for host in hosts {
            let url = format!("http://{host}/").parse().expect("a URL");
            assert!(matches!(client_for(&url, &[]).await, Err(Unreachable::Private(_))), "{host}");
        }
        for url in ["file:///etc/passwd", "gopher://1.1.1.1/", "ftp://1.1.1.1/"] {
            assert!(matches!(client_for(&url.parse().expect("a URL"), &[]).await, Err(Unreachable::Scheme)), "{url}");
        }
        let url = "http://10.1.2.3/".parse().expect("a URL");
        assert!(client_for(&url, &["10.1.0.0/16".parse().expect("a network")]).await.is_ok(), "an operator allowed it");
        assert!(client_for(&url, &["10.2.0.0/16".parse().expect("a network")]).await.is_err());
    }

    /// Answers every connection with a name, and counts them.
    async fn serve(listener: TcpListener, name: &'static str, asked: Arc<AtomicUsize>) {
        while let Ok((mut stream, _)) = listener.accept().await {
            asked.fetch_add(1, Ordering::SeqCst);
            // The request has a few headers and comes in one piece.
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{name}", name.len());
            drop(stream.write_all(answer.as_bytes()).await);
        }
    }

    /// A hostile name server returns one address for the check and another for the call. Names are looked up in a file here
    /// (Debian's `libnss-wrapper`, loaded before the C library), so the test runs itself once more.
    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "starts itself with other names, which a variable has")]
    async fn a_name_that_changes_its_address_after_the_check_leads_nowhere_else() {
        let Some(file) = std::env::var_os("NSS_WRAPPER_HOSTS").map(std::path::PathBuf::from) else {
            let folder = tempfile::tempdir().expect("a folder");
            let status = std::process::Command::new(std::env::current_exe().expect("a path"))
                .args(["--exact", "net::egress::tests::a_name_that_changes_its_address_after_the_check_leads_nowhere_else"])
                .env("LD_PRELOAD", "libnss_wrapper.so")
                .env("NSS_WRAPPER_HOSTS", folder.path().join("hosts"))
                .status();
            return assert!(status.expect("it starts").success(), "see above; scripts/bootstrap-dev.sh --tests installs libnss-wrapper");
        };
        let say = |addresses: &[&str]| {
            let new = file.with_extension("new");
            let lines: Vec<String> = addresses.iter().map(|address| format!("{address} rebound.test\n")).collect();
            std::fs::write(&new, lines.concat()).expect("written");
            std::fs::rename(new, &file).expect("renamed");
        };
        let checked = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = checked.local_addr().expect("an address").port();
        let inside = TcpListener::bind(("127.0.0.2", port)).await.expect("the same port");
        let asked = [Arc::<AtomicUsize>::default(), Arc::default()];
        tokio::spawn(serve(checked, "checked", Arc::clone(&asked[0])));
        tokio::spawn(serve(inside, "inside", Arc::clone(&asked[1])));

        let allowed = ["127.0.0.1/32".parse().expect("a network")];
        let url: reqwest::Url = format!("http://rebound.test:{port}/").parse().expect("a URL");
        say(&["127.0.0.1"]);
        let client = client_for(&url, &allowed).await.expect("the address is allowed");
        say(&["127.0.0.2"]);
        let now: Vec<_> = tokio::net::lookup_host(("rebound.test", port)).await.expect("a name").collect();
        assert_eq!(now, [([127, 0, 0, 2], port).into()], "whoever looks again is led inside");
        let answer = client.get(url.clone()).send().await.expect("an answer").text().await.expect("text");
        assert_eq!((answer.as_str(), asked.map(|asked| asked.load(Ordering::SeqCst))), ("checked", [1, 0]));
        assert!(matches!(client_for(&url, &allowed).await, Err(Unreachable::Private(_))), "the next call is checked again");

        say(&["127.0.0.1", "127.0.0.2"]);
        assert_eq!(tokio::net::lookup_host(("rebound.test", port)).await.expect("a name").count(), 2);
        assert!(matches!(client_for(&url, &allowed).await, Err(Unreachable::Private(_))), "one of its addresses is not allowed");
    }
}
