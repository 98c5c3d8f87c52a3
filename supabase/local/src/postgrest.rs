//! PostgREST: the real one, with Supabase's settings.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::dirs;
use crate::error::{Error, READY_TIMEOUT};
use crate::port::free_port;
use crate::postgres;
use crate::process::{Recipe, Supervised, end_leftover};

pub(crate) struct Postgrest {
    process: Supervised,
    pub port: u16,
}

impl Postgrest {
    pub(crate) async fn start(root: &Path, data_dir: &Path, db_url: &str, keys: &str, leftover: i32) -> Result<Self, Error> {
        let program = dirs::postgrest(root)?;
        end_leftover(leftover, &program, Signal::SIGTERM).await;
        let port = free_port()?;
        let admin_port = free_port()?;
        let setting = |name: &str, value: &str| (format!("PGRST_{name}"), value.to_owned());
        let recipe = Recipe {
            name: "postgrest",
            program,
            args: vec![],
            // In the environment, not in a file: it holds the secret.
            env: vec![
                setting("DB_URI", db_url),
                setting("DB_SCHEMAS", "nofx,observability,ops"),
                setting("DB_EXTRA_SEARCH_PATH", "extensions"),
                setting("DB_ANON_ROLE", "anon"),
                // It would be made anew of every table and function for each token: work of the database, for whoever asks.
                setting("OPENAPI_MODE", "disabled"),
                // As in supabase/config.toml: a read without a limit ends there.
                setting("DB_MAX_ROWS", "10000"),
                setting("DB_POOL", "10"),
                setting("JWT_SECRET", keys),
                setting("JWT_CACHE_MAX_LIFETIME", "3600"),
                setting("SERVER_HOST", "127.0.0.1"),
                setting("SERVER_PORT", &port.to_string()),
                setting("ADMIN_SERVER_PORT", &admin_port.to_string()),
                setting("LOG_LEVEL", "error"),
                // One core: on one machine Postgres needs the others, and the parallel collector spins while it waits for them.
                ("GHCRTS".to_owned(), "-N1".to_owned()),
            ],
            log: data_dir.join("postgrest.log"),
            user: None,
            stop_with: Signal::SIGTERM,
        };
        let log = recipe.log.clone();
        let process = recipe.supervise()?;
        let ready = format!("http://127.0.0.1:{admin_port}/ready");
        let begin = Instant::now();
        while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
            if begin.elapsed() > READY_TIMEOUT {
                process.stop().await;
                return Err(Error::NotReady { what: "PostgREST", log });
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        Ok(Self { process, port })
    }

    pub(crate) fn pid(&self) -> i32 {
        self.process.pid()
    }

    pub(crate) async fn stop(self) {
        self.process.stop().await;
    }
}

/// The role that PostgREST signs in as.
pub(crate) fn db_url(port: u16, password: &str) -> String {
    postgres::url("authenticator", port, password)
}
