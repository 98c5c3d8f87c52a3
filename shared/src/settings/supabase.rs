use super::Reader;

/// How to reach Supabase.
#[derive(Clone)]
pub struct Supabase {
    /// `SUPABASE_URL`: the project's URL; `/storage/v1`, `/auth/v1` and `/realtime/v1` are below it.
    pub url: String,
    /// `NOFX_REST_URL`: PostgREST; `SUPABASE_URL/rest/v1` when not set. The embedded stack names PostgREST itself.
    pub rest_url: String,
    /// `SUPABASE_ANON_KEY`
    pub anon_key: String,
    /// `SUPABASE_SERVICE_ROLE_KEY`
    pub service_role_key: String,
    /// `SUPABASE_JWT_SECRET`: checks tokens of people that are signed with HS256, and signs those of API keys. Tokens signed with
    /// a key pair are checked by the project's published keys.
    pub jwt_secret: String,
    /// `NOFX_DB_URL`: a direct connection, for LISTEN only; without it events come through Realtime and wake-ups through the queue.
    pub db_url: Option<String>,
}

impl Reader {
    pub(super) fn supabase(&mut self) -> Supabase {
        let url = self.required_url("SUPABASE_URL");
        Supabase {
            rest_url: self.url("NOFX_REST_URL").unwrap_or_else(|| format!("{url}/rest/v1")),
            url,
            anon_key: self.required("SUPABASE_ANON_KEY"),
            service_role_key: self.required("SUPABASE_SERVICE_ROLE_KEY"),
            jwt_secret: self.required("SUPABASE_JWT_SECRET"),
            db_url: self.text("NOFX_DB_URL"),
        }
    }
}
