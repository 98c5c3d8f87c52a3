//! The dashboard: pages of HTML. They read with the API's own functions, and their forms post to the API's own routes (`forms/api_call`),
//! hooks and all. They have no table and no JSON endpoint of their own. No page imports another: what several show is in `components`, what
//! several read in `evidence` and `newest_events`.
//!
//! Every page works without script; `public/app.js` makes it live.

mod artifacts;
mod components;
mod events;
mod evidence;
mod forms;
mod gates;
mod layers;
mod layout;
mod newest_events;
mod problem;
mod routes;
mod runs;
mod session;
mod state;
mod svg;
mod system;
mod url;

pub(crate) use layers::render_problems;
pub(crate) use routes::{forms, gate_forms, pages, run_forms, system_forms};
pub(crate) use state::Ui;
