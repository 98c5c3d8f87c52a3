//! Who may see pages: those with a session, which is renewed while its refresh token is valid. Others are sent to sign in.

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use nofx_shared::auth::Caller;
use nofx_shared::problem::Kind;

use super::Session;
use super::cookies::{REFRESH_COOKIE, is_secure, store};
use crate::http::{Identity, cookie};
use crate::ui::Ui;
use crate::ui::url::encode;

/// Requires a session, renewing an expired one; others are sent to sign in and return.
pub(in crate::ui) async fn require(State(ui): State<Ui>, mut request: Request, next: Next) -> Response {
    let identity = request.extensions().get::<Identity>().cloned().unwrap_or_default();
    let is_signed_in = match &identity.caller {
        Some(Ok(_)) => true,
        // It cannot be verified now: signing in again would not help.
        Some(Err(problem)) => problem.kind == Kind::Unavailable,
        None => false,
    };
    if is_signed_in {
        return next.run(request).await;
    }
    if let Some(refresh) = cookie(request.headers(), REFRESH_COOKIE).map(str::to_owned)
        && let Ok(granted) = ui.auth.refresh(&refresh).await
        && let Ok(caller) = ui.app.identify(&granted.access_token).await
    {
        let secure = is_secure(request.headers());
        let caller = Caller { origin: identity.origin.clone(), ..caller };
        request.extensions_mut().insert(Identity { caller: Some(Ok(caller)), ..identity });
        let mut response = next.run(request).await;
        store(response.headers_mut(), &granted, secure, None);
        return response;
    }
    let back =
        if request.method() == Method::GET { request.uri().path_and_query().map_or("/ui/runs", |path| path.as_str()) } else { "/ui/runs" };
    let to = format!("/ui/sign-in?next={}", encode(back));
    if request.headers().contains_key("hx-request") {
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", to)]).into_response();
    }
    Redirect::to(&to).into_response()
}

/// `GET /ui/session`: checks the session; a script calls it before it opens a stream again.
pub(in crate::ui) async fn show(_: Session) -> StatusCode {
    StatusCode::NO_CONTENT
}
