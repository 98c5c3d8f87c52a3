//! `nofx cancel`, `nofx retry`

use nofx_shared::auth::Role;
use serde_json::json;

use super::id::Id;
use crate::api::Api;
use crate::exit::{Exit, Outcome};
use crate::output;
use crate::target::Target;

pub(crate) async fn run(target: &Target, verb: &str, options: Id) -> Outcome {
    let state = Api::find(target, Role::Contributor)?.post(&format!("/api/runs/{}/{verb}", options.id), &json!({})).await?;
    if target.json {
        output::line(format_args!("{state}"));
    } else {
        output::line(format_args!("{} {}", options.id, state["status"].as_str().unwrap_or_default()));
    }
    Ok(Exit::Succeeded)
}
