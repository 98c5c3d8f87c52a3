//! Judges with each gate in turn and saves its evidence. Which gates is not decided here: see `choose`.

use std::path::Path;
use std::time::Duration;

use nofx_shared::engine::Failure;
use nofx_shared::secrets::{self, Mask};
use nofx_shared::settings;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::choose::{Chosen, choose};
use super::options::{GateOptions, GateVerdict, Refused};
use super::save::Out;
use crate::drivers::Processes;
use crate::gates::{GateContext, GateResult, Judgement, Runner, evidence};
use crate::workspace::Folder;

/// Judges the working tree until all gates have a verdict or `stop` is cancelled, which kills their processes. `each` is called with every
/// verdict as soon as its evidence is saved. Refused, before any gate judges: a name or an option that leads to no gate.
pub async fn judge_working_tree(
    options: &GateOptions,
    stop: &CancellationToken,
    mut each: impl FnMut(&GateVerdict),
) -> Result<Vec<GateVerdict>, Refused> {
    let chosen = choose(options)?;
    let advisory_db = settings::advisory_db().map_err(|error| Refused(error.to_string()))?;
    let mut out = Out::open(options)?;
    let processes = Processes::own();
    let workspace = Folder::new(&processes, options.dir.clone()).map_err(|failure| Refused(failure.message))?;
    let mut verdicts = vec![];
    for one in chosen {
        if stop.is_cancelled() {
            break;
        }
        if one.if_it_fits && !one.gate.fits(workspace.files()) {
            continue;
        }
        let Some(result) = judge(&workspace, &processes, options, &one, advisory_db.as_deref(), stop).await else { break };
        let verdict = out.save(one.name, result)?;
        each(&verdict);
        verdicts.push(verdict);
    }
    if verdicts.is_empty() && !stop.is_cancelled() {
        let nothing = format!("no gate fits {}; name the gates, or add steps for them to a plan", options.dir.display());
        return Err(Refused(nothing));
    }
    Ok(verdicts)
}

/// The verdict of one gate, or none when it was stopped. What keeps the gate from judging makes it inconclusive.
async fn judge(
    workspace: &Folder,
    processes: &Processes,
    options: &GateOptions,
    chosen: &Chosen,
    advisory_db: Option<&Path>,
    stop: &CancellationToken,
) -> Option<GateResult> {
    let inconclusive =
        |why: String| GateResult { evidence: evidence(chosen.handler.tool(), Judgement::inconclusive(why)), log: String::new() };
    if let Some(name) = chosen.secrets.iter().find(|name| !options.secrets.contains(name)) {
        return Some(inconclusive(format!("the step names the secret {name}: add --secrets {name} to allow it")));
    }
    let secrets = match secrets::of_environment(&chosen.secrets) {
        Ok(secrets) => secrets,
        Err(error) => return Some(inconclusive(error.to_string())),
    };
    let mask = Mask::new(secrets.values().cloned());
    let mut env = settings::tool_environment();
    env.extend(chosen.env.iter().map(|(name, value)| (name.clone(), text(value))));
    env.extend(secrets);
    // Also cancelled when its time is up: what runs on a thread of its own sees only this.
    let own = stop.child_token();
    let _ended = own.clone().drop_guard();
    let runner = Runner::OnTheSpot { processes, stop: &own };
    let context = GateContext { workspace: workspace.clone(), env: &env, mask: &mask, advisory_db, runner, begun: None };
    let result = within(chosen.timeout_s, chosen.gate.judge(&context, Value::Object(chosen.inputs.clone()))).await;
    match result {
        _ if stop.is_cancelled() => None,
        Ok(result) => Some(result),
        Err(failure) => Some(inconclusive(mask.apply(&failure.message))),
    }
}

async fn within(seconds: u64, judging: impl Future<Output = Result<GateResult, Failure>>) -> Result<GateResult, Failure> {
    let late = |_| Failure::permanent(format!("no verdict within {seconds} s"));
    tokio::time::timeout(Duration::from_secs(seconds), judging).await.map_err(late)?
}

/// Text as it is, anything else as JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
