//! Proofs that one of our own pages sent a form: a token that is bound to the sign-in, and where the browser says that a request comes from.

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use nofx_shared::crypto::{hmac_sha256, is_hmac_sha256};
use nofx_shared::problem::{Kind, Problem};

use super::Session;
use crate::http::Refusal;
use crate::ui::Ui;

impl Session {
    /// The token of this session's forms.
    pub(in crate::ui) fn csrf(&self, ui: &Ui) -> String {
        hmac_sha256(ui.app.settings().jwt_secret.as_bytes(), self.bound().as_bytes())
    }

    pub(in crate::ui) fn has_csrf(&self, ui: &Ui, token: &str) -> bool {
        is_hmac_sha256(ui.app.settings().jwt_secret.as_bytes(), self.bound().as_bytes(), token)
    }

    fn bound(&self) -> String {
        format!("nofx form {} {}", self.browser, self.caller.subject)
    }
}

/// Refuses requests of other sites: browsers send where a request comes from, older ones at least its origin.
pub(in crate::ui) async fn check_site(request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_ours(request.headers()) {
        return next.run(request).await;
    }
    Refusal(Problem::new(Kind::Forbidden, "The request came from another site.")).into_response()
}

fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site".parse().unwrap_or(header::ORIGIN)) {
        return matches!(site, "same-origin" | "none");
    }
    let host = text(header::HOST).unwrap_or_default();
    text(header::ORIGIN).is_none_or(|origin| origin.split_once("://").is_some_and(|(_, rest)| rest == host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_may_send_forms() {
        let is_ours = |pairs: &[(&'static str, &'static str)]| {
            is_ours(&pairs.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect())
        };
        assert!(is_ours(&[("sec-fetch-site", "same-origin")]));
        assert!(is_ours(&[("origin", "https://nofx.example"), ("host", "nofx.example")]));
        assert!(is_ours(&[("host", "nofx.example")]), "no browser: the token of the form decides");
        assert!(!is_ours(&[("sec-fetch-site", "cross-site"), ("origin", "https://nofx.example"), ("host", "nofx.example")]));
        assert!(!is_ours(&[("sec-fetch-site", "same-site")]));
        assert!(!is_ours(&[("origin", "https://evil.example"), ("host", "nofx.example")]));
        assert!(!is_ours(&[("origin", "null"), ("host", "nofx.example")]));
    }
}
