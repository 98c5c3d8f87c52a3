//! `/health` and `/metrics` on a loopback port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, HeaderName, header};
use axum::routing::get;
use nofx_shared::db::Db;
use nofx_shared::net;
use prometheus_client::encoding::prometheus_text;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::metrics::Metrics;
use crate::process_usage::ProcessUsage;
use crate::queue_metrics::QueueMetricsCache;

/// Whether the worker on this machine responds at its admin port.
pub async fn is_healthy(port: u16) -> bool {
    let response = net::client().get(format!("http://127.0.0.1:{port}/health")).timeout(Duration::from_secs(2)).send().await;
    response.is_ok_and(|response| response.status().is_success())
}

pub(crate) async fn serve(port: u16, metrics: Arc<Metrics>, db: Db, stop: CancellationToken) -> Result<SocketAddr, Error> {
    let failed = |source| Error::Port { port, source };
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let queue = Arc::new(QueueMetricsCache::new(db));
    let scrape = move |headers: HeaderMap| {
        let (metrics, queue) = (Arc::clone(&metrics), Arc::clone(&queue));
        async move { scrape(&headers, &metrics, &queue).await }
    };
    let router = Router::new().route("/health", get(|| async { "ok" })).route("/metrics", get(scrape));
    tokio::spawn(async move {
        let server = axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await });
        if let Err(error) = server.await {
            tracing::error!(%error, "the admin server failed");
        }
    });
    Ok(address)
}

/// `OpenMetrics` for clients that accept it, as Prometheus does; otherwise the older text format.
async fn scrape(headers: &HeaderMap, metrics: &Metrics, queue: &QueueMetricsCache) -> ([(HeaderName, &'static str); 1], String) {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_openmetrics = accepts.contains("application/openmetrics-text");
    let media_type =
        if is_openmetrics { "application/openmetrics-text; version=1.0.0; charset=utf-8" } else { prometheus_text::CONTENT_TYPE };
    let text = metrics.render(queue.latest().await.as_deref(), &ProcessUsage::measure(), is_openmetrics);
    ([(header::CONTENT_TYPE, media_type)], text)
}
