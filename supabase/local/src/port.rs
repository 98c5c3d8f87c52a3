//! Free ports for programs whose port must be known before they start.

use std::collections::HashMap;
use std::net::TcpListener;
use std::ops::Range;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::{LazyLock, Mutex, PoisonError};

use rand::RngExt;

use crate::error::{At, Error};

/// Below the ports that the system gives to outgoing connections (32768 and up on Linux, 49152 on macOS): what is free
/// here cannot be taken by a connection between the check and the program's start.
const RANGE: Range<u16> = 20_000..32_768;

/// A free port on the loopback address, given to nobody else while this process lives: stacks and tests that start at
/// once would find the same one free, and the second to listen would fail. Each is reserved by the abstract socket
/// `nofx-port-N`, which the kernel knows in the same network namespace only, and removes with the process.
///
/// # Errors
/// When a thousand ports are tried and none is free.
pub fn free_port() -> Result<u16, Error> {
    static GIVEN: LazyLock<Mutex<HashMap<u16, UnixListener>>> = LazyLock::new(Mutex::default);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut last = None;
    for _ in 0..1_000 {
        let port = rand::rng().random_range(RANGE);
        let reserved = SocketAddr::from_abstract_name(format!("nofx-port-{port}")).and_then(|name| UnixListener::bind_addr(&name));
        match reserved.and_then(|reserved| TcpListener::bind(("127.0.0.1", port)).map(|_| reserved)) {
            Ok(reserved) => {
                given.insert(port, reserved);
                return Ok(port);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::ErrorKind::AddrInUse.into())).at("could not find a free port on", "127.0.0.1")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_port_is_given_once_and_is_none_that_a_connection_could_take() {
        let ports: Vec<u16> = (0..200).map(|_| free_port().expect("a port")).collect();
        assert_eq!(ports.iter().collect::<HashSet<_>>().len(), 200);
        assert!(ports.iter().all(|port| RANGE.contains(port)));
        // Nor to another process.
        let name = SocketAddr::from_abstract_name(format!("nofx-port-{}", ports[0])).expect("a name");
        assert_eq!(UnixListener::bind_addr(&name).expect_err("taken").kind(), std::io::ErrorKind::AddrInUse);
    }
}
