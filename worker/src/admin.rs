//! `/health` and `/metrics` on a loopback port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use nofx_shared::net;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::worker::Error;

/// Whether the worker of this machine answers at its admin port.
pub async fn is_healthy(port: u16) -> bool {
    let asked = net::client().get(format!("http://127.0.0.1:{port}/health")).timeout(Duration::from_secs(2)).send().await;
    asked.is_ok_and(|answer| answer.status().is_success())
}

pub(crate) async fn serve(port: u16, metrics: Arc<Metrics>, stop: CancellationToken) -> Result<SocketAddr, Error> {
    let failed = |source| Error::Port { port, source };
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let kind = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    let router =
        Router::new().route("/health", get(|| async { "ok" })).route("/metrics", get(move || async move { (kind, metrics.render()) }));
    tokio::spawn(async move {
        let server = axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await });
        if let Err(error) = server.await {
            tracing::error!(%error, "the admin port ended");
        }
    });
    Ok(address)
}
