use std::time::Duration;

use super::{EdgeConfig, Invalid, Limits, Queue, Reader, Supabase};
use crate::crypto::{FunctionKey, Keyring};

/// Settings of the API.
#[derive(Clone)]
pub struct Api {
    pub supabase: Supabase,
    /// `SUPABASE_JWT_SECRET`: checks tokens of people that are signed with HS256, and signs those of API keys. Tokens signed with
    /// a key pair are checked by the project's published keys. Whoever has it can be anybody, so no worker has it.
    pub jwt_secret: String,
    pub queue: Queue,
    /// `NOFX_INTERNAL_API_KEY`, or `INTERNAL_API_KEY`: one key, or two separated by a comma while one replaces the other.
    pub internal_api_keys: Vec<String>,
    /// `NOFX_FUNCTION_KEY`: what calls of the function that executes steps are signed with; without it they are refused.
    pub function_keys: Vec<FunctionKey>,
    /// `CRON_SECRET`: what crons authenticate with; without it they are refused.
    pub cron_secret: Option<String>,
    /// `GITHUB_WEBHOOK_SECRET`: what GitHub signs with, several separated by commas; without it, webhooks of GitHub are refused.
    pub github_webhook_secrets: Vec<String>,
    /// `NOFX_CORS_ORIGINS`: comma-separated origins that browsers may call from; none when empty.
    pub cors_origins: Vec<String>,
    /// `NOFX_STREAM_S`: after how many seconds an event stream ends; default: 240.
    pub stream: Duration,
    /// `NOFX_ENCRYPTION_KEYS`: seals and opens payloads of the audit log and secrets of hooks (see `crypto::Keyring`).
    pub encryption_keys: Keyring,
    /// `NOFX_REGION`; default: the region of Vercel or AWS. For events.
    pub region: Option<String>,
    pub limits: Limits,
    /// Where functions read the open breakers; default: the database.
    pub edge_config: Option<EdgeConfig>,
    /// `NOFX_OAUTH_PROVIDERS`: comma-separated providers of Supabase Auth that the sign-in page offers (github, google, …); none when empty.
    pub oauth_providers: Vec<String>,
    /// `NOFX_URL`: where people reach the dashboard; default: the host of the request.
    pub public_url: Option<String>,
    /// `NOFX_TRACE_URL`: where people see a trace, with `{trace_id}` in it; without it pages show only the id.
    pub trace_url: Option<String>,
}

/// Reads the settings of the API.
pub fn api() -> Result<Api, Invalid> {
    let mut reader = Reader::default();
    reader.check_telemetry();
    let queue = reader.queue();
    if let Queue::Sqs { aws, .. } = &queue
        && aws.keys.is_none()
    {
        reader.required("AWS_ACCESS_KEY_ID");
    }
    let internal_api_keys = reader.internal_api_keys();
    if internal_api_keys.is_empty() {
        reader.required("NOFX_INTERNAL_API_KEY");
    }
    let api = Api {
        supabase: reader.supabase(),
        jwt_secret: reader.required("SUPABASE_JWT_SECRET"),
        queue,
        internal_api_keys,
        function_keys: reader.function_keys(),
        cron_secret: reader.text("CRON_SECRET"),
        github_webhook_secrets: reader.list("GITHUB_WEBHOOK_SECRET"),
        cors_origins: reader.list("NOFX_CORS_ORIGINS"),
        stream: Duration::from_secs(reader.parsed("NOFX_STREAM_S", 240)),
        encryption_keys: reader.required_keyring(),
        region: reader.region(),
        limits: reader.limits(&Limits::default()),
        edge_config: reader.edge_config(),
        oauth_providers: reader.list("NOFX_OAUTH_PROVIDERS"),
        public_url: reader.url("NOFX_URL"),
        trace_url: reader.text("NOFX_TRACE_URL"),
    };
    reader.finish(api)
}
