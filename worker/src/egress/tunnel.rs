//! `CONNECT`: bytes both ways, whatever they are, until one side or the attempt has ended.

use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::counted::Counted;

/// Begins once the client has the response. `permit`: the connection's.
pub(super) fn spawn(request: Request<Incoming>, mut host: Counted, stop: CancellationToken, permit: Arc<OwnedSemaphorePermit>) {
    tokio::spawn(async move {
        let both = async {
            if let Ok(client) = hyper::upgrade::on(request).await {
                // However it ends, it has ended for both.
                drop(copy_bidirectional(&mut TokioIo::new(client), &mut host).await);
            }
        };
        tokio::select! { () = both => {}, () = stop.cancelled() => {} }
        drop(permit);
    });
}
