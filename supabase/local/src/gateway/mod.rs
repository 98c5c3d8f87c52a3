//! The one port that answers as Supabase does: `/rest/v1`, `/storage/v1`, `/auth/v1`, `/realtime/v1`.

mod api_key;
mod proxy;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::auth;
use crate::error::{At, Error};
use crate::project::Project;
use crate::{realtime, storage};

pub(crate) struct Running {
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.task.abort();
        // An aborted task ends with an error that says no more than that.
        drop(self.task.await);
    }
}

pub(crate) async fn serve(project: Arc<Project>) -> Result<Running, Error> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.at("could not listen on", "127.0.0.1")?;
    let address = listener.local_addr().at("could not read the port of", "the gateway")?;
    let (stop, stopped) = oneshot::channel::<()>();
    let router = router(project);
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
    Ok(Running { address, stop, task })
}

fn router(project: Arc<Project>) -> Router {
    let keyed = Router::new()
        .route("/rest/v1/", any(proxy::rest))
        .route("/rest/v1/{*path}", any(proxy::rest))
        .route("/auth/v1/token", post(auth::token))
        .route("/auth/v1/user", get(auth::show_user))
        .route("/auth/v1/otp", post(auth::send_link))
        .route("/auth/v1/logout", post(auth::sign_out))
        .merge(storage::keyed_routes())
        .merge(realtime::keyed_routes())
        .layer(from_fn_with_state(Arc::clone(&project), api_key::require));
    Router::new()
        .merge(keyed)
        .merge(storage::open_routes())
        .route("/auth/v1/.well-known/jwks.json", get(auth::show_keys))
        .route("/auth/v1/verify", get(auth::verify_link))
        .route("/auth/v1/authorize", get(auth::authorize))
        .with_state(project)
}
