use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::account::{Account, BYTES, Counts};

/// A connection to a host, whose bytes are counted and limited.
pub(super) struct Counted {
    stream: TcpStream,
    account: Arc<Account>,
    counts: Arc<Counts>,
}

impl Counted {
    pub(super) fn new(stream: TcpStream, account: Arc<Account>, counts: Arc<Counts>) -> Self {
        Self { stream, account, counts }
    }

    fn add(&self, to: &AtomicU64, bytes: usize) -> Result<(), Error> {
        let bytes = bytes as u64;
        to.fetch_add(bytes, Ordering::Relaxed);
        let too_many = || Error::new(ErrorKind::QuotaExceeded, format!("the step has used {BYTES} bytes"));
        self.account.add(bytes).then_some(()).ok_or_else(too_many)
    }
}

impl AsyncRead for Counted {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        Poll::Ready(this.add(&this.counts.received_bytes, buffer.filled().len() - before))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write(context, bytes))?;
        Poll::Ready(this.add(&this.counts.sent_bytes, written).map(|()| written))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
