use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use super::Reader;

/// What is logged, and where traces go. The other `OTEL_*` variables are the exporter's own: headers, time-outs, sampling.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: base URL of an OTLP/HTTP receiver; no traces are recorded when it is not set.
    pub endpoint: Option<String>,
    /// `OTEL_SERVICE_NAME`; the program's name when not set.
    pub service: String,
    /// `RUST_LOG`: a level, or levels of modules (`warn,nofx_api=debug`); `info` when not set.
    pub log: Targets,
}

/// Reads the settings of logs and traces, for a program of this name. Never fails, since failures are logged with them; what is
/// malformed is reported by `api()` and `worker()`.
pub fn telemetry(program: &str) -> Telemetry {
    let mut reader = Reader::default();
    let endpoint = reader.url("OTEL_EXPORTER_OTLP_ENDPOINT").filter(|_| reader.problems.is_empty());
    Telemetry { endpoint, service: reader.text("OTEL_SERVICE_NAME").unwrap_or_else(|| program.to_owned()), log: reader.log() }
}

impl Reader {
    pub(super) fn check_telemetry(&mut self) {
        drop(self.url("OTEL_EXPORTER_OTLP_ENDPOINT"));
        self.log();
    }

    fn log(&mut self) -> Targets {
        self.parsed("RUST_LOG", Targets::new().with_default(LevelFilter::INFO))
    }
}
