//! `nofx dev`: the whole of NOFX on this machine. The order of starting is the order of stopping, backwards.
#![expect(clippy::disallowed_methods, reason = "starts worker processes of this same program")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use nofx_api::App;
use nofx_local::dirs::checkout;
use nofx_local::{Options, Stack, auth};
use nofx_shared::db::Db;
use nofx_shared::settings;
use nofx_shared::telemetry;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tower_http::services::ServeFile;

use super::queue::Queue;
use crate::args::Dev;
use crate::exit::{Error, Exit, Outcome};
use crate::target::{DevFile, Pids};

pub(crate) async fn run(options: Dev) -> Outcome {
    telemetry::start(&settings::telemetry("nofx-api"));
    drop(nofx_shared::net::client());
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::new)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::new)?;
    let (ended, mut input_ended) = watch::channel(false);
    if options.temporary {
        watch_end_of_input(ended.clone());
    }
    let limits = settings::limits_of_dev().map_err(Error::new)?;
    let listener = TcpListener::bind(("127.0.0.1", options.port))
        .await
        .map_err(|_| Error::new(format!("port {} is in use; stop the process that listens there or pass --port", options.port)))?;
    let data_dir = std::path::absolute(&options.data_dir).map_err(Error::new)?;
    for pid in left_behind(&data_dir.join("dev.json")) {
        end_worker(pid);
    }
    let stack = Stack::start(Options { data_dir: data_dir.clone(), db_url: settings::existing_database(), fresh: options.fresh })
        .await
        .map_err(Error::new)?;
    let queue = match Queue::start(options.queue, &data_dir).await {
        Ok(queue) => queue,
        Err(error) => {
            stack.stop().await;
            return Err(Error::new(error));
        }
    };
    let address = listener.local_addr().map_err(Error::new)?;
    let port = address.port();
    let dev = Running { stack, queue, port, data_dir };
    dev.seed().await?;

    let router = with_files(nofx_api::app_router(&App::new(dev.api_settings(limits))))?;
    let api = tokio::spawn(crate::serve::serve(listener, router));
    let (stop, stopping) = watch::channel(false);
    let workers: Vec<_> = (0..options.workers).map(|n| dev.worker(n, stopping.clone())).collect::<Result<_, _>>()?;
    dev.write_dev_file(&workers)?;
    let base = format!("http://127.0.0.1:{port}");
    eprintln!("NOFX runs at {base}\n  dashboard: {base}/ui");
    for person in dev.stack.people().iter().filter(|person| person.role == "supervisor") {
        eprintln!("  sign in as {} with {} (the others are in {}/dev.json)", person.email, person.password, dev.data_dir.display());
    }
    eprintln!("  try: nofx run examples/hello.json --watch\n  Ctrl-C stops it");

    let mut last = dev.pids(&workers);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            () = stopped(&mut input_ended) => break,
            // Children that died were started again with new ids.
            () = tokio::time::sleep(Duration::from_millis(300)) => {
                let now = dev.pids(&workers);
                if now != last {
                    last = now;
                    dev.write_dev_file(&workers)?;
                }
            }
        }
    }
    eprintln!("stopping");
    drop(std::fs::remove_file(dev.data_dir.join("dev.json")));
    stop.send_replace(true);
    for worker in workers {
        drop(worker.task.await);
    }
    api.abort();
    dev.queue.stop().await;
    // A signal to the whole process group also ends the holder of the input; one that only stops this process leaves it open.
    dev.stack.stop_and_remove_if(|| *input_ended.borrow()).await.map_err(Error::new)?;
    Ok(Exit::Succeeded)
}

/// Notices the end of standard input.
fn watch_end_of_input(ended: watch::Sender<bool>) {
    // A thread of its own, which no end of the program waits for.
    std::thread::spawn(move || {
        drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        ended.send_replace(true);
    });
}

struct Running {
    stack: Stack,
    queue: Queue,
    port: u16,
    data_dir: PathBuf,
}

