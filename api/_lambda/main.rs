//! The API as one Lambda function, behind a function URL (invoke mode `RESPONSE_STREAM`, so that event streams stream) or an HTTP API.

use std::process::ExitCode;

use lambda_http::request::RequestContext;
use lambda_http::tower::ServiceExt;
use lambda_http::{Request, RequestExt, run_with_streaming_response, service_fn};
use nofx_api::{App, ClientAddress};
use nofx_shared::{settings, telemetry};

// One request at a time: the platform starts as many processes as there are requests.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::start(&settings::telemetry("nofx-api"));
    let api_settings = match settings::api() {
        Ok(settings) => settings,
        Err(error) => {
            tracing::error!("{error}");
            return ExitCode::from(2);
        }
    };
    let public = settings::lambda_folder().join("public");
    let router = match nofx_api::with_public_files(nofx_api::app_router(&App::new(api_settings)), &public) {
        Ok(router) => router,
        Err(error) => {
            tracing::error!(%error, "{} must have the dashboard's files: package `public` beside `bootstrap`", public.display());
            return ExitCode::from(2);
        }
    };
    let handler = service_fn(move |request: Request| {
        let router = router.clone();
        let address = match request.request_context() {
            RequestContext::ApiGatewayV2(context) => context.http.source_ip.and_then(|ip| ip.parse().ok()),
            _ => None,
        };
        let mut request = request;
        if let Some(address) = address {
            request.extensions_mut().insert(ClientAddress(address));
        }
        async move {
            let response = router.oneshot(request).await;
            // After the answer the platform freezes the process.
            telemetry::flush().await;
            response
        }
    });
    match run_with_streaming_response(handler).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = &*error as &dyn std::error::Error, "the function could not run");
            ExitCode::FAILURE
        }
    }
}
