use std::time::Duration;

use hyper::StatusCode;
use nofx_shared::net::Unreachable;

/// How long a name may take to be resolved, and a host to be connected to.
pub(super) const CONNECT_WAIT: Duration = Duration::from_secs(20);

/// Why the proxy does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the proxy's password is missing or wrong: use the one of `HTTPS_PROXY` in the environment of the step")]
    Credential,
    #[error("the request is not for a proxy; send `CONNECT host:port`, or a request for an `http://` address")]
    Request,
    #[error("steps may not connect to port {0}; NOFX_STEP_PORTS lists the allowed ports")]
    Port(u16),
    #[error("a step reaches {0} hosts at most")]
    TooManyHosts(usize),
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    #[error("could not connect to {host}: {why}")]
    NoConnection { host: String, why: String },
    #[error("{0} did not answer: {1}")]
    NoAnswer(String, hyper::Error),
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Credential => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
            Self::Request => StatusCode::BAD_REQUEST,
            Self::Unreachable(error) if error.is_transient() => StatusCode::BAD_GATEWAY,
            Self::Port(_) | Self::TooManyHosts(_) | Self::Unreachable(_) => StatusCode::FORBIDDEN,
            Self::NoConnection { .. } | Self::NoAnswer(..) => StatusCode::BAD_GATEWAY,
        }
    }
}
