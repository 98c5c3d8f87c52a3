//! The frame around every page of a session: navigation, pending gates, open breakers, the notice of the last action.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use maud::{Markup, html};
use nofx_shared::db::Query;
use serde_json::Value;
use uuid::Uuid;

use super::page::document;
use super::{Icon, Page};
use crate::http::Refusal;
use crate::ui::Ui;
use crate::ui::components::id;
use crate::ui::forms::notice;
use crate::ui::session::Session;

/// Gates of the caller are counted up to this.
const MAX_WAITING: usize = 100;

const PAGES: [(&str, &str); 5] = [
    ("/ui/runs", "Runs"),
    ("/ui/approvals", "Approvals"),
    ("/ui/artifacts", "Artifacts"),
    ("/ui/events", "Events"),
    ("/ui/system", "System"),
];

/// What all pages of a session share.
pub(in crate::ui) struct Frame {
    pub ui: Ui,
    pub session: Session,
    /// The token of the page's forms.
    pub csrf: String,
    path: String,
    /// Gates that wait for the viewer.
    waiting: usize,
    open_breakers: Vec<String>,
    people: Arc<HashMap<String, String>>,
    notice: Option<(bool, String)>,
}

impl FromRequestParts<Ui> for Frame {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, ui: &Ui) -> Result<Self, Refusal> {
        let session = Session::from_request_parts(parts, ui).await?;
        let filters = [("select", "id"), ("status", "eq.pending"), ("waits_for_me", "is.true"), ("limit", "100")];
        let query = Query::of("gate", filters);
        let db = ui.app.db(&session.caller);
        let waiting = db.read::<Vec<Value>>(&query);
        let caller = &session.caller;
        let (waiting, open_breakers, people) = tokio::try_join!(waiting, ui.app.open_breakers(caller), ui.app.people(caller))?;
        let mut frame = Self::without_data(ui, session, parts.uri.path());
        frame.waiting = waiting.len();
        frame.open_breakers = open_breakers.keys().cloned().collect();
        frame.people = people;
        frame.notice = notice(&parts.headers);
        Ok(frame)
    }
}

impl Frame {
    /// A frame that reads nothing: without pending gates, open breakers and people.
    pub(in crate::ui) fn without_data(ui: &Ui, session: Session, path: &str) -> Self {
        Self {
            csrf: session.csrf(ui),
            ui: ui.clone(),
            session,
            path: path.to_owned(),
            waiting: 0,
            open_breakers: vec![],
            people: Arc::default(),
            notice: None,
        }
    }

    /// Who did something: `you`, an address, an id that can be copied, or a name.
    pub(in crate::ui) fn who(&self, name: &str) -> Markup {
        if name == self.session.caller.subject {
            return html! { "you" };
        }
        match (self.people.get(name), name.parse()) {
            (Some(email), _) => html! { span title=(name) { (email) } },
            (None, Ok(person)) => id(&person),
            (None, Err(_)) => html! { (name) },
        }
    }

    /// A text of the engine, which names people by their ids.
    pub(in crate::ui) fn named(&self, text: &str) -> String {
        let ids = self.people.iter().filter(|(id, _)| id.parse::<Uuid>().is_ok() && text.contains(*id));
        ids.fold(text.to_owned(), |text, (id, email)| text.replace(id, email))
    }

    pub(in crate::ui) fn page(&self, title: &str, icon: Icon, body: &Markup) -> Page {
        let is_here = |path: &str| self.path.starts_with(path);
        let waiting = if self.waiting == MAX_WAITING { format!("{MAX_WAITING}+") } else { self.waiting.to_string() };
        let body = html! {
            header.top {
                a.skip href="#main" { "Skip to content" }
                a.brand href="/ui/runs" { "NOFX" }
                nav aria-label="Main" {
                    @for (path, name) in PAGES {
                        a href=(path) aria-current=[is_here(path).then_some("page")] {
                            (name)
                            @if path == "/ui/approvals" && self.waiting > 0 {
                                span.count { (waiting) span.unseen { " waiting for you" } }
                            }
                        }
                    }
                }
                a.button.primary href="/ui/runs/new" { "New run" }
                form.who method="post" action="/ui/sign-out" {
                    input type="hidden" name="csrf" value=(self.csrf);
                    span title=(self.session.caller.tenant) { (self.session.email) }
                    button type="submit" { "Sign out" }
                }
            }
            @if !self.open_breakers.is_empty() {
                p.banner role="status" {
                    "Open breakers: " strong { (self.open_breakers.join(", ")) } ". Steps that use them are waiting. "
                    a href="/ui/system#breakers" { "View breakers" }
                }
            }
            @if let Some((succeeded, text)) = &self.notice {
                p.notice.succeeded[*succeeded].failed[!*succeeded] role=(if *succeeded { "status" } else { "alert" }) { (text) }
            }
            p.offline role="status" hidden { "Connection lost. This page may be out of date and refreshes when you are back online." }
            main #main { (body) }
        };
        Page { html: document(title, icon, &body), clears_notice: self.notice.is_some() }
    }
}
