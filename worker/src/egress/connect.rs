//! A connection to a host that a step named: resolved once, checked, and opened to an address that was checked.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use nofx_shared::net;
use tokio::net::TcpStream;

use super::account::Account;
use super::counted::Counted;
use super::refusal::{CONNECT_WAIT, Refusal};

/// Longest name of a host: that of DNS, RFC 1035.
const HOST_BYTES: usize = 253;

pub(super) async fn connect(account: &Arc<Account>, host: &str, port: u16) -> Result<Counted, Refusal> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() || host.len() > HOST_BYTES {
        return Err(Refusal::Request);
    }
    let counts = account.counts(host, port)?;
    let opened = match tokio::time::timeout(CONNECT_WAIT, open(account, host, port)).await {
        Ok(opened) => opened,
        Err(_) => Err(Refusal::NoConnection { host: host.to_owned(), why: format!("timed out after {} s", CONNECT_WAIT.as_secs()) }),
    };
    let counter = if opened.is_ok() { &counts.connections } else { &counts.refused };
    counter.fetch_add(1, Ordering::Relaxed);
    if opened.is_err() {
        // Without the host, which may be a secret of the step: the attempt's usage has it, masked.
        let Account { tenant, run, step, .. } = account.as_ref();
        tracing::debug!(tenant.id = %tenant, run.id = %run, step.id = %step, port, "egress was refused");
    }
    opened.map(|stream| Counted::new(stream, Arc::clone(account), counts))
}

async fn open(account: &Account, host: &str, port: u16) -> Result<TcpStream, Refusal> {
    if !account.ports.contains(&port) {
        return Err(Refusal::Port(port));
    }
    let addresses = {
        let _permit = account.lookups.acquire().await;
        net::addresses_of(host, port, &account.networks).await?
    };
    let stream = TcpStream::connect(addresses.as_slice())
        .await
        .map_err(|why| Refusal::NoConnection { host: host.to_owned(), why: why.to_string() })?;
    // What comes is handed on at once.
    drop(stream.set_nodelay(true));
    Ok(stream)
}
