//! `nofx quota [set]`: how much a tenant may use.

use clap::Subcommand;
use nofx_shared::auth::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::Api;
use crate::exit::{Error, Exit, Outcome};
use crate::output;
use crate::target::{self, Target};

#[derive(clap::Args)]
pub(crate) struct Quota {
    #[command(subcommand)]
    pub command: Option<QuotaCommand>,
}

#[derive(Subcommand)]
pub(crate) enum QuotaCommand {
    /// For operators: set the quotas of a tenant, in place of all earlier ones. What is not named is not limited.
    Set(SetQuota),
}

#[derive(clap::Args)]
pub(crate) struct SetQuota {
    #[arg(long)]
    pub tenant: Uuid,
    /// Runs created in a minute.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub runs_per_minute: Option<u32>,
    /// Steps that are ready or running.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub parallel_steps: Option<u32>,
    /// Bytes of artifacts.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub stored_bytes: Option<u64>,
    /// Spent on models a day (UTC), in USD.
    #[arg(long, value_parser = usd)]
    pub day_usd: Option<f64>,
    /// Processor time of the programs of steps a day (UTC), in seconds.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub day_cpu_s: Option<u64>,
    /// Cost of sandboxes a day (UTC), in USD.
    #[arg(long, value_parser = usd)]
    pub day_sandbox_usd: Option<f64>,
    /// Steps whose programs run at once; others wait.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub parallel_sandboxes: Option<u32>,
    /// Memory of one step, in MiB.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub step_memory_mb: Option<u32>,
    /// Files of one step, in MiB.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub step_disk_mb: Option<u32>,
    /// The deployment's key; without it, that of the stack that `nofx dev` runs here.
    #[arg(long, env = "NOFX_INTERNAL_API_KEY", hide_env_values = true)]
    pub internal_api_key: Option<String>,
}

fn usd(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|usd: &f64| usd.is_finite() && *usd > 0.0).ok_or_else(|| "give an amount above 0, as in 2.50".to_owned())
}

const PATH: &str = "/api/quotas";

/// The quotas, as the API names them, with what is counted.
const QUOTAS: [(&str, &str); 9] = [
    ("runs_per_minute", "runs created in a minute"),
    ("parallel_steps", "steps that are ready or running"),
    ("stored_bytes", "bytes of artifacts"),
    ("day_usd", "USD for models today"),
    ("day_cpu_s", "seconds of processor time today"),
    ("day_sandbox_usd", "USD for sandboxes today"),
    ("parallel_sandboxes", "steps whose programs run"),
    ("step_memory_mb", "MiB of memory of a step"),
    ("step_disk_mb", "MiB of files of a step"),
];

pub(crate) async fn run(target: &Target, options: Quota) -> Outcome {
    let quota = match options.command {
        None => shown(Api::find(target, Role::Viewer)?.get(PATH).await?),
        Some(QuotaCommand::Set(wanted)) => set(target, wanted).await?,
    };
    if target.json {
        output::line(format_args!("{quota}"));
    } else {
        for line in lines(&quota) {
            output::line(format_args!("{line}"));
        }
    }
    Ok(Exit::Succeeded)
}

/// The quota of a list that has one at most.
fn shown(mut page: Value) -> Value {
    page["data"].get_mut(0).map(Value::take).unwrap_or_default()
}

async fn set(target: &Target, wanted: SetQuota) -> Result<Value, Error> {
    let keys = match &wanted.internal_api_key {
        Some(keys) => keys.clone(),
        None => target::local(target)?.internal_api_key,
    };
    // While one key replaces the other there are two.
    let key = keys.split(',').next().unwrap_or_default().trim();
    Api::find(target, Role::Admin)?.post_as_operator(PATH, &body(&wanted), key).await
}

fn body(wanted: &SetQuota) -> Value {
    json!({
        "tenant_id": wanted.tenant, "runs_per_minute": wanted.runs_per_minute, "parallel_steps": wanted.parallel_steps,
        "stored_bytes": wanted.stored_bytes, "day_usd": wanted.day_usd, "day_cpu_s": wanted.day_cpu_s,
        "day_sandbox_usd": wanted.day_sandbox_usd, "parallel_sandboxes": wanted.parallel_sandboxes,
        "step_memory_mb": wanted.step_memory_mb, "step_disk_mb": wanted.step_disk_mb,
    })
}

fn lines(quota: &Value) -> Vec<String> {
    let limited = QUOTAS.iter().filter(|(name, _)| !quota[name].is_null());
    let lines: Vec<String> = limited
        .map(|(name, counts)| {
            let used = match &quota["used"][name] {
                Value::Null => String::new(),
                used => format!("; {used} used"),
            };
            format!("{name:<20} {} {counts}{used}", quota[name])
        })
        .collect();
    if lines.is_empty() { vec!["nothing is limited".to_owned()] } else { lines }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{lines, shown, usd};

    #[test]
    fn each_limit_has_a_line_with_what_is_used() {
        let quota = json!({"tenant_id": "t", "runs_per_minute": null, "day_cpu_s": 60, "parallel_sandboxes": 2, "day_sandbox_usd": 0.5,
            "used": {"day_cpu_s": 1.5, "parallel_sandboxes": null, "day_sandbox_usd": 0.000303}});
        assert_eq!(
            lines(&quota),
            [
                "day_cpu_s            60 seconds of processor time today; 1.5 used",
                "day_sandbox_usd      0.5 USD for sandboxes today; 0.000303 used",
                "parallel_sandboxes   2 steps whose programs run"
            ]
        );
        assert_eq!(lines(&shown(json!({"data": [], "next_cursor": null}))), ["nothing is limited"]);
        assert_eq!(shown(json!({"data": [{"day_usd": 1}]})), json!({"day_usd": 1}));
    }

    #[test]
    fn an_amount_is_a_number_above_zero() {
        assert_eq!(usd("2.50"), Ok(2.5));
        for wrong in ["", "0", "-1", "NaN", "inf", "1e999", "2,50", "$1"] {
            assert!(usd(wrong).is_err(), "{wrong}");
        }
    }
}
