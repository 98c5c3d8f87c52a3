use std::collections::BTreeMap;

use nofx_shared::engine::{Failure, Outcome};
use nofx_shared::net;
use reqwest::{Method, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Portable;
use crate::step::Attempt;

/// Calls a URL. Private addresses are refused unless an operator has allowed their network for the tenant; redirects are not followed.
/// Outputs: `status`, `headers`, `body` (JSON when it is JSON, else text). A retry calls again, with the same `Idempotency-Key` when the step has one.
#[derive(JsonSchema)]
pub(super) struct Http;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    /// Default: GET.
    method: Option<String>,
    /// Absolute, http or https.
    url: String,
    /// Names and values; `${NAME}` in a value stands for the secret of that name, when the step names it.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Text is sent as it is, anything else as JSON.
    body: Option<Value>,
    /// Default: 200 to 299.
    expected_status: Option<Vec<u16>>,
}

/// Largest body that becomes an output.
const BODY_BYTES: usize = 200 << 10;
/// Longest name of a host: that of DNS, RFC 1035.
const HOST_BYTES: usize = 253;

impl Portable for Http {
    const TOOL: &'static str = "http";
    const TIMEOUT_S: u64 = 60;
    type Inputs = Inputs;

    async fn run(attempt: &Attempt<'_>, inputs: Inputs) -> Result<Outcome, Failure> {
        let method: Method =
            inputs.method.as_deref().unwrap_or("GET").parse().map_err(|_| Failure::permanent("`method` is not an HTTP method"))?;
        let url: Url = inputs.url.parse().map_err(|error| Failure::permanent(format!("url: {error}")))?;
        let host = url.host_str().unwrap_or_default();
        if host.len() > HOST_BYTES {
            return Err(Failure::permanent(format!("the name of a host has {HOST_BYTES} characters at most, this one has {}", host.len())));
        }
        let target = format!("http:{host}");
        if let Some(outcome) = attempt.check_breaker(&target) {
            return Ok(outcome);
        }
        let client = net::client_for(&url, &attempt.networks()).await.map_err(|error| {
            if error.is_transient() { Failure::transient(error.to_string()) } else { Failure::permanent(error.to_string()) }
        })?;
        let mut request = client.request(method, url.clone());
        for (name, value) in &inputs.headers {
            request = request.header(name, reveal(attempt, value));
        }
        let has_key = inputs.headers.keys().any(|name| name.eq_ignore_ascii_case("idempotency-key"));
        if let Some(key) = attempt.idempotency_key.filter(|_| !has_key) {
            request = request.header("idempotency-key", key);
        }
        request = match inputs.body {
            None => request,
            Some(Value::String(text)) => request.body(text),
            Some(other) => request.json(&other),
        };
        let mut response =
            request.send().await.map_err(|error| Failure::transient(format!("no response from {url}: {}", error.without_url())))?;
        let status = response.status().as_u16();
        let headers: BTreeMap<String, String> =
            response.headers().iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect();
        let mut bytes = vec![];
        while let Some(chunk) =
            response.chunk().await.map_err(|error| Failure::transient(format!("the response ended early: {}", error.without_url())))?
        {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > BODY_BYTES {
                return Err(Failure::permanent(format!("the response is larger than {BODY_BYTES} bytes")));
            }
        }
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        let is_expected = inputs.expected_status.map_or_else(|| (200..300).contains(&status), |expected| expected.contains(&status));
        if !is_expected {
            let message = format!("{url} returned {status}");
            let failure = if status >= 500 || status == 429 { Failure::transient(message) } else { Failure::permanent(message) };
            return Err(failure.with_details(json!({"status": status, "body": body})));
        }
        Ok(Outcome::Done { outputs: json!({"status": status, "headers": headers, "body": body}) })
    }
}

/// A header's value with the secrets that the step names.
fn reveal(attempt: &Attempt<'_>, value: &str) -> String {
    let secrets = attempt.step.spec.secrets.iter().filter_map(|name| Some((name, attempt.env.get(name)?)));
    secrets.fold(value.to_owned(), |value, (name, secret)| value.replace(&format!("${{{name}}}"), secret))
}
