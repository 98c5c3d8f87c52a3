//! Postgres: created on first start, run with full durability as an unprivileged user, found and ended when it was left behind.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::{Uid, User};
use tokio_postgres::NoTls;

use crate::dirs;
use crate::error::{At, Error, READY_TIMEOUT};
use crate::process::{Recipe, Supervised, end_leftover};

/// The cluster's superuser; as on hosted Supabase, `postgres` is a plain role.
const SUPERUSER: &str = "supabase_admin";

pub(crate) struct Postgres {
    process: Supervised,
    /// Set when the files could not stay in the data folder.
    outside: Option<PathBuf>,
}

/// Where the binaries and the cluster are, and as whom they run.
struct Place {
    home: PathBuf,
    cluster: PathBuf,
    user: Option<(u32, u32)>,
    outside: Option<PathBuf>,
}

impl Place {
    fn choose(root: &Path, data_dir: &Path) -> Result<Self, Error> {
        let home = dirs::postgres_home(root)?;
        if !Uid::effective().is_root() {
            return Ok(Self { home, cluster: data_dir.join("postgres"), user: None, outside: None });
        }
        let nobody = User::from_name("nobody")
            .ok()
            .flatten()
            .ok_or_else(|| Error::failed("finding an unprivileged user for Postgres", "there is no user `nobody`"))?;
        let user = Some((nobody.uid.as_raw(), nobody.gid.as_raw()));
        let home = if dirs::reachable_by_others(&home) { home } else { copy_outside(&home)? };
        let outside = (!dirs::reachable_by_others(data_dir)).then(|| dirs::outside(data_dir));
        let parent = outside.clone().unwrap_or_else(|| data_dir.to_owned());
        Ok(Self { home, cluster: parent.join("postgres"), user, outside })
    }

    fn pid_file(&self) -> PathBuf {
        self.cluster.join("postmaster.pid")
    }
}

impl Postgres {
    /// Starts the cluster of `data_dir`, creating it first when there is none. True: it was created now.
    pub(crate) async fn start(root: &Path, data_dir: &Path, port: u16, password: &str) -> Result<(Self, bool), Error> {
        let place = Place::choose(root, data_dir)?;
        let program = place.home.join("bin/postgres");
        if let Some(pid) = std::fs::read_to_string(place.pid_file()).ok().and_then(|text| text.lines().next()?.parse().ok()) {
            end_leftover(pid, &program, Signal::SIGINT).await;
        }
        let made = !place.cluster.join("PG_VERSION").is_file();
        if made {
            make_cluster(&place, data_dir, password).await?;
        }
        let recipe = Recipe {
            name: "postgres",
            program,
            args: settings(&place.cluster, port),
            env: vec![("LC_ALL".into(), "C.UTF-8".into()), ("TZ".into(), "UTC".into())],
            log: data_dir.join("postgres.log"),
            user: place.user,
            // "Fast shutdown": ends sessions, writes a checkpoint.
            stop_with: Signal::SIGINT,
        };
        let log = recipe.log.clone();
        let process = recipe.supervise()?;
        let postgres = Self { process, outside: place.outside };
        wait_until_ready(&admin_url(port, password), &log).await?;
        Ok((postgres, made))
    }

    pub(crate) fn pid(&self) -> i32 {
        self.process.pid()
    }

    pub(crate) async fn stop(self) {
        self.process.stop().await;
    }

    /// The folder beside the data folder that a removal must remove too.
    pub(crate) fn outside(&self) -> Option<&Path> {
        self.outside.as_deref()
    }
}

/// Connection string of the superuser.
pub(crate) fn admin_url(port: u16, password: &str) -> String {
    url(SUPERUSER, port, password)
}

/// Connection string of any role; all roles of the embedded cluster share one generated password.
pub(crate) fn url(role: &str, port: u16, password: &str) -> String {
    format!("postgres://{role}:{password}@127.0.0.1:{port}/postgres")
}

async fn make_cluster(place: &Place, data_dir: &Path, password: &str) -> Result<(), Error> {
    std::fs::create_dir_all(&place.cluster).at("could not create", &place.cluster)?;
    let password_file = place.cluster.with_extension("password");
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&password_file)
        .and_then(|mut file| file.write_all(password.as_bytes()))
        .at("could not write", &password_file)?;
    if let Some((uid, gid)) = place.user {
        for path in [&place.cluster, &password_file] {
            std::os::unix::fs::chown(path, Some(uid), Some(gid)).at("could not change the owner of", path)?;
        }
    }
    let recipe = Recipe {
        name: "initdb",
        program: place.home.join("bin/initdb"),
        args: [
            "-D",
            &place.cluster.to_string_lossy(),
            "-U",
            SUPERUSER,
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
            "--pwfile",
            &password_file.to_string_lossy(),
        ]
        .map(str::to_owned)
        .to_vec(),
        env: vec![("LC_ALL".into(), "C.UTF-8".into())],
        log: data_dir.join("initdb.log"),
        user: place.user,
        stop_with: Signal::SIGTERM,
    };
    let status = recipe.command()?.status().await.at("could not start", &recipe.program)?;
    std::fs::remove_file(&password_file).at("could not remove", &password_file)?;
    if !status.success() {
        let output = std::fs::read_to_string(&recipe.log).unwrap_or_default();
        return Err(Error::failed("initdb", output.trim()));
    }
    Ok(())
}

/// Full durability is Postgres' default; only sizes are set, and what a small machine gains from.
fn settings(cluster: &Path, port: u16) -> Vec<String> {
    let mut args = vec!["-D".to_owned(), cluster.to_string_lossy().into_owned()];
    for setting in [
        &format!("port={port}"),
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=80",
        "shared_buffers=256MB",
        "fsync=on",
        "synchronous_commit=on",
        "full_page_writes=on",
        "wal_compression=on",
        "max_wal_size=4GB",
        "checkpoint_timeout=15min",
        "jit=off",
        "random_page_cost=1.1",
        "autovacuum_naptime=10s",
        "shared_preload_libraries=pg_stat_statements",
        "timezone=UTC",
        "log_timezone=UTC",
    ] {
        args.extend(["-c".to_owned(), setting.to_owned()]);
    }
    args
}

async fn wait_until_ready(url: &str, log: &Path) -> Result<(), Error> {
    let begin = Instant::now();
    loop {
        match tokio_postgres::connect(url, NoTls).await {
            Ok(_) => return Ok(()),
            Err(_) if begin.elapsed() < READY_TIMEOUT => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(_) => return Err(Error::NotReady { what: "Postgres", log: log.to_owned() }),
        }
    }
}

/// Copies the binaries to where the unprivileged user can reach them, once per version.
fn copy_outside(home: &Path) -> Result<PathBuf, Error> {
    let target = dirs::outside(home);
    if !target.join("bin/postgres").is_file() {
        let half = target.with_extension("half");
        copy_tree(home, &half)?;
        // A rename, so that a copy that was cut off is never taken for a whole one.
        std::fs::rename(&half, &target).at("could not create", &target)?;
    }
    Ok(target)
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(to).at("could not create", to)?;
    for entry in std::fs::read_dir(from).at("could not read", from)? {
        let entry = entry.at("could not read", from)?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target).at("could not copy to", &target)?;
        }
    }
    Ok(())
}
