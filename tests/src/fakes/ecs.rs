//! ECS on this machine: the emulator of AWS keeps the tasks, this stands before it and does what ECS' agents do. It starts the program of a
//! task that was placed, names its address, and kills it when the task is stopped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use nofx_local::Aws;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::stack::binary;

/// A fault of ECS or of one of its machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no room for the next task.
    Full,
    /// The next task is placed, and the answer says that something failed.
    NoAnswer,
    /// The next call that starts a task is one too many.
    Throttled,
    /// The next task ends when a program of its step has begun.
    EarlyDeath,
    /// ECS tells the next task to end when a program of its step has begun.
    Stopped,
    /// The connection to the next task is cut when a program of its step has begun; the task runs on.
    CutStream,
}

#[derive(Clone)]
pub struct Ecs {
    pub url: String,
    subnet: String,
    state: Arc<Mutex<FakeState>>,
    /// It ends with the last copy of this.
    _emulator: Arc<Aws>,
    upstream: String,
    /// Where programs write: a folder of their own for each task.
    folder: Arc<TempDir>,
}

#[derive(Default)]
struct FakeState {
    running: BTreeMap<String, Running>,
    asked: Vec<Value>,
    /// Of requests with a token.
    answers: BTreeMap<String, Value>,
    faults: Vec<Fault>,
    started: u8,
}

struct Running {
    address: String,
    program: Child,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.program.kill());
        drop(self.program.wait());
    }
}

const CLUSTER: &str = "steps";
const TARGET: &str = "AmazonEC2ContainerServiceV20141113.";

