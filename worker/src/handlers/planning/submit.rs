use nofx_shared::db;
use nofx_shared::engine::{self, Failure, Outcome};
use nofx_shared::plan;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::handlers::Handler;
use crate::step::StepContext;

/// Creates a run from a plan, in the name of the author of this run; a retry finds the existing run. Waits until someone has approved
/// the plan, unless the tenant's policy says otherwise.
#[derive(JsonSchema)]
pub(in crate::handlers) struct PlanSubmit;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::handlers) struct Inputs {
    /// The plan: `${{ steps.plan.outputs.plan }}`.
    plan: Value,
}

impl Handler for PlanSubmit {
    const TOOL: &'static str = "plan:submit";
    const TIMEOUT_S: u64 = 60;
    type Inputs = Inputs;

    async fn run(step: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        let invalid = |faults| Failure::permanent("the plan is invalid").with_details(json!({"errors": faults}));
        let (plan, submitted) = plan::check_apart(inputs.plan).await.map_err(invalid)?;
        // The run gets the step's id, so that it is created once.
        let (id, tenant, author) = (step.step.id, step.step.tenant_id, &step.step.created_by);
        let create = || engine::create_run_for(&step.services.db, tenant, author, id, &plan, &submitted, step.trace.as_ref());
        let run = step.retry_until_stopped(create, db::Error::is_permanent).await;
        let run = run.map_err(|error| Failure::permanent(format!("could not create the run: {}", error.problem().detail)))?;
        Ok(Outcome::Done { outputs: json!({"run_id": run.id, "steps_total": run.steps_total}) })
    }
}
