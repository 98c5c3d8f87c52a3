//! Serves the API on a socket: HTTP/1.1, with time limits for clients. (`axum::serve` waits for a head for ever.)

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nofx_api::ClientAddress;
use tokio::net::TcpListener;
use tower::ServiceExt;

/// How long a client may take for the head of a request, and be silent between two.
const HEAD: Duration = Duration::from_secs(15);
/// How long to wait when the system has no more files or memory for connections.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// Until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, router: Router) {
    loop {
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(RETRY_AFTER).await;
                continue;
            }
        };
        // Without TCP_NODELAY an answer in two packets waits 40 ms for the client's acknowledgement.
        drop(stream.set_nodelay(true));
        let router = router.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let mut request = request.map(Body::new);
                // No proxy is between a client and this process: the address is the socket's.
                request.extensions_mut().insert(ClientAddress(address.ip()));
                router.clone().oneshot(request)
            });
            let served =
                http1::Builder::new().timer(TokioTimer::new()).header_read_timeout(HEAD).serve_connection(TokioIo::new(stream), service);
            if let Err(error) = served.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}
