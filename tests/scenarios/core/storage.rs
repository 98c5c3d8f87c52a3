use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nofx_shared::storage::{ARTIFACTS, Content, Storage};
use nofx_tests::faults::Way;
use nofx_tests::stack::STACK;

#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_goes_on_where_it_was_when_the_connection_is_lost() {
    let way = Way::to(STACK.get("supabase_url")).await;
    let storage = Storage::new(&way.url, STACK.get("service_role_key"));
    storage.ensure_bucket().await.expect("a bucket");
    let path = format!("test/{}", uuid::Uuid::now_v7());
    let bytes: Vec<u8> = (0..20_000_000u32).map(|at| (at % 251) as u8).collect();
    let content = Content::Bytes(bytes.clone().into());
    let cutting = async {
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(60)).await;
            way.cut();
            tokio::time::sleep(Duration::from_millis(30)).await;
            way.mend();
        }
    };
    let (uploaded, ()) = tokio::join!(storage.upload(&path, "application/octet-stream", &content), cutting);
    uploaded.expect("it is stored");
    let url = storage.sign(&path, Duration::from_secs(60)).await.expect("a URL");
    let stored = nofx_shared::net::client().get(url).send().await.expect("an answer").bytes().await.expect("bytes");
    assert!(stored == bytes, "{} bytes of {} are stored, or others", stored.len(), bytes.len());

    // What cannot be stored is told at once and not tried again.
    let missing = Content::File { path: "/no/such/file".into(), size: 20_000_000 };
    let begun = std::time::Instant::now();
    let refused = storage.upload("test/no-such-file", "application/octet-stream", &missing).await.expect_err("there is no file");
    assert!(refused.is_about_the_call() && begun.elapsed() < Duration::from_secs(5), "{refused} in the bucket {ARTIFACTS}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_whose_sender_is_gone_is_written_to_its_end() {
    let storage = Storage::new(STACK.get("supabase_url"), STACK.get("service_role_key"));
    storage.ensure_bucket().await.expect("a bucket");
    let base = STACK.get("supabase_url");
    let call = |method, url: &str| {
        let key = STACK.get("service_role_key");
        nofx_shared::net::client().request(method, url).bearer_auth(key).header("apikey", key).header("tus-resumable", "1.0.0")
    };
    for patience in (5..=40).step_by(5) {
        let name = format!("test/{}", uuid::Uuid::now_v7());
        let metadata = [("bucketName", ARTIFACTS), ("objectName", &name)].map(|(key, value)| format!("{key} {}", STANDARD.encode(value)));
        let begin = call(Method::POST, &format!("{base}/storage/v1/upload/resumable")).header("upload-length", 8_000_000);
        let begun = begin.header("upload-metadata", metadata.join(",")).send().await.expect("an answer");
        let place = begun.headers()["location"].to_str().expect("text").to_owned();

        let piece = call(Method::PATCH, &place).header("upload-offset", 0).header("content-type", "application/offset+octet-stream");
        let sent = tokio::time::timeout(Duration::from_millis(patience), piece.body(vec![7; 8_000_000]).send()).await;
        drop(sent);
        // The piece may come in between, so that each is compared with what was asked after it.
        let was_there = storage.has(&name).await.expect("an answer");
        let asked = call(Method::HEAD, &place).send().await.expect("an answer");
        let has_all = asked.headers()["upload-offset"] == "8000000";
        assert!(!was_there || has_all, "an object has all its bytes");
        assert!(!has_all || storage.has(&name).await.expect("an answer"), "all bytes are the object");
        assert!(has_all || asked.headers()["upload-offset"] == "0", "a piece is there or not");
    }
}

/// In front of Storage: a server that took all bytes of its first upload and died before they became an object.
async fn forgetful_storage() -> (String, Arc<AtomicU32>) {
    let begun = Arc::new(AtomicU32::new(0));
    let count = begun.clone();
    let pass = async move |request: Request| -> Response {
        let (parts, body) = request.into_parts();
        let is_upload = parts.uri.path().contains("/upload/resumable");
        if is_upload && parts.method == Method::POST {
            count.fetch_add(1, Ordering::SeqCst);
        }
        let body = to_bytes(body, 1 << 30).await.expect("a body");
        match (is_upload && count.load(Ordering::SeqCst) == 1, &parts.method) {
            (true, &Method::HEAD) => return (StatusCode::OK, [("upload-offset", "7000000"), ("upload-length", "7000000")]).into_response(),
            (true, &Method::PATCH) => return StatusCode::BAD_GATEWAY.into_response(),
            _ => {}
        }
        let url = format!("{}{}", STACK.get("supabase_url"), parts.uri);
        let answer =
            nofx_shared::net::client().request(parts.method, url).headers(parts.headers).body(body).send().await.expect("an answer");
        let mut response = Response::new(Body::empty());
        (*response.status_mut(), *response.headers_mut()) = (answer.status(), answer.headers().clone());
        *response.body_mut() = Body::from(answer.bytes().await.expect("bytes"));
        response
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(axum::serve(listener, Router::new().fallback(pass)).into_future());
    (url, begun)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_storage_took_and_lost_is_sent_again() {
    let (url, begun) = forgetful_storage().await;
    let storage = Storage::new(&url, STACK.get("service_role_key"));
    storage.ensure_bucket().await.expect("a bucket");
    let path = format!("test/{}", uuid::Uuid::now_v7());
    let uploaded = storage.upload(&path, "application/octet-stream", &Content::Bytes(vec![7; 7_000_000].into())).await;
    uploaded.expect("it is stored");
    assert!(storage.has(&path).await.expect("an answer"), "what is said to be stored is there");
    assert_eq!(begun.load(Ordering::SeqCst), 2, "once more, from its beginning");
}
