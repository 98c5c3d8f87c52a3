//! Logs: JSON lines where a machine reads them, plain lines on a terminal.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error. `RUST_LOG` chooses what; `info` when not set.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() { log.compact().init() } else { log.json().flatten_event(true).init() }
}
