use std::net::IpAddr;

/// Where a request came from, for the audit log.
#[derive(Clone, Debug, Default)]
pub struct RequestOrigin {
    pub request_id: Option<String>,
    /// Empty if the host does not know it.
    pub address: Option<IpAddr>,
    /// Whom the service role acts for, if anyone.
    pub actor: Option<String>,
}
