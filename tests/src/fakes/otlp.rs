//! A receiver of traces (OTLP/HTTP with protobuf bodies).

use crate::WAIT_LIMIT;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;
use tokio::net::TcpListener;

/// A span as it came, ids in hexadecimal.
#[derive(Clone, Debug)]
pub struct Span {
    pub service: String,
    pub name: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
}

pub struct Receiver {
    pub url: String,
    kept: FakeState,
}

#[derive(Clone, Default)]
struct FakeState {
    spans: Arc<Mutex<Vec<Span>>>,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let kept = FakeState::default();
        let router = Router::new().route("/v1/traces", post(receive)).with_state(kept.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, kept }
    }

    /// The spans, once they are as wanted.
    pub async fn wait(&self, what: &str, wanted: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let begun = Instant::now();
        loop {
            let spans = self.kept.spans.lock().expect("not poisoned").clone();
            if wanted(&spans) {
                return spans;
            }
            assert!(begun.elapsed() < WAIT_LIMIT, "no {what} among {spans:#?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// All that was sent, as it was sent.
    pub fn bytes(&self) -> Vec<u8> {
        self.kept.bytes.lock().expect("not poisoned").clone()
    }
}

async fn receive(State(kept): State<FakeState>, headers: HeaderMap, body: Bytes) -> StatusCode {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let request = ExportTraceServiceRequest::decode(body.clone()).expect("a request for export");
    kept.bytes.lock().expect("not poisoned").extend_from_slice(&body);
    for resource in request.resource_spans {
        let attributes = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
        let service = text(&attributes, "service.name");
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            let span = Span {
                service: service.clone(),
                name: span.name,
                trace: hex::encode(&span.trace_id),
                id: hex::encode(&span.span_id),
                parent: hex::encode(&span.parent_span_id),
            };
            kept.spans.lock().expect("not poisoned").push(span);
        }
    }
    StatusCode::OK
}

fn text(attributes: &[KeyValue], name: &str) -> String {
    let value = attributes.iter().find(|one| one.key == name).and_then(|one| one.value.clone()?.value);
    match value {
        Some(Value::StringValue(text)) => text,
        _ => String::new(),
    }
}
