//! Where content is in Storage: by its digest, not by the name of an artifact, which is in the database.

use uuid::Uuid;

/// The path of content in Storage: the same bytes are stored once per tenant. Tenants share nothing, not even the knowledge that another one
/// has the same bytes.
pub fn blob_path(tenant: Uuid, digest: &str) -> String {
    format!("tenants/{tenant}/{}", digest.replace(':', "/"))
}

/// Another path for content, which nothing else has or had: for bytes whose path is being emptied.
pub fn new_blob_path(tenant: Uuid, digest: &str) -> String {
    format!("{}.{}", blob_path(tenant, digest), Uuid::now_v7())
}
