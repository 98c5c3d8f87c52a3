use nofx_tests::WAIT_LIMIT;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_goes_on_where_it_was_when_the_connection_is_lost() {
    let way = Way::to(STACK.get("supabase_url")).await;
    let storage = Storage::new(&way.url, STACK.get("service_role_key"));
    direct().ensure_bucket().await.expect("a bucket");
    let path = format!("test/{}", uuid::Uuid::now_v7());
    let bytes: Vec<u8> = (0..20_000_000u32).map(|at| (at % 251) as u8).collect();
    // In the second piece, before a byte, in the third. Together they let too little through for the whole: each of them is met.
    way.lose_after(&[9_000_000, 0, 7_000_000]);
    storage.upload(&path, "application/octet-stream", &Content::Bytes(bytes.clone().into())).await.expect("it is stored");
    let url = storage.sign(&path, Duration::from_secs(60)).await.expect("a URL");
    let stored = nofx_shared::net::client().get(url).send().await.expect("an answer").bytes().await.expect("bytes");
    assert!(stored == bytes, "{} bytes of {} are stored, or others", stored.len(), bytes.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_reported_and_not_tried_again() {
    direct().ensure_bucket().await.expect("a bucket");
    let (url, asked) = forgetful_storage().await;
    // It was longer when it was measured.
    let short = Content::File { file: Arc::new(std::fs::File::open("/dev/null").expect("open")), size: 20_000_000 };
    let upload = Storage::new(&url, STACK.get("service_role_key")).upload("test/no-such-file", "text/plain", &short).await;
    assert!(upload.expect_err("there is too little").is_permanent());
    assert_eq!(*asked.lock().expect("not poisoned"), [Method::POST], "it was begun, once, and nothing was asked after that");
}

/// Storage without a proxy.
fn direct() -> Storage {
    Storage::new(STACK.get("supabase_url"), STACK.get("service_role_key"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_whose_sender_is_gone_is_written_to_its_end() {
    let storage = direct();
    storage.ensure_bucket().await.expect("a bucket");
    let base = STACK.get("supabase_url");
    let call = |method, url: &str| {
        let key = STACK.get("service_role_key");
        nofx_shared::net::client().request(method, url).bearer_auth(key).header("apikey", key).header("tus-resumable", "1.0.0")
    };
    for sent in [0, 1, 4_000_000, 7_999_999, 8_000_000] {
        let name = format!("test/{}", uuid::Uuid::now_v7());
        let metadata = [("bucketName", ARTIFACTS), ("objectName", &name)].map(|(key, value)| format!("{key} {}", STANDARD.encode(value)));
        let begin = call(Method::POST, &format!("{base}/storage/v1/upload/resumable")).header("upload-length", 8_000_000);
        let begun = begin.header("upload-metadata", metadata.join(",")).send().await.expect("an answer");
        let place = begun.headers()["location"].to_str().expect("text").to_owned();

        // Sends so much of the piece, and disconnects without a response.
        let (_, address) = base.split_once("//").expect("a URL");
        let (_, path) = place.split_once(address).expect("a place of Storage");
        let key = STACK.get("service_role_key");
        let head = format!(
            "PATCH {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\napikey: {key}\r\ntus-resumable: 1.0.0\r\n\
             upload-offset: 0\r\ncontent-type: application/offset+octet-stream\r\ncontent-length: 8000000\r\n\r\n"
        );
        let send = async || {
            let mut sender = TcpStream::connect(address).await.expect("a connection");
            sender.write_all(head.as_bytes()).await.expect("sent");
            // A server that has the piece by now says so without reading it again.
            drop(sender.write_all(&vec![7; sent]).await);
        };
        send().await;

        // The piece may come in between, so that each is compared with what was asked after it.
        let look = async || {
            let was_there = storage.has(&name).await.expect("an answer");
            let asked = call(Method::HEAD, &place).send().await.expect("an answer");
            let has_all = asked.headers()["upload-offset"] == "8000000";
            assert!(!was_there || has_all, "an object has all its bytes");
            assert!(!has_all || storage.has(&name).await.expect("an answer"), "all bytes are the object");
            assert!(has_all || asked.headers()["upload-offset"] == "0", "a piece is there or not");
            has_all
        };
        let begun = Instant::now();
        while look().await != (sent == 8_000_000) {
            assert!(begun.elapsed() < WAIT_LIMIT, "a whole piece becomes the object, even when its client is gone");
            // The server may see that the connection is closed before it looks at what came: then nothing was begun.
            send().await;
        }
    }
}

/// In front of Storage: a server that took all bytes of its first upload and died before they became an object.
/// Also the methods of its requests about uploads.
async fn forgetful_storage() -> (String, Arc<Mutex<Vec<Method>>>) {
    let asked: Arc<Mutex<Vec<Method>>> = Arc::default();
    let kept = asked.clone();
    let pass = async move |request: Request| -> Response {
        let (parts, body) = request.into_parts();
        let is_upload = parts.uri.path().contains("/upload/resumable");
        let body = to_bytes(body, 1 << 30).await.expect("a body");
        let is_first = {
            let mut kept = kept.lock().expect("not poisoned");
            kept.extend(is_upload.then(|| parts.method.clone()));
            begun(&kept) == 1
        };
        match (is_upload && is_first, &parts.method) {
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
    (url, asked)
}

/// How many uploads.
fn begun(asked: &[Method]) -> usize {
    asked.iter().filter(|method| **method == Method::POST).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_storage_took_and_lost_is_sent_again() {
    let (url, asked) = forgetful_storage().await;
    let storage = Storage::new(&url, STACK.get("service_role_key"));
    storage.ensure_bucket().await.expect("a bucket");
    let path = format!("test/{}", uuid::Uuid::now_v7());
    let uploaded = storage.upload(&path, "application/octet-stream", &Content::Bytes(vec![7; 7_000_000].into())).await;
    uploaded.expect("it is stored");
    assert!(storage.has(&path).await.expect("an answer"), "what is said to be stored is there");
    assert_eq!(begun(&asked.lock().expect("not poisoned")), 2, "once more, from its beginning");
}
