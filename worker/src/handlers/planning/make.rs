use std::time::Duration;

use nofx_shared::engine::{Failure, Outcome};
use nofx_shared::plan::{self, Plan, Workspace};
use nofx_shared::problem::Fault;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::handlers::Handler;
use crate::models::{ModelRequest, Task, unfenced};
use crate::step::StepContext;

/// Has a model write a plan from a prompt. The plan is checked like any other; the model may correct it once. The plan is not run: see
/// `plan:submit`.
#[derive(JsonSchema)]
pub(in crate::handlers) struct PlanMake;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::handlers) struct Inputs {
    /// The task.
    prompt: String,
    /// Whether the work must pass gates.
    #[serde(default)]
    quality: bool,
    /// Whether the work ends with a pull request; otherwise nothing is pushed.
    #[serde(default)]
    open_pr: bool,
    /// The repository that the plan works on.
    workspace: Option<Workspace>,
    /// Models to call, the first choice first.
    #[serde(default)]
    order: Vec<String>,
}

/// Timeout of one model.
const MODEL_TIMEOUT: Duration = Duration::from_secs(180);

impl Handler for PlanMake {
    const TOOL: &'static str = "plan:make";
    const TIMEOUT_S: u64 = 900;
    type Inputs = Inputs;

    async fn run(step: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        let mut prompt = inputs.prompt.clone();
        let mut faults = vec![];
        for _ in 0..2 {
            let request = ModelRequest {
                task: Task::Reasoning,
                system: Some(instruction(&inputs, &step.services.tool_catalogue)),
                prompt: prompt.clone(),
                schema: None,
                max_tokens: 8192,
                timeout: MODEL_TIMEOUT,
                order: inputs.order.clone(),
            };
            let response = step.ask(request).await?;
            match read(&response.text, &inputs).await {
                Ok((submitted, plan)) => {
                    let text = serde_json::to_vec_pretty(&submitted).map_err(|error| Failure::permanent(error.to_string()))?;
                    let path = step.save_artifact("plan.json", "application/json", text).await?;
                    let edges: Vec<Value> =
                        plan.steps.iter().flat_map(|step| step.needs.iter().map(|need| json!([need, step.name]))).collect();
                    let order: Vec<&String> = plan.steps.iter().map(|step| &step.name).collect();
                    let outputs = json!({
                        "plan": submitted, "order": order, "edges": edges, "warnings": plan.warnings, "plan_path": path,
                        "provider": response.provider, "model": response.model,
                    });
                    return Ok(Outcome::Done { outputs });
                }
                Err(found) => {
                    prompt = format!(
                        "{}\n\nYour plan is invalid:\n{}\nAnswer with the whole plan, corrected.\n<plan>\n{}\n</plan>",
                        inputs.prompt,
                        list(&found),
                        response.text
                    );
                    faults = found;
                }
            }
        }
        Err(Failure::permanent("the model produced no valid plan").with_details(json!({"errors": faults})))
    }
}

/// The plan in a response, checked against the inputs.
async fn read(response: &str, inputs: &Inputs) -> Result<(Value, Plan), Vec<Fault>> {
    let mut submitted: Value =
        serde_json::from_str(unfenced(response)).map_err(|error| vec![Fault::new("", format!("not JSON: {error}"))])?;
    if let (Some(workspace), Some(object)) = (&inputs.workspace, submitted.as_object_mut()) {
        object.insert("workspace".to_owned(), json!(workspace));
    }
    let (plan, submitted) = plan::check_apart(submitted).await?;
    let has = |start: &str| plan.steps.iter().any(|step| step.tool.starts_with(start));
    let mut faults = vec![];
    if inputs.quality && !has("gate:") {
        faults.push(Fault::new("/steps", "the work must pass at least one gate"));
    }
    if inputs.open_pr && !has("git:pr") {
        faults.push(Fault::new("/steps", "the plan must end with git:pr"));
    }
    if !inputs.open_pr && (has("git:push") || has("git:pr")) {
        faults.push(Fault::new("/steps", "nothing may be pushed"));
    }
    // A plan that makes plans would avoid the review.
    if has("plan:") {
        faults.push(Fault::new("/steps", "the plan may not make other plans"));
    }
    if faults.is_empty() { Ok((submitted, plan)) } else { Err(faults) }
}

fn list(faults: &[Fault]) -> String {
    faults
        .iter()
        .map(|fault| format!("- {} {}", if fault.pointer.is_empty() { "/" } else { &fault.pointer }, fault.detail))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The system prompt: the schema of a plan, and the tools.
fn instruction(inputs: &Inputs, tools: &str) -> String {
    let mut text = format!(
        "You write plans for NOFX. Answer with one JSON object of this schema and nothing else:\n{}\n\nTools and their inputs:\n{tools}",
        plan::schema()
    );
    if inputs.quality {
        text.push_str(
            "\nThe work must pass gates: typecheck, lint and unit tests at least, after steps that change files and before steps that publish them.",
        );
    }
    if inputs.open_pr {
        text.push_str(
            "\nIt ends with git:branch, git:commit, git:push and git:pr. Before git:push it has gate:typecheck, gate:lint, gate:unit and gate:coverage, \
             without inputs: a policy counts only what they choose themselves.",
        );
    } else {
        text.push_str("\nNothing is pushed.");
    }
    text
}
