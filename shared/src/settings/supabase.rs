use super::Reader;

/// How to reach Supabase, as the service role: what the API and a worker have. The secret that signs tokens is the API's alone.
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
            db_url: self.text("NOFX_DB_URL"),
        }
    }
}
