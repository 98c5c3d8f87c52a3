//! The page to sign in, and where it leads.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;

use crate::ui::Ui;
use crate::ui::layout::public_page;
use crate::ui::url::encode;

pub(super) fn page(ui: &Ui, next: &str, status: StatusCode, notice: Option<&str>) -> Response {
    let next = ours(next);
    let providers = &ui.app.settings().oauth_providers;
    let body = html! {
        main.sign-in #main {
            h1 { "Sign in to NOFX" }
            @if let Some(notice) = notice { p.notice role="alert" { (notice) } }
            form method="post" action="/ui/sign-in" {
                input type="hidden" name="next" value=(next);
                label for="email" { "Email" }
                input #email type="email" name="email" autocomplete="username" required autofocus;
                label for="password" { "Password" }
                input #password type="password" name="password" autocomplete="current-password" required;
                button.primary type="submit" { "Sign in" }
            }
            form method="post" action="/ui/sign-in/link" {
                input type="hidden" name="next" value=(next);
                label for="link-email" { "Or sign in with an email link" }
                input #link-email type="email" name="email" autocomplete="username" required;
                button type="submit" { "Email me a link" }
            }
            @for provider in providers {
                p { a.button href=(format!("/ui/sign-in/with/{provider}?next={}", encode(next))) { "Sign in with " (provider) } }
            }
        }
    };
    (status, public_page("Sign in", &body)).into_response()
}

/// Only a page of ours; anything else leads to the runs.
pub(super) fn ours(next: &str) -> &str {
    let is_ours = next == "/ui" || next.starts_with("/ui/") || next.starts_with("/ui?");
    if is_ours && !next.contains(['\\', '\r', '\n']) && !next.starts_with("/ui/sign-") { next } else { "/ui/runs" }
}

#[cfg(test)]
mod tests {
    use super::ours;

    #[test]
    fn a_sign_in_leads_to_our_own_pages_only() {
        assert_eq!(ours("/ui/runs/1?step=2"), "/ui/runs/1?step=2");
        for other in ["", "//evil.example", "https://evil.example/ui/", "/uix", "/ui/..\\evil", "/ui/sign-in?next=/ui/sign-in", "/api/runs"]
        {
            assert_eq!(ours(other), "/ui/runs", "{other}");
        }
    }
}
