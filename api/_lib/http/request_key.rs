//! The id of a request under its `Idempotency-Key`: what it creates has this id, and the messages of hooks about it have ids that derive from
//! it. The same request again, after a crash or a refusal, has the same ids; without a key each request has new ones.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::Extensions;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

#[derive(Clone, Copy)]
pub(crate) struct RequestKey(Uuid);

impl RequestKey {
    /// `id`: of the row that tenant, route and key have.
    pub(super) fn new(id: Uuid) -> Self {
        Self(id)
    }

    pub(super) fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or_else(|| Self(Uuid::now_v7()))
    }

    /// The id of what the request creates.
    pub(crate) fn resource(self) -> Uuid {
        self.0
    }

    /// The id of what hooks of a phase are told of the request.
    pub(super) fn message(self, phase: &str) -> Uuid {
        let digest = Sha256::new().chain_update(self.0).chain_update(phase).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Builder::from_custom_bytes(bytes).into_uuid()
    }
}

impl<S: Sync> FromRequestParts<S> for RequestKey {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Extensions;
    use uuid::Uuid;

    use super::RequestKey;

    #[test]
    fn the_same_key_has_the_same_ids_and_each_phase_another() {
        let (one, other) = (RequestKey::new(Uuid::from_u128(1)), RequestKey::new(Uuid::from_u128(2)));
        assert_eq!(one.message("request.post"), RequestKey::new(Uuid::from_u128(1)).message("request.post"));
        let all = [one.message("request.pre"), one.message("request.post"), other.message("request.post"), one.resource()];
        assert_eq!(all.iter().collect::<std::collections::HashSet<_>>().len(), 4);
        let none = Extensions::new();
        assert_ne!(RequestKey::of(&none).resource(), RequestKey::of(&none).resource(), "without a key");
    }
}
