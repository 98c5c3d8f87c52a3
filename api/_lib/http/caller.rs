//! The caller: `Authorization: Bearer <Supabase JWT | nofx_… API key>`.

use std::net::IpAddr;
use std::ops::Deref;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use nofx_shared::auth::{Caller, Role};
use nofx_shared::db::RequestOrigin;
use nofx_shared::limits::LimitCheck;
use nofx_shared::problem::{Kind, Problem};
use subtle::{Choice, ConstantTimeEq};

use super::cookie::{SESSION_COOKIE, cookie};
use super::request_id::RequestId;
use super::{Refusal, limit_response};
use crate::App;

/// The address of a client, as the host knows it: never from a header that the client sends. A host puts it into the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// What is known of a request before it reaches its route.
#[derive(Clone, Default)]
pub(crate) struct Identity {
    pub origin: RequestOrigin,
    /// The caller of its credential; none without one.
    pub caller: Option<Result<Caller, Problem>>,
}

/// Checks the credential, once for the whole request. Addresses that have tried too many invalid API keys are refused first.
pub(super) async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let origin = RequestOrigin {
        request_id: extensions.get::<RequestId>().map(|id| id.0.clone()),
        address: extensions.get::<ClientAddress>().map(|address| address.0),
        actor: None,
    };
    let credential = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credential = credential.and_then(|text| text.strip_prefix("Bearer ")).or_else(|| of_session(&request)).map(str::to_owned);
    let caller = match credential {
        None => None,
        Some(credential) => {
            let failures = origin.address.map(|address| LimitCheck::failed_auth(app.limits().settings(), address));
            let is_new_key = credential.starts_with("nofx_") && !app.is_known_key(&credential);
            let failures = failures.filter(|check| check.policy.limit > 0 && is_new_key);
            if let Some(state) = failures.as_ref().and_then(|check| app.limits().is_used_up(check)) {
                return limit_response::refuse(&state);
            }
            let mut found = app.identify(&credential).await;
            if let (Ok(caller), true) = (&found, needs_session(&request)) {
                found = app.require_session(caller).await.and(found);
            }
            if let (Err(Problem { kind: Kind::Unauthorized, .. }), Some(check)) = (&found, failures) {
                app.limits().take(&[check]).await;
            }
            Some(found.map(|caller| Caller { origin: origin.clone(), ..caller }))
        }
    };
    request.extensions_mut().insert(Identity { origin, caller });
    next.run(request).await
}

/// Whether a request changes something: then a token of a session counts only while the session is open. Signing out is always possible.
fn needs_session(request: &Request) -> bool {
    !request.method().is_safe() && request.uri().path() != "/ui/sign-out"
}

/// The session of a browser. Browsers send it with every request, also with one that another site started: so it counts only for reads, and
/// for pages, whose forms prove where they came from.
fn of_session(request: &Request) -> Option<&str> {
    let may = request.method().is_safe() || request.uri().path().starts_with("/ui/");
    cookie(request.headers(), SESSION_COOKIE).filter(|_| may)
}

/// A caller whose credential was checked; what it may do is decided by the database.
pub(crate) struct Authenticated(pub Caller);

impl FromRequestParts<App> for Authenticated {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let identity = parts.extensions.get::<Identity>().cloned().unwrap_or_default();
        let Some(caller) = identity.caller else {
            return Err(Problem::new(Kind::Unauthorized, "Send `Authorization: Bearer` with a token or an API key.").into());
        };
        let caller = caller?;
        if let Some(scopes) = &caller.scopes {
            let scope = scope_of(parts.uri.path());
            if !scopes.iter().any(|one| one == scope) {
                let detail = format!("The API key has the scopes {}; this request requires the scope {scope}.", scopes.join(", "));
                return Err(Problem::new(Kind::Forbidden, detail).into());
            }
        }
        Ok(Self(caller))
    }
}

/// The part of the API that a path belongs to, as scopes of keys name it.
fn scope_of(path: &str) -> &str {
    let path = path.strip_prefix("/api").unwrap_or(path);
    match path.split('/').nth(1).unwrap_or_default() {
        part @ ("runs" | "gates" | "artifacts" | "events" | "dlq" | "hooks" | "audit") => part,
        _ => "system",
    }
}

impl Authenticated {
    /// Refuses a caller whose role is too low, where the database would only return no rows.
    pub(crate) fn at_least(&self, role: Role) -> Result<(), Refusal> {
        if self.role >= role {
            return Ok(());
        }
        let name = serde_json::to_value(role).unwrap_or_default();
        let detail = format!("Requires the {} role or higher. Ask an admin of your tenant.", name.as_str().unwrap_or_default());
        Err(Problem::new(Kind::Forbidden, detail).into())
    }
}

/// An admin who operates the deployment: a credential of the role admin and, besides, a key in `X-Internal-Api-Key`.
pub(crate) struct Operator(pub Caller);

impl FromRequestParts<App> for Operator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        if !has_internal_key(app, &parts.headers) {
            return Err(Problem::new(Kind::Unauthorized, "Send the deployment's key in `X-Internal-Api-Key`.").into());
        }
        let caller = Authenticated::from_request_parts(parts, app).await?;
        caller.at_least(Role::Admin)?;
        Ok(Self(caller.0))
    }
}

/// Whether the request has a key of the deployment in `X-Internal-Api-Key`.
pub(crate) fn has_internal_key(app: &App, headers: &HeaderMap) -> bool {
    let given = headers.get("x-internal-api-key").map(|value| value.as_bytes()).unwrap_or_default();
    // Compared with all of them, so that the time it takes reveals nothing.
    let keys = app.settings().internal_api_keys.iter();
    keys.fold(Choice::from(0), |so_far, key| so_far | given.ct_eq(key.as_bytes())).into()
}

impl Deref for Authenticated {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}
