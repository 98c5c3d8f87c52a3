//! What the handlers of pages and forms share.

use axum::Router;

use super::session::Auth;
use crate::App;

/// The application, which pages read, and the API's routes in the same function, which forms post to.
#[derive(Clone)]
pub(crate) struct Ui {
    pub(super) app: App,
    pub(super) api: Router,
    pub(super) auth: Auth,
}

impl Ui {
    pub(super) fn new(app: &App, api: Router) -> Self {
        Self { app: app.clone(), api, auth: Auth::new(app.settings().supabase.clone()) }
    }
}
