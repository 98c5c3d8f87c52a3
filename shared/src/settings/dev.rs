//! What `nofx dev` reads of the environment: it makes its other settings itself.

use super::Reader;

/// `NOFX_DB_URL` for `nofx dev`: a Postgres that exists, with Supabase's roles, instead of an embedded one.
pub fn existing_database() -> Option<String> {
    Reader::default().text("NOFX_DB_URL")
}

/// `NOFX_INTERNAL_API_KEY`, or `INTERNAL_API_KEY`, for `nofx dev`: beside the key that it makes.
pub fn internal_api_keys() -> Vec<String> {
    Reader::default().internal_api_keys()
}

/// `GITHUB_WEBHOOK_SECRET` for `nofx dev`.
pub fn github_webhook_secrets() -> Vec<String> {
    Reader::default().list("GITHUB_WEBHOOK_SECRET")
}
