//! Starts everything, rewrites `dev.json` when a process was started again, stops everything. The order of starting is the order of
//! stopping, backwards.

use std::time::Duration;

use nofx_api::App;
use nofx_local::{Options, Stack};
use nofx_shared::settings;
use nofx_shared::telemetry;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::options::Dev;
use super::queue::Queue;
use super::running::Running;
use super::worker::Worker;
use super::{dev_file, worker};
use crate::exit::{Error, Exit, Outcome};
use crate::output;
use crate::serve::{serve, stopped};
use crate::target::Target;

pub(crate) async fn run(target: &Target, options: Dev) -> Outcome {
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
    let dev = start(&options, listener.local_addr().map_err(Error::new)?.port()).await?;
    dev.seed().await?;

    let public = nofx_local::dirs::checkout().map_err(Error::new)?.join("public");
    let app = App::new(dev.api_settings(limits));
    // The function that executes steps is here the API's own process.
    let executor = nofx_worker::function_executor(settings::function().map_err(Error::new)?, app.service_db().clone());
    let app = app.executing_with(executor);
    let router = nofx_api::with_public_files(nofx_api::app_router(&app), &public)
        .map_err(|error| Error::new(format!("{}: {error}", public.display())))?;
    let (stop_api, api_stopping) = watch::channel(false);
    let api = tokio::spawn(serve(listener, router, api_stopping));
    let (stop, stopping) = watch::channel(false);
    let workers: Vec<_> = (0..options.workers).map(|n| Worker::start(&dev, n, stopping.clone())).collect::<Result<_, _>>()?;
    dev_file::write(&dev, &workers)?;
    greet(&dev, target.non_interactive);

    let mut last = dev_file::pids(&dev, &workers);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            () = stopped(&mut input_ended) => break,
            // Children that died were started again with new ids.
            () = tokio::time::sleep(Duration::from_millis(300)) => {
                let now = dev_file::pids(&dev, &workers);
                if now != last {
                    last = now;
                    dev_file::write(&dev, &workers)?;
                }
            }
        }
    }
    output::note(format_args!("stopping"));
    dev_file::remove(&dev.data_dir);
    stop.send_replace(true);
    for worker in workers {
        drop(worker.handle.await);
    }
    // Its last connections and listeners end before the database that they use.
    app.close();
    stop_api.send_replace(true);
    drop((api.await, app));
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

/// The database, PostgREST and the queue's server, once what a killed `nofx dev` left behind is gone.
async fn start(options: &Dev, port: u16) -> Result<Running, Error> {
    let data_dir = std::path::absolute(&options.data_dir).map_err(Error::new)?;
    for pid in dev_file::left_behind(&data_dir) {
        worker::end(pid);
    }
    let stack = Stack::start(Options { data_dir: data_dir.clone(), db_url: settings::existing_database(), fresh: options.fresh })
        .await
        .map_err(Error::new)?;
    match Queue::start(options.queue, &data_dir).await {
        Ok(queue) => Ok(Running { stack, queue, port, data_dir }),
        Err(error) => {
            stack.stop().await;
            Err(Error::new(error))
        }
    }
}

/// The log of a job is read by more people than the terminal of a person: it has no password.
fn greet(dev: &Running, non_interactive: bool) {
    let base = format!("http://127.0.0.1:{}", dev.port);
    output::notes(&format!("NOFX runs at {base}\n  dashboard: {base}/ui"));
    for person in dev.stack.people().iter().filter(|person| person.role == "supervisor") {
        let (email, file) = (&person.email, dev.data_dir.join("dev.json"));
        if non_interactive {
            output::note(format_args!("  sign in as {email}, with the password in {}", file.display()));
        } else {
            output::note(format_args!("  sign in as {email} with {} (the others are in {})", person.password, file.display()));
        }
    }
    output::notes("  try: nofx run examples/hello.json --watch\n  Ctrl-C stops it");
}
