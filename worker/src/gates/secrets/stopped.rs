/// The gate was stopped, or its time is up: there are no findings.
#[derive(Debug)]
pub(super) struct Stopped;
