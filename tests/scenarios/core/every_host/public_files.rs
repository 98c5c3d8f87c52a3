//! The dashboard's files on the host of the scenarios.

use nofx_tests::stack::STACK;
use reqwest::header;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn style_sheets_scripts_and_icons_are_served_with_a_type_and_a_tag() {
    let client = nofx_shared::net::client();
    for (file, kind) in [
        ("/app.css", "text/css"),
        ("/tokens.css", "text/css"),
        ("/app.js", "text/javascript"),
        ("/vendor/htmx.min.js", "text/javascript"),
        ("/icons/idle.svg", "image/svg+xml"),
    ] {
        let url = format!("{}{file}", STACK.get("api_url"));
        let answer = client.get(&url).send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), answer.headers()[header::CONTENT_TYPE].to_str().ok()), (200, Some(kind)), "{file}");
        assert_eq!(answer.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{file}");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "public, max-age=0, must-revalidate", "{file}");
        let tag = answer.headers()[header::ETAG].clone();
        let published = std::fs::read(nofx_tests::stack::root().join("public").join(&file[1..])).expect("a file");
        assert!(answer.bytes().await.expect("bytes") == published, "{file}");
        let again = client.get(&url).header(header::IF_NONE_MATCH, tag).send().await.expect("an answer");
        assert_eq!(again.status(), 304, "{file}");
    }
}

#[tokio::test]
async fn nothing_outside_of_the_published_folder_is_served() {
    let host = STACK.get("api_url").trim_start_matches("http://").to_owned();
    for path in [
        "/../Cargo.toml",
        "/icons/../../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/icons/%2e%2e%2f%2e%2e%2fCargo.toml",
        "//etc/passwd",
        "/icons",
        "/icons/",
        "/.gitignore",
        "/Cargo.toml",
    ] {
        // HTTP clients would resolve the dots themselves.
        let mut socket = TcpStream::connect(&host).await.expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = vec![];
        socket.read_to_end(&mut answer).await.expect("an answer");
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.starts_with("HTTP/1.1 200") && !answer.contains("[workspace]") && !answer.contains("root:"), "{path}: {answer}");
    }
}
