//! The egress proxy, from the inside of steps: at each level that has it, on a stack whose steps may connect to one port.

use base64::Engine;
use nofx_tests::own::Own;
use nofx_tests::people::step;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server of this machine that says hello, and its port. Steps may not reach it but through the proxy.
async fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.2:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello").await;
            });
        }
    });
    port
}

/// Prints a line for each way out that it attempts.
const ATTEMPTS: &str = r#"
import base64, os, socket, urllib.error, urllib.parse, urllib.request
port = int(os.environ["PORT"])
proxy = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])

def tried(name, attempt):
    try:
        found = attempt()
    except urllib.error.HTTPError as error:
        found = error.code
    except OSError as error:
        found = type(error).__name__
    print(f"{name}: {found}", flush=True)

def tunnel(credential):
    with socket.create_connection((proxy.hostname, proxy.port), 20) as stream:
        head = base64.b64encode(credential.encode()).decode()
        stream.sendall(f"CONNECT 127.0.0.2:{port} HTTP/1.1\r\nproxy-authorization: Basic {head}\r\n\r\n".encode())
        status = stream.recv(4096).split()[1].decode()
        if status == "200":
            stream.sendall(b"GET / HTTP/1.0\r\n\r\n")
            status += " " + stream.recv(4096).split(b"\r\n\r\n")[1].decode()
        return status

