//! `nofx approve`, `nofx reject`, `nofx waive`

use nofx_shared::auth::Role;
use serde_json::json;

use crate::api::Api;
use crate::exit::{Exit, Outcome};
use crate::output;
use crate::target::Target;

#[derive(clap::Args)]
pub(crate) struct DecideArgs {
    /// The gate's id.
    pub gate: uuid::Uuid,
    /// Saved with the decision.
    #[arg(long)]
    pub reason: Option<String>,
}

pub(crate) async fn run(target: &Target, decision: &str, options: DecideArgs) -> Outcome {
    let gate = Api::find(target, Role::Supervisor)?
        .post(&format!("/api/gates/{}/{decision}", options.gate), &json!({"reason": options.reason}))
        .await?;
    if target.json {
        output::line(format_args!("{gate}"));
    } else {
        output::line(format_args!(
            "{} {} {}",
            options.gate,
            gate["gate_type"].as_str().unwrap_or_default(),
            gate["status"].as_str().unwrap_or_default()
        ));
    }
    Ok(Exit::Succeeded)
}
