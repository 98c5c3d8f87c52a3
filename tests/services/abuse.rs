//! Hostile requests: bounded, answered, and without effect on others.

use nofx_tests::WAIT_LIMIT;
use std::time::Instant;

use nofx_tests::own::Own;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends bytes as they are and reads the answer to its end, or until the other side has closed.
async fn raw(own: &Own, bytes: &[u8]) -> String {
    let address = own.dev()["api_url"].as_str().expect("a URL").trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // It may be closed before all is sent.
    drop(stream.write_all(bytes).await);
    let mut answer = vec![];
    // Closed too early is acceptable; never closed is not.
    drop(tokio::time::timeout(WAIT_LIMIT, stream.read_to_end(&mut answer)).await.expect("the connection is closed"));
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_are_bounded_and_no_one_else_notices() {
    let own = Own::start(&Own::folder("abuse"), &["--workers", "1"]);
    let dev = own.dev();
    let token = dev["tokens"]["contributor"].as_str().expect("a token");
    let post = async |path: &str, kind: &str, encoding: Option<&str>, body: Vec<u8>| {
        let url = format!("{}{path}", dev["api_url"].as_str().expect("a URL"));
        let mut request = nofx_shared::net::client().post(url).bearer_auth(token).header("content-type", kind);
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        let response = request.body(body).send().await.expect("an answer");
        let status = response.status().as_u16();
        let problem: Value = response.json().await.expect("a problem");
        assert!(problem["type"].as_str().is_some_and(|kind| kind.starts_with("https://nofx.dev/problems/")), "{problem}");
        status
    };
    let json = "application/json";
    assert_eq!(post("/api/runs", json, None, vec![b' '; 4 << 20]).await, 413, "too large for a plan");
    assert_eq!(post("/api/dlq/requeue", json, None, vec![b' '; 70 << 10]).await, 413, "too large for a few fields");
    assert_eq!(post("/api/runs", json, None, format!("{}{}", "[".repeat(200_000), "]".repeat(200_000)).into_bytes()).await, 400, "nested");
    assert_eq!(post("/api/runs", json, None, b"{\"plan\": {\"goal\": \"\xff\xfe\"}}".to_vec()).await, 400, "no UTF-8");
    let twice = b"{\"plan\": {\"goal\": \"a\", \"goal\": \"b\", \"steps\": []}}".to_vec();
    assert_eq!(post("/api/runs", json, None, twice).await, 400, "a name twice");
    for encoding in ["gzip", "br", "deflate", "zstd"] {
        assert_eq!(post("/api/runs", json, Some(encoding), vec![0x1f, 0x8b, 8, 0]).await, 415, "{encoding}: its unpacked size is unknown");
    }
    let bomb = format!(
        "a: &a [x,x,x,x,x,x,x,x,x]\n{}",
        (0..20).map(|n| format!("k{n}: &k{n} [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n")).collect::<String>()
    );
    let begin = Instant::now();
    assert_eq!(post("/api/runs", json, None, json!({"plan_yaml": bomb}).to_string().into_bytes()).await, 422);
    assert!(begin.elapsed() < WAIT_LIMIT, "a bomb of aliases is refused at once");

    let flood: String = (0..2000).map(|n| format!("x-{n}: {n}\r\n")).collect();
    let answer = raw(&own, format!("GET /api/health HTTP/1.1\r\nhost: x\r\n{flood}\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "many headers: {answer}");
    let answer = raw(&own, format!("GET /api/health HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "a".repeat(2 << 20)).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431") || answer.is_empty(), "a large header: {}", &answer[..answer.len().min(100)]);
    // By one of the lengths, the second request is the first one's body.
    let inner = "GET /x HTTP/1.1\r\nhost: x\r\n\r\n";
    let length = format!("content-length: {}\r\ntransfer-encoding: chunked", "0\r\n\r\n".len() + inner.len());
    let smuggled = raw(&own, format!("POST /api/runs HTTP/1.1\r\nhost: x\r\n{length}\r\n\r\n0\r\n\r\n{inner}").as_bytes()).await;
    assert_eq!(smuggled.matches("HTTP/1.1 ").count(), 1, "two lengths: {smuggled}");

    // Slow ones: half a head, and half a body. They end; meanwhile everyone else is served.
    let address = dev["api_url"].as_str().expect("a URL").trim_start_matches("http://").to_owned();
    let slow = async |bytes: &'static [u8]| {
        let mut streams = vec![];
        for _ in 0..150 {
            let mut stream = TcpStream::connect(&address).await.expect("a connection");
            stream.write_all(bytes).await.expect("sent");
            streams.push(stream);
        }
        streams
    };
    let heads = slow(b"GET /api/health HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    let bodies =
        slow(b"POST /api/webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{").await;
    own.call(Method::GET, "/api/runs", None).await.expect("others are served");
    let is_open = |stream: &TcpStream| stream.try_read(&mut [0; 1]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
    assert!(bodies.last().is_some_and(is_open), "they were served only after the slow ones were gone");
    for (mut stream, what) in heads.into_iter().take(3).map(|one| (one, "head")).chain(bodies.into_iter().take(3).map(|one| (one, "body")))
    {
        let mut answer = vec![];
        let ended = tokio::time::timeout(WAIT_LIMIT, stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "half a {what} is waited for without end");
    }
}
