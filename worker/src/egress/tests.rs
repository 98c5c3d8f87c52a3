//! The proxy against clients that speak to it by hand.

use std::time::Duration;

use nofx_shared::secrets::Mask;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use super::account::Account;
use super::grant::Grant;

const ALLOWED: &str = "127.0.0.1/32";

async fn grant(networks: &[&str], ports: &[u16]) -> Grant {
    let networks = networks.iter().map(|network| network.parse().expect("a network")).collect();
    let password = nofx_shared::crypto::random_token();
    let account = Account::new([Uuid::nil(); 3], "step", &password, networks, ports.to_vec());
    Grant::of(account, password).await.expect("a port")
}

fn credential(grant: &Grant) -> String {
    use base64::Engine;
    let text = format!("step:{}", grant.password());
    format!("proxy-authorization: Basic {}\r\n", base64::engine::general_purpose::STANDARD.encode(text))
}

/// Answers each connection with what it was sent, after a head of HTTP when that is a request.
async fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut bytes).await {
                    if bytes.starts_with(b"GET ") {
                        let head = format!("HTTP/1.1 200 OK\r\nconnection: x-own\r\nx-own: 1\r\ncontent-length: {read}\r\n\r\n");
                        stream.write_all(head.as_bytes()).await.expect("written");
                    }
                    stream.write_all(&bytes[..read]).await.expect("written");
                }
            });
        }
    });
    port
}

/// Sends a text; the response until its end, or until `enough` is in it.
async fn exchange(grant: &Grant, text: &str, enough: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", grant.port())).await.expect("it listens");
    stream.write_all(text.as_bytes()).await.expect("written");
    let mut all = String::new();
    let mut bytes = [0; 4096];
    while !all.contains(enough) {
        match stream.read(&mut bytes).await {
            Ok(read @ 1..) => all.push_str(&String::from_utf8_lossy(&bytes[..read])),
            _ => break,
        }
    }
    (stream, all)
}

async fn status(grant: &Grant, request: &str) -> String {
    let (_, response) = exchange(grant, request, "\r\n\r\n").await;
    response.split(' ').nth(1).unwrap_or("none").to_owned()
}

#[tokio::test]
async fn a_plain_request_goes_to_its_host_without_what_was_for_the_proxy() {
    let port = server().await;
    let grant = grant(&[ALLOWED], &[port]).await;
    let request = format!(
        "GET http://127.0.0.1:{port}/a?b=c HTTP/1.1\r\nhost: elsewhere.example\r\nproxy-connection: keep-alive\r\nx-mine: 1\r\n{}\r\n",
        credential(&grant)
    );
    let (_, response) = exchange(&grant, &request, "x-mine").await;
    let (head, seen) = response.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200") && !head.contains("x-own"), "{response}");
    assert!(seen.starts_with("GET /a?b=c HTTP/1.1\r\n") && seen.contains(&format!("host: 127.0.0.1:{port}\r\n")), "{response}");
    assert!(!seen.contains("proxy-") && !seen.contains("elsewhere"), "{response}");
    let reached = grant.destinations(&Mask::default());
    assert_eq!((reached.len(), reached[0].host.as_str(), reached[0].port, reached[0].connections), (1, "127.0.0.1", port, 1));
    assert!(reached[0].sent_bytes > 30 && reached[0].received_bytes > reached[0].sent_bytes, "{reached:?}");
}

