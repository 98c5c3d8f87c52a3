use std::path::PathBuf;
use std::time::Duration;

use super::{Forges, FunctionEndpoint, Invalid, Machines, Models, Queue, Reader, Secrets, Supabase};
use crate::crypto::{Keyring, SigningKey};
use crate::drivers::{Driver, Level, Network, Placement};

/// Settings of a worker.
#[derive(Clone)]
pub struct Worker {
    pub supabase: Supabase,
    pub queue: Queue,
    pub secrets: Secrets,
    pub models: Models,
    pub forges: Forges,
    pub machines: Machines,
    /// Where it calls the function that executes steps; without it the driver `vercel-function` is not offered.
    pub function: Option<FunctionEndpoint>,
    /// `NOFX_WORKER_NAME`; default: made from the process id.
    pub name: String,
    /// `NOFX_CONCURRENCY`: steps at once; default: 512.
    pub concurrency: usize,
    /// `NOFX_PROCESSES`: child processes at once; default: 16; more steps wait for their turn.
    pub processes: usize,
    /// `NOFX_WORKSPACES_MB`: how much disk all workspaces may use, in MiB; default: 16384; 0: no limit.
    pub workspaces_bytes: Option<u64>,
    /// `NOFX_LEASE_S`: how long a lease lasts without a heartbeat; default: 30.
    pub lease: Duration,
    /// `NOFX_SWEEP_S`: how often it expires leases and fires timers; default: 15, or half a lease if that is less.
    pub sweep: Duration,
    /// `NOFX_DRAIN_S`: how long running steps may continue after SIGTERM before they are interrupted; default: 20.
    pub drain: Duration,
    /// `NOFX_ADMIN_PORT`: where /health and /metrics are, 0 for any free port.
    pub admin_port: u16,
    /// `NOFX_WORKSPACES`: the folder of all workspaces.
    pub workspaces: PathBuf,
    /// `NOFX_REPOSITORY_PATHS`: folders below which plans may name repositories by path, separated by colons; default: none.
    pub repository_paths: Vec<PathBuf>,
    /// `NOFX_ALLOW_PRIVATE_ADDRESSES`: whether `http` steps and git may call private addresses.
    pub allow_private_addresses: bool,
    /// `NOFX_ADVISORY_DB`; see `advisory_db`.
    pub advisory_db: Option<PathBuf>,
    /// `NOFX_ISOLATION_FLOOR`: `L1` to `L4`, the minimum of isolation of every step; default: L2. None with `NOFX_ISOLATION=none`.
    pub isolation_floor: Option<Level>,
    /// `NOFX_L4_DRIVER`: `task`, `e2b` or `modal`, where steps go whose programs this worker's host cannot isolate as much as they must be;
    /// default: they fail.
    pub l4_driver: Option<(Driver, Option<Placement>)>,
    /// `NOFX_STEP_NETWORK`: `none`, `proxy` or `all`, what programs of plans reach beside a worker whose step names no `resources.network`;
    /// default: all.
    pub step_network: Option<Network>,
    /// `NOFX_DEPENDENCY_CACHE`: folder for files of packages that lock files name, which steps of the same tenant are given again; default:
    /// beside the checkouts, `-dependencies` behind their folder's name. The worker creates it for itself.
    pub dependency_cache: PathBuf,
    /// `NOFX_DEPENDENCY_CACHE_MB`: most of it that one tenant has, in MiB; default: 1024; 0: nothing is cached.
    pub dependency_cache_bytes: u64,
    /// `NOFX_STEP_PORTS`: the TCP ports that steps may connect to; see `Isolation`.
    pub step_ports: Vec<u16>,
    /// `NOFX_SIGNING_KEY`: base64 of the 32 bytes that attestations are signed with.
    pub signing_key: SigningKey,
    /// `NOFX_ENCRYPTION_KEYS`: the keys that seal payloads of the audit log and secrets of hooks (see `crypto::Keyring`); default: those
    /// that the secret store has under this name. A worker without keys does not start.
    pub encryption_keys: Option<Keyring>,
    /// `NOFX_REGION`; default: the region of Vercel or AWS. For events.
    pub region: Option<String>,
    /// `NOFX_IMAGE_DIGEST`: the image that the worker runs from, for attestations.
    pub image: Option<String>,
    /// `NOFX_URL`: where people see runs, for links from elsewhere.
    pub public_url: Option<String>,
    /// `ECS_AGENT_URI`, which ECS sets: where a task requests protection from scale-in while it holds leases.
    pub ecs_agent: Option<String>,
}

impl Reader {
    pub(super) fn worker_name(&self) -> String {
        self.text("NOFX_WORKER_NAME").unwrap_or_else(|| format!("worker-{}", std::process::id()))
    }

    pub(super) fn workspaces(&self) -> PathBuf {
        self.text("NOFX_WORKSPACES").map_or_else(|| std::env::temp_dir().join("nofx-workspaces"), PathBuf::from)
    }

