//! Supabase Storage's error bodies. Its HTTP status is 400 for every client error; the true status is in the body.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refused call.
#[derive(Debug)]
pub(super) struct Refusal {
    http: StatusCode,
    status: u16,
    error: &'static str,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: u16, error: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { http: StatusCode::BAD_REQUEST, status, error, code, message: message.into() }
    }

    pub(super) fn no_such_key() -> Self {
        Self::new(404, "not_found", "NoSuchKey", "Object not found")
    }

    pub(super) fn no_such_bucket() -> Self {
        Self::new(404, "Bucket not found", "NoSuchBucket", "Bucket not found")
    }

    pub(super) fn duplicate(code: &'static str) -> Self {
        Self::new(409, "Duplicate", code, "The resource already exists")
    }

    pub(super) fn not_empty() -> Self {
        Self::new(409, "InvalidRequest", "ResourceNotEmpty", "The bucket you tried to delete is not empty")
    }

    pub(super) fn invalid_key(name: &str) -> Self {
        Self::new(400, "InvalidKey", "InvalidKey", format!("Invalid key: {name}"))
    }

    pub(super) fn invalid_upload(message: &str) -> Self {
        Self::new(400, "InvalidRequest", "InvalidRequest", message)
    }

    pub(super) fn no_authorization() -> Self {
        Self::new(400, "InvalidRequest", "InvalidRequest", "headers must have required property 'authorization'")
    }

    pub(super) fn bad_token(error: &jsonwebtoken::errors::Error) -> Self {
        let message = match error.kind() {
            jsonwebtoken::errors::ErrorKind::ExpiredSignature => "\"exp\" claim timestamp check failed",
            _ => "JWS Protected Header is invalid",
        };
        Self::new(403, "Unauthorized", "AccessDenied", message)
    }

    pub(super) fn row_level_security() -> Self {
        Self::new(403, "Unauthorized", "AccessDenied", "new row violates row-level security policy")
    }

    pub(super) fn bad_signature(message: &str) -> Self {
        Self::new(400, "InvalidJWT", "InvalidJWT", message)
    }

    pub(super) fn other_signature() -> Self {
        Self::new(400, "InvalidSignature", "InvalidSignature", "The url do not match the signature")
    }

    pub(super) fn too_large() -> Self {
        Self::new(413, "Payload too large", "EntityTooLarge", "The object exceeded the maximum allowed size")
    }

    pub(super) fn mime_type(mime: &str) -> Self {
        Self::new(415, "invalid_mime_type", "InvalidMimeType", format!("mime type {mime} is not supported"))
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidRequest", "InvalidRequest", message)
    }

    fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "storage failed");
        Self { http: StatusCode::INTERNAL_SERVER_ERROR, ..Self::new(500, "internal", "InternalError", "Internal Server Error") }
    }
}

impl From<tokio_postgres::Error> for Refusal {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<tokio::task::JoinError> for Refusal {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"statusCode": self.status.to_string(), "error": self.error, "message": self.message, "code": self.code});
        (self.http, Json(body)).into_response()
    }
}
