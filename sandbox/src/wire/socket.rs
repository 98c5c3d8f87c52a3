//! One end of a sequenced-packet socket. A message larger than a packet goes into a file in memory, whose descriptor is sent instead.

use std::fs::File;
use std::io::{Error, ErrorKind, IoSlice, IoSliceMut, Read, Seek, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags,
    SocketType,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Largest packet; the kernel's default buffer takes several of them.
const PACKET_BYTES: usize = 32 << 10;
/// Largest message; a larger one is not sent.
const MESSAGE_BYTES: usize = 16 << 20;
/// A file with these seals is one in memory that nobody changes: to read it waits for nothing, which a pipe would.
const SEALS: SealFlags = SealFlags::WRITE.union(SealFlags::GROW).union(SealFlags::SHRINK);
/// Most descriptors of one message, and one more for a large message.
const DESCRIPTORS: usize = 4;

pub(crate) struct Socket(OwnedFd);

impl Socket {
    pub(crate) fn pair() -> Result<(Self, OwnedFd), Error> {
        let (ours, theirs) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self(ours), theirs))
    }

    /// The other end of a pair.
    pub(crate) fn of(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }

    /// The socket that this process got as its standard input.
    pub(crate) fn from_stdin() -> Result<Self, Error> {
        std::io::stdin().as_fd().try_clone_to_owned().map(Self::of)
    }

    /// A message that is too large is an error of the kind `InvalidInput`.
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
        if text.len() > MESSAGE_BYTES {
            let why = format!("a message of {} bytes is too large; the limit is {MESSAGE_BYTES}", text.len());
            return Err(Error::new(ErrorKind::InvalidInput, why));
        }
        if text.len() > PACKET_BYTES {
            let mut file = File::from(rustix::fs::memfd_create("message", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
            file.write_all(&text)?;
            rustix::fs::fcntl_add_seals(&file, SEALS)?;
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
            if !rustix::fs::fcntl_get_seals(&large).is_ok_and(|seals| seals.contains(SEALS)) {
                return Err(Error::new(ErrorKind::InvalidData, "the descriptor of a large message is not a sealed file in memory"));
            }
            packet.clear();
            let mut large = File::from(large);
            large.rewind()?;
            large.take(MESSAGE_BYTES as u64).read_to_end(&mut packet)?;
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
    use std::io::{ErrorKind, Read};
    use std::os::fd::AsFd;

    use super::{MESSAGE_BYTES, Socket};

    #[test]
    fn a_message_that_is_too_large_is_not_sent_and_the_next_one_arrives() {
        let (one, other) = Socket::pair().expect("a pair");
        let other = Socket(other);
        let error = one.send(&"x".repeat(MESSAGE_BYTES), &[]).expect_err("too large");
        assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("the limit is 16777216"), "{error}");
        one.send(&"x".repeat(MESSAGE_BYTES - 2), &[]).expect("sent");
        assert_eq!(other.receive::<String>().expect("received").expect("a message").0.len(), MESSAGE_BYTES - 2);
    }

    #[test]
    fn a_large_message_is_read_from_nothing_that_could_be_waited_for() {
        let (one, other) = Socket::pair().expect("a pair");
        let other = Socket(other);
        // Its writing end stays open: who reads it waits for ever.
        let (pipe, _writer) = std::io::pipe().expect("a pipe");
        let file = tempfile::tempfile().expect("a file");
        let unsealed = rustix::fs::memfd_create("x", rustix::fs::MemfdFlags::CLOEXEC).expect("a memfd");
        for descriptor in [file.as_fd(), unsealed.as_fd(), pipe.as_fd()] {
            let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = rustix::net::SendAncillaryBuffer::new(&mut space);
            let descriptors = [descriptor];
            assert!(ancillary.push(rustix::net::SendAncillaryMessage::ScmRights(&descriptors)));
            let text = [std::io::IoSlice::new(b"\n")];
            rustix::net::sendmsg(&one, &text, &mut ancillary, rustix::net::SendFlags::NOSIGNAL).expect("sent");
            assert!(other.receive::<String>().is_err_and(|error| error.to_string().contains("not a sealed file")));
        }
    }

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