    fn repository_paths(&mut self) -> Vec<PathBuf> {
        let text = self.text("NOFX_REPOSITORY_PATHS").unwrap_or_default();
        let paths: Vec<PathBuf> = text.split(':').filter(|path| !path.is_empty()).map(PathBuf::from).collect();
        if let Some(path) = paths.iter().find(|path| !path.is_absolute()) {
            self.problems.push(format!("NOFX_REPOSITORY_PATHS: {} is not an absolute path", path.display()));
        }
        paths
    }

    fn isolation_floor(&mut self) -> Option<Level> {
        let floor = self.parsed("NOFX_ISOLATION_FLOOR", Level::L2);
        (!self.is_isolation_none()).then_some(floor)
    }

    fn l4_driver(&mut self) -> Option<(Driver, Option<Placement>)> {
        match self.text("NOFX_L4_DRIVER")?.as_str() {
            "task" => Some((Driver::WorkerContainer, Some(Placement::Ecs))),
            "e2b" => Some((Driver::E2b, None)),
            "modal" => Some((Driver::Modal, None)),
            other => {
                self.problems.push(format!("NOFX_L4_DRIVER: `{other}` makes no machines; use task, e2b or modal"));
                None
            }
        }
    }

    fn step_network(&mut self) -> Option<Network> {
        match self.text("NOFX_STEP_NETWORK")?.as_str() {
            "none" => Some(Network::None),
            "proxy" => Some(Network::Proxy),
            "all" => Some(Network::All),
            other => {
                self.problems.push(format!("NOFX_STEP_NETWORK: `{other}` is no network; use none, proxy or all"));
                None
            }
        }
    }

    pub(super) fn dependency_cache(&self) -> PathBuf {
        let beside = || {
            let mut name = self.workspaces().into_os_string();
            name.push("-dependencies");
            PathBuf::from(name)
        };
        self.text("NOFX_DEPENDENCY_CACHE").map_or_else(beside, PathBuf::from)
    }

    fn signing_key(&mut self) -> SigningKey {
        let text = self.required("NOFX_SIGNING_KEY");
        text.parse().unwrap_or_else(|why| {
            if !text.is_empty() {
                self.problems.push(format!("NOFX_SIGNING_KEY: {why}"));
            }
            // Never used: a problem was reported, so no settings are returned.
            SigningKey::placeholder()
        })
    }
}

/// `NOFX_ADMIN_PORT` alone, for health checks of a worker.
pub fn admin_port() -> u16 {
    Reader::default().parsed("NOFX_ADMIN_PORT", 0)
}

/// Reads the settings of a worker.
pub fn worker() -> Result<Worker, Invalid> {
    let mut reader = Reader::default();
    reader.check_telemetry();
    let lease = Duration::from_secs(reader.parsed("NOFX_LEASE_S", 30));
    let worker = Worker {
        supabase: reader.supabase(),
        queue: reader.queue(),
        secrets: reader.secrets(),
        models: reader.models(),
        forges: reader.forges(),
        machines: reader.machines(),
        function: reader.function_endpoint(),
        name: reader.worker_name(),
        concurrency: reader.parsed("NOFX_CONCURRENCY", 512),
        processes: reader.parsed("NOFX_PROCESSES", 16),
        workspaces_bytes: Some(reader.parsed("NOFX_WORKSPACES_MB", 16_384_u64)).filter(|mb| *mb > 0).map(|mb| mb.saturating_mul(1 << 20)),
        lease,
        sweep: match reader.parsed("NOFX_SWEEP_S", 0) {
            0 => Duration::from_secs(15).min(lease / 2),
            seconds => Duration::from_secs(seconds),
        },
        drain: Duration::from_secs(reader.parsed("NOFX_DRAIN_S", 20)),
        admin_port: reader.parsed("NOFX_ADMIN_PORT", 0),
        workspaces: reader.workspaces(),
        repository_paths: reader.repository_paths(),
        allow_private_addresses: reader.parsed("NOFX_ALLOW_PRIVATE_ADDRESSES", false),
        advisory_db: reader.advisory_db(),
        isolation_floor: reader.isolation_floor(),
        l4_driver: reader.l4_driver(),
        step_network: reader.step_network(),
        dependency_cache: reader.dependency_cache(),
        dependency_cache_bytes: u64::from(reader.parsed::<u32>("NOFX_DEPENDENCY_CACHE_MB", 1024)) << 20,
        step_ports: reader.step_ports(),
        signing_key: reader.signing_key(),
        encryption_keys: reader.keyring(),
        region: reader.region(),
        image: reader.text("NOFX_IMAGE_DIGEST"),
        public_url: reader.url("NOFX_URL"),
        ecs_agent: reader.url("ECS_AGENT_URI"),
    };
    reader.finish(worker)
}
