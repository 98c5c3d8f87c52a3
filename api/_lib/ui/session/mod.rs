//! Who is signed in: sign-in and sign-out with Supabase Auth, the session in cookies, and the tokens of its forms. Whether a credential is
//! valid is decided in `http/caller`.

mod auth;
mod cookies;
mod csrf;
mod require;
mod sign_in;
mod sign_in_page;
mod signed_in;

pub(super) use auth::Auth;
pub(super) use cookies::{is_secure, set_cookie};
pub(super) use csrf::check_site;
pub(super) use require::{require, show};
pub(super) use sign_in::{routes, sign_out};
pub(super) use signed_in::Session;
