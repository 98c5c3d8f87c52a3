//! Sends a folder of this machine, as a tar. And its digest, by which it is not sent again when it is as it was.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use nofx_shared::engine::Failure;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::here::Here;
use super::script::script;
use super::{Fault, Machine};

/// How often a transfer is tried.
pub(super) const CALLS: u32 = 3;
pub(super) const WAIT: Duration = Duration::from_millis(500);
const UP: &str = "/tmp/nofx/up.tar";

/// Puts the folder at the path there, in place of what is there.
pub(super) async fn send(here: &Here<'_>, machine: &dyn Machine, there: &str) -> Result<(), Failure> {
    let mut calls = 0;
    loop {
        let mut tar = here.start(&["tar", "--create", "--sparse", "--file", "-", "."]).await?;
        let exceeded = Arc::new(AtomicBool::new(false));
        let bytes = Limited { inner: tar.stdout()?, left: here.limit_bytes(), exceeded: Arc::clone(&exceeded) };
        let sent = machine.upload(UP, Box::new(bytes)).await;
        if exceeded.load(Ordering::Relaxed) {
            let limit = here.limit_mb;
            return Err(Failure::permanent(format!("the workspace is larger than {limit} MiB, which is what may be sent to a machine")));
        }
        match sent {
            Ok(()) => {
                tar.end().await?;
                break;
            }
            Err(fault) => wait_to_repeat(fault, &mut calls, "could not send the workspace").await?,
        }
    }
    script(machine, include_str!("scripts/take.sh"), &[there]).await.map(drop)
}

/// Waits before a transfer is tried again, if it may be.
pub(super) async fn wait_to_repeat(fault: Fault, calls: &mut u32, what: &str) -> Result<(), Failure> {
    *calls += 1;
    match fault {
        Fault::Busy { after, .. } => tokio::time::sleep(after.unwrap_or(WAIT)).await,
        Fault::Unavailable(_) if *calls < CALLS => tokio::time::sleep(WAIT).await,
        fault => return Err(fault.failure(what)),
    }
    Ok(())
}

/// A digest of all names, kinds, modes, sizes and times. None when they cannot all be read.
pub(super) async fn digest(here: &Here<'_>) -> Result<Option<String>, Failure> {
    let mut find = here.start(&["find", ".", "-mindepth", "1", "-printf", r"%y %m %s %T@ %C@ %i\t%P\0"]).await?;
    let (mut names, mut digest, mut chunk) = (find.stdout()?, Sha256::new(), vec![0; 64 << 10]);
    while let Ok(read @ 1..) = names.read(&mut chunk).await {
        digest.update(&chunk[..read]);
    }
    Ok(find.end().await.is_ok().then(|| hex::encode(digest.finalize())))
}

/// Fails when there is more than the limit.
struct Limited<R> {
    inner: R,
    left: u64,
    exceeded: Arc<AtomicBool>,
}

impl<R: AsyncRead + Unpin> AsyncRead for Limited<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        let read = (buffer.filled().len() - before) as u64;
        match self.left.checked_sub(read) {
            Some(left) => self.left = left,
            None => {
                self.exceeded.store(true, Ordering::Relaxed);
                // An error comes without bytes.
                buffer.set_filled(before);
                return Poll::Ready(Err(std::io::Error::other("larger than the limit")));
            }
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::io::AsyncReadExt;

    use super::Limited;

    #[tokio::test]
    async fn what_is_larger_than_the_limit_is_an_error_and_not_cut() {
        for (length, is_exceeded) in [(0, false), (10, false), (11, true), (1 << 20, true)] {
            let exceeded = Arc::new(AtomicBool::new(false));
            let all = vec![7; length];
            let mut limited = Limited { inner: all.as_slice(), left: 10, exceeded: Arc::clone(&exceeded) };
            let mut read = vec![];
            assert_eq!(limited.read_to_end(&mut read).await.is_err(), is_exceeded, "{length}");
            assert_eq!((exceeded.load(Ordering::Relaxed), is_exceeded || read == all), (is_exceeded, true), "{length}");
        }
    }
}
