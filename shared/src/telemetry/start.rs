//! Starts telemetry, first thing in a process: from then on logs and spans go where the settings say.

use std::io::IsTerminal;

use opentelemetry::trace::TracerProvider;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::traces;
use crate::settings;

/// Starts logs on standard error and, when they are wanted, traces.
pub fn start(settings: &settings::Telemetry) {
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let log = if std::io::stderr().is_terminal() {
        log.compact().boxed()
    } else {
        log.json().flatten_event(true).with_current_span(false).boxed()
    };
    let provider = settings.endpoint.as_ref().map(|endpoint| traces::provider(endpoint, &settings.service));
    let spans = provider.as_ref().map(|provider| {
        // Spans are ours alone: a library's would drown them, and those of the exporter would never end.
        let ours = tracing_subscriber::filter::filter_fn(|span| span.is_span() && span.target().starts_with("nofx_"));
        tracing_opentelemetry::layer().with_tracer(provider.tracer("nofx")).with_filter(ours)
    });
    tracing_subscriber::registry().with(spans).with(log.with_filter(settings.log.clone())).init();
    if let Some(provider) = provider {
        traces::install(provider);
    }
}
