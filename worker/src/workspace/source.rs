//! Which repositories git may be told of, and how it gets there: https and ssh to addresses that the tenant may reach, each name resolved
//! once, and folders that the operator named. Who wrote the address (a plan, a model, a default of the tenant) is trusted with nothing.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use nofx_shared::engine::Failure;
use nofx_shared::net;
use nofx_shared::plan::fault_of_repository;

use super::caller::Caller;

/// Settings of git for one repository, which come before all others: name and value.
pub(crate) type Route = Vec<(String, String)>;

pub(crate) struct Sources {
    /// Folders below which repositories of this machine are.
    allowed: Vec<PathBuf>,
    /// Folders of other runs, wherever they are.
    closed: PathBuf,
}

impl Sources {
    /// `allowed`: by the operator; `closed`: where the workspaces of runs are.
    pub(crate) fn new(allowed: Vec<PathBuf>, closed: PathBuf) -> Self {
        Self { allowed, closed }
    }

    /// The way to a repository, if a step may use it.
    pub(crate) async fn route(&self, address: &str, caller: &Caller) -> Result<Route, Failure> {
        if let Some(why) = fault_of_repository(address) {
            return Err(Failure::permanent(format!("workspace: git {why}")));
        }
        if address.starts_with('/') {
            self.check_path(Path::new(address))?;
            return Ok(with_protocol("file", vec![]));
        }
        let Remote { is_https, host, port } =
            Remote::of(address).ok_or_else(|| Failure::permanent(format!("workspace: `{address}` names no host")))?;
        // The proxy resolves and checks names itself.
        if is_https && caller.egress.is_some() {
            return Ok(with_protocol("https", vec![("http.followRedirects", "false".to_owned())]));
        }
        let addresses = net::addresses_of(&host, port, &caller.networks).await.map_err(|error| {
            let message = format!("workspace: {error}");
            if error.is_transient() { Failure::transient(message) } else { Failure::permanent(message) }
        })?;
        Ok(if is_https { https(&host, port, &addresses) } else { ssh(&host, port, &addresses) })
    }

    fn check_path(&self, path: &Path) -> Result<(), Failure> {
        let refused = || {
            Failure::permanent(
                "workspace: git is a path of the worker, and none that its operator allows (NOFX_REPOSITORY_PATHS): use https or ssh",
            )
        };
        // Links and `..` are followed first; of what is not allowed nothing is told.
        let found = path.canonicalize().map_err(|_| refused())?;
        let is_below = |folder: &PathBuf| folder.canonicalize().is_ok_and(|folder| found.starts_with(folder));
        if self.allowed.iter().any(is_below) && !is_below(&self.closed) { Ok(()) } else { Err(refused()) }
    }
}

struct Remote {
    is_https: bool,
    host: String,
    port: u16,
}

impl Remote {
    /// Of an address that has one of the forms of a remote.
    fn of(address: &str) -> Option<Self> {
        let Some((scheme, rest)) = address.split_once("://") else {
            let authority = address.split(':').next()?;
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            return Some(Self { is_https: false, host: host.to_owned(), port: 22 });
        };
        let authority = rest.split(['/', '?', '#']).next()?;
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let is_https = scheme == "https";
        let port = match port.strip_prefix(':') {
            Some(port) if !port.is_empty() => port.parse().ok()?,
            _ => {
                if is_https {
                    443
                } else {
                    22
                }
            }
        };
        let is_host = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:".contains(c)) && !host.starts_with('-');
        is_host.then(|| Self { is_https, host: host.to_owned(), port })
    }
}

/// Connections go to these addresses, past all proxies, and no redirection is followed: where it leads to was not checked.
fn https(host: &str, port: u16, addresses: &[SocketAddr]) -> Route {
    let written: Vec<String> = addresses.iter().map(|address| bracketed(address.ip())).collect();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let settings = vec![
        ("http.followRedirects", "false".to_owned()),
        ("http.proxy", String::new()),
        ("http.curloptResolve", format!("{host}:{port}:{}", written.join(","))),
    ];
    with_protocol("https", settings)
}

/// The first of the addresses; the key of the host is known by its name.
fn ssh(host: &str, port: u16, addresses: &[SocketAddr]) -> Route {
    let address = addresses.first().map(|address| address.ip().to_string()).unwrap_or_default();
    let alias = if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") };
    let command = format!(
        "ssh -o BatchMode=yes -o HostName={address} -o 'HostKeyAlias={alias}' -o ProxyCommand=none -o ProxyJump=none \
         -o CanonicalizeHostname=no -o PermitLocalCommand=no -o ForwardAgent=no"
    );
    with_protocol("ssh", vec![("core.sshCommand", command), ("ssh.variant", "ssh".to_owned())])
}

fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

/// No other protocol, whatever a submodule, a redirection or another setting names, and no submodules.
fn with_protocol(protocol: &str, settings: Vec<(&str, String)>) -> Route {
    let common = [
        ("protocol.allow".to_owned(), "never".to_owned()),
        (format!("protocol.{protocol}.allow"), "always".to_owned()),
        ("submodule.recurse".to_owned(), "false".to_owned()),
        ("fetch.recurseSubmodules".to_owned(), "false".to_owned()),
    ];
    common.into_iter().chain(settings.into_iter().map(|(name, value)| (name.to_owned(), value))).collect()
}

/// The environment that gives git these settings.
pub(crate) fn variables(settings: Route) -> impl Iterator<Item = (String, String)> {
    let count = [("GIT_CONFIG_COUNT".to_owned(), settings.len().to_string())];
    let pair = |(n, (name, value))| [(format!("GIT_CONFIG_KEY_{n}"), name), (format!("GIT_CONFIG_VALUE_{n}"), value)];
    count.into_iter().chain(settings.into_iter().enumerate().flat_map(pair))
}

#[cfg(test)]
mod tests;