impl Ecs {
    /// With a cluster and a task definition, as the template `service.yaml` makes them.
    pub async fn start() -> Self {
        // Whoever makes the first client chooses the provider of TLS.
        drop(nofx_shared::net::client());
        let folder = tempfile::tempdir().expect("a folder");
        let emulator = Aws::start(folder.path(), "tasks").await.expect("moto starts");
        let upstream = emulator.url();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let mut ecs =
            Self { url, subnet: String::new(), state: Arc::default(), _emulator: Arc::new(emulator), upstream, folder: Arc::new(folder) };
        let subnets = ecs.ask("ec2", None, b"Action=DescribeSubnets&Version=2016-11-15".to_vec()).await.1;
        let text = String::from_utf8_lossy(&subnets).into_owned();
        ecs.subnet = text.split("<subnetId>").nth(1).and_then(|rest| rest.split('<').next()).expect("a default subnet").to_owned();
        ecs.call("CreateCluster", &json!({"clusterName": CLUSTER})).await;
        let container = |name: &str| json!({"name": name, "image": "worker@sha256:0", "essential": name == "step", "memory": 512});
        let definition = json!({
            "family": "nofx-step", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "2048", "memory": "8192",
            "containerDefinitions": [container("tools"), container("step")],
        });
        ecs.call("RegisterTaskDefinition", &definition).await;
        let router = Router::new().route("/", post(answer)).with_state(ecs.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        ecs
    }

    /// The settings of a worker that starts tasks here.
    pub fn settings(&self) -> Vec<(String, String)> {
        let settings = [
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "nofx".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "nofx".to_owned()),
            ("AWS_ENDPOINT_URL_ECS", self.url.clone()),
            ("NOFX_TASK_CLUSTER", CLUSTER.to_owned()),
            ("NOFX_TASK_DEFINITION", "nofx-step".to_owned()),
            ("NOFX_TASK_SUBNETS", self.subnet.clone()),
            ("NOFX_TASK_SECURITY_GROUPS", "sg-open".to_owned()),
            ("NOFX_TASK_CLOSED_SECURITY_GROUPS", "sg-closed".to_owned()),
        ];
        settings.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// A fault that happens once.
    pub fn will(&self, fault: Fault) {
        self.state.lock().expect("not poisoned").faults.push(fault);
    }

    /// The tasks whose programs run.
    pub fn running(&self) -> usize {
        let mut state = self.state.lock().expect("not poisoned");
        state.running.values_mut().map(|one| usize::from(matches!(one.program.try_wait(), Ok(None)))).sum()
    }

    /// What was asked for, of each task that was placed.
    pub fn asked(&self) -> Vec<Value> {
        self.state.lock().expect("not poisoned").asked.clone()
    }

    /// The address of a task, once one runs.
    pub async fn address(&self) -> String {
        loop {
            if let Some(one) = self.state.lock().expect("not poisoned").running.values().next() {
                return one.address.clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A task that no worker of the tests asked for.
    pub async fn run_task(&self, asked: &Value) {
        let request = nofx_shared::net::client().post(&self.url).header("x-amz-target", format!("{TARGET}RunTask"));
        let answer = request.body(asked.to_string()).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    pub async fn call(&self, call: &str, body: &Value) -> Value {
        let (status, answer) = self.ask("ecs", Some(&format!("{TARGET}{call}")), body.to_string().into_bytes()).await;
        assert!(status.is_success(), "{call}: {status} {}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).expect("JSON")
    }

    async fn ask(&self, service: &str, target: Option<&str>, body: Vec<u8>) -> (StatusCode, Vec<u8>) {
        // The emulator reads from the scope which service is meant, and checks no more of a signature.
        let scope = format!("AWS4-HMAC-SHA256 Credential=nofx/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0");
        let request = nofx_shared::net::client().post(&self.upstream).header("authorization", scope);
        let request = match target {
            Some(target) => request.header("x-amz-target", target).header("content-type", "application/x-amz-json-1.1"),
            None => request.header("content-type", "application/x-www-form-urlencoded"),
        };
        let answer = request.body(body).send().await.expect("moto answers");
        (answer.status(), answer.bytes().await.expect("bytes").to_vec())
    }

    fn take(&self, fault: Fault) -> bool {
        let mut state = self.state.lock().expect("not poisoned");
        let at = state.faults.iter().position(|one| *one == fault);
        at.map(|at| state.faults.remove(at)).is_some()
    }

    /// Starts the program of a task as its definition and its overrides say.
    fn place(&self, task: &Value, asked: &Value) {
        let arn = task["taskArn"].as_str().expect("an ARN").to_owned();
        let mut state = self.state.lock().expect("not poisoned");
        state.asked.push(asked.clone());
        state.started += 1;
        // Tests run side by side, and all tasks listen at the same port.
        let process = std::process::id();
        let address = format!("127.{}.{}.{}", 10 + (process >> 8) % 200, process % 256, state.started);
        let is_later = |one: &Fault| matches!(one, Fault::EarlyDeath | Fault::Stopped | Fault::CutStream);
        let fault = state.faults.iter().position(is_later).map(|at| state.faults.remove(at));
        // What stands between a worker and its task.
        let behind = format!("127.{}.{}.{}", 10 + (process >> 8) % 200, process % 256, 255 - state.started);
        let listens_at = if fault == Some(Fault::CutStream) { &behind } else { &address };
        let given = asked["overrides"]["containerOverrides"][0]["environment"].as_array().expect("an environment").clone();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let home = self.folder.path().join(format!("task-{}", state.started));
        std::fs::create_dir_all(home.join("tmp")).expect("a folder");
        // A view in which the task has a `/tmp` of its own, as a machine has.
        let program = Command::new("bwrap")
            .args(["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session"])
            .args(["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/home", "--bind"])
            .args([home.join("tmp").as_path(), Path::new("/tmp"), Path::new("--")])
            .arg(binary().with_file_name("nofx-worker"))
            .arg("task")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("a path"))
            .env("NOFX_TASK_ADDRESS", listens_at)
            .envs(given.iter().map(|one| (text(&one["name"]), text(&one["value"]))))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(home.join("log")).expect("a file"))
            .spawn()
            .expect("the program starts");
        let begun = home.join("tmp/nofx/processes");
        if fault == Some(Fault::CutStream) {
            tokio::spawn(cut_once(format!("{address}:8080"), format!("{behind}:8080"), begun.clone()));
        }
        state.running.insert(arn.clone(), Running { address, program });
        if matches!(fault, Some(Fault::EarlyDeath | Fault::Stopped)) {
            let state = Arc::clone(&self.state);
            tokio::spawn(async move {
                has_begun(&begun).await;
                if let Some(one) = state.lock().expect("not poisoned").running.get_mut(&arn) {
                    if fault == Some(Fault::Stopped) {
                        terminate(one.program.id());
                    } else {
                        one.program.kill().expect("it is killed");
                    }
                }
            });
        }
    }
}

/// Until a program of the step has begun.
async fn has_begun(processes: &Path) {
    while !processes.exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// SIGTERM, as ECS sends it to the first process of a container: the last of the line below bubblewrap that is ours.
fn terminate(bubblewrap: u32) {
    let children = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let mut pid = bubblewrap;
    let is_ours = |pid: u32| {
        std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.ends_with(b"nofx-worker\0task\0") && !line.starts_with(b"bwrap"))
    };
    while !is_ours(pid) {
        pid = children(pid).split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("a task");
    }
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).expect("a process"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("it is there");
}

/// Hands on what passes between a worker and its task, until a program of the step has begun: then all connections are cut, and no other
/// comes through.
async fn cut_once(outside: String, inside: String, begun: PathBuf) {
    let listener = TcpListener::bind(outside).await.expect("an address");
    let mut connections = tokio::task::JoinSet::new();
    let serving = async {
        while let Ok((mut from, _)) = listener.accept().await {
            let inside = inside.clone();
            connections.spawn(async move {
                // The task may not listen yet.
                let Ok(mut to) = tokio::net::TcpStream::connect(inside).await else { return };
                drop(tokio::io::copy_bidirectional(&mut from, &mut to).await);
            });
        }
    };
    tokio::select! { () = serving => {}, () = has_begun(&begun) => {} }
    connections.shutdown().await;
}

impl Ecs {
    /// What the emulator does not know: the address, whether the program has ended, and that some numbers are texts.
    fn complete(&self, task: &mut Value) {
        let arn = task["taskArn"].as_str().expect("an ARN").to_owned();
        let mut state = self.state.lock().expect("not poisoned");
        let running = state.running.get_mut(&arn);
        let details = running.as_ref().map(|one| json!([{"name": "privateIPv4Address", "value": one.address}])).unwrap_or(json!([]));
        task["attachments"] = json!([{"type": "ElasticNetworkInterface", "status": "ATTACHED", "details": details}]);
        if running.is_none_or(|one| !matches!(one.program.try_wait(), Ok(None))) {
            task["lastStatus"] = "STOPPED".into();
            task["stoppedReason"] = "Essential container in task exited".into();
        }
        for container in task["containers"].as_array_mut().into_iter().flatten() {
            for number in ["cpu", "memory"] {
                container[number] = container[number].to_string().into();
            }
        }
    }
}

async fn answer(State(ecs): State<Ecs>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let call = target.strip_prefix(TARGET).unwrap_or_default();
    if call == "RunTask" && ecs.take(Fault::Full) {
        let failures = json!({"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time. Please try again later."}]});
        return json_of(StatusCode::OK, &failures);
    }
    if call == "RunTask" && ecs.take(Fault::Throttled) {
        return json_of(StatusCode::BAD_REQUEST, &json!({"__type": "ThrottlingException", "message": "Rate exceeded"}));
    }
    let asked: Value = serde_json::from_slice(&body).expect("JSON");
    // The same request once more: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html>
    let token = asked["clientToken"].as_str().unwrap_or_default().to_owned();
    if let Some(answer) = ecs.state.lock().expect("not poisoned").answers.get(&token) {
        return json_of(StatusCode::OK, answer);
    }
    let (status, bytes) = ecs.ask("ecs", Some(&target), body.to_vec()).await;
    let Ok(mut answer) = serde_json::from_slice::<Value>(&bytes) else { return (status, bytes).into_response() };
    if status.is_success() {
        match call {
            "RunTask" => {
                for task in answer["tasks"].as_array_mut().expect("tasks") {
                    ecs.place(task, &asked);
                    ecs.complete(task);
                }
                ecs.state.lock().expect("not poisoned").answers.insert(token, answer.clone());
                if ecs.take(Fault::NoAnswer) {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                }
            }
            "StopTask" => {
                ecs.state.lock().expect("not poisoned").running.remove(answer["task"]["taskArn"].as_str().expect("an ARN"));
                ecs.complete(&mut answer["task"]);
            }
            "DescribeTasks" => answer["tasks"].as_array_mut().expect("tasks").iter_mut().for_each(|task| ecs.complete(task)),
            _ => {}
        }
    }
    json_of(status, &answer)
}

fn json_of(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.1")], body.to_string()).into_response()
}
