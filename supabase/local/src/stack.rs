//! The whole stack: the order in which its parts start and stop is the page to read first.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use uuid::Uuid;

use crate::dirs;
use crate::error::{At, Error};
use crate::gateway::{self, Services, Upstream};
use crate::people::Person;
use crate::port::free_port;
use crate::postgres::{self, Postgres};
use crate::postgrest::{self, Postgrest};
use crate::project::Project;
use crate::realtime::Realtime;
use crate::secrets::Secrets;
use crate::signing_key::SigningKey;
use crate::storage::Storage;
use crate::{migrate, process};

/// How to start a stack.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory.
    pub data_dir: PathBuf,
    /// An existing Postgres (with Supabase's roles) instead of our own; its migrations are applied too.
    pub db_url: Option<String>,
    /// Delete the data and start fresh.
    pub fresh: bool,
}

/// A running stack. Dropping it leaves its processes to the next start; call [`Stack::stop`].
pub struct Stack {
    postgres: Option<Postgres>,
    postgrest: Postgrest,
    gateway: gateway::Running,
    secrets: Secrets,
    data_dir: PathBuf,
    db_url: String,
    admin_url: String,
}

impl Stack {
    /// Starts Postgres, applies the schema, starts PostgREST and the gateway. On an error nothing stays running.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let root = dirs::checkout()?;
        let data_dir = std::path::absolute(&options.data_dir).at("could not find", &options.data_dir)?;
        if options.fresh {
            clear(&data_dir).await?;
        }
        dirs::make_data(&data_dir)?;
        let lock = Lock::take(&data_dir)?;
        let secrets = Secrets::open(&data_dir)?;

        let (postgres, db_url, admin_url, rest_db_url) = match options.db_url {
            Some(url) => (None, url.clone(), url.clone(), url),
            None => {
                let port = free_port()?;
                let (postgres, made) = Postgres::start(&root, &data_dir, port, &secrets.db_password).await?;
                let admin_url = postgres::admin_url(port, &secrets.db_password);
                let bootstrapped = data_dir.join("bootstrapped");
                if made || !bootstrapped.exists() {
                    if let Err(error) = migrate::bootstrap(&admin_url, &secrets.db_password).await {
                        postgres.stop().await;
                        return Err(error);
                    }
                    std::fs::write(&bootstrapped, "").at("could not write", &bootstrapped)?;
                }
                let rest = postgrest::db_url(port, &secrets.db_password);
                (Some(postgres), postgres::url("postgres", port, &secrets.db_password), admin_url, rest)
            }
        };

