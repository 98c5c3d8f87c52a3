use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Why a step was dead-lettered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DlqReason {
    /// It ran out of attempts.
    Exhausted,
    /// Two workers crashed while they ran it.
    Poison,
}

impl DlqReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Poison => "poison",
        }
    }
}

/// A step that ran out of attempts, with its errors, inputs and evidence.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeadLetter {
    pub id: Uuid,
    pub run_id: Uuid,
    pub step_id: Uuid,
    pub name: String,
    pub tool: String,
    pub reason: DlqReason,
    pub attempts: u32,
    /// The last error; its `chain` holds the earlier ones.
    #[schema(value_type = Object)]
    pub error: Value,
    /// Inputs as written in the plan.
    #[schema(value_type = Object)]
    pub inputs: Value,
    /// Artifacts that the step saved: `{id, name, path}`.
    #[schema(value_type = Vec<Object>)]
    pub evidence: Value,
    pub created_at: DateTime<Utc>,
}

impl DeadLetter {
    /// Columns of `nofx.step_dlq`.
    pub const COLUMNS: &str = "id,run_id,step_id,name,tool,reason,attempts,error,inputs,evidence,created_at";
}

/// Selects dead letters: at least one filter, or `all`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeadLetterSelector {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<Uuid>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<DlqReason>,
    /// Dead-lettered before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<DateTime<Utc>>,
    /// All dead letters of the tenant.
    pub all: bool,
    /// Maximum number, oldest first; default: 100, at most 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Show what would be done.
    pub dry_run: bool,
}

impl DeadLetterSelector {
    /// Whether it has no filter, so that it selects nothing.
    pub fn is_empty(&self) -> bool {
        let has_filter =
            self.ids.is_some() || self.tool.is_some() || self.run_id.is_some() || self.reason.is_some() || self.before.is_some();
        !self.all && !has_filter
    }

    /// The arguments of the database's functions.
    pub fn arguments(&self) -> Value {
        serde_json::json!({
            "p_ids": self.ids, "p_tool": self.tool, "p_run": self.run_id, "p_reason": self.reason, "p_before": self.before,
            "p_limit": self.limit.unwrap_or(100), "p_dry_run": self.dry_run,
        })
    }
}

/// What was requeued, and what was not.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Requeued {
    pub requeued: Vec<Uuid>,
    pub refused: Vec<RefusedDeadLetter>,
    pub dry_run: bool,
}

/// A dead letter that was not requeued.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RefusedDeadLetter {
    pub id: Uuid,
    pub reason: String,
}

/// What was purged.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Purged {
    pub purged: Vec<Uuid>,
    pub dry_run: bool,
}
