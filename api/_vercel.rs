//! The host of the functions: one router of `nofx_api` on Vercel's runtime. Knows no route; the only user of `vercel_runtime`.
//!
//! Its own adapter instead of the runtime's axum layer: every body streams both ways, an invocation ends when its body does,
//! and on SIGTERM streams end, so that their clients reconnect elsewhere and miss nothing.

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use nofx_api::{App, Background, ClientAddress};
use nofx_shared::db::Db;
use nofx_shared::function_calls::Executor;
use nofx_shared::{settings, telemetry};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tower::{Service, ServiceExt};
use vercel_runtime::{AppState, Error, Request, Response, ResponseBody};

/// Serves one function of `nofx_api` until the platform ends the process. Not generic and not async, so that it is compiled
/// once and not again in every function.
pub fn serve(function: fn(&App) -> Router) -> ExitCode {
    start(None, function)
}

/// The same for a function that executes steps. The executor gets the database as the service role.
pub fn serve_with(executor: fn(settings::Function, Db) -> Arc<dyn Executor>, function: fn(&App) -> Router) -> ExitCode {
    start(Some(executor), function)
}

/// Makes what executes steps, of the settings and the database.
type MakeExecutor = fn(settings::Function, Db) -> Arc<dyn Executor>;

fn start(executor: Option<MakeExecutor>, function: fn(&App) -> Router) -> ExitCode {
    telemetry::start(&settings::telemetry("nofx-api"));
    let read = || Ok((settings::api()?, executor.map(|executor| Ok((executor, settings::function()?))).transpose()?));
    let (settings, executor) = match read() {
        Ok(settings) => settings,
        Err::<_, settings::Invalid>(error) => {
            tracing::error!("{error}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime.map_err(Error::from).and_then(|runtime| {
        runtime.block_on(async {
            let mut app = App::new(settings);
            if let Some((executor, settings)) = executor {
                let executor = executor(settings, app.service_db().clone());
                app = app.executing_with(executor);
            }
            let router = function(&app);
            close_on_sigterm(app)?;
            vercel_runtime::run(Adapter { router }).await
        })
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = &*error as &dyn std::error::Error, "the function could not run");
            ExitCode::FAILURE
        }
    }
}

/// The runtime stops accepting by itself and waits for what is open; this makes streams end soon.
fn close_on_sigterm(app: App) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        terminate.recv().await;
        app.close();
    });
    Ok(())
}

#[derive(Clone)]
struct Adapter {
    router: Router,
}

impl Service<(AppState, Request)> for Adapter {
    type Response = Response<ResponseBody>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (state, request): (AppState, Request)) -> Self::Future {
        let router = self.router.clone();
        let (open, closed) = oneshot::channel();
        // The invocation lasts until the body is dropped, which ends `closed`, and its spans are sent.
        state.wait_until(async {
            drop(closed.await);
            telemetry::flush().await;
        });
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Background::new(move |work| state.wait_until(work)));
        // Vercel writes this header itself, whatever a client sends.
        let address = request.headers().get("x-real-ip").and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(address) = address {
            request.extensions_mut().insert(ClientAddress(address));
        }
        Box::pin(async move {
            let response = router.oneshot(request).await?;
            Ok(response.map(|body| ResponseBody(Streamed { body: Mutex::new(body), _open: open }.boxed())))
        })
    }
}

/// A body that signals when it ends or is dropped.
struct Streamed {
    /// Only because the runtime wants bodies that are `Sync`; nothing ever waits for it.
    body: Mutex<Body>,
    _open: oneshot::Sender<()>,
}

impl Streamed {
    fn body(&mut self) -> &mut Body {
        self.body.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(self.body()).poll_frame(context).map_err(Error::from)
    }

    fn is_end_stream(&self) -> bool {
        self.body.lock().is_ok_and(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.lock().map(|body| body.size_hint()).unwrap_or_default()
    }
}