struct Worker {
    pid: watch::Receiver<i32>,
    admin_port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn supabase(&self) -> settings::Supabase {
        settings::Supabase {
            url: self.stack.supabase_url(),
            rest_url: self.stack.rest_url(),
            anon_key: self.stack.anon_key(),
            service_role_key: self.stack.service_role_key(),
            jwt_secret: self.stack.jwt_secret().to_owned(),
            db_url: Some(self.stack.db_url().to_owned()),
        }
    }

    fn api_settings(&self, limits: settings::Limits) -> settings::Api {
        settings::Api {
            supabase: self.supabase(),
            queue: self.queue.settings(),
            internal_api_keys: vec![self.stack.internal_api_key().to_owned()],
            cron_secret: None,
            github_webhook_secrets: settings::github_webhook_secrets(),
            cors_origins: vec![],
            stream: Duration::from_secs(240),
            encryption_keys: self.stack.encryption_keys().parse().ok(),
            region: None,
            limits,
            edge_config: None,
            oauth_providers: vec![],
            public_url: None,
            trace_url: None,
        }
    }

    /// The tenant of the seeded people, and partitions for the coming days.
    async fn seed(&self) -> Result<(), Error> {
        let supabase = self.supabase();
        let db = Db::new(&supabase.rest_url, &supabase.anon_key, supabase.service_role_key);
        let tenant = json!({"p_id": self.stack.tenant_id(), "p_name": "dev"});
        db.call::<_, uuid::Uuid>("create_tenant", &tenant).await.map_err(Error::new)?;
        db.call::<_, Vec<String>>("maintain_event_partitions", &json!({})).await.map_err(Error::new)?;
        Ok(())
    }

