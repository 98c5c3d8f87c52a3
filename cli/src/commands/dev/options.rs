//! What `nofx dev` takes. These comments are its help.

use std::path::PathBuf;

#[derive(clap::ValueEnum, Clone, Copy, Default)]
pub(crate) enum Queue {
    #[default]
    Postgres,
    Redis,
    Sqs,
}

#[derive(clap::Args, Clone)]
pub(crate) struct Dev {
    /// Port of the API.
    #[arg(long, default_value_t = 3000)]
    pub port: u16,
    /// Data directory.
    #[arg(long, default_value = ".nofx")]
    pub data_dir: PathBuf,
    /// Worker processes.
    #[arg(long, default_value_t = 1)]
    pub workers: usize,
    /// Queue driver that wakes workers. `redis` starts a Redis of its own, from the PATH; `sqs` an AWS emulator.
    #[arg(long, value_enum, default_value_t)]
    pub queue: Queue,
    /// Delete the data directory and start fresh.
    #[arg(long)]
    pub fresh: bool,
    /// For tests: once standard input ends, as it does when the process at its other end dies, stop and remove the data folder.
    #[arg(long, hide = true)]
    pub temporary: bool,
}
