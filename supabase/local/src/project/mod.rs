//! A Supabase project, as all its services see it: keys, people, tenant, and the tokens that it signs. Knows no service and no route.

mod one_use_token;
mod project;
mod token;

pub(crate) use project::Project;
pub(crate) use token::{bearer, sign, verify_secret};
