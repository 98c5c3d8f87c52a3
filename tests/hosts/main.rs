//! The same API on every host that it is deployed to.

mod aws;
mod functions;
mod lambda;
mod outages;
mod secrets;
mod sqs;
mod vercel;

use serde_json::Value;

/// The settings of a deployment beside a stack: without a direct connection, as in the cloud.
fn settings(dev: &Value) -> Vec<(String, String)> {
    let named = [
        ("SUPABASE_URL", "supabase_url"),
        ("SUPABASE_ANON_KEY", "anon_key"),
        ("SUPABASE_SERVICE_ROLE_KEY", "service_role_key"),
        ("SUPABASE_JWT_SECRET", "jwt_secret"),
        ("NOFX_INTERNAL_API_KEY", "internal_api_key"),
        ("NOFX_FUNCTION_KEY", "function_key"),
        ("NOFX_SIGNING_KEY", "signing_key"),
        ("NOFX_ENCRYPTION_KEYS", "encryption_keys"),
    ];
    let text = |key: &str| dev[key].as_str().unwrap_or_else(|| panic!("dev.json has no {key}")).to_owned();
    let mut settings: Vec<(String, String)> = named.map(|(name, key)| (name.to_owned(), text(key))).to_vec();
    settings.push(("CRON_SECRET".to_owned(), "a-secret-of-crons".to_owned()));
    // So that a slow machine is not taken for a silent hook.
    settings.push(("NOFX_LIMIT_PRE_HOOK_S".to_owned(), "15".to_owned()));
    // Counted, but not in the way of tests that send a thousand plans.
    settings.extend(["READS", "WRITES", "TENANT", "ADDRESS"].map(|name| (format!("NOFX_LIMIT_{name}"), "1000000".to_owned())));
    settings
}
