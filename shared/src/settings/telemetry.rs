use super::Reader;

/// Where traces go. The other `OTEL_*` variables are the exporter's own: headers, time-outs, sampling.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: base URL of an OTLP/HTTP receiver; no traces are recorded when it is not set.
    pub endpoint: Option<String>,
    /// `OTEL_SERVICE_NAME`; the program's name when not set.
    pub service: String,
}

/// Reads the settings of logs and traces, for a program of this name. Never fails: it is what failures are told with; an
/// endpoint that is no URL is told by `api()` and `worker()`.
pub fn telemetry(program: &str) -> Telemetry {
    let mut reader = Reader::default();
    let endpoint = reader.url("OTEL_EXPORTER_OTLP_ENDPOINT").filter(|_| reader.problems.is_empty());
    Telemetry { endpoint, service: reader.text("OTEL_SERVICE_NAME").unwrap_or_else(|| program.to_owned()) }
}

impl Reader {
    pub(super) fn check_telemetry(&mut self) {
        drop(self.url("OTEL_EXPORTER_OTLP_ENDPOINT"));
    }
}
