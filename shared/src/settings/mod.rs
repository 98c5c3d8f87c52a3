//! Settings: read from the environment once, here; all that is wrong is reported at once, by name.
//! Nobody below `main` reads the environment.
#![expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// What is wrong with the environment.
#[derive(Debug, thiserror::Error)]
#[error("settings are missing or wrong:\n{}", .0.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))]
pub struct Invalid(Vec<String>);

/// How to reach Supabase.
#[derive(Clone)]
pub struct Supabase {
    /// `SUPABASE_URL`: the project's URL; `/storage/v1` and `/auth/v1` are below it.
    pub url: String,
    /// `NOFX_REST_URL`: PostgREST; `SUPABASE_URL/rest/v1` when not set. The embedded stack names PostgREST itself.
    pub rest_url: String,
    /// `SUPABASE_ANON_KEY`
    pub anon_key: String,
    /// `SUPABASE_SERVICE_ROLE_KEY`
    pub service_role_key: String,
    /// `SUPABASE_JWT_SECRET`: checks tokens of people and signs those of API keys.
    pub jwt_secret: String,
    /// `NOFX_DB_URL`: a direct connection, for LISTEN only; without it doorbells and events are polled.
    pub db_url: Option<String>,
}

/// How workers hear that there is work: `QUEUE_DRIVER`, postgres when not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Queue {
    /// `postgres`: NOTIFY over the direct connection.
    Postgres,
    /// `redis`: a stream of the Redis at `REDIS_URL`.
    Redis { url: String },
}

/// Settings of the API.
#[derive(Clone)]
pub struct Api {
    pub supabase: Supabase,
    pub queue: Queue,
    /// `NOFX_INTERNAL_API_KEY`
    pub internal_api_key: String,
    /// `NOFX_CORS_ORIGINS`: comma-separated origins that browsers may call from; none when empty.
    pub cors_origins: Vec<String>,
    /// `NOFX_STREAM_S`: after how many seconds an event stream ends itself, 240 when not set.
    pub stream: Duration,
}

/// Settings of a worker.
#[derive(Clone)]
pub struct Worker {
    pub supabase: Supabase,
    pub queue: Queue,
    /// `NOFX_WORKER_NAME`; made from the process id when not set.
    pub name: String,
    /// `NOFX_CONCURRENCY`: steps at once, 512 when not set.
    pub concurrency: usize,
    /// `NOFX_PROCESSES`: child processes at once, 16 when not set; steps beyond wait for their turn.
    pub processes: usize,
    /// `NOFX_LEASE_S`: how long a lease holds without a heartbeat, 30 when not set.
    pub lease: Duration,
    /// `NOFX_DRAIN_S`: how long running steps may go on after SIGTERM before they are handed back, 20 when not set.
    pub drain: Duration,
    /// `NOFX_ADMIN_PORT`: where /health and /metrics are, 0 for any free port.
    pub admin_port: u16,
    /// `NOFX_WORKSPACES`: folder for checkouts.
    pub workspaces: std::path::PathBuf,
    /// `NOFX_ALLOW_PRIVATE_ADDRESSES`: whether `http` steps may call private addresses.
    pub allow_private_addresses: bool,
}

/// Reads the settings of the API.
pub fn api() -> Result<Api, Invalid> {
    let mut reader = Reader::default();
    let api = Api {
        supabase: reader.supabase(),
        queue: reader.queue(),
        internal_api_key: reader.required("NOFX_INTERNAL_API_KEY"),
        cors_origins: reader
            .text("NOFX_CORS_ORIGINS")
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|o| !o.is_empty())
            .map(str::to_owned)
            .collect(),
        stream: Duration::from_secs(reader.parsed("NOFX_STREAM_S", 240)),
    };
    reader.finish(api)
}

/// Reads the settings of a worker.
pub fn worker() -> Result<Worker, Invalid> {
    let mut reader = Reader::default();
    let worker = Worker {
        supabase: reader.supabase(),
        queue: reader.queue(),
        name: reader.text("NOFX_WORKER_NAME").unwrap_or_else(|| format!("worker-{}", std::process::id())),
        concurrency: reader.parsed("NOFX_CONCURRENCY", 512),
        processes: reader.parsed("NOFX_PROCESSES", 16),
        lease: Duration::from_secs(reader.parsed("NOFX_LEASE_S", 30)),
        drain: Duration::from_secs(reader.parsed("NOFX_DRAIN_S", 20)),
        admin_port: reader.parsed("NOFX_ADMIN_PORT", 0),
        workspaces: reader.text("NOFX_WORKSPACES").map_or_else(|| std::env::temp_dir().join("nofx-workspaces"), Into::into),
        allow_private_addresses: reader.parsed("NOFX_ALLOW_PRIVATE_ADDRESSES", false),
    };
    reader.finish(worker)
}

/// The PATH that child processes get: where tools are is no secret.
pub fn path() -> String {
    std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned())
}

/// `NOFX_DB_URL` for `nofx dev`: a Postgres that exists, with Supabase's roles, instead of an embedded one.
pub fn existing_database() -> Option<String> {
    Reader::default().text("NOFX_DB_URL")
}

/// Reads the value of a secret that a step names. Fails closed: a step never runs with half of its secrets.
pub fn secret(name: &str) -> Option<String> {
    std::env::var(format!("NOFX_SECRET_{name}")).ok()
}

#[derive(Default)]
struct Reader {
    problems: Vec<String>,
}

impl Reader {
    fn text(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    fn required(&mut self, name: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.problems.push(format!("{name} is not set"));
            String::new()
        })
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str, default: T) -> T {
        match self.text(name).map(|value| value.parse()) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(error)) => {
                self.problems.push(format!("{name}: {error}"));
                default
            }
        }
    }

    fn supabase(&mut self) -> Supabase {
        let url = self.required("SUPABASE_URL");
        Supabase {
            rest_url: self.text("NOFX_REST_URL").unwrap_or_else(|| format!("{url}/rest/v1")),
            url,
            anon_key: self.required("SUPABASE_ANON_KEY"),
            service_role_key: self.required("SUPABASE_SERVICE_ROLE_KEY"),
            jwt_secret: self.required("SUPABASE_JWT_SECRET"),
            db_url: self.text("NOFX_DB_URL"),
        }
    }

    fn queue(&mut self) -> Queue {
        match self.text("QUEUE_DRIVER").as_deref() {
            None | Some("postgres") => Queue::Postgres,
            Some("redis") => Queue::Redis { url: self.required("REDIS_URL") },
            Some(other) => {
                self.problems.push(format!("QUEUE_DRIVER: `{other}` is none of postgres, redis"));
                Queue::Postgres
            }
        }
    }

    fn finish<T>(self, settings: T) -> Result<T, Invalid> {
        if self.problems.is_empty() { Ok(settings) } else { Err(Invalid(self.problems)) }
    }
}
