//! `schema_version`: which migrations the database has.

use serde_json::json;

use super::{Db, Error};

/// The newest migration of this version; a tidy test compares it with `supabase/migrations`.
pub const SCHEMA: &str = "1814";

/// The newest migration that was pushed; none when the schema was applied by other means than `supabase db push`.
pub async fn schema_version(db: &Db) -> Result<Option<String>, Error> {
    db.call("schema_version", &json!({})).await
}
