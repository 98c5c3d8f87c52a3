//! The egress proxy inside a network of the program's own. There the helper listens at the port that the proxy has outside, and sends the
//! listener over the socket that is its standard input: whoever accepts from it is outside, and nothing but it leads there.

use std::fs::File;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsFd;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use super::error::Error;

/// What `Bridge` reads: the value of a message without content.
const MESSAGE: &[u8] = b"null";

pub(super) fn send_listener(port: u16) -> Result<(), Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| Error::System("listen for the egress proxy", error))?;
    send(&listener).map_err(|error| Error::System("send the listener of the egress proxy", error))
}

fn send(listener: &TcpListener) -> io::Result<()> {
    let descriptors = [listener.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    rustix::net::sendmsg(io::stdin(), &[IoSlice::new(MESSAGE)], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// The program has no part in it.
pub(super) fn close() -> Result<(), Error> {
    let closed = File::open("/dev/null").and_then(|null| Ok(rustix::stdio::dup2_stdin(null)?));
    closed.map_err(|error| Error::System("close the standard input", error))
}
