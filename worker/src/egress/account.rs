use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use nofx_shared::drivers::Destination;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::refusal::Refusal;

/// Connections of one attempt at once; more wait until one ends.
const CONNECTIONS: usize = 64;
/// Names that are looked up for one attempt at once: each takes a thread of the worker as long as a name server likes.
const LOOKUPS: usize = 4;
/// Hosts and ports of one attempt: all are recorded, so no more are reached.
const DESTINATIONS: usize = 256;
/// Bytes of one attempt, in both directions together.
pub(super) const BYTES: u64 = 64 << 30;

/// What one attempt may reach, and what it has reached.
pub(super) struct Account {
    /// Whose it is, for logs.
    pub tenant: Uuid,
    pub run: Uuid,
    pub step: Uuid,
    /// Private networks that it may reach.
    pub networks: Vec<IpNet>,
    pub ports: Vec<u16>,
    pub connections: Arc<Semaphore>,
    pub lookups: Semaphore,
    /// The attempt has ended: nothing goes on.
    pub stop: CancellationToken,
    /// `name:password` in base64, as `Proxy-Authorization` has it.
    credential: String,
    bytes: AtomicU64,
    reached: Mutex<BTreeMap<(String, u16), Arc<Counts>>>,
}

/// Of one destination.
#[derive(Default)]
pub(super) struct Counts {
    pub connections: AtomicU64,
    pub refused: AtomicU64,
    pub sent_bytes: AtomicU64,
    pub received_bytes: AtomicU64,
}

impl Account {
    /// Of an attempt of this tenant, run and step.
    pub(super) fn new([tenant, run, step]: [Uuid; 3], name: &str, password: &str, networks: Vec<IpNet>, ports: Vec<u16>) -> Self {
        Self {
            tenant,
            run,
            step,
            networks,
            ports,
            connections: Arc::new(Semaphore::new(CONNECTIONS)),
            lookups: Semaphore::new(LOOKUPS),
            stop: CancellationToken::new(),
            credential: STANDARD.encode(format!("{name}:{password}")),
            bytes: AtomicU64::new(0),
            reached: Mutex::default(),
        }
    }

    /// Whether a value of `Proxy-Authorization` is this attempt's (RFC 7617), in a time that does not depend on how much of it is right.
    pub(super) fn admits(&self, authorization: Option<&[u8]>) -> bool {
        let Some((scheme, credential)) = authorization.and_then(|value| value.split_at_checked("Basic ".len())) else { return false };
        scheme.eq_ignore_ascii_case(b"Basic ") && bool::from(credential.ct_eq(self.credential.as_bytes()))
    }

    /// The counts of a destination, unless there are too many of them.
    pub(super) fn counts(&self, host: &str, port: u16) -> Result<Arc<Counts>, Refusal> {
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (host.to_ascii_lowercase(), port);
        if !reached.contains_key(&key) && reached.len() == DESTINATIONS {
            return Err(Refusal::TooManyHosts(DESTINATIONS));
        }
        Ok(Arc::clone(reached.entry(key).or_default()))
    }

    /// Adds to the bytes of the attempt; false when there are too many.
    pub(super) fn add(&self, bytes: u64) -> bool {
        self.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= BYTES
    }

    /// What was reached until now, by host and port.
    pub(super) fn destinations(&self) -> Vec<Destination> {
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let destination = |((host, port), counts): (&(String, u16), &Arc<Counts>)| Destination {
            host: host.clone(),
            port: *port,
            connections: read(&counts.connections),
            refused: read(&counts.refused),
            sent_bytes: read(&counts.sent_bytes),
            received_bytes: read(&counts.received_bytes),
        };
        reached.iter().map(destination).collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{Account, BYTES, DESTINATIONS};

    fn account() -> Account {
        Account::new([Uuid::nil(); 3], "step", "secret", vec![], vec![443])
    }

    #[test]
    fn only_the_whole_credential_is_admitted() {
        // step:secret
        let account = account();
        assert!(account.admits(Some(b"Basic c3RlcDpzZWNyZXQ=")) && account.admits(Some(b"basic c3RlcDpzZWNyZXQ=")));
        for other in [
            "",
            "Basic",
            "Basic ",
            "Basic c3RlcDpzZWNyZXQ",
            "Basic c3RlcDpzZWNyZXQ==",
            "Bearer c3RlcDpzZWNyZXQ=",
            "Basic  c3RlcDpzZWNyZXQ=",
        ] {
            assert!(!account.admits(Some(other.as_bytes())), "{other}");
        }
        assert!(!account.admits(None));
    }

    #[test]
    fn all_that_is_reached_is_recorded_or_it_is_not_reached() {
        let account = account();
        for n in 0..DESTINATIONS {
            assert!(account.counts(&format!("Host{n}.example"), 443).is_ok());
        }
        assert!(account.counts("host0.EXAMPLE", 443).is_ok(), "a name has no case");
        assert!(account.counts("host0.example", 80).is_err());
        assert_eq!((account.destinations().len(), account.destinations()[0].host.as_str()), (DESTINATIONS, "host0.example"));
    }

    #[test]
    fn bytes_are_counted_to_a_limit() {
        let account = account();
        assert!(account.add(BYTES) && !account.add(1));
    }
}
