//! Listens on a free port of this machine until it is stopped.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::routes::router;
use super::state::Services;
use crate::error::{At, Error};
use crate::realtime::Realtime;

pub(crate) struct Running {
    pub address: SocketAddr,
    realtime: Arc<Realtime>,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.realtime.stopping.cancel();
        self.task.abort();
        // An aborted task ends with an error that says no more than that.
        drop(self.task.await);
    }
}

pub(crate) async fn serve(services: Services) -> Result<Running, Error> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.at("could not listen on", "127.0.0.1")?;
    let address = listener.local_addr().at("could not read the port of", "the gateway")?;
    let (stop, stopped) = oneshot::channel::<()>();
    let realtime = Arc::clone(&services.realtime);
    let router = router(services);
    let task = tokio::spawn(async move {
        // Without TCP_NODELAY an answer in two packets waits 40 ms for the client's acknowledgement.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let server = axum::serve(listener, router).with_graceful_shutdown(async {
            drop(stopped.await);
        });
        if let Err(error) = server.await {
            tracing::error!(%error, "the gateway ended");
        }
    });
    Ok(Running { address, realtime, stop, task })
}
