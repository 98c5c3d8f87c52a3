//! A page as HTML, from its title to its end. What surrounds the content of a signed-in page is in `frame`.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use nofx_shared::events::EventType;

use super::Icon;
use crate::ui::forms::clear_notice;

/// The `Content-Type` of pages, as `maud` sets it.
pub(in crate::ui) const HTML: &str = "text/html; charset=utf-8";

/// Nothing but our own files, no script or style in a page, and forms that go nowhere else.
pub(in crate::ui) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

/// A page, whole.
pub(in crate::ui) struct Page {
    pub(super) html: Markup,
    pub(super) clears_notice: bool,
}

impl Page {
    pub(in crate::ui) fn into_string(self) -> String {
        self.html.into_string()
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = self.html.into_response();
        if self.clears_notice {
            response.headers_mut().append(header::SET_COOKIE, clear_notice());
        }
        response
    }
}

/// A page for anyone, signed in or not.
pub(in crate::ui) fn public_page(title: &str, body: &Markup) -> Markup {
    document(title, Icon::Idle, body)
}

pub(super) fn document(title: &str, icon: Icon, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Sections that a viewer opened stay open when the page is refreshed, and the content stays when a refresh fails.
                meta name="htmx-config" content="{\"includeIndicatorCSS\":false,\"history\":false,\"noSwap\":[204,304,\"4xx\",\"5xx\"],\"morphIgnore\":[\"data-htmx-powered\",\"open\"]}";
                meta name="nofx-events" content=(EventType::ALL.join(","));
                title { (icon.title(title)) }
                link #icon rel="icon" type="image/svg+xml" href=(icon.path());
                link rel="stylesheet" href="/tokens.css";
                link rel="stylesheet" href="/app.css";
                script src="/vendor/htmx.min.js" defer {}
                script src="/app.js" type="module" {}
            }
            body { (body) }
        }
    }
}
