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
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

/// How long a client may take for the head of a request, and be silent between two.
const HEAD: Duration = Duration::from_secs(15);
/// How long to wait when the system has no more files or memory for connections.
const RETRY_AFTER: Duration = Duration::from_millis(50);
/// How long requests may take that are under way when the server stops.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// Until it is stopped and the last requests have been answered, or the time for them is over.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stopping: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(RETRY_AFTER).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
            () = stopped(&mut stopping) => break,
        };
        // Without TCP_NODELAY an answer in two packets waits 40 ms for the client's acknowledgement.
        drop(stream.set_nodelay(true));
        connections.spawn(answer(stream, ClientAddress(address.ip()), router.clone(), stopping.clone()));
    }
    drop(listener);
    let answered = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_REQUESTS, answered).await.is_err() {
        connections.shutdown().await;
    }
}

/// Returns once `stopping` is true.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is dropped: stop all the same.
    drop(stopping.wait_for(|stop| *stop).await);
}

/// Answers the requests of a connection.
async fn answer(stream: TcpStream, address: ClientAddress, router: Router, mut stopping: watch::Receiver<bool>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        // No proxy is between a client and this process: the address is the socket's.
        request.extensions_mut().insert(address);
        router.clone().oneshot(request)
    });
    let served = http1::Builder::new().timer(TokioTimer::new()).header_read_timeout(HEAD).serve_connection(TokioIo::new(stream), service);
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = &mut served => ended,
        () = stopped(&mut stopping) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn a_stop_answers_what_is_under_way_closes_what_is_idle_and_drops_the_router() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = std::sync::Arc::new((Notify::new(), Notify::new()));
        let slow = |shared: std::sync::Arc<(Notify, Notify)>| async move {
            shared.0.notify_one();
            shared.1.notified().await;
            "the answer"
        };
        let shared = std::sync::Arc::clone(&state);
        let router = Router::new().route("/", get(move || slow(std::sync::Arc::clone(&shared))));
        let (stop, stopping) = watch::channel(false);
        let server = tokio::spawn(serve(listener, router, stopping));
        let mut idle = TcpStream::connect(address).await.expect("a connection");
        let mut busy = TcpStream::connect(address).await.expect("a connection");
        busy.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        state.0.notified().await;
        stop.send_replace(true);
        assert_eq!(idle.read(&mut [0; 10]).await.expect("it is closed"), 0);
        state.1.notify_one();
        let mut text = String::new();
        busy.read_to_string(&mut text).await.expect("an answer");
        assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("the answer"), "{text}");
        server.await.expect("it ended");
        assert_eq!(std::sync::Arc::strong_count(&state), 1, "what the router holds is dropped");
        assert!(TcpStream::connect(address).await.is_err());
    }
}
