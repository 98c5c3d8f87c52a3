//! How callers prove who they are. A route names the schemes that it accepts.

use serde_json::{Value, json};

pub(super) fn schemes() -> Value {
    let header = |name, description| json!({"type": "apiKey", "in": "header", "name": name, "description": description});
    let bearer = |description| json!({"type": "http", "scheme": "bearer", "description": description});
    json!({
        "bearer": {
            "type": "http", "scheme": "bearer", "bearerFormat": "Supabase JWT or nofx_ API key",
            "description": "A token of Supabase Auth, or an API key (`nofx_…`) that an admin created with `POST /api/keys`.",
        },
        "internal_key": header("X-Internal-Api-Key", "The key of the deployment, for its operators; sent besides an admin's credential."),
        "cron": bearer("`CRON_SECRET`, which the platform sends to scheduled jobs."),
        "function": header("X-Nofx-Signature", "The worker's signature over the body (`v1=` and HMAC-SHA256 in hexadecimal), made with `NOFX_FUNCTION_KEY`."),
        "github": header("X-Hub-Signature-256", "GitHub's signature over the body, made with `GITHUB_WEBHOOK_SECRET`."),
        "webhook": header("webhook-signature", "Standard Webhooks, or the header that the source's provider signs in: `X-Hub-Signature-256`, \
            `X-Slack-Signature`, `x-vercel-signature`, `Authorization`."),
    })
}
