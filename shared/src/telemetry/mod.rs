//! Logs and traces. Logs: JSON lines where a machine reads them, plain lines on a terminal. Traces: OpenTelemetry over
//! OTLP/HTTP when an endpoint is set, else nothing is recorded, but a trace that comes in is still passed on.

mod propagation;

use std::io::IsTerminal;
use std::sync::OnceLock;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use propagation::{TraceParent, current, follow};

use crate::{net, settings};

static TRACES: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Starts logs on standard error and, when they are wanted, traces.
pub fn start(settings: &settings::Telemetry) {
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let log = if std::io::stderr().is_terminal() {
        log.compact().boxed()
    } else {
        log.json().flatten_event(true).with_current_span(false).boxed()
    };
    let provider = settings.endpoint.as_ref().map(|endpoint| traces(endpoint, &settings.service));
    let traces = provider.as_ref().map(|provider| {
        // Spans are ours alone: a library's would drown them, and those of the exporter would never end.
        let ours = tracing_subscriber::filter::filter_fn(|span| span.is_span() && span.target().starts_with("nofx_"));
        tracing_opentelemetry::layer().with_tracer(provider.tracer("nofx")).with_filter(ours)
    });
    tracing_subscriber::registry().with(traces).with(log.with_filter(settings.log.clone())).init();
    if let Some(provider) = provider {
        // Only whoever starts twice would lose the second one.
        drop(TRACES.set(provider));
    }
}

fn traces(endpoint: &str, service: &str) -> SdkTracerProvider {
    net::provide_tls();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .expect("the endpoint was checked with the settings");
    let resource = Resource::builder().with_service_name(service.to_owned()).build();
    SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build()
}

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
