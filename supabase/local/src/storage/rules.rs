//! What every call must satisfy: who may call, and which names objects may have. The rules of a bucket are in `upload`.

use axum::http::HeaderMap;

use super::error::Refusal;
use crate::project::{Project, bearer};

/// Storage's row-level security without a policy: the service role may do everything, others nothing.
pub(super) fn require_service(project: &Project, headers: &HeaderMap) -> Result<(), Refusal> {
    let token = bearer(headers).ok_or_else(Refusal::no_authorization)?;
    let claims = project.verify(token).map_err(|error| Refusal::bad_token(&error))?;
    if claims["role"] == "service_role" { Ok(()) } else { Err(Refusal::row_level_security()) }
}

/// Object names are what S3 allows; `..` needs no rule, since names never become paths.
pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_/!-.*'() &$@=;:+,?".contains(c);
    if !name.is_empty() && name.len() <= 1024 && name.chars().all(allowed) { Ok(()) } else { Err(Refusal::invalid_key(name)) }
}
