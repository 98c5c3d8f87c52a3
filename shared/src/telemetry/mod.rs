//! Logs and traces. Logs: JSON lines where a machine reads them, plain lines on a terminal. Traces: OpenTelemetry over
//! OTLP/HTTP when an endpoint is set, else nothing is recorded, but a trace that comes in is still passed on.

mod propagation;
mod start;
mod traces;

pub use propagation::{TraceParent, current, follow};
pub use start::start;
pub use traces::flush;
