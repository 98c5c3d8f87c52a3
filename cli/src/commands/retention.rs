//! `nofx retention [set|holds|hold|release]`

use clap::Subcommand;
use nofx_shared::auth::Role;
use nofx_shared::retention::Retained;
use serde_json::{Value, json};

use crate::api::Api;
use crate::exit::{Exit, Outcome};
use crate::output;
use crate::target::Target;

#[derive(clap::Args)]
pub(crate) struct Retention {
    #[command(subcommand)]
    pub command: Option<RetentionCommand>,
}

#[derive(Subcommand)]
pub(crate) enum RetentionCommand {
    /// Set for how many days something is kept. What is older is deleted.
    Set(SetRetention),
    /// List legal holds.
    Holds,
    /// Place a legal hold: what it names is not deleted.
    Hold(Hold),
    /// Release a legal hold.
    Release(ReleaseHold),
}

#[derive(clap::Args)]
pub(crate) struct SetRetention {
    /// What is kept.
    #[arg(value_parser = Retained::ALL.map(Retained::name))]
    pub what: String,
    /// 1 to 3650, or `forever`; artifacts and model calls are kept as long as their run then.
    #[arg(value_parser = days)]
    pub days: Days,
}

#[derive(clap::Args)]
pub(crate) struct ReleaseHold {
    /// The hold's id, as `nofx retention holds` shows it.
    pub id: uuid::Uuid,
}

/// None: forever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Days(Option<u16>);

#[derive(clap::Args)]
pub(crate) struct Hold {
    /// Only this run, not everything of the tenant.
    #[arg(long)]
    pub run: Option<uuid::Uuid>,
    /// Saved with the hold.
    #[arg(long)]
    pub reason: String,
}

fn days(text: &str) -> Result<Days, String> {
    match text {
        "forever" => Ok(Days(None)),
        number => match number.parse() {
            Ok(days @ 1..=3650) => Ok(Days(Some(days))),
            _ => Err("give 1 to 3650 days, or `forever`".to_owned()),
        },
    }
}

pub(crate) async fn run(target: &Target, options: Retention) -> Outcome {
    match options.command {
        None => list(target, Role::Viewer, "/api/retention", setting).await,
        Some(RetentionCommand::Set(options)) => {
            let body = json!({"what": options.what, "days": options.days.0});
            Api::find(target, Role::Admin)?.post("/api/retention", &body).await?;
            list(target, Role::Viewer, "/api/retention", setting).await
        }
        Some(RetentionCommand::Holds) => list(target, Role::Supervisor, "/api/retention/holds", hold).await,
        Some(RetentionCommand::Hold(options)) => {
            let body = json!({"run_id": options.run, "reason": options.reason});
            let placed = Api::find(target, Role::Supervisor)?.post("/api/retention/holds", &body).await?;
            output::line(format_args!("{}", if target.json { placed.to_string() } else { hold(&placed) }));
            Ok(Exit::Succeeded)
        }
        Some(RetentionCommand::Release(options)) => {
            Api::find(target, Role::Supervisor)?.delete(&format!("/api/retention/holds/{}", options.id)).await?;
            if !target.json {
                output::line(format_args!("{} released", options.id));
            }
            Ok(Exit::Succeeded)
        }
    }
}

async fn list(target: &Target, role: Role, path: &str, text: fn(&Value) -> String) -> Outcome {
    let page = Api::find(target, role)?.get(path).await?;
    if target.json {
        output::line(format_args!("{page}"));
    } else {
        for row in page["data"].as_array().into_iter().flatten() {
            output::line(format_args!("{}", text(row)));
        }
    }
    Ok(Exit::Succeeded)
}

/// A setting as a line.
fn setting(row: &Value) -> String {
    let what = row["what"].as_str().unwrap_or_default();
    let days = match row["days"].as_u64() {
        Some(days) => format!("{days} days"),
        None if matches!(what, "artifacts" | "model_calls") => "as long as their run".to_owned(),
        None => "forever".to_owned(),
    };
    format!("{what:<12} {days}{}", if row["is_default"] == true { " (default)" } else { "" })
}

/// A legal hold as a line.
fn hold(row: &Value) -> String {
    let text = |key: &str| row[key].as_str().unwrap_or_default();
    let subject = row["run_id"].as_str().map_or_else(|| "tenant".to_owned(), |run| format!("run {run}"));
    format!("{}  {}  {subject}  {}  ({})", text("id"), text("created_at"), text("created_by"), text("reason"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Days, days, setting};

    #[test]
    fn days_are_a_number_within_ten_years_or_forever() {
        assert_eq!(days("1"), Ok(Days(Some(1))));
        assert_eq!(days("3650"), Ok(Days(Some(3650))));
        assert_eq!(days("forever"), Ok(Days(None)));
        for wrong in ["0", "-1", "3651", "65537", "99999999999999999999", "1.5", "", "null", "ever"] {
            assert!(days(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_setting_says_what_null_means() {
        assert_eq!(setting(&json!({"what": "runs", "days": null, "is_default": true})), "runs         forever (default)");
        assert_eq!(setting(&json!({"what": "artifacts", "days": null, "is_default": false})), "artifacts    as long as their run");
        assert_eq!(setting(&json!({"what": "events", "days": 7, "is_default": false})), "events       7 days");
    }
}
