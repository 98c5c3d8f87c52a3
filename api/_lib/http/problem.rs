//! Problems as HTTP (RFC 9457). The only file with status codes of refusals.

use std::any::Any;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use nofx_shared::db;
use nofx_shared::problem::{Fault, Kind, Problem};
use nofx_shared::storage;
use serde::{Deserialize, Serialize};

/// A refusal on its way out.
#[derive(Debug)]
pub(crate) struct Refusal(pub Problem);

/// The status of a kind of problem.
pub(crate) fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Unauthorized => StatusCode::UNAUTHORIZED,
        Kind::AppendOnly | Kind::Forbidden | Kind::HookDenied | Kind::SelfApproval => StatusCode::FORBIDDEN,
        Kind::ApiKeyNotFound
        | Kind::ArtifactNotFound
        | Kind::DbWriteRuleNotFound
        | Kind::DeliveryNotFound
        | Kind::GateNotFound
        | Kind::GatePolicyNotFound
        | Kind::HookNotFound
        | Kind::LegalHoldNotFound
        | Kind::NotFound
        | Kind::RunNotFound
        | Kind::StepNotFound
        | Kind::UnknownTenant
        | Kind::WebhookSourceNotFound => StatusCode::NOT_FOUND,
        Kind::AlreadyApproved
        | Kind::BlobDeleting
        | Kind::GateDecided
        | Kind::GateExpired
        | Kind::IdTaken
        | Kind::IllegalTransition
        | Kind::LeaseExpired
        | Kind::LegalHold
        | Kind::RequestInProgress
        | Kind::RunFinished
        | Kind::RunNotFailed
        | Kind::StepStarted => StatusCode::CONFLICT,
        Kind::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::InvalidRequest => StatusCode::BAD_REQUEST,
        Kind::Cycle
        | Kind::DuplicateName
        | Kind::EmptyPlan
        | Kind::IdempotencyKeyReused
        | Kind::InvalidAlertRule
        | Kind::InvalidBreaker
        | Kind::InvalidDbWriteRule
        | Kind::InvalidGatePolicy
        | Kind::InvalidHook
        | Kind::InvalidPlan
        | Kind::InvalidRetention
        | Kind::InvalidSettings
        | Kind::InvalidWrite
        | Kind::ReasonRequired
        | Kind::TooManyChildren
        | Kind::UnknownDecision
        | Kind::UnknownGateType
        | Kind::UnknownNeed
        | Kind::WriteNotAllowed => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::QuotaExceeded | Kind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Kind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        Kind::UnsupportedEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Why a request was refused (RFC 9457).
#[derive(Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDetails {
    /// The kind of problem; its last part is the name of a page in docs/problems.
    pub r#type: String,
    /// The kind of problem in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, to what, and what to do.
    pub detail: String,
    // `request_id` sets these two when the response leaves.
    /// The path of the request.
    #[serde(default)]
    #[schema(required)]
    pub instance: String,
    /// The id of the request, to quote in reports.
    #[serde(default)]
    #[schema(required)]
    pub request_id: String,
    /// Each thing that is wrong with the input, and where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<Fault>>, nullable = false)]
    pub errors: Vec<Fault>,
}

/// The `type` of a problem.
pub(crate) fn type_uri(kind: Kind) -> String {
    format!("https://nofx.dev/problems/{}", kind.slug())
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Problem { kind, detail, faults, retry_after_s } = self.0;
        let status = status(kind);
        let body = ProblemDetails {
            r#type: type_uri(kind),
            title: kind.title().to_owned(),
            status: status.as_u16(),
            detail,
            errors: faults,
            ..ProblemDetails::default()
        };
        let mut response = (status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let wait = retry_after_s.or_else(|| (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1));
        if let Some(wait) = wait.filter(|wait| *wait > 0) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<db::Error> for Refusal {
    fn from(error: db::Error) -> Self {
        if !matches!(error, db::Error::Refused(_)) {
            tracing::error!(error = &error as &(dyn std::error::Error + 'static), "a database call failed");
        }
        Self(error.problem())
    }
}

impl From<storage::Error> for Refusal {
    fn from(error: storage::Error) -> Self {
        tracing::error!(error = &error as &(dyn std::error::Error + 'static), "storage failed");
        Self(Problem::new(Kind::Unavailable, "Storage is unavailable. Try again in a moment."))
    }
}

pub(crate) async fn not_found() -> Refusal {
    Refusal(Problem::new(Kind::NotFound, "No such path; GET /api/openapi.json lists all routes."))
}

pub(super) fn panicked(_: Box<dyn Any + Send>) -> Response {
    Refusal(Problem::new(Kind::Internal, "An internal error occurred. Quote the request id when you report it.")).into_response()
}