get = lambda url: urllib.request.urlopen(url, timeout=20).read().decode()
tried("direct", lambda: socket.create_connection(("127.0.0.2", port), 20))
tried("proxied", lambda: get(f"http://127.0.0.2:{port}/"))
tried("tunnel", lambda: tunnel(f"{proxy.username}:{proxy.password}"))
tried("private", lambda: get(f"http://10.0.0.1:{port}/"))
tried("metadata", lambda: get(f"http://169.254.169.254:{port}/latest/meta-data/"))
tried("other port", lambda: get("http://127.0.0.2:1/"))
tried("other password", lambda: tunnel("step:" + "0" * 64))
tried("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
print(os.environ["HTTP_PROXY"].split("@")[0])
open("made.txt", "w").write("made")
"#;

fn attempts(level: &str, port: u16) -> Value {
    json!({"name": level, "tool": "bash", "min_isolation": level, "resources": {"network": "proxy"}, "env": {"PORT": port.to_string(), "ATTEMPTS": ATTEMPTS},
        "inputs": {"script": "python3 -c \"$ATTEMPTS\"", "artifacts": ["made.txt"]}})
}

async fn stack(name: &str, settings: &[(&str, &str)]) -> Own {
    let own = Own::start_with(&Own::folder(name), &["--workers", "1"], settings);
    let allow = "insert into nofx.allowed_network (tenant_id, network) values ($1, '127.0.0.2/32')";
    own.sql().await.execute(allow, &[&own.tenant().await]).await.expect("an operator allowed it");
    own
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_with_the_proxy_has_no_other_way_out() {
    let port = server().await;
    let own = stack("egress", &[("NOFX_STEP_PORTS", &port.to_string())]).await;
    for (level, direct) in [("L2", "PermissionError"), ("L3", "ConnectionRefusedError")] {
        let run = own.run(&json!({"goal": "x", "steps": [attempts(level, port)]})).await;
        let tried = step(&run, level);
        assert_eq!(tried["status"], "succeeded", "{run}");
        let lines: Vec<&str> = tried["outputs"]["stdout"].as_str().expect("text").lines().collect();
        let direct = format!("direct: {direct}");
        let expected = [
            direct.as_str(),
            "proxied: hello",
            "tunnel: 200 hello",
            "private: 403",
            "metadata: 403",
            "other port: 403",
            "other password: 407",
            "udp: PermissionError",
            "http://step:***",
        ];
        assert_eq!(lines, expected, "{level}");
        let attempt = &tried["attempts"][0];
        assert_eq!((&attempt["isolation"]["network"], &attempt["isolation"]["level"]), (&json!("proxy"), &json!(level)), "{attempt}");
        let reached = attempt["usage"]["destinations"].as_array().expect("destinations");
        let of = |host: &str, port: u16| {
            let one = reached.iter().find(|one| one["host"] == host && one["port"] == port);
            one.unwrap_or_else(|| panic!("{host} is missing in {reached:?}"))
        };
        assert_eq!((&of("127.0.0.2", port)["connections"], &of("127.0.0.2", port)["refused"]), (&json!(2), &json!(0)));
        assert!(of("127.0.0.2", port)["received_bytes"].as_u64().is_some_and(|bytes| bytes > 10));
        assert_eq!((&of("10.0.0.1", port)["connections"], &of("169.254.169.254", port)["refused"]), (&json!(0), &json!(1)));

        let path = format!("/api/artifacts/{}/attestations", run["artifacts"][0]["id"].as_str().expect("an artifact"));
        let page = own.call(reqwest::Method::GET, &path, None).await.expect("attestations");
        let payload = page["data"][0]["envelope"]["payload"].as_str().expect("a payload");
        let statement: Value =
            serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(payload).expect("base64")).expect("JSON");
        let materials = &statement["predicate"]["buildDefinition"]["resolvedDependencies"];
        assert_eq!(materials, &json!([{"uri": format!("tcp://127.0.0.2:{port}")}]), "what it reached is one, what was refused is not");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_l3_a_step_without_a_network_reaches_its_own_servers() {
    let own = stack("egress-own", &[]).await;
    let source = "import socket, threading
s = socket.create_server(('127.0.0.1', 0))
def serve():
    c, _ = s.accept(); c.sendall(b'own'); c.close()
threading.Thread(target=serve).start()
print(socket.create_connection(s.getsockname(), 20).recv(9).decode())";
    for network in ["none", "proxy"] {
        let one = json!({"name": "serve", "tool": "bash", "min_isolation": "L3", "resources": {"network": network}, "env": {"SOURCE": source},
            "inputs": {"script": "python3 -c \"$SOURCE\""}});
        let run = own.run(&json!({"goal": "x", "steps": [one]})).await;
        assert_eq!(step(&run, "serve")["outputs"]["stdout"], "own\n", "{run}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_is_refused_where_nothing_keeps_a_step_to_it() {
    let own = stack("egress-l1", &[("NOFX_ISOLATION_FLOOR", "L1"), ("NOFX_STEP_NETWORK", "proxy")]).await;
    let mut one = attempts("L2", 443);
    one.as_object_mut().expect("an object").remove("min_isolation");
    let id = own.submit(&json!({"goal": "x", "steps": [one]})).await;
    let run = own.wait(&id, nofx_tests::own::is_finished).await;
    let message = step(&run, "L2")["error"]["message"].to_string();
    assert!(message.contains("needs L2"), "{run}");

    // An operator whose workers have a role: who names no network has the proxy, and no other way to where the role's keys are.
    let script = "for host in 169.254.169.254 169.254.170.2; do
            (exec 3<>/dev/tcp/$host/80) 2>/dev/null && echo connected || echo refused
        done; python3 -I -c '
import os, urllib.error, urllib.request
for host in [\"169.254.169.254\", \"169.254.170.2\"]:
    try: print(urllib.request.urlopen(f\"http://{host}/\", timeout=20).status)
    except urllib.error.HTTPError as error: print(error.code)'";
    let try_at = |level: &str| {
        json!({"name": level, "tool": "bash", "needs": [], "on_failure": "continue", "min_isolation": level,
        "retry": {"max_attempts": 1}, "inputs": {"script": script}})
    };
    let id = own.submit(&json!({"goal": "x", "steps": [try_at("L1"), try_at("L2"), try_at("L3")]})).await;
    let run = own.wait(&id, nofx_tests::own::is_finished).await;
    let message = step(&run, "L1")["error"]["message"].to_string();
    assert!(message.contains("needs L2") && message.contains("NOFX_STEP_NETWORK"), "{run}");
    for level in ["L2", "L3"] {
        let tried = step(&run, level);
        assert_eq!(tried["attempts"][0]["isolation"]["network"], "proxy", "{tried}");
        assert_eq!(tried["outputs"]["stdout"], "refused\nrefused\n403\n403\n", "{tried}");
    }
}
