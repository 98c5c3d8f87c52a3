//! Posts a body to a hook's URL, signed as a Standard Webhook. A tenant chose the URL, so the call goes through `net::client_for`.

use std::time::Duration;

use chrono::Utc;
use ipnet::IpNet;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;

use super::sign;
use crate::net;

/// Bytes of a response that are read.
const RESPONSE_BYTES: usize = 8 << 10;

/// The response of a receiver.
#[derive(Debug)]
pub struct HookResponse {
    pub status: u16,
    pub body: String,
    /// When it asks for the next attempt.
    pub retry_after: Option<Duration>,
}

/// Posts once. The error says why there is no response.
pub async fn post(
    url: &str,
    networks: &[IpNet],
    secrets: &[String],
    id: &str,
    body: &str,
    limit: Duration,
) -> Result<HookResponse, String> {
    let act = async {
        let url: Url = url.parse().map_err(|error| format!("invalid URL: {error}"))?;
        let client = net::client_for(&url, networks).await.map_err(|error| error.to_string())?;
        let at = Utc::now().timestamp();
        let mut request = client.post(url).header(CONTENT_TYPE, "application/json").header("webhook-id", id);
        request = request.header("webhook-timestamp", at).header("user-agent", "nofx");
        if !secrets.is_empty() {
            request = request.header("webhook-signature", sign(secrets, id, at, body));
        }
        let mut response = request.body(body.to_owned()).send().await.map_err(|error| format!("no response: {}", error.without_url()))?;
        let status = response.status().as_u16();
        let retry_after = net::retry_after(response.headers());
        let mut bytes = vec![];
        while let Some(chunk) = response.chunk().await.map_err(|error| format!("the response ended early: {}", error.without_url()))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > RESPONSE_BYTES {
                break;
            }
        }
        bytes.truncate(RESPONSE_BYTES);
        Ok(HookResponse { status, body: String::from_utf8_lossy(&bytes).replace('\0', ""), retry_after })
    };
    tokio::time::timeout(limit, act).await.unwrap_or_else(|_| Err(format!("no response within {} s", limit.as_secs())))
}
