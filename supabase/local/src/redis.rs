//! A Redis for `nofx dev --queue redis`: from the PATH, on a free loopback port, with nothing on disk, since wake-ups may be lost.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::net::TcpStream;

use crate::dirs;
use crate::error::{At, Error, READY_TIMEOUT};
use crate::port::free_port;
use crate::process::{Recipe, Supervised, end_leftover};

/// A running Redis.
pub struct Redis {
    process: Supervised,
    port: u16,
}

impl Redis {
    /// Starts it, after ending the one that a killed stack left behind.
    pub async fn start(data_dir: &Path) -> Result<Self, Error> {
        let program = dirs::on_path("redis-server").ok_or(Error::NotOnPath { tool: "redis-server", package: "redis-server" })?;
        // Debian's is a link: the process carries the name of the file behind it.
        let program = program.canonicalize().at("could not find", &program)?;
        let pid_file = data_dir.join("redis.pid");
        let leftover = std::fs::read_to_string(&pid_file).ok().and_then(|text| text.trim().parse().ok());
        end_leftover(leftover.unwrap_or(0), &program, Signal::SIGTERM).await;
        let port = free_port()?;
        let (port_text, pid_path) = (port.to_string(), pid_file.to_string_lossy().into_owned());
        let recipe = Recipe {
            name: "redis",
            program: dirs::on_path("redis-server").unwrap_or(program),
            args: [
                "--bind",
                "127.0.0.1",
                "--port",
                &port_text,
                "--save",
                "",
                "--appendonly",
                "no",
                "--daemonize",
                "no",
                "--pidfile",
                &pid_path,
            ]
            .map(str::to_owned)
            .to_vec(),
            env: vec![],
            log: data_dir.join("redis.log"),
            user: None,
            stop_with: Signal::SIGTERM,
        };
        let log = recipe.log.clone();
        let process = recipe.supervise()?;
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if begin.elapsed() > READY_TIMEOUT {
                process.stop().await;
                return Err(Error::NotReady { what: "Redis", log });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { process, port })
    }

    /// What `REDIS_URL` is set to.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Ends it.
    pub async fn stop(self) {
        self.process.stop().await;
    }
}
