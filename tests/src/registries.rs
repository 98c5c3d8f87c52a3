//! Registries of packages as whoever runs the tests has them, for steps: a step has a home of its own, and reaches no name server that only
//! knows UDP.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::repository::path_with_tools;

/// Beginnings of the names of variables that cargo, npm and pip read.
const SETTINGS: [&str; 9] = [
    "CARGO_REGISTRIES_",
    "CARGO_SOURCE_",
    "CARGO_HTTP_",
    "CARGO_NET_",
    "NPM_CONFIG_",
    "PIP_",
    "SSL_CERT_",
    "NODE_EXTRA_CA_",
    "REQUESTS_CA_",
];
/// Files in a home that they read.
const FILES: [&str; 5] = [".cargo/config.toml", ".cargo/config", ".npmrc", ".config/pip/pip.conf", ".pip/pip.conf"];
/// Ports of proxies, which scripts/test.sh lets steps reach; one for each test that runs at the same time.
const PROXY_PORTS: std::ops::RangeInclusive<u16> = 3128..=3135;

/// The environment of a step that uses the registries.
pub fn environment(proxy: &Proxy) -> Map<String, Value> {
    let is_named = |name: &str| {
        let name = name.to_ascii_uppercase();
        SETTINGS.iter().any(|begin| name.starts_with(begin)) && !is_secret(&name)
    };
    let mut all: Map<String, Value> =
        std::env::vars().filter(|(name, _)| is_named(name)).map(|(name, value)| (name, value.into())).collect();
    all.insert("PATH".to_owned(), path_with_tools().into());
    all.insert("RUSTUP_HOME".to_owned(), std::env::var("RUSTUP_HOME").unwrap_or_else(|_| of_home(".rustup").display().to_string()).into());
    all.insert("HTTPS_PROXY".to_owned(), proxy.url.as_str().into());
    all.insert("NO_PROXY".to_owned(), "127.0.0.1,localhost".into());
    all
}

/// What a script begins with, so that its home has the settings of the tools.
pub fn home() -> String {
    let mut script = String::new();
    for name in FILES {
        let text = std::fs::read_to_string(of_home(name)).unwrap_or_default();
        let lines: Vec<&str> = text.lines().filter(|line| !is_secret(&line.to_ascii_uppercase())).collect();
        if !lines.is_empty() {
            script += &format!("mkdir -p $(dirname ~/{name}); cat > ~/{name} <<'END'\n{}\nEND\n", lines.join("\n"));
        }
    }
    script
}

fn is_secret(text: &str) -> bool {
    ["AUTH", "TOKEN", "PASSWORD", "SECRET", "CREDENTIAL", "://"]
        .iter()
        .any(|word| text.contains(word) && (*word != "://" || text.contains('@')))
}

fn of_home(name: &str) -> PathBuf {
    PathBuf::from(std::env::var_os("HOME").expect("a home")).join(name)
}

/// At one of the ports that steps may connect to.
pub(crate) async fn listen() -> TcpListener {
    for port in PROXY_PORTS {
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await {
            return listener;
        }
    }
    panic!("one of the ports of proxies is free");
}

/// A proxy on this machine (`CONNECT`, RFC 9110): names are resolved by it.
pub struct Proxy {
    pub url: String,
    /// How many connections each host was asked for.
    hosts: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub async fn start() -> Self {
        let listener = listen().await;
        let hosts: Arc<Mutex<Vec<String>>> = Arc::default();
        let asked = Arc::clone(&hosts);
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let asked = Arc::clone(&asked);
                // What is cut off is for the tool to try again.
                tokio::spawn(async move { forward(client, &asked).await.ok() });
            }
        });
        Self { url, hosts }
    }

    /// The hosts of all connections so far.
    pub fn hosts(&self) -> Vec<String> {
        self.hosts.lock().expect("not poisoned").clone()
    }
}

async fn forward(mut client: TcpStream, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut head = vec![];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16 << 10 {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or_default().to_owned();
    asked.lock().expect("not poisoned").push(target.clone());
    let mut server = TcpStream::connect(&target).await?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
