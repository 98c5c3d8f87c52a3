//! A row of the audit log, and the last one. The database computes the hashes; here they are computed again, to verify the rows.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::crypto::{Keyring, Sealed, UnsealError, WrappedKey, sha256};

/// A row of the audit log, with its payload as it is stored. `hash` covers the row before and this one: docs/audit.md says how,
/// `nofx audit verify` checks it.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditEntry {
    pub tenant_id: Uuid,
    /// 1, 2, 3, … without a gap.
    pub seq: i64,
    pub id: Uuid,
    pub actor: String,
    pub action: String,
    pub target: String,
    pub run_id: Option<Uuid>,
    pub step_id: Option<Uuid>,
    pub request_id: Option<String>,
    pub address: Option<String>,
    /// sha256 of `payload`.
    pub payload_hash: Option<String>,
    /// Microseconds since 1970.
    pub at: i64,
    pub hash: String,
    /// `{before, after}` as text, as it was hashed; null when there is none, or when it could not be decrypted here.
    #[serde(default)]
    pub payload: Option<String>,
    #[serde(default, skip_serializing)]
    #[schema(ignore)]
    pub sealed: Option<String>,
    #[serde(default, skip_serializing)]
    #[schema(ignore)]
    pub key_id: Option<String>,
    #[serde(default, skip_serializing)]
    #[schema(ignore)]
    pub wrapped_key: Option<String>,
}

/// The last row of an audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditHead {
    pub seq: i64,
    pub hash: String,
}

impl AuditEntry {
    /// The hash of this row when it follows a row with the hash `before`: see `nofx_private.audit_hash`.
    pub fn hash_after(&self, before: &str) -> String {
        let id = |id: &Option<Uuid>| id.as_ref().map(Uuid::to_string);
        let fields = [
            Some(before.to_owned()),
            Some(self.tenant_id.to_string()),
            Some(self.seq.to_string()),
            Some(self.id.to_string()),
            Some(self.actor.clone()),
            Some(self.action.clone()),
            Some(self.target.clone()),
            id(&self.run_id),
            id(&self.step_id),
            self.request_id.clone(),
            self.address.clone(),
            self.payload_hash.clone(),
            Some(self.at.to_string()),
        ];
        let text: String =
            fields.into_iter().map(|field| field.map_or_else(|| "-".to_owned(), |field| format!("{}:{field}", field.len()))).collect();
        sha256(text.as_bytes())
    }

    /// Whether the payload is the one that was recorded; one that is still sealed counts as valid.
    pub fn payload_is_valid(&self) -> bool {
        self.payload.as_ref().is_none_or(|plain| self.payload_hash.as_ref() == Some(&sha256(plain.as_bytes())))
    }

    /// Unseals the payload with the deployment's keys.
    pub fn open(&mut self, keys: &Keyring) -> Result<(), UnsealError> {
        let (Some(sealed), Some(key_id), Some(wrapped_key)) = (self.sealed.take(), self.key_id.take(), self.wrapped_key.take()) else {
            return Ok(());
        };
        let opened = keys.open_payload(&Sealed { sealed, key: WrappedKey { key_id, wrapped_key } }, self.id.as_bytes())?;
        self.payload = Some(String::from_utf8(opened).map_err(|_| UnsealError::Tampered)?);
        Ok(())
    }
}
