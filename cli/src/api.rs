//! Calls of the API: the response, or the problem in one sentence.

use std::time::Duration;

use nofx_shared::auth::Role;
use serde_json::Value;

use crate::exit::Error;
use crate::target::{self, Target};

/// The largest problem that is read; those of the API are smaller.
const PROBLEM_BYTES: usize = 64 << 10;

pub(crate) struct Api {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Api {
    pub(crate) fn find(target: &Target, role: Role) -> Result<Self, Error> {
        let (url, token) = target::find(target, role)?;
        Ok(Self::new(url, token))
    }

    pub(crate) fn new(url: String, token: String) -> Self {
        Self { client: nofx_shared::net::client(), url, token }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Error> {
        self.send(self.client.get(format!("{}{path}", self.url))).await
    }

    /// With parameters of the query, which are escaped.
    pub(crate) async fn list(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Error> {
        self.send(self.client.get(format!("{}{path}", self.url)).query(query)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.send(self.client.post(format!("{}{path}", self.url)).json(body)).await
    }

    /// On a route of operators, with the deployment's key.
    pub(crate) async fn post_as_operator(&self, path: &str, body: &Value, key: &str) -> Result<Value, Error> {
        self.send(self.client.post(format!("{}{path}", self.url)).header("x-internal-api-key", key).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Error> {
        self.send(self.client.delete(format!("{}{path}", self.url))).await
    }

    /// The bytes behind a path that leads to a signed URL.
    pub(crate) async fn download(&self, path: &str) -> Result<reqwest::Response, Error> {
        let answer = self
            .client
            .get(format!("{}{path}", self.url))
            .bearer_auth(&self.token)
            .send()
            .await
            .map_err(|error| self.no_response(&error))?;
        let Some(place) = answer.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned) else {
            return Err(Self::refusal(answer).await);
        };
        self.client.get(place).send().await.and_then(reqwest::Response::error_for_status).map_err(|error| self.no_response(&error))
    }

    /// The response to a request for an event stream, from an event on, whatever its status: see `follow`.
    pub(crate) async fn open_stream(&self, path: &str, query: &[(&str, String)], last: Option<&str>) -> Result<reqwest::Response, Error> {
        let request = self.client.get(format!("{}{path}", self.url)).query(query);
        let mut request = request.bearer_auth(&self.token).header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        request.send().await.map_err(|error| self.no_response(&error))
    }

    /// The problem of a response that is no success, or its status when it has none.
    pub(crate) async fn refusal(mut response: reqwest::Response) -> Error {
        let status = response.status();
        let mut body = vec![];
        while let Ok(Some(chunk)) = response.chunk().await
            && body.len() + chunk.len() <= PROBLEM_BYTES
        {
            body.extend_from_slice(&chunk);
        }
        // One that was cut off is no JSON.
        match serde_json::from_slice::<Value>(&body) {
            Ok(problem) if problem["title"].is_string() => Error::new(explain(&problem)),
            _ => Error::new(format!("the API returned {status}")),
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, Error> {
        let response =
            request.bearer_auth(&self.token).timeout(Duration::from_secs(30)).send().await.map_err(|error| self.no_response(&error))?;
        let succeeded = response.status().is_success();
        // 204 has no body.
        let bytes = response.bytes().await.map_err(|error| self.no_response(&error))?;
        let text: &[u8] = if bytes.is_empty() && succeeded { b"null" } else { &bytes };
        let body: Value =
            serde_json::from_slice(text).map_err(|error| Error::new(format!("the response of {} is no JSON: {error}", self.url)))?;
        if succeeded { Ok(body) } else { Err(Error::new(explain(&body))) }
    }

    fn no_response(&self, error: &reqwest::Error) -> Error {
        Error::new(format!("no response from {}: {}", self.url, innermost(error)))
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    text
}

/// A problem as text: its title and detail, then each fault on a line.
fn explain(problem: &Value) -> String {
    let mut text = problem["title"].as_str().unwrap_or("The request was refused").to_owned();
    if let Some(detail) = problem["detail"].as_str() {
        text.push_str(&format!(". {detail}"));
    }
    for fault in problem["errors"].as_array().into_iter().flatten() {
        let pointer = fault["pointer"].as_str().unwrap_or_default();
        text.push_str(&format!("\n  {} {}", if pointer.is_empty() { "/" } else { pointer }, fault["detail"].as_str().unwrap_or_default()));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::StreamExt;
    use futures::stream::{iter, repeat};
    use reqwest::{Body, Response};

    use super::Api;

    fn response(body: Body) -> Response {
        let refused = axum::http::Response::builder().status(503).body(body).expect("a response");
        Response::from(refused)
    }

    #[tokio::test]
    async fn a_refusal_is_read_to_a_limit() {
        let problem = |detail: usize| format!(r#"{{"title": "Closed", "detail": "{}"}}"#, "x".repeat(detail));
        assert!(Api::refusal(response(Body::from(problem(3)))).await.0.starts_with("Closed. xxx"));
        let parts = iter([r#"{"title": "#, r#""Closed"}"#]).map(Ok::<_, Infallible>);
        assert_eq!(Api::refusal(response(Body::wrap_stream(parts))).await.0, "Closed");
        assert_eq!(Api::refusal(response(Body::from(problem(64 << 10)))).await.0, "the API returned 503 Service Unavailable");

        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let endless = repeat("x".repeat(1 << 10)).map(move |chunk| {
            count.fetch_add(chunk.len(), Ordering::Relaxed);
            Ok::<_, Infallible>(chunk)
        });
        assert_eq!(Api::refusal(response(Body::wrap_stream(endless))).await.0, "the API returned 503 Service Unavailable");
        assert!(sent.load(Ordering::Relaxed) <= 66 << 10, "{sent:?} bytes");
    }
}
