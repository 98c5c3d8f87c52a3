use std::net::TcpListener;
use std::os::fd::OwnedFd;

use rustix::net::AddressFamily;
use rustix::net::sockopt::{socket_acceptconn, socket_domain};

use crate::wire::Socket;

/// The way out of a network that is a program's own: the program's helper hands out a listener, from which whoever has it accepts outside.
pub struct Bridge(Socket);

impl Bridge {
    /// And the end for `Program`.
    pub fn pair() -> std::io::Result<(Self, OwnedFd)> {
        Socket::pair().map(|(ours, theirs)| (Self(ours), theirs))
    }

    /// Waits for the helper. None: the program shares the network of its host, or did not start. Its calls do not wait.
    pub fn listener(self) -> Result<Option<TcpListener>, String> {
        let failed = |error: std::io::Error| format!("the way to the egress proxy could not be received: {error}");
        let received = self.0.receive::<()>().map_err(failed)?.and_then(|((), mut descriptors)| descriptors.pop());
        let Some(descriptor) = received else { return Ok(None) };
        let is_listener =
            socket_domain(&descriptor).is_ok_and(|domain| domain == AddressFamily::INET) && socket_acceptconn(&descriptor) == Ok(true);
        if !is_listener {
            return Err("what came in place of a listener is none".to_owned());
        }
        let listener = TcpListener::from(descriptor);
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Some(listener))
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::{AsFd, OwnedFd};

    use super::Bridge;
    use crate::wire::Socket;

    fn sent(descriptors: &[OwnedFd]) -> Result<Option<TcpListener>, String> {
        let (ours, theirs) = Socket::pair().expect("a pair");
        let all: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        Socket::of(theirs).send(&(), &all).expect("sent");
        Bridge(ours).listener()
    }

    #[test]
    fn only_a_listener_is_a_way_out() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let there = sent(&[OwnedFd::from(listener)]).expect("a listener").expect("it is there");
        assert!(there.accept().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "it does not wait");
        let (pipe, _other) = std::io::pipe().expect("a pipe");
        assert!(sent(&[pipe.into()]).is_err());
        assert!(sent(&[std::os::unix::net::UnixDatagram::unbound().expect("a socket").into()]).is_err());
        assert!(sent(&[]).expect("nothing").is_none());
        let (bridge, theirs) = Bridge::pair().expect("a pair");
        drop(theirs);
        assert!(bridge.listener().expect("nothing").is_none());
    }
}
