//! What becomes of one request.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::OwnedSemaphorePermit;

use super::account::Account;
use super::connect::connect;
use super::refusal::Refusal;
use super::{forward, tunnel};

type Answer = Response<BoxBody<Bytes, hyper::Error>>;

/// `permit`: that of the client's connection.
pub(super) async fn answer(
    request: Request<Incoming>,
    account: Arc<Account>,
    permit: Arc<OwnedSemaphorePermit>,
) -> Result<Answer, Infallible> {
    Ok(serve(request, &account, permit).await.unwrap_or_else(|refusal| refused(&refusal)))
}

async fn serve(request: Request<Incoming>, account: &Arc<Account>, permit: Arc<OwnedSemaphorePermit>) -> Result<Answer, Refusal> {
    if !account.admits(request.headers().get(PROXY_AUTHORIZATION).map(HeaderValue::as_bytes)) {
        return Err(Refusal::Credential);
    }
    let authority = request.uri().authority().cloned().ok_or(Refusal::Request)?;
    if request.method() == Method::CONNECT {
        let port = authority.port_u16().ok_or(Refusal::Request)?;
        let host = connect(account, authority.host(), port).await?;
        tunnel::spawn(request, host, account.stop.clone(), permit);
        return Ok(Response::new(text("")));
    }
    if request.uri().scheme_str() != Some("http") {
        return Err(Refusal::Request);
    }
    let host = connect(account, authority.host(), authority.port_u16().unwrap_or(80)).await?;
    let response = forward::forward(request, &authority, host, account.stop.clone()).await?;
    Ok(response.map(BodyExt::boxed))
}

fn refused(refusal: &Refusal) -> Answer {
    let mut response = Response::new(text(&format!("nofx egress proxy: {refusal}\n")));
    *response.status_mut() = refusal.status();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if refusal.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        response.headers_mut().insert(PROXY_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"nofx\""));
    }
    response
}

fn text(text: &str) -> BoxBody<Bytes, hyper::Error> {
    Full::new(Bytes::copy_from_slice(text.as_bytes())).map_err(|never| match never {}).boxed()
}
