//! One end of a sequenced-packet socket. A message larger than a packet goes into a file in memory, whose descriptor is sent instead.

use std::fs::File;
use std::io::{Error, ErrorKind, IoSlice, IoSliceMut, Read, Seek, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::MemfdFlags;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags,
    SocketType,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Largest packet; the kernel's default buffer takes several of them.
const PACKET_BYTES: usize = 32 << 10;
/// Largest message.
const MESSAGE_BYTES: u64 = 16 << 20;
/// Most descriptors of one message, and one more for a large message.
const DESCRIPTORS: usize = 4;

pub(crate) struct Socket(OwnedFd);

impl Socket {
    pub(crate) fn pair() -> Result<(Self, OwnedFd), Error> {
        let (ours, theirs) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self(ours), theirs))
    }

    /// The other end of a pair.
    #[cfg(test)]
    pub(crate) fn of(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }

    /// The socket that this process got as its standard input.
    pub(crate) fn from_stdin() -> Result<Self, Error> {
        Ok(Self(std::io::stdin().as_fd().try_clone_to_owned()?))
    }

    pub(crate) fn send<T: Serialize>(&self, message: &T, descriptors: &[BorrowedFd<'_>]) -> Result<(), Error> {
        self.send_with(message, descriptors, SendFlags::NOSIGNAL)
    }

    /// Fails with `WouldBlock` rather than waiting for the other end.
    pub(crate) fn try_send<T: Serialize>(&self, message: &T, descriptors: &[BorrowedFd<'_>]) -> Result<(), Error> {
        self.send_with(message, descriptors, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
    }

    fn send_with<T: Serialize>(&self, message: &T, descriptors: &[BorrowedFd<'_>], flags: SendFlags) -> Result<(), Error> {
        let mut text = serde_json::to_vec(message)?;
        let mut all = descriptors.to_vec();
        let large;
        if text.len() > PACKET_BYTES {
            let mut file = File::from(rustix::fs::memfd_create("message", MemfdFlags::CLOEXEC)?);
            file.write_all(&text)?;
            file.rewind()?;
            large = file;
            all.push(large.as_fd());
            text = vec![];
        }
        // An empty packet would look like the end of the other process.
        text.push(b'\n');
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS + 1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !all.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(&all)) {
            return Err(Error::new(ErrorKind::InvalidInput, "too many descriptors"));
        }
        loop {
            match rustix::net::sendmsg(&self.0, &[IoSlice::new(&text)], &mut ancillary, flags) {
                Err(rustix::io::Errno::INTR) => {}
                sent => return sent.map(drop).map_err(Error::from),
            }
        }
    }

    /// The next message; none when the other end is closed.
    pub(crate) fn receive<T: DeserializeOwned>(&self) -> Result<Option<(T, Vec<OwnedFd>)>, Error> {
        let mut packet = vec![0; PACKET_BYTES + 1];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS + 1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            match rustix::net::recvmsg(&self.0, &mut [IoSliceMut::new(&mut packet)], &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::CONNRESET) => return Ok(None),
                received => break received?,
            }
        };
        if received.bytes == 0 {
            return Ok(None);
        }
        let mut descriptors: Vec<OwnedFd> = vec![];
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(more) = message {
                descriptors.extend(more);
            }
        }
        packet.truncate(received.bytes);
        if packet == b"\n" {
            let large = descriptors.pop().ok_or_else(|| Error::new(ErrorKind::InvalidData, "a large message has no descriptor"))?;
            packet.clear();
            File::from(large).take(MESSAGE_BYTES).read_to_end(&mut packet)?;
        }
        Ok(Some((serde_json::from_slice(&packet)?, descriptors)))
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;
    use std::os::fd::AsFd;

    use super::Socket;

    #[test]
    fn messages_of_any_size_and_descriptors_arrive_whole_and_in_order() {
        let (one, other) = Socket::pair().expect("a pair");
        let other = Socket(other);
        let file = File::open("/proc/self/comm").expect("open");
        for length in [0, 10, 40_000, 2_000_000] {
            one.send(&"x".repeat(length), &[file.as_fd()]).expect("sent");
        }
        for length in [0, 10, 40_000, 2_000_000] {
            let (text, descriptors) = other.receive::<String>().expect("received").expect("a message");
            assert_eq!((text.len(), descriptors.len()), (length, 1));
        }
        one.send(&1, &[file.as_fd()]).expect("sent");
        let (_, mut descriptors) = other.receive::<u8>().expect("received").expect("a message");
        let mut text = String::new();
        File::from(descriptors.remove(0)).read_to_string(&mut text).expect("read");
        assert!(!text.is_empty());
        one.send(&"not a number", &[]).expect("sent");
        assert!(other.receive::<u8>().is_err());
        drop(one);
        assert!(other.receive::<u8>().expect("the end").is_none());
    }
}
