//! The `nofx` command: one file a subcommand. Data goes to standard output, messages to standard error.
#![warn(clippy::print_stderr, reason = "what is printed goes through `output`")]

mod api;
mod args;
mod bench;
mod commands;
mod exit;
mod follow;
mod output;
mod serve;
mod target;

use std::process::ExitCode;

use clap::Parser;
use nofx_sandbox::{Entered, Sandbox};

use crate::args::{Args, Command};
use crate::bench::Bench;
use crate::commands::artifact::Artifact;
use crate::exit::{Error, Exit};

fn main() -> ExitCode {
    // First of all: a worker's processes are this program, too.
    if let Some(code) = nofx_sandbox::take_role() {
        return code;
    }
    let args = Args::parse();
    let sandbox = match args.command {
        Command::Worker | Command::Bench(Bench::Spawn | Bench::Workspace) => match nofx_sandbox::enter() {
            Ok(Entered::Worker(sandbox)) => Some(sandbox),
            Ok(Entered::Ended(code)) => return code,
            Err(error) => return failed(&error),
        },
        // Its tools are those of whoever wrote the tree.
        Command::Gate(_) => match nofx_sandbox::conceal() {
            Ok(()) => None,
            Err(error) => return failed(&error),
        },
        _ => None,
    };
    // One thread: what computes runs in processes of its own, and tasks that wake each other across threads cost more than they gain.
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(args, sandbox)),
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::fmt::Display) -> ExitCode {
    output::notes(&format!("nofx: {error}"));
    Exit::Refused.code()
}

async fn run(args: Args, sandbox: Option<Sandbox>) -> ExitCode {
    let target = &args.target;
    let result = match args.command {
        Command::Dev(options) => commands::dev::run(target, options).await,
        Command::Worker => match sandbox {
            Some(sandbox) => commands::worker::run(sandbox).await,
            None => Err(Error::new("a worker needs its supervisor")),
        },
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
        Command::Policy(options) => commands::policy::run(target, options).await,
        Command::Quota(options) => commands::quota::run(target, options).await,
        Command::Workspace(command) => commands::workspace::run(target, command).await,
        Command::Audit(command) => commands::audit::run(target, command).await,
        Command::Retention(options) => commands::retention::run(target, options).await,
        Command::Sandbox(command) => commands::sandbox::run(target, command).await,
        Command::Smoke(options) => commands::smoke::run(target, options).await,
        Command::Bench(options) => bench::run(target, options, sandbox).await,
    };
    match result {
        Ok(exit) => exit.code(),
        // The message may repeat what a server, a file or a tool printed.
        Err(error) => failed(&nofx_worker::printable(&format!("{error:#}"))),
    }
}
