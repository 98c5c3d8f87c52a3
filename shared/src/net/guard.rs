//! The way to addresses that somebody else named: looked up once, checked, and pinned, so that a second look-up cannot lead elsewhere.
//! Redirects are never followed: the next address would be nobody's choice.

use std::net::SocketAddr;

use ipnet::IpNet;
use reqwest::Url;

use super::{is_private, pinned};

/// Why a URL is not called.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    #[error("the URL must be http or https and name a host")]
    Scheme,
    #[error("{host} cannot be looked up")]
    Unknown {
        host: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{0} is a private address; an operator must allow its network for the tenant (POST /api/networks)")]
    Private(String),
}

impl Unreachable {
    /// Whether another time may do better.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}

/// Every network: for workers that may call private addresses.
pub fn everywhere() -> Vec<IpNet> {
    ["0.0.0.0/0", "::/0"].map(|text| text.parse().expect("a network")).to_vec()
}

/// A client that reaches the URL's host at the addresses that were checked, and nothing else. `allowed`: private networks that are fine.
pub async fn client_for(url: &Url, allowed: &[IpNet]) -> Result<reqwest::Client, Unreachable> {
    let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")).ok_or(Unreachable::Scheme)?;
    let host = host.trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let unknown = |source| Unreachable::Unknown { host: host.clone(), source };
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), port)).await.map_err(unknown)?.collect();
    let is_allowed = |address: &SocketAddr| {
        let ip = address.ip().to_canonical();
        !is_private(ip) || allowed.iter().any(|network| network.contains(&ip))
    };
    // One that is private is enough: which of them is called is not ours to say.
    if addresses.is_empty() || !addresses.iter().all(is_allowed) {
        return Err(Unreachable::Private(host));
    }
    Ok(pinned(&host, &addresses))
}

#[cfg(test)]
mod tests {
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
}
