//! Takes the connections of one attempt's programs, as many at once as it may have, until the attempt has ended.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;

use super::account::Account;
use super::answer::answer;

/// How long a client may take for the headers of a request, and be idle between two.
const HEADERS_WAIT: Duration = Duration::from_secs(30);
const HEADERS: usize = 100;
const HEADERS_BYTES: usize = 32 << 10;
/// After a connection that could not be taken: there are no descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn listen(listener: TcpListener, account: Arc<Account>) {
    let stop = account.stop.clone();
    let take = async {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            // The next ones wait in the kernel.
            let Ok(permit) = Arc::clone(&account.connections).acquire_owned().await else { return };
            tokio::spawn(connection(stream, Arc::clone(&account), permit));
        }
    };
    tokio::select! { () = take => {}, () = stop.cancelled() => {} }
}

async fn connection(stream: TcpStream, account: Arc<Account>, permit: OwnedSemaphorePermit) {
    let permit = Arc::new(permit);
    let stop = account.stop.clone();
    let service = service_fn(move |request| answer(request, Arc::clone(&account), Arc::clone(&permit)));
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADERS_WAIT).max_headers(HEADERS).max_buf_size(HEADERS_BYTES);
    let served = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    // A client that breaks the rules, or its connection, hurts itself only.
    tokio::select! { _ = served => {}, () = stop.cancelled() => {} }
}
