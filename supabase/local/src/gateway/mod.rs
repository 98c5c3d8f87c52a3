//! The one port that answers as Supabase does: `/rest/v1`, `/storage/v1`, `/auth/v1`, `/realtime/v1`.

mod api_key;
mod proxy;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::auth;
use crate::error::{At, Error};
use crate::people::Person;
use crate::realtime::{self, Realtime};
use crate::signing_key::SigningKey;
use crate::storage::{self, Storage};

/// What the gateway knows.
pub struct Gateway {
    pub(crate) rest_url: String,
    pub(crate) jwt_secret: String,
    pub(crate) signing_key: SigningKey,
    pub(crate) anon_key: String,
    pub(crate) service_role_key: String,
    pub(crate) people: Vec<Person>,
    pub(crate) tenant_id: Uuid,
    pub(crate) storage: Storage,
    pub(crate) realtime: Arc<Realtime>,
    pub(crate) client: reqwest::Client,
    /// Where mail goes that a hosted project would send.
    pub(crate) mail: PathBuf,
    /// Links, codes and refresh tokens that have been used.
    pub(crate) redeemed: Mutex<HashSet<String>>,
}

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

pub(crate) async fn serve(gateway: Arc<Gateway>) -> Result<Running, Error> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.at("could not listen on", "127.0.0.1")?;
    let address = listener.local_addr().at("could not read the port of", "the gateway")?;
    let (stop, stopped) = oneshot::channel::<()>();
    let router = router(gateway);
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

fn router(gateway: Arc<Gateway>) -> Router {
    let keyed = Router::new()
        .route("/rest/v1/", any(proxy::rest))
        .route("/rest/v1/{*path}", any(proxy::rest))
        .route("/auth/v1/token", post(auth::token))
        .route("/auth/v1/user", get(auth::show_user))
        .route("/auth/v1/otp", post(auth::send_link))
        .route("/auth/v1/logout", post(auth::sign_out))
        .merge(storage::keyed_routes())
        .merge(realtime::keyed_routes())
        .layer(from_fn_with_state(Arc::clone(&gateway), api_key::require));
    Router::new()
        .merge(keyed)
        .merge(storage::open_routes())
        .route("/auth/v1/.well-known/jwks.json", get(auth::show_keys))
        .route("/auth/v1/verify", get(auth::verify_link))
        .route("/auth/v1/authorize", get(auth::authorize))
        .with_state(gateway)
}
