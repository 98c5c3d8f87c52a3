//! Where traces go: OpenTelemetry over OTLP/HTTP.

use std::sync::OnceLock;

use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::net;

/// The provider of the process, once it has started.
static TRACES: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Sends what was recorded so far. Where a host freezes the process between requests, it is called before that.
pub async fn flush() {
    if let Some(provider) = TRACES.get() {
        // It waits for the exporter's thread.
        match tokio::task::spawn_blocking(|| provider.force_flush()).await {
            Ok(Ok(())) => {}
            other => tracing::warn!(?other, "could not send traces"),
        }
    }
}

pub(super) fn provider(endpoint: &str, service: &str) -> SdkTracerProvider {
    net::provide_tls();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .expect("the endpoint was checked with the settings");
    let resource = Resource::builder().with_service_name(service.to_owned()).build();
    SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build()
}

/// Lets `flush` find the provider.
pub(super) fn install(provider: SdkTracerProvider) {
    // A second call would drop its provider; no process starts twice.
    drop(TRACES.set(provider));
}
