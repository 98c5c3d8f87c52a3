use std::time::Duration;

use super::{Invalid, Queue, Reader, Supabase};

/// Settings of the API.
#[derive(Clone)]
pub struct Api {
    pub supabase: Supabase,
    pub queue: Queue,
    /// `NOFX_INTERNAL_API_KEY`
    pub internal_api_key: String,
    /// `CRON_SECRET`: what crons authenticate with; without it they are refused.
    pub cron_secret: Option<String>,
    /// `GITHUB_WEBHOOK_SECRET`: what GitHub signs with; without it its webhooks are refused.
    pub github_webhook_secret: Option<String>,
    /// `NOFX_CORS_ORIGINS`: comma-separated origins that browsers may call from; none when empty.
    pub cors_origins: Vec<String>,
    /// `NOFX_STREAM_S`: after how many seconds an event stream ends itself, 240 when not set.
    pub stream: Duration,
}

/// Reads the settings of the API.
pub fn api() -> Result<Api, Invalid> {
    let mut reader = Reader::default();
    reader.check_telemetry();
    let origins = reader.text("NOFX_CORS_ORIGINS").unwrap_or_default();
    let queue = reader.queue();
    if let Queue::Sqs { aws, .. } = &queue
        && aws.keys.is_none()
    {
        reader.required("AWS_ACCESS_KEY_ID");
    }
    let api = Api {
        supabase: reader.supabase(),
        queue,
        internal_api_key: reader.required("NOFX_INTERNAL_API_KEY"),
        cron_secret: reader.text("CRON_SECRET"),
        github_webhook_secret: reader.text("GITHUB_WEBHOOK_SECRET"),
        cors_origins: origins.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(str::to_owned).collect(),
        stream: Duration::from_secs(reader.parsed("NOFX_STREAM_S", 240)),
    };
    reader.finish(api)
}