    /// One worker process, started again whenever it dies.
    fn worker(&self, n: usize, mut stopping: watch::Receiver<bool>) -> Result<Worker, Error> {
        let program = std::env::current_exe().map_err(Error::new)?;
        let supabase = self.supabase();
        let admin_port = nofx_local::free_port().map_err(Error::new)?;
        let log = self.data_dir.join(format!("worker-{n}.log"));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&log).map_err(Error::new)?;
        let workspaces = self.data_dir.join("workspaces");
        let queue = self.queue.env();
        let (artifact_key, encryption_keys) = (self.stack.artifact_key().to_owned(), self.stack.encryption_keys().to_owned());
        let start = move || -> std::io::Result<tokio::process::Child> {
            let mut command = tokio::process::Command::new(&program);
            command
                .arg("worker")
                .env("SUPABASE_URL", &supabase.url)
                .env("NOFX_REST_URL", &supabase.rest_url)
                .env("SUPABASE_ANON_KEY", &supabase.anon_key)
                .env("SUPABASE_SERVICE_ROLE_KEY", &supabase.service_role_key)
                .env("SUPABASE_JWT_SECRET", &supabase.jwt_secret)
                .env("NOFX_DB_URL", supabase.db_url.clone().unwrap_or_default())
                .envs(queue.iter().map(|(name, value)| (name, value)))
                .env("NOFX_SIGNING_KEY", &artifact_key)
                .env("NOFX_ENCRYPTION_KEYS", &encryption_keys)
                .env("NOFX_WORKSPACES", &workspaces)
                .env("NOFX_WORKER_NAME", format!("dev-{n}"))
                .env("NOFX_ADMIN_PORT", admin_port.to_string())
                .stdin(std::process::Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log.try_clone()?)
                .process_group(0);
            command.spawn()
        };
        let mut child = start().map_err(Error::new)?;
        let id = |child: &tokio::process::Child| child.id().and_then(|id| i32::try_from(id).ok()).unwrap_or(0);
        let (new_pid, pid) = watch::channel(id(&child));
        let task = tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = stopped(&mut stopping) => {
                        end_worker(id(&child));
                        if tokio::time::timeout(Duration::from_secs(25), child.wait()).await.is_err() {
                            drop(child.kill().await);
                        }
                        return;
                    }
                    status = child.wait() => {
                        tracing::warn!(?status, worker = n, "a worker died; restarting it");
                        new_pid.send_replace(0);
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        match start() {
                            Ok(again) => child = again,
                            Err(error) => return tracing::error!(%error, "could not start a worker"),
                        }
                        new_pid.send_replace(id(&child));
                    }
                }
            }
        });
        Ok(Worker { pid, admin_port, task })
    }

    fn pids(&self, workers: &[Worker]) -> Pids {
        let (postgres, postgrest) = self.stack.pids();
        Pids {
            postgres,
            postgrest,
            queue: self.queue.pid(),
            api: std::process::id(),
            workers: workers.iter().map(|worker| *worker.pid.borrow()).collect(),
        }
    }

    fn write_dev_file(&self, workers: &[Worker]) -> Result<(), Error> {
        let stack = &self.stack;
        let tokens: BTreeMap<String, String> = stack
            .people()
            .iter()
            .map(|person| {
                let valid_s = 365 * 86_400;
                let token = auth::access_token(stack.jwt_secret(), person.id, &person.email, stack.tenant_id(), &person.role, valid_s);
                (person.role.clone(), token)
            })
            .collect();
        let file = DevFile {
            api_url: format!("http://127.0.0.1:{}", self.port),
            supabase_url: stack.supabase_url(),
            rest_url: stack.rest_url(),
            db_url: stack.db_url().to_owned(),
            jwt_secret: stack.jwt_secret().to_owned(),
            anon_key: stack.anon_key(),
            service_role_key: stack.service_role_key(),
            internal_api_key: stack.internal_api_key().to_owned(),
            signing_key: stack.artifact_key().to_owned(),
            encryption_keys: stack.encryption_keys().to_owned(),
            metrics_url: workers.first().map(|worker| format!("http://127.0.0.1:{}/metrics", worker.admin_port)).unwrap_or_default(),
            tokens,
            people: stack.people().to_vec(),
            queue: self.queue.env().into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            pids: self.pids(workers),
        };
        stack.remember_pids().map_err(Error::new)?;
        // A rename, so that no one reads half a file; and only its owner may read it.
        let (path, half) = (self.data_dir.join("dev.json"), self.data_dir.join("dev.json.half"));
        let text = serde_json::to_vec_pretty(&file).map_err(Error::new)?;
        write_private(&half, &text).and_then(|()| std::fs::rename(&half, &path)).map_err(Error::new)
    }
}

/// What Vercel publishes of `public/`, file by file.
fn with_files(router: axum::Router) -> Result<axum::Router, Error> {
    fn add(router: axum::Router, folder: &std::path::Path, path: &str) -> std::io::Result<axum::Router> {
        let mut router = router;
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let path = format!("{path}/{}", entry.file_name().to_string_lossy());
            router = if entry.path().is_dir() {
                add(router, &entry.path(), &path)?
            } else {
                router.route_service(&path, ServeFile::new(entry.path()))
            };
        }
        Ok(router)
    }
    add(router, &checkout().map_err(Error::new)?.join("public"), "").map_err(Error::new)
}

fn write_private(path: &std::path::Path, text: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(text)
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is dropped: stop all the same.
    drop(stopping.wait_for(|stop| *stop).await);
}

/// Workers of a `nofx dev` that was killed.
fn left_behind(dev_file: &std::path::Path) -> Vec<i32> {
    crate::target::read(dev_file).map(|dev| dev.pids.workers).unwrap_or_default()
}

/// Stops a worker, if the process still is ours.
fn end_worker(pid: i32) {
    let ours = std::fs::read_link("/proc/self/exe").ok();
    if pid > 0 && ours.is_some() && std::fs::read_link(format!("/proc/{pid}/exe")).ok() == ours {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
    }
}
