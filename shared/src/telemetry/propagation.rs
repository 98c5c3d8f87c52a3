//! W3C trace context: how a trace goes from a request through the queue and the database into a step's process.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header `traceparent` (W3C Trace Context, level 1): version 00, trace id, parent id, flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent(SpanContext);

/// Why a text is no `traceparent`.
#[derive(Debug, thiserror::Error)]
#[error("a traceparent looks like 00-<32 hex>-<16 hex>-<2 hex>")]
pub struct Malformed;

impl FromStr for TraceParent {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut parts = text.split('-');
        let mut part = |length: usize| {
            parts.next().filter(|part| part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()))
        };
        let (version, trace, span, flags) = (part(2), part(32), part(16), part(2));
        let (Some(version), Some(trace), Some(span), Some(flags)) = (version, trace, span, flags) else { return Err(Malformed) };
        // A later version may have more parts; 00 has none, and ff is forbidden.
        if version == "ff" || version == "00" && parts.next().is_some() {
            return Err(Malformed);
        }
        let trace = TraceId::from_hex(trace).map_err(|_| Malformed)?;
        let span = SpanId::from_hex(span).map_err(|_| Malformed)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| Malformed)?;
        let context = SpanContext::new(trace, span, TraceFlags::new(flags & 1), true, TraceState::default());
        if context.is_valid() { Ok(Self(context)) } else { Err(Malformed) }
    }
}

impl Display for TraceParent {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let flags = self.0.trace_flags().to_u8();
        write!(f, "00-{}-{}-{flags:02x}", self.0.trace_id(), self.0.span_id())
    }
}

/// Makes a span a part of the trace that came with a request, a wake-up or a step.
pub fn follow(span: &Span, parent: Option<&TraceParent>) {
    if let Some(TraceParent(context)) = parent {
        // An error means that no traces are recorded.
        drop(span.set_parent(opentelemetry::Context::new().with_remote_span_context(context.clone())));
    }
}

/// What to pass on: the span's own place in its trace, or, when no traces are recorded, the trace that came in.
pub fn current(span: &Span, parent: Option<&TraceParent>) -> Option<TraceParent> {
    let context = span.context().span().span_context().clone();
    if context.is_valid() { Some(TraceParent(context)) } else { parent.cloned() }
}

#[cfg(test)]
mod tests {
    use super::TraceParent;

    #[test]
    fn a_traceparent_is_read_and_written() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(text.parse::<TraceParent>().expect("valid").to_string(), text);
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        for text in [
            "",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        ] {
            assert!(text.parse::<TraceParent>().is_err(), "{text}");
        }
    }
}
