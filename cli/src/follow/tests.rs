//! Against a server that sends what it is given, chunk by chunk, one response a connection.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::Follower;
use crate::api::Api;

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
/// The last chunk. A connection that closes without it broke.
const END: &[u8] = b"0\r\n\r\n";

/// A server of these responses; returns the heads of the requests once all are sent.
async fn serve(responses: Vec<Vec<u8>>) -> (Api, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let served = tokio::spawn(async move {
        let mut heads = vec![];
        for response in responses {
            let (mut socket, _) = listener.accept().await.expect("a client");
            heads.push(head(&mut socket).await);
            socket.write_all(&response).await.expect("written");
            socket.shutdown().await.expect("closed");
        }
        heads
    });
    (Api::new(url, "a-token".to_owned()), served)
}

async fn head(socket: &mut TcpStream) -> String {
    let mut head = vec![];
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.expect("a head"));
    }
    String::from_utf8(head).expect("text").to_lowercase()
}

/// A stream of chunks, each a frame of its own.
fn stream<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, end: &[u8]) -> Vec<u8> {
    let mut out = HEAD.as_bytes().to_vec();
    for chunk in chunks {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(end);
    out
}

async fn next(follower: &mut Follower<'_>) -> String {
    tokio::time::timeout(Duration::from_secs(60), follower.next()).await.expect("it comes").expect("an event")
}

#[tokio::test]
async fn events_arrive_whole_wherever_chunks_cut_them_and_however_lines_end() {
    let text = "\u{feff}: connected\nretry: 1\n\nid: 1-1\nevent: run.created\ndata: {\"goal\": \"Zoë ✓ 🚀\",\ndata:  \"n\": 1}\n\n: ping\n\n\
                event: reconnect\ndata: {}\n\ndata:second\nid:1-2\n\n";
    for end_of_line in ["\n", "\r\n", "\r"] {
        let bytes = text.replace('\n', end_of_line).into_bytes();
        for size in [1, 2, 3, 5, bytes.len()] {
            let (api, _served) = serve(vec![stream(bytes.chunks(size), END)]).await;
            let mut follower = Follower::new(&api, "/stream", vec![], None);
            assert_eq!(next(&mut follower).await, "{\"goal\": \"Zoë ✓ 🚀\",\n \"n\": 1}", "{end_of_line:?} {size}");
            assert_eq!(next(&mut follower).await, "second", "{end_of_line:?} {size}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_ends_within_an_event_continues_after_the_last_whole_one() {
    let part = &b"retry: 1\n\nid: 1-1\ndata: one\n\nid: 1-2\ndata: tw"[..];
    let rest = |from: &'static str| stream([from.as_bytes()], END);
    let (api, served) = serve(vec![
        stream([part], END),
        // Broken, within a line and before the blank line.
        stream([&b"id: 1-2\ndata: two\n\nid: 1-3\n"[..]], b""),
        stream([&b"id: 1-3\ndata: three\n"[..]], b"5\r\nda"),
        rest("id: 1-3\ndata: three\n\nid: 1-4\ndata: four\n\n"),
    ])
    .await;
    let mut follower = Follower::new(&api, "/stream", vec![("run_id", "r".to_owned())], Some("1-0".to_owned()));
    let mut events = vec![];
    for _ in 0..4 {
        events.push(next(&mut follower).await);
    }
    assert_eq!(events, ["one", "two", "three", "four"]);
    let heads = served.await.expect("all were sent");
    let resumed = |head: &String| head.lines().find_map(|line| line.strip_prefix("last-event-id: ")).map(str::to_owned);
    assert_eq!(heads.iter().map(resumed).collect::<Vec<_>>(), ["1-0", "1-1", "1-2", "1-2"].map(|id| Some(id.to_owned())));
    assert!(heads.iter().all(|head| head.starts_with("get /stream?run_id=r ") && head.contains("authorization: bearer a-token")));
}

#[tokio::test]
async fn a_value_of_the_query_adds_no_other_parameter() {
    let (api, served) = serve(vec![stream([&b"id: 1-1\ndata: one\n\n"[..]], END)]).await;
    let query = vec![("types", "a&run_id=b#c=d e".to_owned())];
    assert_eq!(next(&mut Follower::new(&api, "/stream", query, None)).await, "one");
    let heads = served.await.expect("it was sent");
    assert!(heads[0].starts_with("get /stream?types=a%26run_id%3db%23c%3dd+e http/1.1\r\n"), "{heads:?}");
}

#[tokio::test]
async fn an_api_that_is_unavailable_is_called_again_when_it_asks_for_that() {
    let refuse =
        |status: &str, more: &str| format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n{more}\r\n").into_bytes();
    let (api, served) = serve(vec![
        stream([&b"retry: 1\n\n"[..]], END),
        refuse("503 Service Unavailable", "retry-after: 2\r\n"),
        refuse("429 Too Many Requests", "retry-after: nonsense\r\n"),
        refuse("500 Internal Server Error", ""),
        // No response at all.
        vec![],
        stream([&b"id: 1-1\ndata: one\n\n"[..]], END),
    ])
    .await;
    let begun = Instant::now();
    let mut follower = Follower::new(&api, "/stream", vec![], None);
    assert_eq!(next(&mut follower).await, "one");
    assert!(begun.elapsed() >= Duration::from_secs(2), "it asked for 2 s: {:?}", begun.elapsed());
    let heads = served.await.expect("all were sent");
    assert!(heads.iter().all(|head| !head.contains("last-event-id")), "{heads:?}");
}

#[tokio::test]
async fn a_refusal_is_an_error_that_says_why_and_is_not_repeated() {
    let problem = |status: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/problem+json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    };
    let refused = r#"{"title": "Refused", "detail": "the token has expired"}"#;
    for (response, why) in [
        (problem("401 Unauthorized", refused), "Refused. the token has expired"),
        (problem("403 Forbidden", refused), "Refused. the token has expired"),
        (problem("404 Not Found", refused), "Refused. the token has expired"),
        (problem("404 Not Found", "<html>"), "404 Not Found"),
        (problem("302 Found", ""), "302 Found"),
        (problem("204 No Content", ""), "204 No Content"),
        (problem("200 OK", "{}"), "no event stream"),
        (stream([&b"retry: 1\n\nnonsense\n\n"[..]], END), "no event stream"),
    ] {
        // The second would be an event.
        let (api, _served) = serve(vec![response, stream([&b"id: 1-1\ndata: one\n\n"[..]], END)]).await;
        let mut follower = Follower::new(&api, "/stream", vec![], None);
        let error = tokio::time::timeout(Duration::from_secs(60), follower.next()).await.expect("it ends").expect_err("it is refused");
        assert!(error.to_string().contains(why), "{why}: {error}");
    }
}