        match Self::finish(&root, &data_dir, &secrets, &db_url, &admin_url, &rest_db_url, lock.leftover_postgrest).await {
            Ok((postgrest, gateway)) => {
                let stack = Self { postgres, postgrest, gateway, secrets, data_dir, db_url, admin_url };
                stack.remember_pids()?;
                Ok(stack)
            }
            Err(error) => {
                if let Some(postgres) = postgres {
                    postgres.stop().await;
                }
                Err(error)
            }
        }
    }

    async fn finish(
        root: &Path,
        data_dir: &Path,
        secrets: &Secrets,
        db_url: &str,
        admin_url: &str,
        rest_db_url: &str,
        leftover: i32,
    ) -> Result<(Postgrest, gateway::Running), Error> {
        migrate::migrate(root, data_dir, db_url).await?;
        let signing_key = SigningKey::read(&secrets.signing_key)
            .ok_or_else(|| Error::failed("reading secrets.json", "signing_key is not a key; pass --fresh"))?;
        let keys = signing_key.with_secret(&secrets.jwt_secret).to_string();
        let postgrest = Postgrest::start(root, data_dir, rest_db_url, &keys, leftover).await?;
        let project = Project {
            jwt_secret: secrets.jwt_secret.clone(),
            signing_key,
            anon_key: secrets.anon_key.clone(),
            service_role_key: secrets.service_role_key.clone(),
            people: secrets.people.clone(),
            tenant_id: secrets.tenant_id,
            mail: data_dir.join("mail.jsonl"),
            used_tokens: Mutex::default(),
            ended_sessions: Mutex::default(),
        };
        let services = Services {
            project: Arc::new(project),
            storage: Arc::new(Storage::open(data_dir.join("storage"), admin_url.to_owned())?),
            realtime: Realtime::open(admin_url.to_owned()),
            upstream: Arc::new(Upstream::new(format!("http://127.0.0.1:{}", postgrest.port))),
        };
        match gateway::serve(services).await {
            Ok(running) => Ok((postgrest, running)),
            Err(error) => {
                postgrest.stop().await;
                Err(error)
            }
        }
    }

    /// Stops everything, last started first.
    pub async fn stop(self) {
        self.gateway.stop().await;
        self.postgrest.stop().await;
        if let Some(postgres) = self.postgres {
            postgres.stop().await;
        }
        // The next start then finds no owner; after a failure here it only checks a dead pid.
        drop(std::fs::remove_file(self.data_dir.join("stack.pid")));
    }

    /// Stops everything, and removes the data if it is abandoned by then.
    pub async fn stop_and_remove_if(self, is_abandoned: impl FnOnce() -> bool) -> Result<(), Error> {
        let data_dir = self.data_dir.clone();
        let outside = self.postgres.as_ref().and_then(|postgres| postgres.outside().map(Path::to_owned));
        self.stop().await;
        if !is_abandoned() {
            return Ok(());
        }
        for dir in [Some(data_dir), outside].into_iter().flatten() {
            remove(&dir)?;
        }
        Ok(())
    }

    /// Where `/rest/v1`, `/storage/v1` and `/auth/v1` are.
    pub fn supabase_url(&self) -> String {
        format!("http://{}", self.gateway.address)
    }

    /// PostgREST itself, without the gateway before it.
    pub fn rest_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.postgrest.port)
    }

    /// Connection string of the role that owns the schema.
    pub fn db_url(&self) -> &str {
        &self.db_url
    }

    /// Connection string of the superuser, for tests that look behind the scenes.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    pub fn jwt_secret(&self) -> &str {
        &self.secrets.jwt_secret
    }

    /// The keys that seal payloads of the audit log.
    pub fn encryption_keys(&self) -> &str {
        &self.secrets.encryption_keys
    }

    /// The key that workers sign attestations with.
    pub fn artifact_key(&self) -> &str {
        &self.secrets.artifact_key
    }

    /// What workers sign calls of the function that executes steps with.
    pub fn function_key(&self) -> &str {
        &self.secrets.function_key
    }

    pub fn internal_api_key(&self) -> &str {
        &self.secrets.internal_api_key
    }

    pub fn anon_key(&self) -> String {
        self.secrets.anon_key.clone()
    }

    pub fn service_role_key(&self) -> String {
        self.secrets.service_role_key.clone()
    }

    pub fn tenant_id(&self) -> Uuid {
        self.secrets.tenant_id
    }

    pub fn people(&self) -> &[Person] {
        &self.secrets.people
    }

    /// Process ids of the moment: Postgres (0 when it is not ours) and PostgREST.
    pub fn pids(&self) -> (i32, i32) {
        (self.postgres.as_ref().map_or(0, Postgres::pid), self.postgrest.pid())
    }

    /// Stores the pids that a start after a crash has to end.
    pub fn remember_pids(&self) -> Result<(), Error> {
        let path = self.data_dir.join("stack.pid");
        std::fs::write(&path, format!("{}\n{}\n", std::process::id(), self.postgrest.pid())).at("could not write", path)
    }
}

/// The claim on a data folder: one stack at a time.
struct Lock {
    leftover_postgrest: i32,
}

impl Lock {
    fn take(data_dir: &Path) -> Result<Self, Error> {
        let path = data_dir.join("stack.pid");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let mut pids = text.lines().map(|line| line.parse::<i32>().unwrap_or(0));
        let (owner, leftover_postgrest) = (pids.next().unwrap_or(0), pids.next().unwrap_or(0));
        let ours = std::fs::read_link("/proc/self/exe").ok();
        let alive = owner > 0
            && u32::try_from(owner) != Ok(std::process::id())
            && std::fs::read_link(format!("/proc/{owner}/exe")).ok().is_some_and(|exe| Some(exe) == ours);
        if alive {
            return Err(Error::InUse { dir: data_dir.to_owned(), pid: owner });
        }
        std::fs::write(&path, format!("{}\n{leftover_postgrest}\n", std::process::id())).at("could not write", path)?;
        Ok(Self { leftover_postgrest })
    }
}

async fn clear(data_dir: &Path) -> Result<(), Error> {
    let cluster_dirs = [data_dir.join("postgres"), dirs::outside(data_dir).join("postgres")];
    for cluster in &cluster_dirs {
        let pid = std::fs::read_to_string(cluster.join("postmaster.pid")).ok().and_then(|text| text.lines().next()?.parse().ok());
        process::end_leftover(pid.unwrap_or(0), Path::new("postgres"), nix::sys::signal::Signal::SIGINT).await;
    }
    for name in ["postgres", "storage", "workspaces"] {
        remove(&data_dir.join(name))?;
    }
    remove(&dirs::outside(data_dir))?;
    for name in ["secrets.json", "migrated", "bootstrapped", "postgres.log", "postgrest.log", "initdb.log"] {
        match std::fs::remove_file(data_dir.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).at("could not remove", data_dir.join(name)),
            _ => {}
        }
    }
    Ok(())
}

fn remove(dir: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).at("could not remove", dir),
        _ => Ok(()),
    }
}
