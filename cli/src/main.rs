//! The `nofx` command: one file a subcommand. Data goes to standard output, messages to standard error.

mod api;
mod args;
mod bench;
mod commands;
mod exit;
mod follow;
mod output;
mod serve;
mod target;

use clap::Parser;

use crate::args::{Args, Command};
use crate::commands::artifact::Artifact;
use crate::exit::Exit;

// One thread: what computes runs in processes of its own, and tasks that wake each other across threads cost more than they gain.
#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let args = Args::parse();
    let target = &args.target;
    let result = match args.command {
        Command::Dev(options) => commands::dev::run(target, options).await,
        Command::Worker => commands::worker::run().await,
        Command::Run(options) => commands::run::run(target, options).await,
        Command::Runs(options) => commands::runs::run(target, options).await,
        Command::Show(options) => commands::show::run(target, options).await,
        Command::Events(options) => commands::events::run(target, options).await,
        Command::Approve(options) => commands::decide::run(target, "approve", options).await,
        Command::Reject(options) => commands::decide::run(target, "reject", options).await,
        Command::Waive(options) => commands::decide::run(target, "waive", options).await,
        Command::Gate(command) => commands::gate::run(target, command).await,
        Command::Cancel(options) => commands::control::run(target, "cancel", options).await,
        Command::Retry(options) => commands::control::run(target, "retry", options).await,
        Command::Artifact(Artifact::Get(options)) => commands::artifact::get(target, options).await,
        Command::Artifact(Artifact::Verify(options)) => commands::artifact::verify(target, options).await,
        Command::Dlq(command) => commands::dlq::run(target, command).await,
        Command::Isolation(options) => commands::isolation::run(target, options).await,
        Command::Workspace(command) => commands::workspace::run(target, command).await,
        Command::Audit(command) => commands::audit::run(target, command).await,
        Command::Retention(options) => commands::retention::run(target, options).await,
        Command::Smoke(options) => commands::smoke::run(target, options).await,
        Command::Bench(options) => bench::run(target, options).await,
    };
    match result {
        Ok(exit) => exit.code(),
        Err(error) => {
            eprintln!("nofx: {error:#}");
            Exit::Refused.code()
        }
    }
}