#[tokio::test]
async fn a_tunnel_hands_on_bytes_and_ends_with_its_attempt() {
    let port = server().await;
    let grant = grant(&[ALLOWED], &[port]).await;
    let open = format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n{}\r\n", credential(&grant));
    let (mut stream, response) = exchange(&grant, &open, "\r\n\r\n").await;
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    for text in [b"\x16\x03\x01".as_slice(), &[0; 3000]] {
        stream.write_all(text).await.expect("written");
        let mut back = vec![1; text.len()];
        stream.read_exact(&mut back).await.expect("it comes back");
        assert_eq!(back, text);
    }
    let reached = grant.destinations(&Mask::default());
    assert_eq!((reached[0].sent_bytes, reached[0].received_bytes), (3003, 3003));
    let at = ("127.0.0.1", grant.port());
    drop(grant);
    let ended = stream.read(&mut [0; 9]).await;
    assert!(matches!(ended, Ok(0) | Err(_)), "the connection is cut: {ended:?}");
    while TcpStream::connect(at).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn nobody_gets_out_without_the_password_of_the_attempt() {
    let port = server().await;
    let (own, other) = (grant(&[ALLOWED], &[port]).await, grant(&[ALLOWED], &[port]).await);
    for with in [String::new(), credential(&other), "proxy-authorization: Basic\r\n".to_owned(), "authorization: Basic x\r\n".to_owned()] {
        for request in
            [format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n{with}\r\n"), format!("GET http://127.0.0.1:{port}/ HTTP/1.1\r\n{with}\r\n")]
        {
            assert_eq!(status(&own, &request).await, "407", "{request}");
        }
    }
    assert_eq!(own.destinations(&Mask::default()), vec![]);
    assert_eq!(status(&own, &format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n{}\r\n", credential(&own))).await, "200");
}

#[tokio::test]
async fn private_addresses_and_other_ports_are_refused_and_recorded() {
    let port = server().await;
    let grant = grant(&["10.1.0.0/16"], &[port, 80, 443]).await;
    let private = [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "169.254.169.254",
        "169.254.170.2",
        "10.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
        "[fd00:ec2::254]",
    ];
    for host in private {
        let with = credential(&grant);
        assert_eq!(status(&grant, &format!("CONNECT {host}:{port} HTTP/1.1\r\n{with}\r\n")).await, "403", "{host}");
        assert_eq!(status(&grant, &format!("GET http://{host}:{port}/ HTTP/1.1\r\n{with}\r\n")).await, "403", "{host}");
    }
    let with = credential(&grant);
    assert_eq!(status(&grant, &format!("CONNECT 1.1.1.1:5432 HTTP/1.1\r\n{with}\r\n")).await, "403", "a port that steps do not reach");
    let reached = grant.destinations(&Mask::default());
    assert_eq!(reached.len(), private.len() + 1, "{reached:?}");
    assert!(reached.iter().all(|one| one.connections == 0 && one.refused > 0 && one.sent_bytes == 0), "{reached:?}");
}

#[tokio::test]
async fn what_is_no_request_for_a_proxy_is_refused() {
    let port = server().await;
    let grant = grant(&[ALLOWED], &[port]).await;
    let with = credential(&grant);
    for (line, expected) in [
        ("GET / HTTP/1.1\r\nhost: x".to_owned(), "400"),
        (format!("GET https://127.0.0.1:{port}/ HTTP/1.1"), "400"),
        ("CONNECT 127.0.0.1 HTTP/1.1".to_owned(), "400"),
        (format!("GET http://{}:{port}/ HTTP/1.1", "x".repeat(300)), "400"),
        (format!("GET http://127.0.0.1:{port}/ HTTP/1.1\r\nx-long: {}", "x".repeat(90_000)), "431|none"),
        (format!("GET http://127.0.0.1:{port}/ HTTP/1.1\r\n{}x: x", "x: x\r\n".repeat(200)), "431"),
        ("no request at all".to_owned(), "400"),
    ] {
        // What is refused before all of it was read may be cut off before the response.
        let status = status(&grant, &format!("{line}\r\n{with}\r\n")).await;
        assert!(expected.split('|').any(|one| one == status), "{line:.80}: {status}");
    }
}

#[tokio::test]
async fn connections_that_say_nothing_hold_their_own_attempt_only() {
    let port = server().await;
    let (slow, other) = (grant(&[ALLOWED], &[port]).await, grant(&[ALLOWED], &[port]).await);
    let request = |grant: &Grant| format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n{}\r\n", credential(grant));
    let mut silent = vec![];
    for _ in 0..64 {
        let mut stream = TcpStream::connect(("127.0.0.1", slow.port())).await.expect("it listens");
        stream.write_all(b"GET http://").await.expect("written");
        silent.push(stream);
    }
    assert_eq!(status(&other, &request(&other)).await, "200");
    let waits = request(&slow);
    let mut waiting = std::pin::pin!(status(&slow, &waits));
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut waiting).await.is_err(), "all that it may have are open");
    drop(silent.pop());
    assert_eq!(waiting.await, "200");
}
